"""The closed forms of emgtwitch.dsp.design against scipy and against noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, special, stats

from emgtwitch.dsp.design import (
    Sections,
    butterworth_band_pass,
    butterworth_high_pass,
    degrees_of_freedom,
    energy_delay,
    gamma_tail,
    impulse_response,
    mean_square_quantile,
    response,
    upper_quantile,
    window_weights,
)

RATES_HZ = (250.0, 500.0, 1000.0, 2000.0, 2048.0, 4000.0, 20000.0)


def as_sos(sections: Sections) -> Sections:
    """With the a0 = 1 that scipy wants."""
    return np.insert(sections, 3, 1.0, axis=1)


def noise(sections: Sections, n: int, seed: int) -> Sections:
    out: Sections = signal.sosfilt(as_sos(sections), np.random.default_rng(seed).normal(size=n + 4096))[4096:]
    return out


@pytest.mark.parametrize("fs_Hz", RATES_HZ)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_band_pass_has_the_response_of_scipys(order: int, fs_Hz: float) -> None:
    band_Hz = [20.0, min(450.0, 0.4 * fs_Hz)]
    f_Hz = np.linspace(0.001, 0.499, 997) * fs_Hz
    ours = response(butterworth_band_pass(order, band_Hz[0], band_Hz[1], fs_Hz), f_Hz, fs_Hz)
    theirs = signal.sosfreqz(signal.butter(order, band_Hz, "bandpass", fs=fs_Hz, output="sos"), f_Hz, fs=fs_Hz)[1]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@given(
    order=st.integers(1, 4),
    fs_Hz=st.floats(200.0, 20000.0),
    edges=st.tuples(st.floats(0.005, 0.45), st.floats(0.005, 0.45)).filter(lambda e: abs(e[0] - e[1]) > 0.01),
)
@settings(max_examples=60, deadline=None)
def test_any_band_pass_is_stable_and_3_dB_down_at_its_edges(
    order: int, fs_Hz: float, edges: tuple[float, float]
) -> None:
    low_Hz, high_Hz = sorted(e * fs_Hz for e in edges)
    sections = butterworth_band_pass(order, low_Hz, high_Hz, fs_Hz)
    at_edges = np.abs(response(sections, np.array([low_Hz, high_Hz]), fs_Hz))
    np.testing.assert_allclose(at_edges, math.sqrt(0.5), rtol=1e-5)
    poles = np.concatenate([np.roots([1.0, a1, a2]) for *_, a1, a2 in sections])
    assert np.abs(poles).max() < 1


@pytest.mark.parametrize("fs_Hz", RATES_HZ)
@pytest.mark.parametrize("share", [0.02, 0.08, 0.28, 0.3])
def test_high_pass_is_scipys(share: float, fs_Hz: float) -> None:
    theirs = signal.butter(2, share * fs_Hz, "highpass", fs=fs_Hz, output="sos")
    np.testing.assert_allclose(as_sos(butterworth_high_pass(share * fs_Hz, fs_Hz)), theirs, rtol=1e-9, atol=1e-12)


def test_impulse_response_is_that_of_scipys_filter() -> None:
    sections = butterworth_band_pass(3, 20.0, 400.0, 1000.0)
    impulse = np.zeros(500)
    impulse[0] = 1.0
    np.testing.assert_allclose(impulse_response(sections, 500), signal.sosfilt(as_sos(sections), impulse), atol=1e-13)


@pytest.mark.parametrize("band_Hz", [(0.0, 100.0), (100.0, 100.0), (200.0, 100.0), (20.0, 500.0)])
def test_a_band_that_does_not_exist_is_named(band_Hz: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=f"A band from {band_Hz[0]} to {band_Hz[1]} Hz does not exist at 1000.0 Hz"):
        butterworth_band_pass(2, *band_Hz, 1000.0)


@given(a=st.floats(0.2, 3000.0), share=st.floats(0.001, 6.0))
@settings(max_examples=200, deadline=None)
def test_gamma_tail_is_scipys(a: float, share: float) -> None:
    x = a * share
    assert gamma_tail(a, x) == pytest.approx(float(special.gammaincc(a, x)), rel=1e-8, abs=1e-13)


@given(tail=st.floats(1e-12, 0.99), dof=st.floats(1.0, 5000.0))
@settings(max_examples=200, deadline=None)
def test_quantile_of_a_mean_square_is_scipys_chi_square(tail: float, dof: float) -> None:
    assert mean_square_quantile(tail, dof) == pytest.approx(float(stats.chi2.isf(tail, dof)) / dof, rel=1e-6)


@pytest.mark.parametrize("fs_Hz", [500.0, 1000.0, 4000.0])
@pytest.mark.parametrize("window_ms", [8, 32, 128])
def test_degrees_of_freedom_give_the_spread_of_filtered_noise(fs_Hz: float, window_ms: int) -> None:
    sections = butterworth_band_pass(2, 20.0, min(450.0, 0.4 * fs_Hz), fs_Hz)
    window = round(window_ms * fs_Hz / 1000)
    windows = 12000
    energy = (noise(sections, window * windows, seed=11) ** 2).reshape(windows, window).mean(axis=1)
    measured = 2 * energy.mean() ** 2 / energy.var()
    assert measured == pytest.approx(degrees_of_freedom(sections, window), rel=0.08)


@pytest.mark.parametrize("window_ms", [8, 16, 32, 64, 128])
def test_a_window_of_noise_exceeds_its_quantile_as_often_as_was_asked(window_ms: int) -> None:
    """Within a tenth, or what 400,000 windows allow."""
    sections = butterworth_band_pass(2, 40.0, 300.0, 1000.0)
    energy = (noise(sections, window_ms * 400000, seed=12) ** 2).reshape(-1, window_ms).mean(axis=1)
    weights = window_weights(sections, window_ms)
    for tail in (0.02, 0.001, 0.0001):
        found = int(np.sum(energy > energy.mean() * upper_quantile(weights, tail)))
        assert abs(found - tail * 400000) < 0.1 * tail * 400000 + 4 * np.sqrt(tail * 400000)


@given(tail=st.floats(1e-12, 0.2), dof=st.integers(2, 400))
@settings(max_examples=100, deadline=None)
def test_the_quantile_of_equal_weights_is_scipys_chi_square(tail: float, dof: int) -> None:
    exact = float(stats.chi2.sf(dof * upper_quantile(np.full(dof, 1 / dof), tail), dof))
    assert exact == pytest.approx(tail, rel=0.1)


@pytest.mark.parametrize("fs_Hz", [8000.0, 20000.0])
def test_the_weights_of_a_window_hardly_depend_on_how_finely_it_is_sampled(fs_Hz: float) -> None:
    slow = window_weights(butterworth_band_pass(2, 40.0, 300.0, 4000.0), 128)
    fast = window_weights(butterworth_band_pass(2, 40.0, 300.0, fs_Hz), round(0.032 * fs_Hz))
    for tail in (0.02, 1e-7):
        assert upper_quantile(fast, tail) == pytest.approx(upper_quantile(slow, tail), rel=0.03)


@pytest.mark.parametrize("fs_Hz", [500.0, 1000.0, 2000.0, 4000.0])
def test_energy_delay_is_that_of_a_burst(fs_Hz: float) -> None:
    """A burst of noise in 50-150 Hz: the centre of its energy comes out so much later, within 1 ms."""
    sections = butterworth_band_pass(2, 20.0, min(450.0, 0.4 * fs_Hz), fs_Hz)
    rng = np.random.default_rng(13)
    n = int(fs_Hz)
    spectrum = np.zeros(n // 2 + 1, complex)
    f_Hz = np.fft.rfftfreq(n, 1 / fs_Hz)
    inside = (f_Hz >= 50) & (f_Hz <= 150)
    late = []
    for _ in range(50):
        spectrum[inside] = rng.normal(size=inside.sum()) + 1j * rng.normal(size=inside.sum())
        burst = np.fft.irfft(spectrum, n) * np.exp(-0.5 * ((np.arange(n) - n / 3) / (0.03 * fs_Hz)) ** 2)
        after = signal.sosfilt(as_sos(sections), burst)
        centres = [np.sum(np.arange(n) * y * y) / np.sum(y * y) for y in (burst, after)]
        late.append(centres[1] - centres[0])
    assert float(np.mean(late)) == pytest.approx(energy_delay(sections, fs_Hz), abs=0.001 * fs_Hz)
