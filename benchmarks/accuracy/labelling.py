"""The rule that labels a real recording: offline, looking both ways, and sharing nothing with the detector.

1. The recording, less its mains lines where it has any, in 20-450 Hz (or what its row asks) without delay.
2. RMS over 5 ms and over 50 ms, both centred, against the baseline: the 20 % quantile of the latter over the
   20 s around, in steps of 2 s, never lower than a third of its own median.
3. Where the 50 ms RMS stays over `ENTER` of its baseline (pauses bridged as in 4), there is a candidate. It
   counts when its 50 ms RMS reaches `COUNT_50` or its 5 ms RMS `COUNT_5` times the baseline: over the whole length of a
   recording, noise does not. One that stays below is doubtful: nobody can say whether it is weak activity or restless
   noise, so it is neither asked for nor held against anyone.
4. Onset and offset are the first and last sample at which the 5 ms RMS, less the baseline's power, exceeds 10 % of its
   peak, or `EDGE` baselines where the noise hides that. Pauses of up to 300 ms are within an event unless they are
   longer than half of the longer side (so the twitches of a train are events each); up to 20 ms they are none.
5. What is left of a candidate beside its events, below 10 % of their peak, is resting tone: doubtful where it touches
   the event or is below the counts of 3, else an event of its own.
Class by duration.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import percentile_filter, uniform_filter1d

from emgtwitch.wearer.truth import EDGE as OF_PEAK
from emgtwitch.wearer.truth import RMS_S

RULE_VERSION = 1

Floats = npt.NDArray[np.float64]
Piece = tuple[int, int]  # samples [first, last)

SLOW_S = 0.050
ENTER = 1.8
COUNT_50 = 3.5
COUNT_5 = 7.0
EDGE = 2.5
PAUSE_S = 0.300
PAUSE_OF_SIDE = 0.5
FUSED_S = 0.020
AROUND_S = 20.0
STEP_S = 2.0
QUANTILE = 20
RESTLESS_S = 0.5
MARGIN_S = 0.025  # half of the 50 ms that the slow RMS smears
SETTLING_S = 0.1  # where a filter that knows both sides has one only
MAINS_dB = 10.0


class Labelled(NamedTuple):
    """What the rule says of a recording, in seconds."""

    events: list[tuple[float, float]]
    doubtful: list[tuple[float, float]]


class Levels(NamedTuple):
    """What the rule looks at, a value a sample."""

    signal: Floats  # band-passed
    fast: Floats  # mean square over 5 ms
    slow: Floats  # mean square over 50 ms
    floor: Floats  # mean square of the baseline


def levels(x: Floats, fs_Hz: float, band_Hz: tuple[float, float] = (20.0, 450.0)) -> Levels:
    """The recording `x` as the rule sees it; `band_Hz` ends at 0.4 fs at the latest."""
    signal = in_band(x, fs_Hz, band_Hz)
    fast = uniform_filter1d(signal**2, max(1, round(RMS_S * fs_Hz)))
    slow = uniform_filter1d(signal**2, max(1, round(SLOW_S * fs_Hz)))
    return Levels(signal, fast, slow, _floor(slow, fs_Hz))


def filled(x: Floats) -> Floats:
    """`x` with a straight line where samples are lost."""
    lost = ~np.isfinite(x)
    if not lost.any():
        return x
    at = np.arange(len(x))
    out: Floats = np.where(lost, np.interp(at, at[~lost], x[~lost]), x)
    return out


def in_band(x: Floats, fs_Hz: float, band_Hz: tuple[float, float]) -> Floats:
    """A Butterworth band-pass of 4th order by its magnitude, without delay, and without the lines of the mains.

    A line goes where the 0.5 Hz around a multiple of 50 or 60 Hz hold `MAINS_dB` more than the band beside it.
    """
    n = len(x)
    edge = min(n // 4, round(fs_Hz))
    smooth = np.concatenate((2 * x[0] - x[edge:0:-1], x, 2 * x[-1] - x[-2 : -edge - 2 : -1]))
    spectrum = np.fft.rfft(smooth - smooth.mean())
    f_Hz = np.fft.rfftfreq(len(smooth), 1 / fs_Hz)
    power = np.abs(spectrum) ** 2
    for base_Hz in (50.0, 60.0):
        for line_Hz in np.arange(base_Hz, 0.5 * fs_Hz, base_Hz):
            off = np.abs(f_Hz - line_Hz)
            line, beside = off <= 0.5, (off > 1.0) & (off <= 6.0)
            if power[line].mean() > 10 ** (MAINS_dB / 10) * power[beside].mean():
                spectrum[line] *= np.sqrt(power[beside].mean() / power[line])
    low, high = band_Hz[0], min(band_Hz[1], 0.4 * fs_Hz)
    with np.errstate(divide="ignore"):
        gain = 1 / np.sqrt((1 + (low / f_Hz) ** 8) * (1 + (f_Hz / high) ** 8))
    out: Floats = np.fft.irfft(spectrum * gain, len(smooth))[edge : edge + n]
    return out


def _floor(power: Floats, fs_Hz: float) -> Floats:
    """The quantile of `power` in the `AROUND_S` around, never lower than a ninth of its own median (power)."""
    step = max(1, round(0.01 * fs_Hz))
    width = min(len(power) // step, round(AROUND_S / 0.01))
    low = percentile_filter(power[::step], QUANTILE, size=width, mode="nearest")[:: round(STEP_S / 0.01)]
    low = np.maximum(low, np.median(low) / 9)
    at = np.arange(len(low)) * step * round(STEP_S / 0.01)
    out: Floats = np.interp(np.arange(len(power)), at, low)
    return out


def label(x: Floats, fs_Hz: float, band_Hz: tuple[float, float] = (20.0, 450.0), baselines: float = 1.0) -> Labelled:
    """Label the recording `x`; what stands `baselines` over its baseline belongs to the baseline, too."""
    seen = levels(filled(x), fs_Hz, band_Hz)
    return label_levels(seen._replace(floor=baselines**2 * seen.floor), fs_Hz)


def label_levels(seen: Levels, fs_Hz: float) -> Labelled:
    """Label what `levels` makes of a recording."""
    events: list[Piece] = []
    doubtful: list[Piece] = []
    edge = round(SETTLING_S * fs_Hz)
    for start, stop in _bridged_by_length(_pieces(seen.slow > ENTER**2 * seen.floor), fs_Hz):
        if start < len(seen.fast) - edge and stop > edge:
            found, rest = _within(seen, (start, stop), fs_Hz)
            events += found
            doubtful += rest
    events.sort()
    margin = round(MARGIN_S * fs_Hz)
    restless = _bridged(sorted((max(0, a - margin), b + margin) for a, b in doubtful), round(RESTLESS_S * fs_Hz))
    doubtful = [piece for one in restless for piece in _without(one, events)]
    return Labelled([(a / fs_Hz, b / fs_Hz) for a, b in events], [(a / fs_Hz, b / fs_Hz) for a, b in doubtful])


def _without(piece: Piece, events: list[Piece]) -> list[Piece]:
    """What of `piece` is in no event."""
    out, (start, stop) = [], piece
    for a, b in events:
        if a < stop and b > start:
            if a > start:
                out.append((start, a))
            start = b
    return [*out, (start, stop)] if stop > start else out


def _counts(seen: Levels, piece: Piece) -> bool:
    part = slice(*piece)
    strong = np.any(seen.slow[part] > COUNT_50**2 * seen.floor[part])
    return bool(strong or np.any(seen.fast[part] > COUNT_5**2 * seen.floor[part]))


def _within(seen: Levels, candidate: Piece, fs_Hz: float) -> tuple[list[Piece], list[Piece]]:
    """Events and doubtful remains of a candidate."""
    start, stop = candidate
    if stop - start < 2:
        return [], []
    if not _counts(seen, candidate):
        return [], [candidate]
    part = slice(start, stop)
    above = seen.fast[part] - seen.floor[part]
    threshold = np.maximum(OF_PEAK**2 * above.max(), EDGE**2 * seen.floor[part])
    pieces = _bridged_by_length(_pieces(above > threshold), fs_Hz)
    top = int(np.argmax(above))
    first, last = next(piece for piece in pieces if piece[0] <= top < piece[1])
    events, doubtful = [(start + first, start + last)], []
    margin = round(SLOW_S * fs_Hz / 2)  # as far as the event reaches into the 50 ms RMS
    for a, b in ((start, start + first - margin), (start + last + margin, stop)):
        if b - a > margin:
            inner = [p for p in pieces if a <= start + p[0] and start + p[1] <= b]
            if inner:  # of more than 10 % of the peak, and apart from it
                found, rest = _within(seen, (a, b), fs_Hz)
                events += found
                doubtful += rest
            else:
                doubtful.append((a, b))
    return events, doubtful


def _pieces(mask: npt.NDArray[np.bool_]) -> list[Piece]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _bridged(pieces: list[Piece], longest: int) -> list[Piece]:
    out: list[Piece] = []
    for a, b in pieces:
        if out and a - out[-1][1] <= longest:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return out


def _bridged_by_length(pieces: list[Piece], fs_Hz: float) -> list[Piece]:
    """Join over pauses of up to `PAUSE_S` that are short against the longer side, until none is left."""
    out = _bridged(pieces, round(FUSED_S * fs_Hz))
    while True:
        before, out = out, []
        for a, b in before:
            if out and a - out[-1][1] <= min(PAUSE_S * fs_Hz, PAUSE_OF_SIDE * max(out[-1][1] - out[-1][0], b - a)):
                out[-1] = (out[-1][0], b)
            else:
                out.append((a, b))
        if len(out) == len(before):
            return out
