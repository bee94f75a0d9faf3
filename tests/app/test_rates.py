"""Laws of the rate: plain numbers on plain data, and an interval that holds the truth where events come in clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from emgtwitch.app.study.rates import rate, t975


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.1, 24.0)), min_size=1, max_size=40))
def test_the_rate_is_events_over_hours_and_lies_in_its_interval(blocks: list[tuple[int, float]]) -> None:
    events, hours = zip(*blocks, strict=True)
    found = rate(events, hours)
    assert found.per_hour == pytest.approx(sum(events) / sum(hours))
    assert 0.0 <= found.low <= found.per_hour <= found.high


def test_blocks_that_differ_widen_the_interval() -> None:
    even, uneven = rate([20] * 10, [5.0] * 10), rate([0, 40] * 5, [5.0] * 10)
    assert uneven.per_hour == even.per_hour
    assert uneven.high / uneven.low > even.high / even.low
    assert even.dispersion == 0.0
    assert uneven.dispersion == pytest.approx(200 / 9)


def test_few_blocks_are_not_enough() -> None:
    assert not rate([3, 4, 2, 5], [8.0] * 4).enough
    assert rate([3, 4, 2, 5, 4], [8.0] * 5).enough
    none = rate([0] * 10, [8.0] * 10)
    assert (none.per_hour, none.low, none.enough) == (0.0, 0.0, False)
    assert none.high == pytest.approx(-math.log(0.025) / 80)


@pytest.mark.parametrize("freedom", [3.0, 4.5, 9.0, 30.0, 400.0])
def test_the_quantile_is_students(freedom: float) -> None:
    assert t975(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=0.01)


@pytest.mark.parametrize("days", [7, 14, 28])
def test_the_interval_holds_the_true_rate_of_bursts_on_unequal_days(days: int) -> None:
    """1,000 simulated spells at 20 an hour, bursts of a geometric number, days that differ by a lognormal factor."""
    rng = np.random.default_rng(days)
    held = 0
    for _ in range(1000):
        hours = rng.uniform(3.0, 14.0, days)
        busy = np.exp(0.4 * rng.normal(size=days) - 0.08)
        bursts = rng.poisson(20.0 * busy * hours * 0.3)
        events = [rng.geometric(0.3, n).sum() for n in bursts]
        found = rate(events, hours)
        held += found.low <= 20.0 <= found.high
    assert 0.92 < held / 1000 < 0.975
