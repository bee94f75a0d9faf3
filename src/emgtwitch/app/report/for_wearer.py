"""The report for the wearer: a week on one sheet, in plain words."""

from __future__ import annotations

import datetime
from functools import partial

from emgtwitch import __version__
from emgtwitch.app.days import local_time
from emgtwitch.app.log_rows import Row, counted, shown_duration
from emgtwitch.app.report import advice, figures
from emgtwitch.app.report.facts import LEAST_HOURS, Facts, read, together
from emgtwitch.app.report.for_doctor import MOST_NOTE, dates, lasted, pain, when, worst_first
from emgtwitch.app.report.sheet import (
    Block,
    Columns,
    Figure,
    Heading,
    Paragraph,
    Report,
    Table,
    capital,
    length,
    plain,
    printable,
    shortened,
)
from emgtwitch.app.report.worn import Days
from emgtwitch.errors import UsageError
from emgtwitch.store.log_reader import LogReader

COMPARED_HOURS = 3.0  # of good signal, before a day or a week is compared
WEEK_MM = 84.0


def week_report(log: LogReader, days: Days, muscle: str | None) -> Report:
    """The sheet; the week before, of the same muscle, is told beside it. Raises UsageError."""
    facts = read(log, days, muscle)
    back = datetime.timedelta(days=len(days.all))
    try:
        before = read(log, Days(days.first - back, days.last - back, days.zone), facts.site)
    except UsageError:  # nothing was recorded then, or not of this muscle
        before = None
    return Report(
        title="My week",
        subtitle=f"{shortened(capital(facts.site), 40)}, {dates(facts)}",
        footer=f"{advice.NOT_A_DEVICE} emgtwitch {__version__}",
        pages=[_page(facts, before)],
    )


def _page(facts: Facts, before: Facts | None) -> list[Block | Columns]:
    told = "Twitches per hour of good signal, for each hour of each day"
    found = facts.of("spasm")
    return [
        Heading("In short"),
        *(Paragraph(sentence) for sentence in _sentences(facts, before)),
        Heading("Hour by hour: twitches per hour of good signal"),
        Figure(partial(figures.week, facts=facts), WEEK_MM, told),
        Paragraph("The darker, the more. A light square with a dot: you wore it and there was none. Blank: not worn."),
        Heading("Spasms"),
        _spasms(facts) if found else Paragraph("None was recorded."),
        Heading("What you told"),
        Paragraph(_diary(facts)),
        Heading("Good to know"),
        Paragraph(
            "Numbers go up and down from day to day by themselves. A busy day by itself means little, and neither does "
            "a quiet one. Some of what is counted may be your own small movements."
        ),
        Paragraph(advice.SEE_SOMEONE, lead="When to see someone."),
        Paragraph(advice.SOURCES),
    ]


def _sentences(facts: Facts, before: Facts | None) -> list[str]:
    hours = facts.analysable_h.sum(axis=1)
    worn = int((hours > 0).sum())
    long = f"{facts.hours:.0f} hours" if facts.hours >= LEAST_HOURS else shown_duration(3600 * facts.hours)
    out = [f"You had {long} of good signal on {counted(worn, 'day')}."]
    found = facts.rate("twitch")
    text = f"In them came {counted(len(facts.of('twitch')), 'twitch')}"
    if facts.hours >= LEAST_HOURS:
        text += f": about {_number(found.per_hour)} an hour"
        text += f" (from {_number(found.low)} to {_number(found.high)}, as days differ)" if found.enough else ""
    text += "."
    if before is not None and before.hours >= COMPARED_HOURS:
        text += f" In the week before it was {_number(before.rate('twitch').per_hour)} an hour."
    out.append(text)
    rates = [
        (n / h, day)
        for n, h, day in zip(facts.counts["twitch"].sum(axis=1), hours, facts.days.all, strict=True)
        if h >= COMPARED_HOURS
    ]
    if len(rates) > 1:
        (least, quiet), (most, busy) = min(rates), max(rates)
        text = f"The busiest day was {busy:%A} with {_number(most)} an hour, the quietest {quiet:%A}"
        out.append(f"{text} with {_number(least)}.")
    spasm = facts.of("spasm")
    if spasm:
        longest = max(e["duration_ms"] or 0.0 for e in spasm)
        pains = [p for e in spasm if (p := facts.rated.get(e["id"], {}).get("pain")) is not None]
        hurt = f"; the worst hurt {max(pains)} of 10" if pains else ""
        out.append(f"There were {counted(len(spasm), 'spasm')}, the longest {length(longest / 1000)}{hurt}.")
    if facts.left_out:
        count = counted(sum(facts.left_out.values()), "event")
        out.append(f"Not counted: {count} that you called your own movement or a disturbance.")
    if facts.others:
        out.append(f"You also wore it on: {', '.join(shortened(name, 40) for name in list(facts.others)[:4])}.")
    return out


def _spasms(facts: Facts) -> Table:
    rows = []
    for event in worst_first(facts):
        told = facts.rated.get(event["id"], {})
        rows.append((when(event), lasted(event), pain(told), shortened(printable(told.get("note") or ""), MOST_NOTE)))
    return Table(("when", "lasted", "pain", "your note"), rows, (31, 15, 15, 105), "lrrl", True)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _diary(facts: Facts) -> str:
    if not facts.diary:
        return "Nothing."
    kinds: dict[str, list[Row]] = {}
    for entry in facts.diary:
        kinds.setdefault(entry["kind"], []).append(entry)
    parts = []
    for kind, entries in sorted(kinds.items(), key=lambda pair: -len(pair[1]))[:8]:
        value, unit = together(entries), printable(next((e["unit"] for e in entries if e["unit"]), ""))
        how = " on average" if unit.startswith("of ") else " in all"
        told = "" if value is None else f", {plain(value)} {unit}{how}"
        parts.append(f"{shortened(printable(kind), 30)} {counted(len(entries), 'time')}{told}")
    notes = [
        f"{local_time(e['utc_ms'], e['utc_offset_s']):%a}: {shortened(printable(e['note']), 90)}"
        for e in facts.diary
        if e["note"]
    ]
    return capital("; ".join(parts)) + "." + (f" Notes: {'; '.join(notes[:6])}." if notes else "")
