"""Laws of what the detector learns at once: a risen floor, mains that comes and goes, a knock that is no muscle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emgtwitch.wearer.scenario import SCENARIOS
from tests.detect.common import Floats, burst, events, found, worn

FS_HZ = 1000.0
SHARES = (1.0, 0.15, 0.4, 0.0, 0.15)  # the fourth harmonic has no lane unless the mains is named


def _with_twitches(x: Floats, at_s: tuple[float, ...], peak_uV: float) -> None:
    time = np.arange(18)
    for one in at_s:
        at = int(one * FS_HZ)
        x[at : at + 18] += peak_uV * np.sin(2 * np.pi * time / 9) * np.sin(np.pi * time / 18)


@pytest.mark.parametrize("factor", [1.7, 2.0, 2.6])
def test_a_risen_noise_floor_is_learnt_within_two_seconds(factor: float) -> None:
    """With a twitch every 0.7 s on it; 2 uV before."""
    at_s = tuple(np.arange(12.0, 30.0, 0.7))
    for seed in range(5):
        x = np.random.default_rng(95000 + seed).normal(0, 2, 30000)
        x[10000:] *= factor
        _with_twitches(x, at_s, 60.0)
        seen = found(x, FS_HZ)
        assert [round(e.onset_s, 1) for e in events(seen)] == pytest.approx(at_s, abs=0.1)
        noise = [f for f in seen if f.what == "noise"]
        assert len(noise) == 1
        assert noise[0].offset_s < 12.0


@pytest.mark.parametrize("snr", [1.5, 2.5])
def test_a_steady_weak_contraction_is_not_taken_for_noise(snr: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(95100 + seed)
        x = rng.normal(0, 2, 20000) + 2 * snr * burst(FS_HZ, 10.0, 1.8, 20.0, rng)
        seen = found(x, FS_HZ)
        assert [e.what for e in events(seen)] == ["contraction"]
        assert "noise" not in {f.what for f in seen}


@pytest.mark.parametrize("mains_Hz", [49.5, 50.5, 59.5, 60.5])
@pytest.mark.parametrize("peak_uV", [10.0, 60.0])
def test_mains_half_a_hertz_off_is_learnt_within_a_second(mains_Hz: float, peak_uV: float) -> None:
    """It comes within 0.2 s and goes 8 s later; the twitches a second after that are as if there were none."""
    at_s = (8.0, 11.0, 14.0, 19.0, 21.0)
    time_s = np.arange(25000) / FS_HZ
    gain = np.clip((time_s - 10) * 5, 0, 1) * np.clip((18 - time_s) * 5, 0, 1)
    mains = sum(h * np.sin(2 * np.pi * k * mains_Hz * time_s + k * k) for k, h in enumerate(SHARES, 1))
    x = np.random.default_rng(95200).normal(0, 2, 25000) + peak_uV * gain * mains
    _with_twitches(x, at_s, 60.0)
    seen = found(x, FS_HZ)
    kept = [e for e in events(seen) if not (10.0 < e.onset_s < 10.8 or 18.0 < e.onset_s < 18.8)]  # while it is learnt
    assert [e.what for e in kept] == ["twitch"] * len(at_s)
    for one, at in zip(kept, at_s, strict=True):
        assert one.onset_s == pytest.approx(at, abs=0.006)
        assert one.offset_s == pytest.approx(at + 0.018, abs=0.008)
    learning = [f for f in seen if f.what == "mains"]
    assert learning
    assert sum(f.offset_s - f.onset_s for f in learning) < 1.5


@pytest.mark.parametrize(("peak_uV", "most"), [(20.0, 0), (60.0, 2)])
def test_mains_that_comes_and_goes_gives_hardly_an_event(peak_uV: float, most: int) -> None:
    """Within 0.2 s, every 8 s or so, for 4 minutes; nothing that lasts."""
    mains = tuple(peak_uV * share for share in SHARES)
    scenario = replace(SCENARIOS["quiet"], mains_uV=mains, mains_wander_Hz=0.5, mains_spell_s=(8.0, 8.0))
    false = [e for seed in (42001, 42003) for e in events(worn(scenario, 120.0, seed)[0])]
    assert len(false) <= most
    assert sum(e.offset_s - e.onset_s for e in false) < 1.0


def test_a_knock_does_not_hide_a_weak_contraction_after_it() -> None:
    """What is far below a strong contraction just over is resting tone; a knock at the cable is no contraction."""
    for seed in range(5):
        rng = np.random.default_rng(95300 + seed)
        x = rng.normal(0, 2, 20000) + 12 * burst(FS_HZ, 11.0, 0.6, 20.0, rng)
        time_s = np.arange(100) / FS_HZ
        x[10000:10100] += 1500 * np.exp(-time_s / 0.014) * np.cos(2 * np.pi * 35 * time_s)
        seen = found(x, FS_HZ)
        assert [e.what for e in events(seen)] == ["contraction"]
        assert "tap" in {f.what for f in seen}
