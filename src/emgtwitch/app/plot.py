"""A picture of a recording with its events over it, so that anyone can look before they believe."""

from __future__ import annotations

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
    signal, fs_Hz, outputs = _read(path, read_blocks(path))
    end_s = min(to_s if to_s is not None else len(signal) / fs_Hz, len(signal) / fs_Hz)
    start_s = max(from_s or 0.0, 0.0)
    if end_s <= start_s:
        raise UsageError(f"{path} lasts {len(signal) / fs_Hz:.1f} s; nothing lies from {start_s:g} to {end_s:g} s.")
    rows = min(MOST_ROWS, max(1, round((end_s - start_s) / ROW_S)))
    channels = signal.shape[1]
    figure, axes = plt.subplots(rows * channels, 1, figsize=(18, 2.2 * rows * channels), squeeze=False)
    span_s = (end_s - start_s) / rows
    for channel in range(channels):
        limit = 1.1 * float(np.nanpercentile(np.abs(signal[:, channel]), 99.9)) or 1.0
        for row in range(rows):
            axis = axes[row * channels + channel, 0]
            left_s = start_s + row * span_s
            times, values = _envelope(signal[:, channel], fs_Hz, left_s, left_s + span_s)
            axis.plot(times, values, linewidth=0.5, color="0.2")
            axis.set_xlim(left_s, left_s + span_s)
            axis.set_ylim(-limit, limit)
            axis.set_ylabel(f"channel {channel}")
            for output in outputs:
                _shade(axis, output, channel)
    axes[-1, 0].set_xlabel("seconds from the first sample; green twitch, blue contraction, red spasm, grey lost")
    figure.tight_layout()
    try:
        figure.savefig(out, dpi=70)
    except OSError as error:
        raise CannotWriteError(f"The picture {out} cannot be written: {error.strerror}.") from None
    finally:
        plt.close(figure)


def _read(path: Path, blocks: object) -> tuple[npt.NDArray[np.float64], float, list[Output]]:
    """The band-passed signal on the session's time (NaN where samples are missing), its rate, and what was found."""
    from emgtwitch.pipeline import Pipeline

    pieces: list[tuple[int, npt.NDArray[np.float64]]] = []
    pipeline = Pipeline(on_counts=lambda first, counts: pieces.append((first, counts)))
    outputs = [s.record for block in blocks for s in pipeline.feed(block)]  # type: ignore[attr-defined]
    outputs += [s.record for s in pipeline.finish()]
    if not pieces:
        raise UnreadableInputError(f"{path} holds no samples that can be drawn.")
    fs_Hz = pipeline.rate_Hz
    length = max(first + len(counts) for first, counts in pieces)
    signal = np.full((length, pieces[0][1].shape[1]), np.nan)
    for first, counts in pieces:
        signal[first : first + len(counts)] = counts
    return _band_passed(signal, pipeline.settings, fs_Hz), fs_Hz, outputs


def _band_passed(signal: npt.NDArray[np.float64], settings: Settings, fs_Hz: float) -> npt.NDArray[np.float64]:
    from emgtwitch.dsp.design import butterworth_band_pass

    from scipy.signal import sosfilt  # isort: skip

    sections = butterworth_band_pass(2, settings.band_low_Hz, min(settings.band_high_Hz, 0.4 * fs_Hz), fs_Hz)
    sos = np.insert(sections, 3, 1.0, axis=1)
    out = np.full_like(signal, np.nan)
    good = np.isfinite(signal).all(axis=1)
    if good.any():
        first = signal[good][0]
        out[good] = sosfilt(sos, signal[good] - first, axis=0)
    return out


def _envelope(
    values: npt.NDArray[np.float64], fs_Hz: float, from_s: float, to_s: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Least and greatest value of each pixel column, alternating, so that no spike is thinned away."""
    start, stop = int(from_s * fs_Hz), int(to_s * fs_Hz)
    part = values[start:stop]
    step = max(1, len(part) // COLUMNS)
    if step == 1:
        return (start + np.arange(len(part))) / fs_Hz, part
    columns = part[: len(part) // step * step].reshape(-1, step)
    pair = np.column_stack((columns.min(axis=1), columns.max(axis=1))).reshape(-1)
    return (start + np.repeat(np.arange(len(columns)) * step, 2)) / fs_Hz, pair


def _shade(axis: object, output: Output, channel: int) -> None:
    if isinstance(output, Event) and output.channel == channel:
        colour, alpha = COLOURS[output.event_class], 0.55 if output.on_tone else 0.35
    elif isinstance(output, Interval) and output.channel in (None, channel):
        colour, alpha = LOST, 1.0
    else:
        return
    axis.axvspan(output.onset_s, output.offset_s, color=colour, alpha=alpha, zorder=0)  # type: ignore[attr-defined]
