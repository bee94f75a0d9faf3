"""Laws of day arithmetic: a day is what the wearer's clock showed, and no clock changes how long an event was."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.app.days import Moment, day_bounds_utc_ms, local_day, local_time, moment, utc_ms_of, wall_ms
from emgtwitch.app.events import bounds_s
from emgtwitch.app.exposure import exposure
from emgtwitch.app.trains import trains
from emgtwitch.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000


def utc_ms(text: str) -> int:
    return round(1000 * datetime.datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2024-03-30", 24),
        ("Europe/Berlin", "2024-03-31", 23),
        ("Europe/Berlin", "2024-10-27", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),  # the jump is at midnight: the day begins at 01:00
        ("America/Havana", "2024-11-03", 25),  # midnight is shown twice
        ("Australia/Lord_Howe", "2024-04-07", 24.5),
        ("Asia/Kathmandu", "2024-01-01", 24),
    ],
)
def test_a_day_has_23_to_25_hours_as_its_zone_has_it(zone: str, day: str, hours: float) -> None:
    first, after = day_bounds_utc_ms(datetime.date.fromisoformat(day), ZoneInfo(zone))
    assert after - first == hours * HOUR_MS


@given(
    st.dates(datetime.date(2000, 1, 1), datetime.date(2035, 12, 31)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.floats(0, 1, exclude_max=True),
)
def test_every_moment_of_a_day_is_on_that_day_and_days_leave_no_hole(
    day: datetime.date, name: str, part: float
) -> None:
    zone = ZoneInfo(name)
    first, after = day_bounds_utc_ms(day, zone)
    assert 23 * HOUR_MS <= after - first <= 25 * HOUR_MS
    assert day_bounds_utc_ms(day + datetime.timedelta(days=1), zone)[0] == after
    then = first + int(part * (after - first))
    offset = datetime.datetime.fromtimestamp(then / 1000, zone).utcoffset()
    assert offset is not None
    assert local_day(then, round(offset.total_seconds())) == day


def test_a_traveller_s_day_is_that_of_the_clock_worn_then() -> None:
    evening_in_berlin = utc_ms("2024-06-01T23:30+02:00")
    assert local_day(evening_in_berlin, 2 * 3600) == datetime.date(2024, 6, 1)
    assert local_day(evening_in_berlin + HOUR_MS, -4 * 3600) == datetime.date(2024, 6, 1)  # landed in New York
    assert local_day(evening_in_berlin + HOUR_MS, 2 * 3600) == datetime.date(2024, 6, 2)  # stayed
    assert local_time(evening_in_berlin, 5 * 3600 + 2700) == datetime.datetime(2024, 6, 2, 3, 15)


def test_a_bound_is_a_day_a_clock_reading_or_an_instant() -> None:
    today = datetime.date(2024, 3, 31)
    midnight = wall_ms(datetime.datetime(2024, 3, 31))
    assert moment("today", today, end=False) == Moment(midnight, None)
    assert moment("yesterday", today, end=True) == Moment(midnight, None)
    assert moment("2024-03-31", today, end=True) == Moment(midnight + 24 * HOUR_MS, None)
    assert moment("2024-03-31T01:30", today, end=True) == Moment(midnight + 90 * 60_000, None)
    assert moment("2024-03-31T01:30+01:00", today, end=True) == Moment(None, utc_ms("2024-03-31T00:30+00:00"))
    with pytest.raises(UsageError, match=r"'noon' is no time\. Allowed: today, yesterday"):
        moment("noon", today, end=False)


def session(**values: object) -> dict[str, Any]:
    row = {"id": 1, "channels": 2, "duration_s": 36_000.0, "analysable_s": [35_000.0, 30_000.0]}
    times = {"started_utc_ms": utc_ms("2024-03-30T22:00+01:00"), "utc_offset_s": 3600, "zone": "Europe/Berlin"}
    return {**row, **times, **values}


def test_a_range_within_a_session_across_the_jump_counts_the_seconds_that_passed() -> None:
    day = moment("2024-03-31", datetime.date(2024, 4, 1), end=False)
    later = moment("2024-03-31T04:00", datetime.date(2024, 4, 1), end=True)
    assert bounds_s(session(), day, later) == (2 * 3600.0, 5 * 3600.0)  # 02:00 to 03:00 never was
    assert utc_ms_of(later.local_ms or 0, BERLIN) == utc_ms("2024-03-31T02:00+00:00")
    unknown = session(zone="Nowhere/Atlantis")
    assert bounds_s(unknown, day, day) == (2 * 3600.0, 2 * 3600.0)


def test_a_session_without_a_clock_is_in_no_range_of_time() -> None:
    day = moment("2024-03-31", datetime.date(2024, 4, 1), end=False)
    assert bounds_s(session(started_utc_ms=None), day, Moment(None, None)) == (0.0, 0.0)


def test_the_analysable_part_of_a_range_leaves_out_each_loss_once() -> None:
    losses: list[dict[str, Any]] = [
        {"session": 1, "channel": None, "onset_s": 100.0, "offset_s": 200.0},
        {"session": 1, "channel": 1, "onset_s": 150.0, "offset_s": 250.0},
        {"session": 1, "channel": 0, "onset_s": 990.0, "offset_s": 1100.0},
        {"session": 1, "channel": None, "onset_s": 500.0, "offset_s": 500.0},  # a stepped clock or a suspend
        {"session": 2, "channel": None, "onset_s": 0.0, "offset_s": 900.0},
    ]
    assert exposure(session(), losses, 0.0, 1000.0) == (1000.0, [890.0, 850.0])
    assert exposure(session(), losses, -9.0, 1e9) == (36_000.0, [35_000.0, 30_000.0])
    assert exposure(session(), losses, 40_000.0, 1e9) == (0.0, [0.0, 0.0])


def test_a_train_is_three_twitches_or_more_of_one_channel_less_than_a_second_apart() -> None:
    def twitches(*onsets: float, channel: int = 0, kind: str = "twitch") -> list[dict[str, Any]]:
        return [{"session": 1, "channel": channel, "class": kind, "onset_s": onset} for onset in onsets]

    def found(events: list[dict[str, Any]], **options: Any) -> list[list[object]]:
        return [[e["onset_s"] for e in train] for train in trains(events, **options)]

    assert found(twitches(0.0, 0.5)) == []
    assert found(twitches(0.0, 0.5, 1.4, 2.4, 3.0)) == [[0.0, 0.5, 1.4]]
    assert found(twitches(0.0, 0.5, 1.4, 2.4, 3.0), gap_s=1.1) == [[0.0, 0.5, 1.4, 2.4, 3.0]]
    assert found(twitches(0.0, 0.5) + twitches(0.7, channel=1) + twitches(0.8, kind="spasm")) == []
    assert found(twitches(0.0, 0.5) + twitches(0.8, kind="spasm") + twitches(0.9)) == [[0.0, 0.5, 0.9]]
    assert found(twitches(0.0, 0.5), min_count=2) == [[0.0, 0.5]]
