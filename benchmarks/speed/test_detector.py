"""Absolute times of the detector, and of the whole path from bytes to events, on 10 minutes at 1 kHz."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.material import stream, wearer_counts
from benchmarks.ratios import LIVE_BLOCK, detect, replay


@pytest.mark.parametrize("scenario", ["demo", "quiet"])
def test_detect(benchmark: BenchmarkFixture, scenario: str) -> None:
    counts = wearer_counts(600, scenario)[:, 0].astype(np.float64)
    benchmark.extra_info["samples"] = len(counts)
    rows = benchmark(detect, counts, len(counts))
    assert rows > 300 if scenario == "demo" else rows < 10


def test_detect_in_live_blocks(benchmark: BenchmarkFixture) -> None:
    counts = wearer_counts(60)[:, 0].astype(np.float64)
    benchmark.extra_info["samples"] = len(counts)
    assert benchmark(detect, counts, LIVE_BLOCK) > 30


@pytest.mark.parametrize("scenario", ["demo", "quiet"])
def test_replay(benchmark: BenchmarkFixture, scenario: str) -> None:
    counts = wearer_counts(600, scenario)
    data = stream(counts)
    benchmark.extra_info |= {"MB": len(data) / 1e6, "samples": len(counts)}
    outputs = benchmark(replay, data)
    assert outputs > 300 if scenario == "demo" else outputs < 10
