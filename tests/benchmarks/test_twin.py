"""The C twin does what it stands for: it learns the detector's floor and sees what is loud."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.material import FS_HZ, UV_PER_COUNT, wearer_counts
from benchmarks.ratios import detected_floor_uV
from benchmarks.twin import Twin


@pytest.mark.parametrize("sigma", [3.0, 20.0])
def test_the_twin_learns_the_floor_of_the_detector(sigma: float) -> None:
    counts = np.random.default_rng(58001).normal(512.0, sigma, 30 * FS_HZ)
    assert Twin().floor_uV(counts) == pytest.approx(detected_floor_uV(counts), rel=0.02)
    assert Twin().floor_uV(counts) == pytest.approx(sigma * UV_PER_COUNT * np.sqrt(260 / 500), rel=0.1)


def test_mains_leaves_the_floor_alone() -> None:
    counts = np.random.default_rng(58002).normal(512.0, 5.0, 30 * FS_HZ)
    mains = 40 * np.sin(2 * np.pi * 50 * np.arange(30 * FS_HZ) / FS_HZ)
    assert Twin().floor_uV(counts + mains) == pytest.approx(Twin().floor_uV(counts), rel=0.1)


def test_a_burst_is_loud() -> None:
    rng = np.random.default_rng(58003)
    counts = rng.normal(512.0, 5.0, 30 * FS_HZ)
    twin = Twin()
    twin.run(counts[: 15 * FS_HZ])
    assert twin.run(counts[15 * FS_HZ : 20 * FS_HZ]) == 0
    burst = counts[20 * FS_HZ :].copy()
    burst[:100] += rng.normal(0.0, 100.0, 100)
    assert 3 <= twin.run(burst) <= 10


def test_loading_the_twin_leaves_denormal_numbers_alone() -> None:
    Twin()
    assert np.array([1e-300])[0] * 1e-20 > 0.0


def test_eight_recordings_in_lanes_are_eight_recordings() -> None:
    """Loud hops of each lane are those of its recording alone."""
    counts = np.stack([wearer_counts(60, name)[:, 0].astype(np.float64) for name in ("demo", "quiet") * 4], axis=1)
    alone = [Twin().run(np.ascontiguousarray(one)) for one in counts.T]
    assert Twin(8).run_lanes(counts) == sum(alone) > 0
