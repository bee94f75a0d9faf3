"""Laws of the exposure: each second is counted once, in the hour that the wearer's clock showed."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.app.report.facts import read
from emgtwitch.app.report.worn import Days, Span, length_ms, remains, tracks
from emgtwitch.detect.records import Interval, Opened, Progress, Stamped
from emgtwitch.settings import Settings
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from tests.app.month import ZONE, at_ms, wear

LONDON = ZoneInfo(ZONE)
SPRING, AUTUMN = datetime.date(2026, 3, 29), datetime.date(2026, 10, 25)


@pytest.mark.parametrize(("day", "hours", "one"), [(SPRING, 23, 0.0), (AUTUMN, 25, 2.0)])
def test_a_night_in_which_the_clocks_change(tmp_path: Path, day: datetime.date, hours: int, one: float) -> None:
    """Worn from 22:00 on the day before for 30 hours: the hour from 1 to 2 comes twice, or never."""
    before = day - datetime.timedelta(days=1)
    with LogWriter(tmp_path / LOG_NAME) as log:
        opened = Opened("night", {"worn": [{"muscle": "calf"}], "zone": ZONE}, "board", 1000.0, 1, 1.0, "digest")
        log.begin(None)
        log.write([Stamped(opened, at_ms(before, 22.0), 0)], Progress(30 * 3600, (30 * 3600,), 0, 0, 0, None, None))
        log.end()
    with LogReader(tmp_path / LOG_NAME) as log:
        found = read(log, Days(before, day, LONDON), None)
    assert (found.days.span[1] - found.days.span[0]) / 3_600_000 == 24 + hours
    assert found.analysable_h[0].tolist() == [0.0] * 22 + [1.0, 1.0]
    assert found.analysable_h[1].tolist() == [1.0, one] + [1.0] * 22
    assert found.hours == 2 + hours


def test_only_the_part_within_the_days_counts(tmp_path: Path) -> None:
    first = datetime.date(2026, 5, 4)
    with LogWriter(tmp_path / LOG_NAME) as log:
        wear(log, np.random.default_rng(1), first, 20.0, 12.0, 1.0, Settings(), [{"muscle": "calf"}])
    with LogReader(tmp_path / LOG_NAME) as log:
        whole = read(log, Days(first, first + datetime.timedelta(days=1), LONDON), None)
        evening, night = (read(log, Days(day, day, LONDON), None) for day in whole.days.all)
    assert evening.recorded_h.sum() == pytest.approx(4.0)
    assert night.recorded_h.sum() == pytest.approx(8.0)
    assert evening.hours + night.hours == pytest.approx(whole.hours)
    assert len(evening.events) + len(night.events) == len(whole.events) > 0


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda p: (float(p[0]), float(p[0] + p[1]))))


@given(lost=spans)
def test_what_remains_is_each_second_that_no_stretch_covers(lost: list[Span]) -> None:
    left = remains(lost, (10.0, 50.0))
    seconds = [n for n in range(10, 50) if not any(a <= n < b for a, b in lost)]
    assert [n for a, b in left for n in range(int(a), int(b))] == seconds
    assert length_ms(left) == len(seconds)


def row(state: str, analysable_s: float) -> dict[str, Any]:
    started_ms = at_ms(datetime.date(2026, 5, 4), 9.0)
    return {
        "id": 1,
        "state": state,
        "started_utc_ms": started_ms,
        "duration_s": 3600.0,
        "channels": 1,
        "analysable_s": [analysable_s],
        "worn": {},
    }


@pytest.mark.parametrize(("state", "clear_s"), [("crashed", 1000.0), ("open", 1000.0), ("closed", 3500.0)])
def test_a_loss_that_a_crash_left_unlogged_is_none_of_the_analysable_time(state: str, clear_s: float) -> None:
    day = datetime.date(2026, 5, 4)
    logged = {"session": 1, "kind": "gap", "channel": None, "onset_s": 100.0, "offset_s": 200.0}
    (track,) = tracks(row(state, 1000.0), [logged], Days(day, day, LONDON))
    assert track.clear_ms == pytest.approx(1000 * clear_s)
    assert track.clear_ms + sum(track.lost_ms.values()) == pytest.approx(3_600_000)
    assert track.site == "muscle not told"


def test_a_second_that_is_lost_twice_is_told_once() -> None:
    day = datetime.date(2026, 5, 4)
    kinds = [("artefact", 0.0, 100.0), ("lead_off", 50.0, 150.0), ("gap", 140.0, 160.0), ("settling", 90.0, 170.0)]
    lost = [{"session": 1, "kind": k, "channel": 0, "onset_s": a, "offset_s": b} for k, a, b in kinds]
    (track,) = tracks(row("closed", 3430.0), lost, Days(day, day, LONDON))
    assert list(track.lost_ms.values()) == pytest.approx([20_000, 90_000, 10_000, 50_000])
    assert track.clear_ms == pytest.approx(3_430_000)


def test_a_recording_without_a_clock_is_of_no_day_but_is_told(tmp_path: Path) -> None:
    day = datetime.date(2026, 5, 4)
    with LogWriter(tmp_path / LOG_NAME) as log:
        wear(log, np.random.default_rng(1), day, 9.0, 1.0, 1.0, Settings(), [{"muscle": "calf"}])
        opened = Opened("imported", {}, "imported", 1000.0, 1, None, "digest")
        log.begin(None)
        log.write([Stamped(opened, None, None), Stamped(Interval("gap", None, 1.0, 2.0, "lost", 2000), None, None)])
        log.end()
    with LogReader(tmp_path / LOG_NAME) as log:
        found = read(log, Days(day, day, LONDON), None)
    assert found.undated == 1
    assert found.recorded_h.sum() == pytest.approx(1.0)
