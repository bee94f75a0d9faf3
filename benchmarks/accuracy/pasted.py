"""Twitches cut from real recordings, pasted into the quiet of others: real shapes in real noise, with known times.

Everything is cut at run time from the recordings themselves, so nothing of them is committed. A donor is a labelled
event of up to 150 ms whose peak stands `DONOR_PEAK` baselines over its recording's noise. It is band-passed, tapered
over `MARGIN_S` on either side, and scaled so that its RMS from onset to offset is the asked number of dB over the
host's RMS there (20-450 Hz, less the mains). Times of truth are those of the tapered donor alone, by design.md's
definition. Hosts keep their own labels and doubtful time; pasted events stay clear of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.signal import resample_poly

from benchmarks.accuracy.case import Case, Label, Span, class_of
from benchmarks.accuracy.labelling import Floats, filled, levels
from benchmarks.accuracy.real import case, read
from benchmarks.accuracy.recordings import RECORDINGS, load
from emgtwitch.wearer.truth import band_passed, measure

GROUP = "real twitches pasted"
HOSTS = ("biosppy_emg", "biosppy_emg_1", "myonset_1_2", "myonset_3_4")
DONORS = ("solo", "myonset_1_2", "myonset_3_4")
SNR_dB = (6.0, 10.0, 20.0)
TUNING_SEEDS = (1, 2)
HELD_OUT_SEEDS = (1001, 1002, 1003)
MARGIN_S = 0.040
APART_S = 1.0
EDGE_S = 3.0
CLEAR_S = 0.3  # of the host's own events and doubtful time; its RMS there and under the twitch is the baseline
DONOR_PEAK = 30.0
PAD = 300  # samples of silence on either side, for the band-pass
_BY_NAME = {one.name: one for one in RECORDINGS}


@dataclass(frozen=True, slots=True)
class Pasted:
    """A host with twitches of one strength pasted into it; renders itself when asked."""

    host: str
    snr_dB: float
    seed: int
    held_out: bool

    def case(self) -> Case:
        """The recording. Raises NoRecordingError."""
        return pasted(self)


def sources(held_out: bool, short: bool) -> list[Pasted]:
    """All of the group, or one seed and two hosts in the short form."""
    seeds = HELD_OUT_SEEDS if held_out else TUNING_SEEDS
    hosts = HOSTS[:2] if short else HOSTS
    return [Pasted(h, dB, s, held_out) for s in seeds[: 1 if short else None] for dB in SNR_dB for h in hosts]


@cache
def donors() -> tuple[tuple[str, float, Floats], ...]:
    """Tapered twitches as (recording, rate in Hz, samples)."""
    out = []
    for name in DONORS:
        recording = _BY_NAME[name]
        loaded = load(recording)
        seen = levels(filled(loaded.x), loaded.fs_Hz)
        margin = round(MARGIN_S * loaded.fs_Hz)
        ramp = np.sin(np.linspace(0, np.pi / 2, margin)) ** 2
        for onset_s, offset_s in read(recording).events:
            first, last = round(onset_s * loaded.fs_Hz) - margin, round(offset_s * loaded.fs_Hz) + margin
            piece = seen.signal[max(0, first) : last].copy()
            strong = np.abs(piece).max() > DONOR_PEAK * np.sqrt(seen.floor[first])
            if offset_s - onset_s > 0.15 or len(piece) < last - first or not strong:
                continue
            piece[:margin] *= ramp
            piece[-margin:] *= ramp[::-1]
            out.append((name, loaded.fs_Hz, piece))
    return tuple(out)


def pasted(asked: Pasted) -> Case:
    """Paste one donor about every `APART_S` of quiet."""
    base = case(_BY_NAME[asked.host])
    rng = np.random.default_rng([asked.seed, round(asked.snr_dB), HOSTS.index(asked.host)])
    scale = base.uV_per_count or 1.0
    host = levels(filled(base.counts) * scale, base.fs_Hz).signal
    around = round(CLEAR_S * base.fs_Hz)
    counts = base.counts.copy()
    taken = [*base.ignore, *((s.onset_s, s.offset_s) for s in base.truth)]
    truth: list[tuple[Span, Label]] = [(span, Label(kind="own")) for span in base.truth]
    others = [one for one in donors() if one[0] != asked.host]
    at_s = EDGE_S + rng.uniform(0, APART_S)
    while at_s < base.duration_s - EDGE_S:
        _, fs_Hz, shape = others[rng.integers(len(others))]
        piece = shape if fs_Hz == base.fs_Hz else resample_poly(shape, round(base.fs_Hz), round(fs_Hz))
        start, end_s = round(at_s * base.fs_Hz), at_s + len(piece) / base.fs_Hz
        if all(end_s + CLEAR_S < a or at_s - CLEAR_S > b for a, b in taken):
            padded = band_passed(np.pad(piece, PAD), base.fs_Hz)
            alone = measure(padded, base.fs_Hz)
            quiet = float(np.std(host[start - around : start + len(piece) + around]))
            gain = quiet * 10 ** (asked.snr_dB / 20) / alone.rms_uV
            begin = start - PAD
            counts[begin : begin + len(padded)] += gain * padded / scale
            onset_s, offset_s = begin / base.fs_Hz + alone.onset_s, begin / base.fs_Hz + alone.offset_s
            span = Span(onset_s, offset_s, class_of(offset_s - onset_s))
            truth.append((span, Label(asked.snr_dB, "", "pasted")))
            at_s = end_s
        at_s += APART_S * rng.uniform(0.8, 1.6)
    truth.sort(key=lambda pair: pair[0].onset_s)
    return replace(
        base,
        group=GROUP,
        name=f"{asked.host} {asked.snr_dB:.0f} dB {asked.seed}",
        seed=asked.seed,
        counts=np.rint(counts) if np.isfinite(base.rails[1]) and not base.uV_per_count else counts,
        truth=tuple(span for span, _ in truth),
        labels=tuple(label for _, label in truth),
        held_out=asked.held_out,
        cell=f"{asked.snr_dB:.0f} dB",
    )
