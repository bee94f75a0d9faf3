"""The report for the doctor: two sheets."""

from __future__ import annotations

from functools import partial
from statistics import median

from emgtwitch import __version__
from emgtwitch.app.days import local_time
from emgtwitch.app.log_rows import Row, counted, shown_duration
from emgtwitch.app.report import advice, examples, figures
from emgtwitch.app.report.facts import LEAST_HOURS, Facts
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
    number,
    printable,
    shortened,
)
from emgtwitch.app.report.worn import HOUR_MS, worn
from emgtwitch.detect.records import CLASSES
from emgtwitch.settings import Settings

MOST_WORN = 3  # ways of wearing that are listed
MOST_NOTE = 180  # characters of a note
HISTOGRAM_MM, EXAMPLE_MM = 41.0, 38.0


def doctor_report(facts: Facts) -> Report:
    """Both sheets."""
    return Report(
        title="Surface EMG: muscle twitches and spasms",
        subtitle=f"{shortened(capital(facts.site), 40)}, {dates(facts)}",
        footer=f"{advice.NOT_A_DEVICE} emgtwitch {__version__}",
        pages=[_first(facts), _second(facts)],
    )


def dates(facts: Facts) -> str:
    """The days, as `6 May to 2 June 2024`."""
    first, last = facts.days.first, facts.days.last
    begin = f"{first.day}"
    if first.replace(day=1) != last.replace(day=1):
        begin += f" {first:%B}" + (f" {first.year}" if first.year != last.year else "")
    return f"{begin} to {last.day} {last:%B %Y}" if first != last else f"{last.day} {last:%B %Y}"


def _first(facts: Facts) -> list[Block | Columns]:
    least_mm, most_mm = figures.timeline_mm(facts)
    told = "Twitches per analysable hour by day and by hour of each day, hours recorded, spasms and diary"
    return [
        Paragraph("____________________________________ (the log holds no name)", lead="Wearer:"),
        Heading("What was worn"),
        _worn_table(facts),
        *_remarks(facts),
        Columns(
            (
                (Heading("How good the recording is"), _quality(facts)),
                (
                    Heading(f"What was found in {_long(facts.hours)} of analysable signal"),
                    _found(facts),
                    *_details(facts),
                ),
            ),
            (5, 8),
        ),
        Heading("Day by day"),
        Figure(partial(figures.timeline, facts=facts), least_mm, told, most_mm),
        Paragraph(
            "Hours are analysable ones. Line: each day with at least one of them; dashes and band: the mean and its "
            "95 % interval. Diary: a day's sum (on a scale the mean), • without a number. Times are those of "
            f"{facts.days.zone}."
        ),
    ]


def _second(facts: Facts) -> list[Block | Columns]:
    draws = (figures.durations, figures.amplitudes, figures.pauses)
    titles = ("Durations of events by class", "Peaks of twitches", "Times from a twitch to the next")
    histograms = tuple(
        (Figure(partial(draw, facts=facts), HISTOGRAM_MM, title),) for draw, title in zip(draws, titles, strict=True)
    )
    return [
        Heading("Events"),
        Columns(histograms, (1, 1, 1)),
        Heading("Examples from the recordings"),
        *_examples(facts),
        Heading("Spasms, the most painful first"),
        _spasms(facts) if facts.of("spasm") else Paragraph("None."),
        Columns(
            (
                (Paragraph(_method(facts), lead="How it was measured."),),
                (
                    Paragraph(advice.CANNOT_TELL, lead="What this cannot tell."),
                    Paragraph(advice.SEE_SOMEONE, lead="When to see someone."),
                    Paragraph(advice.SOURCES),
                ),
            ),
            (1, 1.25),
        ),
    ]


def _examples(facts: Facts) -> list[Block | Columns]:
    waves = examples.examples(facts)
    if not any(wave.columns for wave in waves):
        return [Paragraph(" ".join(wave.told for wave in waves))]
    traces = tuple(
        (Figure(partial(examples.draw, example=wave), EXAMPLE_MM, f"{wave.name}: {wave.told}"),) for wave in waves
    )
    told = "Band-passed as the detector sees them, each near the median peak of its kind; grey: onset to offset."
    return [Columns(traces, (1, 1, 1)), Paragraph(told)]


def _worn_table(facts: Facts) -> Table:
    """One row for each way of wearing: what, where, with which board and settings, and for how long."""
    hours: dict[tuple[str, ...], float] = {}
    for track in facts.tracks:
        session = track.session
        told = worn(session, track.channel)
        scale = session["uV_per_count"]
        key = (
            shortened(printable(told.get("placement", "")) or "not told", 40),
            shortened(printable(session["device"]), 32),
            f"{session['rate_Hz']:g} Hz, " + (f"{scale:.3g} µV" if scale else "gain unknown"),
            shortened(f"{session['settings_digest']}: {_differing(session['settings'])}", 60),
            shortened(session["software"], 16),
        )
        hours[key] = hours.get(key, 0.0) + (track.whole[1] - track.whole[0]) / HOUR_MS
    listed = sorted(hours.items(), key=lambda pair: -pair[1])
    rows = [(*key, _long(n)) for key, n in listed[:MOST_WORN]]
    if len(listed) > MOST_WORN:
        rest = sum(n for _, n in listed[MOST_WORN:])
        rows.append((f"and {len(listed) - MOST_WORN} more", "", "", "", "", _long(rest)))
    columns = ("Placement", "Board", "Rate, one count", "Settings", "Version", "Recorded")
    return Table(columns, rows, (36, 29, 28, 42, 14, 16), "lllllr")


