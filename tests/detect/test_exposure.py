"""Laws of the exposure: it is the length of a union, in any order of arrival, in bounded memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.detect.exposure import MOST_PIECES, Exposure

PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1])), max_size=20)


def naive(pieces: list[tuple[int, int]], until: int) -> int:
    return len({tick for a, b in pieces for tick in range(a, min(b, until))})


def exposure(pieces: list[tuple[int, int]]) -> Exposure:
    made = Exposure()
    for onset, offset in pieces:
        made.add(float(onset), float(offset))
    return made


@given(PIECES, st.integers(0, 80))
def test_it_is_the_length_of_the_union_up_to_a_time(pieces: list[tuple[int, int]], until: int) -> None:
    assert exposure(pieces).total_s(until) == naive(pieces, until)


@given(PIECES, st.randoms())
def test_the_order_of_arrival_does_not_matter(pieces: list[tuple[int, int]], rng: random.Random) -> None:
    shuffled = list(pieces)
    rng.shuffle(shuffled)
    assert exposure(shuffled).total_s(80.0) == exposure(pieces).total_s(80.0)


@given(PIECES, st.integers(0, 80), st.integers(0, 80))
def test_an_open_interval_counts_up_to_now(pieces: list[tuple[int, int]], since: int, until: int) -> None:
    assert exposure(pieces).total_s(until, since) == naive([*pieces, (since, max(since, until))], until)


def test_nothing_added_is_nothing() -> None:
    assert Exposure().total_s(100.0) == 0.0
    assert exposure([(5, 5)]).total_s(100.0) == 0.0


def test_a_week_of_gaps_takes_bounded_memory_and_none_is_lost() -> None:
    made = Exposure()
    n = 3 * MOST_PIECES
    for k in range(n):
        made.add(float(k), k + 0.25)
        if k % 50 == 7:
            made.add(k - 20.0, k - 19.75)  # what is decided late may overlap
    assert len(made._onsets) == len(made._offsets) <= MOST_PIECES
    assert made.total_s(float(n)) == pytest.approx(n / 4)


def test_an_interval_that_reaches_back_over_many_gaps_is_no_less_and_never_counted_twice() -> None:
    made = Exposure()
    gaps = MOST_PIECES // 2
    for k in range(gaps):
        made.add(float(k), k + 0.25)
    made.add(0.0, float(gaps))
    assert made.total_s(float(gaps)) == gaps
    for k in range(gaps, 5 * gaps):
        made.add(float(k), k + 0.25)
    made.add(0.0, 5.0 * gaps)
    assert made.total_s(5.0 * gaps) <= 5 * gaps
