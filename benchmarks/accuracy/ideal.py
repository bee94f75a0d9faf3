"""The clairvoyant energy detector: it knows each event's onset and offset and the noise, and looks once per length.

Its statistic is the energy of the band-passed signal in the event's own time. Its threshold is what that energy would
exceed in noise alone once in so many looks that, one look per event length, `false_per_hour` false events come about.
The energy in noise is a quadratic form of coloured Gaussian samples; its tail is computed from the eigenvalues of
their covariance, measured where the recording holds no event (saddlepoint of Lugannani and Rice 1980, Adv Appl Prob
12:475).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigvalsh, toeplitz
from scipy.optimize import brentq
from scipy.signal import butter, sosfiltfilt
from scipy.special import ndtr

from benchmarks.accuracy.case import Case, Span

Floats = npt.NDArray[np.float64]
WIDE_HZ = (20.0, 450.0)  # the band in which a signal-to-noise ratio is told
NARROW_HZ = (40.0, 250.0)  # where simulated EMG has its power: a harder rival
LONGEST_S = 0.25  # of a longer event its first quarter of a second is looked at
ENOUGH_HZ = 1000.0  # what is in the band needs no higher rate, and the eigenvalues take their time
MARGIN_S = 0.05


def ideal(case: Case, false_per_hour: float, band_Hz: tuple[float, float] = WIDE_HZ) -> list[bool]:
    """Whether the clairvoyant observer sees each true event."""
    if not case.truth:
        return []
    fs_Hz = case.fs_Hz
    high = min(band_Hz[1], 0.4 * fs_Hz)
    sos = butter(2, (band_Hz[0], high), "bandpass", fs=fs_Hz, output="sos")
    counts = np.where(np.isfinite(case.counts), case.counts, np.nanmean(case.counts))
    step = max(1, int(fs_Hz // ENOUGH_HZ))
    x: Floats = sosfiltfilt(sos, counts - counts.mean())[::step]
    fs_Hz /= step
    covariance = _noise_covariance(x, case.truth, fs_Hz)
    seen: list[bool] = []
    thresholds: dict[int, float] = {}
    for one in case.truth:
        n = max(2, round(min(one.duration_s, LONGEST_S) * fs_Hz))
        start = round(one.onset_s * fs_Hz)
        if n not in thresholds:
            p = false_per_hour * n / fs_Hz / 3600
            thresholds[n] = energy_quantile(eigvalsh(toeplitz(covariance[:n])), p)
        piece = x[start : start + n]
        seen.append(bool(np.sum(piece**2) > thresholds[n]))
    return seen


def _noise_covariance(x: Floats, truth: tuple[Span, ...], fs_Hz: float) -> Floats:
    """Autocovariance at lags 0, 1, ... samples, of what lies between the events."""
    quiet = np.ones(len(x), bool)
    quiet[: round(2.0 * fs_Hz)] = False
    quiet[-round(0.1 * fs_Hz) :] = False
    for one in truth:
        first = max(0, round((one.onset_s - MARGIN_S) * fs_Hz))
        quiet[first : round((one.offset_s + MARGIN_S) * fs_Hz)] = False
    masked = np.where(quiet, x, 0.0)
    n = 1 << (2 * len(x) - 1).bit_length()
    products = np.fft.irfft(np.abs(np.fft.rfft(masked, n)) ** 2, n)
    counted = np.fft.irfft(np.abs(np.fft.rfft(quiet.astype(np.float64), n)) ** 2, n)
    lags = round(LONGEST_S * fs_Hz) + 2
    out: Floats = products[:lags] / np.maximum(counted[:lags], 1.0)
    return out


def energy_quantile(eigenvalues: Floats, p: float) -> float:
    """What the sum of eigenvalue x chi-squared(1) exceeds with the probability `p`."""
    weights = eigenvalues[eigenvalues > 1e-9 * eigenvalues[-1]]
    limit = 0.5 / weights.max()

    def log_tail(s: float) -> float:
        """Logarithm of the probability to exceed the energy whose saddlepoint is `s`."""
        shrunk = 1 - 2 * s * weights
        k0 = -0.5 * float(np.sum(np.log(shrunk)))
        k1 = float(np.sum(weights / shrunk))
        k2 = float(np.sum(2 * (weights / shrunk) ** 2))
        w = math.copysign(math.sqrt(max(2 * (s * k1 - k0), 1e-300)), s)
        v = s * math.sqrt(k2)
        density = math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)
        return math.log(max(float(ndtr(-w)) + density * (1 / v - 1 / w), 1e-300))

    s = float(brentq(lambda s: log_tail(s) - math.log(p), 1e-3 * limit, (1 - 1e-6) * limit))
    return float(np.sum(weights / (1 - 2 * s * weights)))
