"""What really happened: the definition of an event's onset and offset, and the truth as labels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from emgtwitch.wearer.scenario import Kind

Floats = npt.NDArray[np.float64]

TRUTH_HZ = 2000.0  # events are measured at this rate, whatever the board's
BAND_HZ = (20.0, 450.0)
RMS_S = 0.005
EDGE = 0.1  # of the peak of the 5 ms RMS
TWITCH_MAX_S = 0.150
SPASM_MIN_S = 2.0


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """One event, [onset, offset) in seconds of the board's sample clock; amplitudes of its own band-passed signal."""

    event_class: Literal["twitch", "contraction", "spasm"]  # by duration alone
    kind: Kind  # what the muscle did; the twitches of a train are events of kind `train`
    channel: int
    onset_s: float
    offset_s: float
    on_tone: bool  # a twitch riding on a longer event
    peak_uV: float
    rms_uV: float
    snr_dB: float  # rms_uV over the RMS of the noise floor, resting tone included, 20-450 Hz

    @property
    def duration_s(self) -> float:
        return self.offset_s - self.onset_s


@dataclass(frozen=True, slots=True)
class TruthInterval:
    """Time in which the electrode told nothing, [onset, offset) in seconds of the board's sample clock."""

    kind: Literal["lead_off", "flat", "artefact"]
    channel: int
    onset_s: float
    offset_s: float
    cause: str  # of an artefact: motion or tap


@dataclass(frozen=True, slots=True)
class Measured:
    """Onset and offset in s from the start of a signal, peak and RMS between them."""

    onset_s: float
    offset_s: float
    peak_uV: float
    rms_uV: float


def band_passed(x: Floats, fs_Hz: float) -> Floats:
    """`x` in 20-450 Hz without delay: a Butterworth band-pass of 4th order by its magnitude, in the frequency domain.

    The upper edge is the lower of 450 Hz and 0.4 fs. `x` should start and end in silence of 50 ms or more.
    """
    n = 1 << (len(x) - 1).bit_length()
    f_Hz = np.fft.rfftfreq(n, 1 / fs_Hz)
    low, high = BAND_HZ[0], min(BAND_HZ[1], 0.4 * fs_Hz)
    with np.errstate(divide="ignore"):
        gain = 1 / np.sqrt((1 + (low / f_Hz) ** 8) * (1 + (f_Hz / high) ** 8))
    out: Floats = np.fft.irfft(np.fft.rfft(x, n) * gain, n)[: len(x)]
    return out


def measure(x: Floats, fs_Hz: float) -> Measured:
    """An event's edges by the project's definition, from its noise-free signal `x`.

    Onset and offset are the first and the last sample at which the centred 5 ms RMS of the band-passed signal exceeds
    10 % of its peak. Raises ValueError on silence.
    """
    y = band_passed(x, fs_Hz)
    width = max(1, round(RMS_S * fs_Hz))
    power = np.convolve(y * y, np.full(width, 1.0 / width), "same")
    if not power.max() > 0:
        raise ValueError("There is no event in silence.")
    above = np.flatnonzero(power > EDGE**2 * power.max())
    first, last = int(above[0]), int(above[-1]) + 1
    inside = y[first:last]
    return Measured(first / fs_Hz, last / fs_Hz, float(np.abs(inside).max()), float(np.sqrt(np.mean(inside**2))))


def class_of(duration_s: float) -> Literal["twitch", "contraction", "spasm"]:
    """The class of an event that lasts so long."""
    if duration_s <= TWITCH_MAX_S:
        return "twitch"
    return "spasm" if duration_s >= SPASM_MIN_S else "contraction"


def labels(truth: Iterable[TruthEvent | TruthInterval]) -> list[str]:
    """One JSON object a line, with the keys that `replay --json` gives events and intervals, ordered by onset."""
    lines = []
    for one in sorted(truth, key=lambda e: (e.onset_s, e.channel, e.kind)):
        edges = {"channel": one.channel, "onset_s": round(one.onset_s, 6), "offset_s": round(one.offset_s, 6)}
        if isinstance(one, TruthInterval):
            lines.append(json.dumps({"type": "interval", "kind": one.kind, **edges, "cause": one.cause}))
            continue
        values = {
            "duration_ms": round(1e3 * one.duration_s, 3),
            "peak_uV": round(one.peak_uV, 3),
            "rms_uV": round(one.rms_uV, 3),
            "snr_dB": round(one.snr_dB, 2),
            "on_tone": one.on_tone,
            "kind": one.kind,
        }
        lines.append(json.dumps({"type": "event", "class": one.event_class, **edges, **values}))
    return lines
