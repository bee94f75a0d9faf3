"""How the tests of this room feed the detector and read what it found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.detect.detector import Detector
from emgtwitch.detect.state import ANNOUNCEMENT, CAUSES, INTERVAL, OUT
from emgtwitch.settings import Settings
from emgtwitch.wearer.scenario import Device, Scenario
from emgtwitch.wearer.truth import TruthEvent, TruthInterval
from emgtwitch.wearer.wearer import Wearer

Floats = npt.NDArray[np.float64]
Row = tuple[float, ...]

FINE = Device(bits=16)  # 0.08 uV a count: the converter's steps do not matter


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the detector in words; times in seconds from the first sample."""

    what: str  # twitch, contraction, spasm, announcement, or the kind of an interval: of an artefact its cause
    onset_s: float
    offset_s: float
    decided_s: float
    number: int
    peak: float
    rms: float
    snr_dB: float
    on_tone: bool
    truncated: bool

    @property
    def is_event(self) -> bool:
        return self.what in ("twitch", "contraction", "spasm")


def rows(
    counts: Floats,
    fs_Hz: float,
    uV_per_count: float | None = 1.0,
    rails: tuple[float, float] = (math.nan, math.nan),
    settings: Settings | None = None,
    cuts: Iterable[int] = (),
    step: float = 0.0,
) -> list[Row]:
    """Every row of the detector as a tuple, from `counts` fed in the pieces that `cuts` make."""
    detector = Detector(settings or Settings(), fs_Hz, uV_per_count, rails, step=step)
    out = [row for piece in np.split(counts, sorted(cuts)) for row in detector.feed(np.ascontiguousarray(piece))]
    return [tuple(row.item()) for row in [*out, *detector.finish(len(counts))]]


def found(
    counts: Floats,
    fs_Hz: float,
    uV_per_count: float | None = 1.0,
    rails: tuple[float, float] = (math.nan, math.nan),
    settings: Settings | None = None,
    step: float = 0.0,
) -> list[Found]:
    """The same in words."""
    settings = settings or Settings()
    out = []
    for row in rows(counts, fs_Hz, uV_per_count, rails, settings, step=step):
        f = dict(zip(OUT.names or (), row, strict=True))
        ms = 1000 * (f["offset"] - f["onset"]) / fs_Hz
        if f["type"] == ANNOUNCEMENT:
            what = "announcement"
        elif f["type"] == INTERVAL:
            kind, cause = CAUSES[int(f["cause"])]
            what = cause or kind
        elif ms <= settings.twitch_max_ms:
            what = "twitch"
        else:
            what = "spasm" if ms >= 1000 * settings.spasm_min_s else "contraction"
        times = (f["onset"] / fs_Hz, f["offset"] / fs_Hz, f["decided"] / fs_Hz)
        levels = (f["peak"], f["rms"], f["snr_dB"])
        out.append(Found(what, *times, int(f["number"]), *levels, bool(f["on_tone"]), bool(f["truncated"])))
    return out


def events(everything: Iterable[Found], *classes: str) -> list[Found]:
    """The events, or those of the classes named, by onset."""
    chosen = [one for one in everything if one.is_event and (not classes or one.what in classes)]
    return sorted(chosen, key=lambda one: one.onset_s)


def worn(scenario: Scenario, seconds: float, seed: int) -> tuple[list[Found], list[TruthEvent], list[TruthInterval]]:
    """What the detector finds in channel 0 of a wearer, and the truth."""
    wearer = Wearer(scenario, seed)
    counts = wearer.render(int(seconds * scenario.fs_Hz))[:, 0].astype(np.float64)
    device = scenario.device
    rails = (0.0, float(2**device.count_bits - device.oversampling))
    seen = found(counts, scenario.fs_Hz, device.uV_per_count, rails, step=1.0)
    return seen, wearer.truth(seconds), wearer.intervals(seconds)


def overlap_s(a: Found | TruthEvent | TruthInterval, b: Found | TruthEvent | TruthInterval) -> float:
    """Time that two have in common."""
    return max(0.0, min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s))


def burst(
    fs_Hz: float, onset_s: float, duration_s: float, seconds: float, rng: np.random.Generator, low_Hz: float = 40.0
) -> Floats:
    """A burst of noise of RMS 1 in `low_Hz`-200 Hz with edges of 1 ms, in `seconds` of silence."""
    n = int(seconds * fs_Hz)
    f_Hz = np.fft.rfftfreq(n, 1 / fs_Hz)
    spectrum = rng.normal(size=len(f_Hz)) + 1j * rng.normal(size=len(f_Hz))
    noise = np.fft.irfft(np.where((f_Hz > low_Hz) & (f_Hz < 200.0), spectrum, 0.0), n)
    time_s = np.arange(n) / fs_Hz - onset_s
    gate = np.clip(time_s / 0.001, 0, 1) * np.clip((duration_s - time_s) / 0.001, 0, 1)
    out: Floats = noise / noise.std() * gate
    return out
