"""Filters and noise thresholds by closed form, so that neither the daemon nor a replay imports scipy.

Tests hold every function against scipy.
"""

from __future__ import annotations

import cmath
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

MOST_POINTS = 160

Sections = npt.NDArray[np.float64]


def _sections(zeros: list[complex], poles: list[complex], gain: float) -> Sections:
    """Second-order sections (n, 5) as b0, b1, b2, a1, a2 from conjugate pairs standing next to each other."""
    rows = []
    for k in range(0, len(poles), 2):
        z0, z1 = zeros[k], zeros[k + 1]
        p0, p1 = poles[k], poles[k + 1]
        rows.append([1.0, -(z0 + z1).real, (z0 * z1).real, -(p0 + p1).real, (p0 * p1).real])
    out = np.array(rows)
    out[0, :3] *= gain
    return out


def _prototype(order: int) -> list[complex]:
    """Poles of the analogue Butterworth low-pass with edge 1 rad/s, conjugates next to each other."""
    upper = [cmath.exp(1j * math.pi * (2 * k + order + 1) / (2 * order)) for k in range(order // 2)]
    poles = [p for pole in upper for p in (pole, pole.conjugate())]
    return poles if order % 2 == 0 else [*poles, -1.0 + 0j]


def butterworth_band_pass(order: int, low_Hz: float, high_Hz: float, fs_Hz: float) -> Sections:
    """Band-pass of `order` sections, -3 dB at both edges, by the bilinear transform (Oppenheim and Schafer, ch. 7)."""
    if not 0 < low_Hz < high_Hz < fs_Hz / 2:
        raise ValueError(f"A band from {low_Hz} to {high_Hz} Hz does not exist at {fs_Hz} Hz.")
    low, high = (2 * fs_Hz * math.tan(math.pi * f / fs_Hz) for f in (low_Hz, high_Hz))
    width, centre_2 = high - low, low * high
    pairs: list[complex] = []
    for pole in _prototype(order):
        if pole.imag < -1e-12:
            continue  # its conjugate gives the same pair of pairs
        half = pole * width / 2
        root = cmath.sqrt(half * half - centre_2)
        for p in (half + root, half - root) if abs(pole.imag) > 1e-12 else (half + root,):
            pairs += [p, p.conjugate()] if abs(p.imag) > 1e-12 else [half + root, half - root]
    poles = [(2 * fs_Hz + p) / (2 * fs_Hz - p) for p in pairs]
    zeros = [1 + 0j, -1 + 0j] * order
    sections = _sections(zeros, poles, 1.0)
    middle = 2 * math.atan(math.sqrt(centre_2) / (2 * fs_Hz)) / (2 * math.pi) * fs_Hz
    sections[0, :3] /= abs(response(sections, np.array([middle]), fs_Hz)[0])
    return sections


def butterworth_high_pass(edge_Hz: float, fs_Hz: float) -> Sections:
    """Second-order high-pass, -3 dB at the edge, as one section."""
    k = math.tan(math.pi * edge_Hz / fs_Hz)
    norm = 1 / (1 + math.sqrt(2) * k + k * k)
    return np.array([[norm, -2 * norm, norm, 2 * (k * k - 1) * norm, (1 - math.sqrt(2) * k + k * k) * norm]])


def response(sections: Sections, f_Hz: npt.NDArray[np.float64], fs_Hz: float) -> npt.NDArray[np.complex128]:
    """Complex response at the frequencies `f_Hz`."""
    z = np.exp(-2j * np.pi * f_Hz / fs_Hz)
    out = np.ones(len(f_Hz), dtype=np.complex128)
    for b0, b1, b2, a1, a2 in sections:
        out *= (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)
    return out


def impulse_response(sections: Sections, n: int) -> npt.NDArray[np.float64]:
    """The first `n` samples of the impulse response."""
    signal = [1.0] + [0.0] * (n - 1)
    for b0, b1, b2, a1, a2 in sections.tolist():
        u = v = 0.0
        for i, x in enumerate(signal):
            y = b0 * x + u
            u = b1 * x - a1 * y + v
            v = b2 * x - a2 * y
            signal[i] = y
    return np.array(signal)


def energy_delay(sections: Sections, fs_Hz: float) -> float:
    """Samples by which the filter delays energy spread as in surface EMG (flat from 50 to 150 Hz): mean group delay."""
    f = np.linspace(50.0, min(150.0, 0.3 * fs_Hz), 64)
    phase = np.unwrap(np.angle(response(sections, f, fs_Hz)))
    return float(-(phase[-1] - phase[0]) / (2 * np.pi * (f[-1] - f[0])) * fs_Hz)


def degrees_of_freedom(sections: Sections, window: int) -> float:
    """Degrees of freedom of the mean square of `window` samples of filtered white noise.

    2 / relative variance of that mean square, from the noise's autocorrelation (Bendat and Piersol, ch. 8).
    """
    rho = autocorrelation(sections, min(window, 2047) + 1)
    k = np.arange(1, min(window, 2047))
    relative_variance = 2 * (window + 2 * float(np.sum((window - k) * rho[k] ** 2))) / window**2
    return 2 / relative_variance


def autocorrelation(sections: Sections, lags: int) -> npt.NDArray[np.float64]:
    """Autocorrelation of filtered white noise at lags 0 .. lags - 1, at most 2048; 1 at lag 0."""
    return _autocorrelation(sections.tobytes())[:lags]


@lru_cache(maxsize=4)  # a design asks ten times for the same
def _autocorrelation(sections: bytes) -> npt.NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(impulse_response(np.frombuffer(sections).reshape(-1, 5), 2048), 4096)) ** 2
    rho = np.fft.irfft(spectrum)
    out: npt.NDArray[np.float64] = rho / rho[0]
    out.flags.writeable = False
    return out


def window_weights(sections: Sections, window: int) -> npt.NDArray[np.float64]:
    """The mean square of `window` samples of filtered white noise is the sum of these times squares of unit normals.

    They are the eigenvalues of its covariance, at no more than MOST_POINTS of the samples: a band has few dimensions.
    """
    stride = -(-window // MOST_POINTS)
    points = window // stride
    rho = autocorrelation(sections, stride * points)[::stride]
    at = np.arange(points)
    weights = np.linalg.eigvalsh(rho[np.abs(at[:, None] - at)] / points)
    out: npt.NDArray[np.float64] = weights[weights > 1e-9]
    return out


def upper_quantile(weights: npt.NDArray[np.float64], tail: float) -> float:
    """What the sum of `weights` times squares of unit normals exceeds with probability `tail`, below 0.3.

    By the saddle point of Lugannani and Rice (1980, Adv Appl Prob 12:475), good to a per cent of the probability far
    out, where a gamma distribution of the same variance lets several times too little through.
    """
    low, high = 0.0, 0.5 / float(weights.max()) * (1 - 1e-12)
    for _ in range(60):
        t = (low + high) / 2
        left = 1 - 2 * t * weights
        value = float(np.sum(weights / left))
        root = math.sqrt(2 * t * value + float(np.sum(np.log(left))))
        slope = t * math.sqrt(2 * float(np.sum((weights / left) ** 2)))
        density = math.exp(-root * root / 2) / math.sqrt(2 * math.pi)
        if 0.5 * math.erfc(root / math.sqrt(2)) + density * (1 / slope - 1 / root) > tail:
            low = t
        else:
            high = t
    return value


def gamma_tail(a: float, x: float) -> float:
    """Upper tail Q(a, x) of the unit gamma distribution (series and continued fraction, DLMF 8.7.1 and 8.9.2)."""
    if x <= 0:
        return 1.0
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-15:
            n += 1
            term *= x / n
            total += term
        return 1 - total * front
    b = x + 1 - a
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 10000):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return h * front


def mean_square_quantile(tail: float, dof: float) -> float:
    """The ratio to its expectation that a mean square of `dof` degrees of freedom exceeds with probability `tail`."""
    low, high = 0.0, 1.0
    while gamma_tail(dof / 2, high * dof / 2) > tail:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        if gamma_tail(dof / 2, middle * dof / 2) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2
