"""What others offer for finding activity in EMG, each at the best setting that needs no look at the truth.

All of them look at the whole recording at once (ours may not), get the same zero-phase band-pass and, where their
level is theirs to choose, one from the recording's quiet part instead of their default: NeuroKit2's 0.1 standard
deviations and BioSPPy's mean + 2 standard deviations depend on how much activity there is. Their minimum durations
are lowered so that twitches are possible at all, and what they find up to `JOIN_S` s apart is joined for them. One
setting for everything, as for ours: each level is that of a handful tried (from 3 to 16 standard deviations, from 1.7
to 4 times a baseline's RMS) with about the highest F1, averaged over the groups of tuning recordings and the real
ones. Joining over 0.06 or 0.15 s changes that average by less than 0.06 either way: less saves more of the trains,
more shreds fewer spasms. BioSPPy's detectors need a stretch of rest: they get the quietest.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from benchmarks.accuracy.case import Case, Span, class_of

Floats = npt.NDArray[np.float64]

REST_S = 5.0
BONATO = 5.0  # mean power of two samples over the variance of rest
SOLNIK = 6.0  # standard deviations over the mean of rest's Teager-Kaiser energy
LEVEL = 5.0  # standard deviations over the mean of rest
CHAIN = 4.0  # median deviations, as standard deviations, over the median
RBD = 2.0  # times the baseline's RMS
JOIN_S = 0.100  # threshold crossings closer than this are of one event: 30 ms shreds contractions, 250 ms eats trains
LEAST_S = 0.010


def neurokit2(case: Case) -> list[Span]:
    """`emg_activation` by threshold on its own amplitude: rest's mean + `LEVEL` standard deviations, from 10 ms on.

    Its two steps are called alone: what it writes the same answer into is a table that takes minutes to fill.
    """
    y = prepared(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        amplitude = np.asarray(import_module("neurokit2").emg_amplitude(y))
        rest = amplitude[_rest(amplitude**2, case.fs_Hz)]
        level = float(rest.mean() + LEVEL * rest.std())
        if level >= amplitude.max():  # it would raise ValueError
            return []
        steps = import_module("neurokit2.emg.emg_activation")
        binary = steps._emg_activation_threshold(amplitude, threshold=level)
        told = steps._emg_activation_activations(binary, duration_min=max(2, round(0.010 * case.fs_Hz)))
    active = np.zeros(len(y), dtype=np.bool_)
    active[np.asarray(told["EMG_Activity"], dtype=np.int64)] = True
    return spans(active, case.fs_Hz)


def biosppy_find_onsets(case: Case) -> list[Span]:
    """`find_onsets` over 20 ms, level: rest's mean + `LEVEL` standard deviations of the smoothed magnitude."""
    y = prepared(case)
    size = max(2, round(0.020 * case.fs_Hz))
    smooth = uniform_filter1d(np.abs(y), size)
    rest = smooth[_rest(y * y, case.fs_Hz)]
    level = float(rest.mean() + LEVEL * rest.std())
    found = _biosppy("find_onsets", signal=y, sampling_rate=case.fs_Hz, size=0.020, threshold=level)
    return _between(found, len(y), smooth > level, case.fs_Hz)


def biosppy_bonato(case: Case) -> list[Span]:
    """Bonato's double threshold: two samples' mean power of `BONATO` times rest's variance, 5 ms of active state."""
    y = prepared(case)
    states = max(2, round(0.005 * case.fs_Hz / 2))
    rest = y[_rest(y * y, case.fs_Hz)]
    found = _biosppy(
        "bonato_onset_detector",
        signal=y,
        rest=rest,
        sampling_rate=case.fs_Hz,
        threshold=2 * BONATO,
        active_state_duration=states,
        samples_above_fail=2,
        fail_size=states,
    )
    strong = uniform_filter1d(y * y, max(2, round(0.010 * case.fs_Hz))) > BONATO * rest.var()
    return _between(found, len(y), strong, case.fs_Hz)


def biosppy_solnik(case: Case) -> list[Span]:
    """Solnik's Teager-Kaiser energy over 10 ms: `SOLNIK` standard deviations over the mean of rest.

    The energy is BioSPPy's; its edges are not taken, since its counter of active samples is not cleared when a
    sample falls back, which dates onsets up to seconds early.
    """
    y = prepared(case)
    rest = {"mean": 0.0, "std_dev": 1.0}
    energy = _biosppy(
        "solnik_onset_detector",
        "processed",
        signal=y,
        rest=rest,
        sampling_rate=case.fs_Hz,
        threshold=SOLNIK,
        active_state_duration=max(2, round(0.002 * case.fs_Hz)),
    )
    smooth = uniform_filter1d(np.pad(np.asarray(energy), 1), max(2, round(0.010 * case.fs_Hz)))
    quiet = smooth[_rest(y * y, case.fs_Hz)]
    return spans(smooth > quiet.mean() + SOLNIK * quiet.std(), case.fs_Hz)


