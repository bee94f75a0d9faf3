"""Absolute times of the wire: bytes of 10 minutes at 1 kHz to samples, and back."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.material import stream, wearer_counts
from benchmarks.ratios import decode
from emgtwitch.wire.bulk import encode_samples


def test_decode(benchmark: BenchmarkFixture) -> None:
    counts = wearer_counts(600)
    data = stream(counts)
    benchmark.extra_info |= {"MB": len(data) / 1e6, "samples": len(counts)}
    runs = benchmark(decode, data)
    assert sum(len(run) for run in runs) == len(counts)


def test_encode(benchmark: BenchmarkFixture) -> None:
    counts = wearer_counts(600)
    data, seq = benchmark(encode_samples, counts, 0, 1)
    benchmark.extra_info |= {"MB": len(data) / 1e6, "samples": len(counts)}
    assert seq == 1 + len(counts) // 16
