"""Noise, mains, heart, motion and loose electrodes are as strong as the scenario says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emgtwitch.wearer.scenario import Device, Scenario, Scheduled, Spontaneous
from emgtwitch.wearer.wearer import Wearer
from tests.wearer.common import FINE, SILENT, band_rms, signal_uV


@pytest.mark.parametrize("fs_Hz", [1000.0, 2000.0, 4000.0])
def test_noise_in_the_band_is_what_was_asked_for_at_every_rate(fs_Hz: float) -> None:
    noisy = Scenario(fs_Hz=fs_Hz, device=FINE, amplifier_noise_uV=3.0, electrode_noise_uV=4.0)
    assert band_rms(signal_uV(noisy, 40), fs_Hz) == pytest.approx(5.0, rel=0.03)


def test_noise_is_gaussian_and_steady_within_and_across_blocks() -> None:
    noisy = Scenario(device=FINE, amplifier_noise_uV=5.0, electrode_noise_uV=0.0, flicker_corner_Hz=0.0)
    x = signal_uV(noisy, 200)
    kurtosis = np.mean(x**4) / np.mean(x**2) ** 2
    assert kurtosis == pytest.approx(3.0, abs=0.1)
    by_place = x.reshape(200, 10, 100).std(axis=(0, 2))  # tenths of a second within a block
    assert by_place.max() / by_place.min() < 1.05


def test_electrode_noise_falls_with_frequency_and_amplifier_noise_hardly() -> None:
    electrode = replace(SILENT, electrode_noise_uV=5.0)
    amplifier = replace(SILENT, amplifier_noise_uV=5.0)
    for one, ratio in ((electrode, 10.0), (amplifier, 1.4)):
        x = signal_uV(one, 60)
        low, high = band_rms(x, 1000.0, 25, 45) ** 2, band_rms(x, 1000.0, 340, 360) ** 2
        assert low / high == pytest.approx(ratio, rel=0.25)


def test_mains_has_its_lines_at_the_stated_peaks() -> None:
    hum = replace(SILENT, mains_Hz=60.0, mains_uV=(20.0, 0.0, 8.0, 2.0), mains_wander_Hz=0.0)
    amplitude = 2 * np.abs(np.fft.rfft(signal_uV(hum, 10))) / 10_000
    lines = {60: 20.0, 120: 0.0, 180: 8.0, 240: 2.0, 300: 0.0}
    assert {f: round(float(amplitude[10 * f]), 1) for f in lines} == lines


def test_harmonics_beyond_the_nyquist_rate_do_not_fold_back() -> None:
    hum = replace(SILENT, fs_Hz=500.0, mains_uV=(0.0,) * 5 + (20.0,))  # 300 Hz
    assert np.abs(signal_uV(hum, 2)).max() == 0.0


def test_mains_wanders_but_stays_within_its_limit() -> None:
    hum = replace(SILENT, mains_uV=(100.0,), mains_wander_Hz=0.5)
    x = signal_uV(hum, 300)
    x = x - x.mean()
    rising = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    crossing_s = (rising + x[rising] / (x[rising] - x[rising + 1])) / 1000.0
    frequency_Hz = 50 / (crossing_s[50::50] - crossing_s[:-50:50])
    assert np.all(np.abs(frequency_Hz - 50) < 0.51)
    assert np.ptp(frequency_Hz) > 0.2


def test_mains_comes_and_goes() -> None:
    hum = replace(SILENT, mains_uV=(100.0,), mains_spell_s=(5.0, 5.0))
    rms = signal_uV(hum, 120).reshape(120, 1000).std(axis=1)
    assert 20 < np.count_nonzero(rms > 60) < 100
    assert np.count_nonzero(rms < 1) > 10


def test_the_heart_beats_at_its_rate_with_its_amplitude() -> None:
    x = signal_uV(replace(SILENT, ecg_uV=200.0, ecg_rate_per_min=75.0), 120)
    peaks = np.flatnonzero((x[1:-1] > 100) & (x[1:-1] >= x[:-2]) & (x[1:-1] > x[2:])) + 1
    assert len(peaks) == pytest.approx(150, abs=8)
    assert np.median(x[peaks]) == pytest.approx(200.0, rel=0.05)
    assert 0.02 < np.diff(peaks).std() / np.diff(peaks).mean() < 0.09


def test_drift_is_slow_and_within_its_peak() -> None:
    x = signal_uV(replace(SILENT, drift_uV=50.0), 60)
    assert 20 < np.abs(x).max() <= 50.1
    assert np.abs(np.diff(x)).max() < 0.2


def test_a_lead_that_is_off_drives_the_counts_to_a_rail() -> None:
    off = Scenario(schedule=(Scheduled(2.0, "lead_off", duration_s=3.0), Scheduled(3.0, "twitch", 500.0)))
    rails = set()
    for seed in range(6):
        wearer = Wearer(off, seed)
        counts = wearer.render(7000)[:, 0]
        inside = counts[2000:5000]
        assert len(set(inside.tolist())) == 1
        rails.add(int(inside[0]))
        assert not set(counts[:2000].tolist()) & {0, 1023}
        (interval,) = wearer.intervals(10)
        assert (interval.kind, interval.onset_s, interval.offset_s) == ("lead_off", 2.0, 5.0)
    assert rails == {0, 1023}


def test_a_shorted_input_is_a_flat_line() -> None:
    flat = replace(Scenario(schedule=(Scheduled(1.0, "flat", duration_s=1.0),)), mains_uV=(50.0,))
    counts = Wearer(flat, 0).render(3000)[:, 0]
    assert set(counts[1000:2000].tolist()) == {512}
    assert np.ptp(counts[:1000]) > 10


def test_motion_moves_the_baseline_below_20_Hz() -> None:
    for seed in range(5):
        moved = replace(SILENT, schedule=(Scheduled(1.0, "motion", 1000.0, 1.0),))
        x = signal_uV(moved, 6, seed)
        assert np.abs(x).max() > 150
        assert band_rms(x, 1000.0, 0, 20) > 3 * band_rms(x, 1000.0, 20, 450)
        assert np.abs(x[:1000]).max() == 0
        (interval,) = Wearer(moved, seed).intervals(6)
        assert (interval.kind, interval.cause) == ("artefact", "motion")
        assert np.abs(x[int(1000 * interval.offset_s) + 1 :]).max() < 10


def test_a_tap_begins_at_its_peak_and_dies_away() -> None:
    x = signal_uV(replace(SILENT, schedule=(Scheduled(1.0, "tap", 800.0, 0.1),)), 2)
    assert abs(x[1000]) == pytest.approx(800.0, rel=0.01)
    assert np.abs(x[1080:]).max() < 30
    assert np.abs(x[:1000]).max() == 0


def test_what_exceeds_the_converters_range_clips_at_its_rails() -> None:
    wild = Scenario(schedule=(Scheduled(1.0, "contraction", 20_000.0, 1.0),))
    counts = Wearer(wild, 0).render(3000)
    assert counts.min() == 0
    assert counts.max() == 1023


def test_random_artefacts_come_at_their_rate() -> None:
    shaky = replace(
        SILENT, spontaneous=(Spontaneous("tap", 360, (50.0, 500.0)), Spontaneous("motion", 60, (50.0, 500.0)))
    )
    kinds = [one.cause for one in Wearer(shaky, 0).intervals(3600)]
    assert kinds.count("tap") == pytest.approx(345, abs=60)
    assert kinds.count("motion") == pytest.approx(57, abs=22)


def test_an_offset_of_the_mid_supply_shifts_all_counts() -> None:
    shifted = Scenario(device=Device(offset_counts=-40.0))
    assert np.array_equal(Wearer(shifted, 0).render(3000) + 40, Wearer(Scenario(), 0).render(3000))
