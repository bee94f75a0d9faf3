"""Day arithmetic. A day is a local calendar day: 23 to 25 hours of what the wearer's clock showed.

Of a logged time the offset then valid is known, so its day is known wherever the wearer was. Lengths of events come
from sample counts and never from these times: a stepped clock or a suspend moves none of them.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from emgtwitch.errors import UsageError

EPOCH = datetime.datetime(1970, 1, 1)
EARLIEST_YEAR, LATEST_YEAR = 1900, 9000


def local_time(utc_ms: int, utc_offset_s: int) -> datetime.datetime:
    """What the wearer's clock showed, without a zone."""
    return EPOCH + datetime.timedelta(milliseconds=utc_ms + 1000 * utc_offset_s)


def local_day(utc_ms: int, utc_offset_s: int) -> datetime.date:
    """The calendar day on the wearer's clock."""
    return local_time(utc_ms, utc_offset_s).date()


def wall_ms(shown: datetime.datetime) -> int:
    """A zoneless clock reading in ms since 1970-01-01 on that clock."""
    return round((shown - EPOCH) / datetime.timedelta(milliseconds=1))


def utc_ms_of(shown_ms: int, zone: datetime.tzinfo) -> int:
    """When a clock in `zone` showed this: the first time if it did twice, the moment of the jump if it never did."""
    shown = EPOCH + datetime.timedelta(milliseconds=shown_ms)
    return round(1000 * shown.replace(tzinfo=zone).timestamp())


def day_bounds_utc_ms(day: datetime.date, zone: datetime.tzinfo) -> tuple[int, int]:
    """The first moment of `day` in `zone` and the first after it."""
    midnight = datetime.datetime.combine(day, datetime.time())
    following = midnight + datetime.timedelta(days=1)
    return utc_ms_of(wall_ms(midnight), zone), utc_ms_of(wall_ms(following), zone)


@dataclass(frozen=True, slots=True)
class Moment:
    """A bound that a person typed: on the wearer's clock, or an instant if it came with an offset."""

    local_ms: int | None
    utc_ms: int | None


def moment(text: str, today: datetime.date, *, end: bool) -> Moment:
    """Read `today`, `yesterday`, a date, or a date and time in ISO 8601; a date that ends a range is included whole.

    Raises UsageError.
    """
    words = {"today": today, "yesterday": today - datetime.timedelta(days=1)}
    try:
        day = words[text] if text in words else datetime.date.fromisoformat(text)
    except ValueError:
        try:
            shown = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"{text!r} is no time. Allowed: today, yesterday, 2024-05-31, 2024-05-31T14:30, 2024-05-31T14:30+02:00."
            ) from None
        _check_year(shown.date(), text)
        if shown.tzinfo is not None:
            return Moment(None, round(1000 * shown.timestamp()))
        return Moment(wall_ms(shown), None)
    _check_year(day, text)
    return Moment(wall_ms(datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(days=end)), None)


def _check_year(day: datetime.date, text: str) -> None:
    """Some days before and after it must be in the calendar, too. Raises UsageError."""
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise UsageError(f"{text!r} lies outside the years {EARLIEST_YEAR} to {LATEST_YEAR}. Give a day between them.")


def day_of(text: str, option: str, today: datetime.date) -> datetime.date:
    """The whole day that `option` names. Raises UsageError for a time within a day, and for what is no time."""
    found = moment(text, today, end=False)
    if found.local_ms is None or found.local_ms % 86_400_000:
        raise UsageError(f"{option} is {text!r}, and takes whole days. Give a date, as 2024-05-31.")
    return (EPOCH + datetime.timedelta(milliseconds=found.local_ms)).date()