def _differing(settings: dict[str, object]) -> str:
    usual = Settings().as_dict()
    other = [f"{name} {_shown(value)}" for name, value in settings.items() if name in usual and value != usual[name]]
    return ", ".join(other) if other else "as delivered"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _remarks(facts: Facts) -> list[Block]:
    """What is not in the counts, in a sentence each; nothing where all is."""
    out = []
    if facts.left_out:
        parts = " and ".join(f"{n} {name}" for name, n in sorted(facts.left_out.items()))
        out.append(f"Left out: {counted(sum(facts.left_out.values()), 'event')} that the wearer labelled: {parts}.")
    if facts.renamed:
        out.append(f"The wearer gave {counted(facts.renamed, 'event')} another class, which counts here.")
    if facts.others:
        listed = ", ".join(f"{shortened(name, 40)} ({h:.0f} h)" for name, h in list(facts.others.items())[:4])
        out.append(f"The log also holds: {listed}.")
    if facts.undated:
        out.append(f"{counted(facts.undated, 'recording')} without a clock left out.")
    return [Paragraph(" ".join(out))] if out else []


def _quality(facts: Facts) -> Table:
    recorded = float(facts.recorded_h.sum())
    digits = 1 if recorded >= 10 else 3
    begin_ms, end_ms = facts.days.span

    def row(name: str, hours: float) -> tuple[str, ...]:
        return name, f"{hours:.{digits}f}", f"{100 * hours / recorded:.1f} %"

    days = int((facts.analysable_h.sum(axis=1) > 0).sum())
    return Table(
        (f"{days} of {counted(len(facts.days.all), 'day')}", "h", "share"),
        [
            ("in these days", f"{(end_ms - begin_ms) / HOUR_MS:.0f}", ""),
            row("recorded", recorded),
            row("analysable", facts.hours),
            *(row(name, hours) for name, hours in facts.lost_h().items()),
        ],
        (44, 11, 14),
        "lrr",
    )


def _long(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else shown_duration(3600 * hours)


def _found(facts: Facts) -> Table:
    rows, enough = [], facts.hours >= LEAST_HOURS
    for name in CLASSES:
        own, found = facts.of(name), facts.rate(name)
        lengths = [e["duration_ms"] for e in own if e["duration_ms"]]
        peaks = [e["peak"] for e in own if e["peak"] and e["in_uV"]]
        rows.append(
            (
                {"twitch": "twitches", "contraction": "contractions", "spasm": "spasms"}[name],
                f"{len(own)}",
                number(found.per_hour) if enough else "",
                f"{number(found.low)} to {number(found.high)}" if enough and found.enough else "too little",
                length(median(lengths) / 1000) if lengths else "",
                f"{median(peaks):.0f} µV" if peaks else "",
            )
        )
    columns = ("", "count", "an hour", "95 % interval", "length", "peak")
    return Table(columns, rows, (20, 12, 17, 24, 15, 14), "lrrrrr")


def _details(facts: Facts) -> list[Block]:
    twitches = facts.of("twitch")
    if not twitches:
        return []
    text = f"Lengths and peaks are medians. {counted(len(facts.trains), 'train')}"
    if facts.trains:
        inside = sum(map(len, facts.trains))
        spans = [(t[-1]["onset_s"] - t[0]["onset_s"], len(t)) for t in facts.trains]
        pace = median((n - 1) / s for s, n in spans if s > 0)
        text += f" with {100 * inside / len(twitches):.0f} % of the twitches, half of them at {pace:.1f} Hz or faster"
    text += ". "
    if facts.pauses_s:
        text += f"From a twitch to the next: median {length(median(facts.pauses_s))}. "
    found = facts.rate("twitch")
    if facts.hours >= LEAST_HOURS and found.enough:
        text += f"Counts of days vary {number(found.dispersion)} times as much as those of independent twitches."
    return [Paragraph(text)]


def _spasms(facts: Facts) -> Table:
    rows = []
    for event in worst_first(facts):
        told = facts.rated.get(event["id"], {})
        rows.append(
            (
                when(event),
                lasted(event),
                f"{event['peak']:.0f} {'µV' if event['in_uV'] else 'counts'}" if event["peak"] else "",
                pain(told),
                shortened(printable(told.get("note") or ""), MOST_NOTE),
            )
        )
    return Table(("when", "lasted", "peak", "pain", "the wearer's note"), rows, (31, 13, 17, 13, 92), "lrrrl", True)


def worst_first(facts: Facts) -> list[Row]:
    """The spasms, the most painful and then the longest first."""

    def weight(event: Row) -> tuple[float, float]:
        told = facts.rated.get(event["id"], {}).get("pain")
        return (-1.0 if told is None else told, event["duration_ms"] or 0.0)

    return sorted(facts.of("spasm"), key=weight, reverse=True)


def when(event: Row) -> str:
    """Day and time on the wearer's clock, as `Mon 6 May 14:30`."""
    at = local_time(event["utc_ms"], event["utc_offset_s"])
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def lasted(event: Row) -> str:
    """How long it lasted."""
    return length(event["duration_ms"] / 1000) if event["duration_ms"] else "goes on"


def pain(rating: Row) -> str:
    """What was told of it, if anything."""
    return "" if rating.get("pain") is None else f"{rating['pain']} of 10"


def _method(facts: Facts) -> str:
    session = facts.tracks[-1].session
    told = Settings().as_dict() | session["settings"]
    return advice.METHOD.format(
        rate_Hz=session["rate_Hz"],
        low_Hz=told["band_low_Hz"],
        high_Hz=min(told["band_high_Hz"], 0.4 * session["rate_Hz"]),
        twitch_ms=told["twitch_max_ms"],
        spasm_s=told["spasm_min_s"],
        train=told["train_min_count"],
        gap_s=told["train_gap_s"],
    )
