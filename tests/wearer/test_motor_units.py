"""Motor units are those of a muscle: potentials, sizes, recruitment, rates and the spectrum of what they add up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emgtwitch.wearer import drive
from emgtwitch.wearer.motor_units import Population, Potentials, Spikes
from emgtwitch.wearer.scenario import Scenario, Scheduled
from emgtwitch.wearer.truth import measure
from tests.wearer.common import SILENT, Floats, signal_uV

MUSCLE = Population(Scenario(), np.random.default_rng(0))


def potential(unit: int, fs_Hz: float = 4000.0, at_s: float = 0.05) -> Floats:
    """100 ms of one discharge of one unit."""
    out = np.zeros(int(0.1 * fs_Hz))
    Potentials(MUSCLE, fs_Hz).add(out, 0, Spikes.of(np.array([at_s]), np.array([unit])))
    return out


POTENTIALS = [potential(unit) for unit in range(0, len(MUSCLE), 7)]


def test_a_potential_lasts_5_to_20_ms() -> None:
    for x in POTENTIALS:
        above = np.flatnonzero(np.abs(x) > 0.1 * np.abs(x).max())
        assert 0.005 < (above[-1] - above[0]) / 4000.0 < 0.020
        assert measure(x, 4000.0).offset_s - measure(x, 4000.0).onset_s < 0.025  # the 5 ms window included


def test_a_potential_has_two_or_more_phases_and_no_net_charge() -> None:
    for x in POTENTIALS:
        assert x.max() > 0.25 * np.abs(x).max()
        assert -x.min() > 0.25 * np.abs(x).max()
        assert abs(x.sum()) < 0.02 * np.abs(x).sum()


def test_potentials_are_silent_at_their_windows_ends() -> None:
    for x in POTENTIALS:
        assert np.abs(x[:150]).max() < 0.03 * np.abs(x).max()
        assert np.abs(x[-150:]).max() < 0.03 * np.abs(x).max()


def test_sizes_are_skewed_many_small_units_and_few_large_ones() -> None:
    size = MUSCLE.size
    assert size.max() / size.min() == pytest.approx(100.0, rel=0.05)
    assert np.median(size) < 0.5 * size.mean()
    peaks = np.array([np.abs(x).max() for x in POTENTIALS])
    assert np.median(peaks) < 0.7 * peaks.mean()


@pytest.mark.parametrize("fs_Hz", [500.0, 1000.0, 2000.0])
@pytest.mark.parametrize("at_s", [0.05, 0.0503, 0.05111])
def test_a_discharge_is_one_waveform_at_every_rate_and_instant(fs_Hz: float, at_s: float) -> None:
    """Sampled slower it is the same function of time, apart from what has no place below the Nyquist rate."""
    n = int(0.1 * fs_Hz)
    fine = potential(60, 16000.0, at_s)[: n * int(16000 // fs_Hz)]
    spectrum = np.fft.rfft(fine)[: n // 2 + 1]
    f_Hz = np.fft.rfftfreq(n, 1 / fs_Hz)
    spectrum *= np.sin(np.pi / 2 * np.clip((0.5 * fs_Hz - f_Hz) / (0.1 * fs_Hz), 0, 1)) ** 2
    expected = np.fft.irfft(spectrum, n) * fs_Hz / 16000.0
    assert np.abs(potential(60, fs_Hz, at_s) - expected).max() < 0.03 * np.abs(expected).max()


def test_stronger_excitation_recruits_larger_units_and_drives_them_faster() -> None:
    rng = np.random.default_rng(1)
    weak = drive.discharges(np.full(1000, 0.1), MUSCLE, Scenario(), rng)
    strong = drive.discharges(np.full(1000, 0.6), MUSCLE, Scenario(), rng)
    assert weak.unit.max() < strong.unit.max()
    assert np.count_nonzero(strong.unit == 0) > np.count_nonzero(weak.unit == 0)


def test_units_fire_at_physiological_rates_with_jitter() -> None:
    spikes = drive.discharges(np.full(2000, 0.5), MUSCLE, Scenario(), np.random.default_rng(2))
    for unit in np.unique(spikes.unit):
        intervals = np.diff(spikes.time_s[spikes.unit == unit])
        assert 7 < 1 / intervals.mean() < 42
        assert 0.1 < intervals.std() / intervals.mean() < 0.3


def test_units_fire_independently_of_each_other() -> None:
    spikes = drive.discharges(np.full(2000, 0.5), MUSCLE, Scenario(), np.random.default_rng(3))
    counts = np.histogram(spikes.time_s[spikes.time_s > 1], bins=np.arange(1, 10, 0.005))[0]
    assert 0.4 < counts.var() / counts.mean() < 1.3  # about Poisson: no common beat


def test_no_excitation_no_discharge() -> None:
    assert len(drive.discharges(np.zeros(200), MUSCLE, Scenario(), np.random.default_rng(0))) == 0


@pytest.mark.parametrize("amplitude_uV", [100.0, 1500.0])
def test_a_contractions_spectrum_is_that_of_surface_emg(amplitude_uV: float) -> None:
    """Median frequency 70-160 Hz and most of the power in 20-300 Hz, weak or strong."""
    medians = []
    for seed in range(3):
        held = replace(SILENT, fs_Hz=2000.0, schedule=(Scheduled(0.5, "spasm", amplitude_uV, 8.0),))
        x = signal_uV(held, 8, seed)[3000:14000]
        power = np.abs(np.fft.rfft(x - x.mean())) ** 2
        f_Hz = np.fft.rfftfreq(len(x), 1 / 2000.0)
        share = power[(f_Hz > 20) & (f_Hz < 300)].sum() / power.sum()
        assert share > 0.85
        medians.append(float(f_Hz[np.searchsorted(np.cumsum(power), power.sum() / 2)]))
    assert 70 < float(np.median(medians)) < 160


def test_rendering_in_pieces_is_rendering_at_once() -> None:
    spikes = drive.discharges(np.full(200, 0.4), MUSCLE, Scenario(), np.random.default_rng(4))
    at_1000 = Potentials(MUSCLE, 1000.0)
    whole = np.zeros(1200)
    at_1000.add(whole, -100, spikes)
    left, right = np.zeros(600), np.zeros(600)
    at_1000.add(left, -100, spikes)
    at_1000.add(right, 500, spikes)
    assert np.allclose(np.concatenate([left, right]), whole, atol=1e-9 * np.abs(whole).max())
