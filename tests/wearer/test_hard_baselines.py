"""Floors that step, heavy tails, bursty tone and sharp beats are as the scenario says; without them nothing changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emgtwitch.wearer.scenario import Scenario, Scheduled
from emgtwitch.wearer.wearer import Wearer
from tests.wearer.common import FINE, SILENT, Floats, band_rms, signal_uV

NOISY = Scenario(device=FINE, amplifier_noise_uV=4.0, electrode_noise_uV=0.0)


def _kurtosis(x: Floats) -> float:
    return float(np.mean(x**4) / np.mean(x**2) ** 2)


def test_noise_follows_its_profile() -> None:
    x = signal_uV(replace(NOISY, noise_profile=((0.0, 1.0), (20.0, 1.0), (20.1, 2.0))), 40)
    assert band_rms(x[:20_000], 1000.0) == pytest.approx(4.0, rel=0.05)
    assert band_rms(x[20_100:], 1000.0) == pytest.approx(8.0, rel=0.05)


def test_heavy_tailed_noise_has_the_same_power_and_rarer_higher_peaks() -> None:
    x = signal_uV(replace(NOISY, noise_tail_dB=2.0), 120)
    assert band_rms(x, 1000.0) == pytest.approx(4.0, rel=0.05)
    assert 3.3 < _kurtosis(x) < 5.0


def test_heavy_tailed_noise_does_not_depend_on_how_it_is_asked_for() -> None:
    made = replace(NOISY, noise_tail_dB=2.0)
    parts = Wearer(made, 1)
    whole = Wearer(made, 1).render(5000)
    assert np.array_equal(np.concatenate([parts.render(n) for n in (1, 1999, 3000)]), whole)


def test_tone_follows_its_profile() -> None:
    x = signal_uV(replace(SILENT, tone_uV=6.0, tone_profile=((0.0, 0.1), (30.0, 0.1), (30.5, 1.0))), 60)
    assert band_rms(x[31_000:], 1000.0) > 5 * band_rms(x[:30_000], 1000.0)


def test_tone_that_wanders_fast_is_burstier() -> None:
    def spread_dB(correlation_s: float) -> float:
        x = signal_uV(replace(SILENT, tone_uV=6.0, tone_variability_dB=5.0, tone_correlation_s=correlation_s), 60)
        steps = np.log10(np.mean(x.reshape(-1, 250) ** 2, axis=1))
        return float(np.std(np.diff(steps)))

    assert spread_dB(0.2) > 1.3 * spread_dB(5.0)


def test_tone_under_twitches_can_lie_as_far_below_as_asked() -> None:
    def below_dB(asked: tuple[float, float]) -> float:
        rows = (Scheduled(3.0, "twitch_on_tone", duration_s=4.0, snr_dB=30.0),)
        truth = Wearer(replace(NOISY, schedule=rows, held_tone_below_dB=asked), 1).truth(10)
        twitch = next(e for e in truth if e.on_tone)
        return twitch.snr_dB - next(e for e in truth if not e.on_tone).snr_dB

    assert below_dB((6.0, 6.0)) == pytest.approx(6.0)
    assert below_dB((14.0, 14.0)) == pytest.approx(14.0)


def test_a_sharp_beat_has_the_same_height_and_more_of_it_in_the_band() -> None:
    smooth = replace(SILENT, ecg_uV=100.0)
    sharp = replace(smooth, ecg_qrs_width=0.3)
    heights = [signal_uV(one, 20).max() for one in (smooth, sharp)]
    assert heights[1] == pytest.approx(heights[0], rel=0.05)
    shares = [band_rms(signal_uV(one, 20), 1000.0, 40, 250) for one in (smooth, sharp)]
    assert shares[1] > 3 * shares[0]
