"""The curves of growth come back from the figures that they were kept as."""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.growth import CHANNELS, EVENTS, MEMORY, SECONDS


def test_each_curve_finds_its_own_points_among_all_that_is_kept() -> None:
    kept = [asdict(curve.figure(at, cost)) for curve, at, cost in ((SECONDS, 60, 1.5), (MEMORY, 60, 190.0))]
    kept += [asdict(CHANNELS.figure(16, 30.0)), asdict(EVENTS.figure(0, 20.0))]
    assert SECONDS.points(kept) == [(60, 1.5)]
    assert MEMORY.points(kept) == [(60, 190.0)]
    assert CHANNELS.points(kept) == [(16, 30.0)]
    assert EVENTS.points(kept) == [(0, 20.0)]
