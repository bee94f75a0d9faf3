"""Laws of the guided minute's verdict, on wearers that were not looked at when its limits were chosen."""

from __future__ import annotations

import pytest

from benchmarks.calibration import HARMONICS, baseline, row
from emgtwitch.wearer.scenario import Scenario

SEED = 4711
NOISY = {factor: Scenario(noise_profile=((0.0, factor),)) for factor in (1.0, 3.0, 28.0)}
HUMMING = {peak: Scenario(mains_uV=tuple(peak * share for share in HARMONICS)) for peak in (120.0, 900.0)}


@pytest.mark.parametrize(
    ("scenario", "verdict", "least", "most"),
    [
        (NOISY[1.0], "good", 0.95, 1.0),
        (NOISY[3.0], "good", 0.9, 1.0),
        (NOISY[28.0], "poor", 0.0, 0.4),
        (HUMMING[120.0], "good", 0.95, 1.0),
        (HUMMING[900.0], "poor", 0.0, 0.5),
    ],
    ids=["quiet", "noisier", "noisy", "some mains", "much mains"],
)
def test_the_verdict_tells_how_many_twitches_are_found(
    scenario: Scenario, verdict: str, least: float, most: float
) -> None:
    found = row("", scenario, SEED, 600.0)
    assert found.verdict == verdict
    assert least <= found.recall <= most


def test_the_detectors_own_floor_is_the_baseline_after_the_rest() -> None:
    assert baseline(SEED) == pytest.approx(1.0, abs=0.1)
