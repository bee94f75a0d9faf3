"""A day of the wearer's: its hours, its strip, and in a few sentences what it was like."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from emgtwitch.app.days import day_bounds_utc_ms, local_time
from emgtwitch.app.events import zone_of
from emgtwitch.app.exposure import exposure
from emgtwitch.app.log_rows import Row, as_labelled, counted, shown_duration
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.log_answers import counts, selection
from emgtwitch.app.page.route import Asked, RefusedError
from emgtwitch.app.strip import NOT_WORN, strip
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.store.told import labels, ratings

HOUR_MS = 3_600_000
LEAST_S = 60.0  # analysable, before a rate is told
DAY_LEAST_S = 3600.0  # before a day counts among the usual ones
CLOCK_SLACK_MS = 60_000  # between a session's start and what the clock's fit makes of it
BEFORE = 14  # days that say what is usual
USUAL_LEAST = 3  # of them
BUSY_LEAST = 10  # twitches in an hour that is worth a word


def hours(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Counts, exposure and rates of each hour of a local day; an hour without signal has no rate, not a rate of 0."""
    day = _asked_day(desk, asked)
    with desk.log() as log:
        told = _Told.read(log, day, day)
    begin_ms, end_ms = told.bounds(day)
    rows = [told.tally(at_ms, min(at_ms + HOUR_MS, end_ms)) for at_ms in range(begin_ms, end_ms, HOUR_MS)]
    return {
        "day": day.isoformat(),
        "zone": str(told.zone),
        "hours": rows,
        "whole": told.tally(begin_ms, end_ms),
        "strip": strip(told.sessions, told.lost_during(begin_ms, end_ms), begin_ms, end_ms),
    }


