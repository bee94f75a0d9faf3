"""Simulated hours under the guard; `python -m tests.guard.hours` prints more of them."""

from __future__ import annotations

import pytest

from tests.guard import board
from tests.guard.hours import CLEAR_DB, watched


@pytest.mark.slow
def test_clear_twitches_of_an_hour_are_found() -> None:
    hour = watched("twitches", 104, 60)
    found, of = hour.recall(CLEAR_DB)
    assert of > 500
    assert found >= 0.95 * of
    assert hour.false_twitches <= 2


@pytest.mark.slow
def test_quiet_hour_has_no_event() -> None:
    last = watched("quiet", 104, 60).last
    assert {name: int(last[name]) for name in last.dtype.names or ()} == {
        "output": board.QUIET,
        "guarded_s": 3600,
        "twitches": 0,
        "contractions": 0,
        "spasms": 0,
        "longest_ms": 0,
    }


def test_heart_motion_taps_and_loose_electrodes_are_seldom_twitches() -> None:
    assert watched("confounders", 104, 10).false_twitches <= 5


def test_each_spasm_is_told() -> None:
    hour = watched("demo", 104, 5)
    assert hour.last["spasms"] == hour.true_spasms
    assert hour.last["contractions"] == hour.true_contractions
