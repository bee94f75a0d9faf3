"""A picture of a recording with its events over it, so that anyone can look before they believe."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.detect.records import Event, Interval, Output
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError

if TYPE_CHECKING:
    from emgtwitch.settings import Settings

COLOURS = {"twitch": "tab:green", "contraction": "tab:blue", "spasm": "tab:red"}
LOST = "0.85"
ROW_S = 30.0
MOST_ROWS = 12
LEAD_S = 1.0  # before the picture, for the filter to settle
COLUMNS = 2000  # of the picture; a pixel shows the least and the greatest value in it


def plot_recording(path: Path, out: Path, from_s: float | None, to_s: float | None) -> None:
    """Draw the recording (file or session folder) at `path` from `from_s` to `to_s` into the PNG `out`.

    Every channel, band-passed as the detector sees it, with events and lost time behind it. Raises UsageError
    without matplotlib, UnreadableInputError where nothing can be drawn, CannotWriteError.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise UsageError("Drawing needs matplotlib: pip install 'emgtwitch[report]'.") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from emgtwitch.sources.recording import read_blocks

    prepare_kernels()
    start_s = max(from_s or 0.0, 0.0)
    seen = _read(path, read_blocks(path), start_s, math.inf if to_s is None else to_s)
    fs_Hz, end_s = seen.fs_Hz, min(math.inf if to_s is None else to_s, seen.duration_s)
    if end_s <= start_s:
        raise UsageError(f"{path} lasts {seen.duration_s:.1f} s; nothing lies from {start_s:g} to {end_s:g} s.")
    rows = min(MOST_ROWS, max(1, round((end_s - start_s) / ROW_S)))
    channels = seen.signal.shape[1]
    figure, axes = plt.subplots(rows * channels, 1, figsize=(18, 2.2 * rows * channels), squeeze=False)
    span_s = (end_s - start_s) / rows
    for channel in range(channels):
        values = seen.signal[:, channel]
        known = np.abs(values[np.isfinite(values)])
        limit = 1.1 * float(np.percentile(known, 99.9)) if known.size else 0.0
        for row in range(rows):
            axis = axes[row * channels + channel, 0]
            left_s = start_s + row * span_s
            axis.plot(
                *_envelope(values, seen.first / fs_Hz, fs_Hz, left_s, left_s + span_s), linewidth=0.5, color="0.2"
            )
            axis.set_xlim(left_s, left_s + span_s)
            axis.set_ylim(-limit or -1.0, limit or 1.0)
            axis.set_ylabel(f"channel {channel}")
            for output in seen.outputs:
                _shade(axis, output, channel)
    axes[-1, 0].set_xlabel("seconds from the first sample; green twitch, blue contraction, red spasm, grey lost")
    figure.tight_layout()
    try:
        figure.savefig(out, dpi=70)
    except OSError as error:
        raise CannotWriteError(f"The picture {out} cannot be written: {error.strerror}. Name another file.") from None
    except ValueError as error:  # of the suffix
        raise UsageError(f"{out} can be no picture: {error}. Name a file that ends in .png.") from None
    finally:
        plt.close(figure)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The band-passed signal (samples, channels), NaN where samples are missing, and what was found in all of it."""

    signal: npt.NDArray[np.float32]
    first: int  # session sample of its first one
    fs_Hz: float
    duration_s: float  # of the whole recording
    outputs: list[Output]


def _read(path: Path, blocks: Iterable[memoryview], from_s: float, to_s: float) -> _Seen:
    """Detect in all of a recording, keep the samples from `from_s` to `to_s`."""
    from emgtwitch.pipeline import Pipeline

    pieces: list[tuple[int, npt.NDArray[np.float32]]] = []
    bounds = 0, 0

    def keep(first: int, counts: npt.NDArray[np.float64]) -> None:
        nonlocal bounds
        fs_Hz = pipeline.rate_Hz
        bounds = max(0, int((from_s - LEAD_S) * fs_Hz)), int(min(to_s * fs_Hz, first + len(counts)))
        part = counts[max(0, bounds[0] - first) : max(0, bounds[1] - first)]
        if len(part):
            pieces.append((max(first, bounds[0]), part.astype(np.float32)))

    pipeline = Pipeline(on_counts=keep)
    outputs = [s.record for block in blocks for s in pipeline.feed(block)]
    outputs += [s.record for s in pipeline.finish()]
    if not pipeline.progress.scans_seen:
        raise UnreadableInputError(f"{path} holds no samples that can be drawn. Name another --session.")
    width = max((part.shape[1] for _, part in pieces), default=1)
    signal = np.full((max(0, bounds[1] - bounds[0]), width), np.nan, dtype=np.float32)
    for first, part in pieces:
        signal[first - bounds[0] : first - bounds[0] + len(part), : part.shape[1]] = part
    signal = _band_passed(signal, pipeline.settings, pipeline.rate_Hz)
    return _Seen(signal, bounds[0], pipeline.rate_Hz, pipeline.progress.duration_s, outputs)


def _band_passed(signal: npt.NDArray[np.float32], settings: Settings, fs_Hz: float) -> npt.NDArray[np.float32]:
    from emgtwitch.dsp.design import butterworth_band_pass

    from scipy.signal import sosfilt  # isort: skip

    sections = butterworth_band_pass(2, settings.band_low_Hz, min(settings.band_high_Hz, 0.4 * fs_Hz), fs_Hz)
    sos = np.insert(sections, 3, 1.0, axis=1)
    out = np.full_like(signal, np.nan)
    for channel in range(signal.shape[1]):
        good = np.isfinite(signal[:, channel])
        if good.any():
            values = signal[good, channel].astype(np.float64)
            out[good, channel] = sosfilt(sos, values - values[0])
    return out


def _envelope(
    values: npt.NDArray[np.float32], values_from_s: float, fs_Hz: float, from_s: float, to_s: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Least and greatest value of each pixel column, alternating, so that no spike is thinned away."""
    start = round((from_s - values_from_s) * fs_Hz)
    part = values[start : start + round((to_s - from_s) * fs_Hz)]
    step = max(1, len(part) // COLUMNS)
    if step == 1:
        return from_s + np.arange(len(part)) / fs_Hz, part
    columns = part[: len(part) // step * step].reshape(-1, step)
    pair = np.column_stack((columns.min(axis=1), columns.max(axis=1))).reshape(-1)
    return from_s + np.repeat(np.arange(len(columns)) * step, 2) / fs_Hz, pair


def _shade(axis: object, output: Output, channel: int) -> None:
    if isinstance(output, Event) and output.channel == channel:
        colour, alpha = COLOURS[output.event_class], 0.55 if output.on_tone else 0.35
    elif isinstance(output, Interval) and output.channel in (None, channel):
        colour, alpha = LOST, 1.0
    else:
        return
    axis.axvspan(output.onset_s, output.offset_s, color=colour, alpha=alpha, zorder=0)  # type: ignore[attr-defined]