def digest(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The day in a few sentences, beside what was usual in the two weeks before."""
    day = _asked_day(desk, asked)
    with desk.log() as log:
        told = _Told.read(log, day - datetime.timedelta(days=BEFORE), day)
        rated = ratings(log)
        begin_ms, end_ms = told.bounds(day)
        entries = log.diary(Selection(from_utc_ms=begin_ms, to_utc_ms=end_ms))
    whole = told.tally(begin_ms, end_ms)
    return {"day": day.isoformat(), "sentences": _sentences(told, day, whole, rated, entries)}


@dataclass(slots=True)
class _Told:
    """What the log holds of some days."""

    zone: datetime.tzinfo
    sessions: list[Row]
    events: list[Row]
    lost: list[tuple[float, float, Row]]  # from and to in UTC ms, as exact as the session's start
    labelled: dict[int, Row]

    @classmethod
    def read(cls, log: LogReader, first: datetime.date, last: datetime.date) -> _Told:
        sessions = [s for s in log.sessions() if s["started_utc_ms"] is not None]
        zone = zone_of(sessions[-1]) if sessions else datetime.UTC
        begin_ms, end_ms = day_bounds_utc_ms(first, zone)[0], day_bounds_utc_ms(last, zone)[1]
        met = {s["id"]: s for s in sessions if _meets(s, begin_ms, end_ms)}
        within = Selection(from_utc_ms=begin_ms, to_utc_ms=end_ms)
        earliest_ms = min((s["started_utc_ms"] for s in met.values()), default=end_ms) - CLOCK_SLACK_MS
        lost = []
        for row in log.intervals(Selection(from_utc_ms=earliest_ms, to_utc_ms=end_ms + CLOCK_SLACK_MS)):
            if row["session"] in met:
                began_ms = met[row["session"]]["started_utc_ms"]
                lost.append((began_ms + 1000 * row["onset_s"], began_ms + 1000 * row["offset_s"], row))
        return cls(zone, list(met.values()), log.events(within), lost, labels(log))

    def bounds(self, day: datetime.date) -> tuple[int, int]:
        """The first moment of the day in UTC ms, and the first after it."""
        return day_bounds_utc_ms(day, self.zone)

    def during(self, begin_ms: int, end_ms: int) -> list[Row]:
        """The events of a stretch of time."""
        return [e for e in self.events if begin_ms <= e["utc_ms"] < end_ms]

    def lost_during(self, begin_ms: int, end_ms: int) -> list[Row]:
        """The intervals that meet a stretch of time."""
        return [row for from_ms, to_ms, row in self.lost if from_ms < end_ms and to_ms > begin_ms]

    def tally(self, begin_ms: int, until_ms: int) -> dict[str, Any]:
        """Counts, exposure and rates of a stretch of time."""
        recorded_s = analysable_s = off_s = 0.0
        lost = self.lost_during(begin_ms, until_ms)
        leads = [i for i in lost if i["kind"] in NOT_WORN]
        found = self.during(begin_ms, until_ms)
        for session in self.sessions:
            from_s, to_s = ((ms - session["started_utc_ms"]) / 1000 for ms in (begin_ms, until_ms))
            length_s, parts = exposure(session, lost, from_s, to_s)
            recorded_s += length_s
            analysable_s += sum(parts) / len(parts) if parts else 0.0
            off = exposure(session | {"analysable_s": []}, leads, from_s, to_s)[1]
            off_s += length_s - sum(off) / len(off) if off else 0.0
        told = counts(as_labelled(found, self.labelled))
        enough = analysable_s >= LEAST_S
        return {
            "from_utc_ms": begin_ms,
            "to_utc_ms": until_ms,
            "counts": told,
            "rejected": len(found) - sum(told.values()),  # called voluntary or artefacts by the wearer
            "recorded_s": round(recorded_s, 3),
            "analysable_s": round(analysable_s, 3),
            "not_worn_s": round(off_s, 3),
            "per_hour": {name: round(3600 * n / analysable_s, 2) if enough else None for name, n in told.items()},
        }


def _sentences(
    told: _Told, day: datetime.date, whole: dict[str, Any], rated: dict[int, Row], entries: list[Row]
) -> list[str]:
    if not whole["recorded_s"]:
        return ["Nothing was recorded."]
    out = [f"{shown_duration(whole['analysable_s'])} of good signal."]
    rate, number = whole["per_hour"]["twitch"], whole["counts"]["twitch"]
    begin_ms, end_ms = told.bounds(day)
    if rate is not None:
        out.append(f"{counted(number, 'twitch')}, {_rate(rate)} an hour of good signal{_usual(told, day)}.")
        out += _busiest(told, begin_ms, end_ms, rate)
    if whole["rejected"]:
        out.append(f"Left out, as you called them voluntary or artefacts: {counted(whole['rejected'], 'event')}.")
    spasms = [e for e in as_labelled(told.during(begin_ms, end_ms), told.labelled) if e["class"] == "spasm"]
    if spasms:
        longest_ms = max((e["duration_ms"] or 0.0) for e in spasms)
        pains = [rated[e["id"]]["pain"] for e in spasms if e["id"] in rated and rated[e["id"]]["pain"] is not None]
        pain = f"; pain up to {max(pains)} of 10" if pains else ""
        out.append(f"{counted(len(spasms), 'spasm')}, the longest {shown_duration(longest_ms / 1000)}{pain}.")
    else:
        out.append("No spasm.")
    if entries:
        kinds = Counter(entry["kind"] for entry in entries)
        out.append("Diary: " + ", ".join(kind if n == 1 else f"{kind} {n} times" for kind, n in kinds.items()) + ".")
    return out


def _usual(told: _Told, day: datetime.date) -> str:
    """What was usual in the days before; nothing where they are too few."""
    before = [told.tally(*told.bounds(day - datetime.timedelta(days=n))) for n in range(1, BEFORE + 1)]
    rates = [one["per_hour"]["twitch"] for one in before if one["analysable_s"] >= DAY_LEAST_S]
    if len(rates) < USUAL_LEAST:
        return ""
    least, middle, most = (_rate(value) for value in (min(rates), median(rates), max(rates)))
    return f"; on the {len(rates)} days before, {least} to {most}, half under {middle}"


def _busiest(told: _Told, begin_ms: int, end_ms: int, rate: float) -> list[str]:
    """The hour with the most, where it stands out."""
    rows = [told.tally(at_ms, min(at_ms + HOUR_MS, end_ms)) for at_ms in range(begin_ms, end_ms, HOUR_MS)]
    most = max(rows, key=lambda row: row["per_hour"]["twitch"] or 0.0)
    if most["counts"]["twitch"] < BUSY_LEAST or most["per_hour"]["twitch"] < 2 * rate:
        return []
    from_, to = (local_time(most[key], _offset_s(told, most[key])) for key in ("from_utc_ms", "to_utc_ms"))
    return [f"Most came between {from_:%H:%M} and {to:%H:%M}."]


def _offset_s(told: _Told, utc_ms: int) -> int:
    offset = datetime.datetime.fromtimestamp(utc_ms / 1000, told.zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def _rate(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _asked_day(desk: Desk, asked: Asked) -> datetime.date:
    """Raises RefusedError for a moment."""
    chosen = selection(desk, asked.query.day, asked.query.day)
    if chosen.from_local_ms is None:
        raise RefusedError(400, f"{asked.query.day!r} is a moment, no day.", "Send a date, as 2024-05-31, or today.")
    return datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=chosen.from_local_ms)


def _meets(session: Row, start_ms: int, end_ms: int) -> bool:
    began_ms = session["started_utc_ms"]
    return bool(began_ms < end_ms and began_ms + 1000 * session["duration_s"] > start_ms)