def biosppy_hodges_bui(case: Case) -> list[Span]:
    """Hodges and Bui's moving mean over 20 ms: rest's mean + `LEVEL` standard deviations."""
    y = prepared(case)
    size = max(2, round(0.020 * case.fs_Hz))
    rest = uniform_filter1d(np.abs(y), size)[_rest(y * y, case.fs_Hz)]
    found = _biosppy(
        "hodges_bui_onset_detector",
        signal=y,
        rest={"mean": float(rest.mean()), "std_dev": float(rest.std())},
        sampling_rate=case.fs_Hz,
        size=size,
        threshold=LEVEL,
    )
    smooth = uniform_filter1d(np.abs(y), size)
    return _between(found, len(y), smooth > rest.mean() + LEVEL * rest.std(), case.fs_Hz)


def scipy_chain(case: Case) -> list[Span]:
    """What one would write: RMS over 20 ms, median + `CHAIN` median deviations (scaled to standard ones)."""
    y = prepared(case)
    # The running sum may end a little below nothing after something strong.
    rms = np.sqrt(np.maximum(0.0, uniform_filter1d(y * y, max(2, round(0.020 * case.fs_Hz)))))
    middle = np.median(rms)
    return spans(rms > middle + CHAIN * 1.4826 * np.median(np.abs(rms - middle)), case.fs_Hz)


def rbdtector_like(case: Case) -> list[Span]:
    """RMS in chunks of 30 ms, `RBD` times the lowest RMS around, as RBDtector describes its rule."""
    y = prepared(case)
    chunk = max(1, round(0.030 * case.fs_Hz))
    n = len(y) // chunk
    power = (y[: n * chunk] ** 2).reshape(n, chunk).mean(axis=1)
    window = min(n, round(30.0 / 0.030))
    # Brief recordings have no quiet 30 s, so the baseline is the lowest RMS of 3 s.
    baseline = minimum_filter1d(uniform_filter1d(power, max(1, min(n, window // 10)), mode="nearest"), 2 * window)
    return spans(np.repeat(power > RBD**2 * baseline, chunk), case.fs_Hz)


# What the tables show.
PEERS: dict[str, Callable[[Case], list[Span]]] = {
    "neurokit2": neurokit2,
    "biosppy find_onsets": biosppy_find_onsets,
    "biosppy bonato": biosppy_bonato,
    "biosppy solnik": biosppy_solnik,
    "biosppy hodges_bui": biosppy_hodges_bui,
    "scipy chain": scipy_chain,
    "rbdtector-like": rbdtector_like,
}


def prepared(case: Case) -> Floats:
    """The case in 20-450 Hz without delay, straight lines over lost samples."""
    x = case.counts * (case.uV_per_count or 1.0)
    lost = ~np.isfinite(x)
    if lost.any():
        at = np.arange(len(x))
        x = np.where(lost, np.interp(at, at[~lost], x[~lost]), x)
    sos = butter(4, (20.0, min(450.0, 0.4 * case.fs_Hz)), "bandpass", output="sos", fs=case.fs_Hz)
    out: Floats = np.ascontiguousarray(sosfiltfilt(sos, x))
    return out


def spans(active: npt.NDArray[np.bool_], fs_Hz: float) -> list[Span]:
    """Runs of `active`, joined over `JOIN_S`, none shorter than `LEAST_S`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8))) / fs_Hz
    return _joined(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _joined(pieces: Iterable[tuple[float, float]]) -> list[Span]:
    out: list[tuple[float, float]] = []
    for a, b in pieces:
        if out and a - out[-1][1] <= JOIN_S:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return [Span(a, b, class_of(b - a)) for a, b in out if b - a >= LEAST_S]


def _between(found: Any, n: int, above: npt.NDArray[np.bool_], fs_Hz: float) -> list[Span]:
    """Crossings without their direction: active is the time between two that is mostly above.

    BioSPPy returns onsets and offsets sorted and each time once, so an event of no length makes pairs by turns wrong.
    """
    edges = np.unique(np.concatenate(([0], np.asarray(found, dtype=np.int64), [n])))
    pieces = [(int(a), int(b)) for a, b in pairwise(edges) if above[a:b].mean() > 0.5]
    return _joined((a / fs_Hz, b / fs_Hz) for a, b in pieces)


def _rest(power: Floats, fs_Hz: float) -> slice:
    """The quietest `REST_S` by mean power, or a quarter of a short recording."""
    width = min(round(REST_S * fs_Hz), max(1, len(power) // 4))
    sums = np.cumsum(np.concatenate(([0.0], power)))
    start = int(np.argmin(sums[width:] - sums[:-width]))
    return slice(start, start + width)


def _biosppy(name: str, result: str = "onsets", **arguments: Any) -> Any:
    """Call a function of BioSPPy's module of EMG, which warns of what it will need in years to come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(import_module("biosppy.signals.emg"), name)(**arguments)[result]
