"""The figures of `doctor`, against signals and clocks whose truth is known."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from emgtwitch.app.signal_check import Heard, clock_error, quality
from emgtwitch.wire.records import Samples
from tests.sources.fake_board import FakeBoard

HELLO = replace(FakeBoard(Path("unused")).hello(), flags=1, run_count=1)


def arrivals(ppm: float, seed: int, seconds: int = 5) -> list[tuple[int, float]]:
    """Frames of 16 scans at a nominal 1 kHz: up to 1 ms late, one in 20 held back for 16 ms, a backlog at first."""
    rng = random.Random(seed)
    out = []
    for made in range(16, 1000 * seconds, 16):
        true_s = made / 1000 / (1 + ppm * 1e-6)
        out.append((made, max(true_s, 0.1) + rng.uniform(0, 1e-3) + (0.016 if rng.random() < 0.05 else 0)))
    return out


@pytest.mark.parametrize("ppm", [-5000.0, -300.0, 0.0, 40.0, 5000.0])
def test_the_clock_error_is_found_within_its_stated_uncertainty(ppm: float) -> None:
    found = [clock_error(arrivals(ppm, seed), 1000.0) for seed in range(20)]
    inside = [f for f in found if f is not None and abs(f.ppm - ppm) <= f.uncertainty_ppm]
    assert len(inside) >= 19
    assert all(f is not None and 100 < f.uncertainty_ppm < 400 for f in found)


def test_too_little_to_tell_is_not_told() -> None:
    assert clock_error([], 1000.0) is None
    assert clock_error(arrivals(0, 0)[:40], 1000.0) is None
    assert clock_error(arrivals(0, 0), 0.0) is None


@pytest.mark.parametrize("rate_Hz", [500.0, 1000.0, 2000.0, 4000.0])
@pytest.mark.parametrize("mains_Hz", [50, 60])
def test_noise_and_mains_are_told_apart_at_every_rate(rate_Hz: float, mains_Hz: int) -> None:
    rng = random.Random(5)
    wave = [
        512 + 0.01 * n + rng.gauss(0, 4) + 30 * math.sin(2 * math.pi * mains_Hz * n / rate_Hz + 1)
        for n in range(round(3 * rate_Hz))
    ]
    found = quality([round(x) for x in wave], rate_Hz, bits=10, scale=5.0)
    assert found is not None
    assert found.mains_Hz == mains_Hz
    assert found.mains == pytest.approx(5 * 30 / math.sqrt(2), rel=0.03)
    assert found.noise == pytest.approx(5 * 4, rel=0.1)
    assert (found.flat, found.railed) == (False, 0.0)


def test_a_contraction_does_not_count_as_noise() -> None:
    rng = random.Random(6)
    counts = [round(512 + rng.gauss(0, 100 if 1000 <= n < 3000 else 3)) for n in range(5000)]
    found = quality(counts, 1000.0, 10)
    assert found is not None
    assert found.noise == pytest.approx(3, rel=0.1)


def test_rails_and_a_flat_line_are_seen() -> None:
    railed = quality([1023 if n % 4 else 500 for n in range(1000)], 1000.0, 10)
    flat = quality([512] * 1000, 1000.0, 10)
    assert railed is not None
    assert (railed.railed, railed.flat) == (0.75, False)
    assert flat is not None
    assert (flat.flat, flat.noise) == (True, 0.0)
    assert quality([1] * 100, 1000.0, 10) is None


def test_scans_lost_are_counted_across_the_index_wrap() -> None:
    heard = Heard()
    heard.add(Samples(0, 0, (1,)), 0.0)  # before a Hello nobody knows how many channels that is
    heard.add(replace(HELLO, channels=2), 0.0)
    heard.add(Samples(2**32 - 4, 0, (1, 2, 3, 4)), 0.1)
    heard.add(Samples(1, 0, (5, 6)), 0.2)
    assert (heard.lost, heard.arrivals) == (3, [(2, 0.1), (6, 0.2)])
    assert (heard.channel(0), heard.channel(1)) == ([1, 3, 5], [2, 4, 6])


def test_a_reset_begins_anew() -> None:
    heard = Heard()
    for hello, index in [(HELLO, 1000), (replace(HELLO, boot_count=9), 0)]:
        heard.add(hello, 0.0)
        heard.add(Samples(index, 0, (7,) * 16), 1.0)
    assert (heard.lost, heard.arrivals, len(heard.counts)) == (0, [(16, 1.0)], 16)


def test_counts_become_uV_by_what_the_hello_says() -> None:
    heard = Heard(hello=HELLO)  # 5000 mV over 1024 counts at gain 1000
    assert heard.uV_per_count == pytest.approx(4.8828125)
    heard.hello = replace(HELLO, gain_milli=0)
    assert heard.uV_per_count is None
