"""Which days had a factor, by the diary. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from emgtwitch.app.days import local_day


def factor_days(diary: Iterable[Mapping[str, Any]], factor: str, lag: int = 0) -> dict[datetime.date, bool]:
    """Whether each day with a diary had the factor, told `lag` days later: 1 asks about the day after.

    A day has it with an entry of that kind whose value is not 0. A day without any entry is not in the answer: who
    wrote nothing may have had it. `nothing` is an entry, and says that there was none.
    """
    found: dict[datetime.date, bool] = {}
    for entry in diary:
        day = local_day(entry["utc_ms"], entry["utc_offset_s"]) + datetime.timedelta(days=lag)
        has = entry["kind"].casefold() == factor.casefold() and entry["value"] != 0
        found[day] = found.get(day, False) or has
    return found
