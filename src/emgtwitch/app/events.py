"""`emgtwitch events`: what the log holds, as a table, as JSON lines or as a picture."""

from __future__ import annotations

import argparse
import datetime
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch.app.board_words import report_text
from emgtwitch.app.days import Moment, moment, utc_ms_of
from emgtwitch.app.exposure import exposure
from emgtwitch.app.log_rows import (
    EVENT_COLUMNS,
    INTERVAL_COLUMNS,
    MARK_COLUMNS,
    Row,
    counted,
    event_cells,
    event_json,
    interval_cells,
    interval_json,
    mark_cells,
    mark_json,
    shown_duration,
)
from emgtwitch.app.table import print_table
from emgtwitch.app.trains import trains
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import UsageError
from emgtwitch.store.folders import data_folder, log_path
from emgtwitch.store.log_reader import LogReader, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHEN = "today, yesterday, a date, or a date and time (2024-05-31T14:30)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `events`."""
    parser.add_argument("--from", dest="from_", metavar="TIME", help=f"first time: {WHEN}; on the wearer's clock")
    parser.add_argument("--to", metavar="TIME", help="end; a date is included whole")
    parser.add_argument("--class", dest="classes", action="append", choices=CLASSES, help="only this; repeatable")
    parser.add_argument("--channel", type=int, metavar="N", help="only this channel")
    parser.add_argument("--session", metavar="ID", help="only recordings whose id begins so; `last` for the last one")
    parser.add_argument("--intervals", action="store_true", help="also list the time that is not analysable, and why")
    parser.add_argument(
        "--marks", action="store_true", help="also list the wearer's marks, and what the board reported"
    )
    parser.add_argument("--all-runs", action="store_true", help="every run over a recording, not only the newest")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the last of them a summary")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the signal of one recording with the events over it")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """List or draw. Raises UnreadableInputError where there is no log, UsageError on a time that is none."""
    today = datetime.datetime.now().astimezone().date()
    start = moment(args.from_, today, end=False) if args.from_ else Moment(None, None)
    end = moment(args.to, today, end=True) if args.to else Moment(None, None)
    with LogReader(log_path(data_folder(args.data))) as log:
        recording = args.session
        if recording == "last":
            known = log.sessions()
            recording = known[-1]["recording_id"] if known else None
        selection = Selection(
            from_local_ms=start.local_ms,
            to_local_ms=end.local_ms,
            from_utc_ms=start.utc_ms,
            to_utc_ms=end.utc_ms,
            classes=tuple(args.classes or ()),
            channel=args.channel,
            recording=recording,
            all_runs=args.all_runs,
        )
        sessions = log.sessions(selection)
        events = log.events(selection)
        ranged = start != end  # a whole session has its own count of what is analysable
        intervals = log.intervals(Selection(recording=recording, all_runs=args.all_runs)) if ranged else []
        listed = log.intervals(selection) if args.intervals else []
        marks = log.marks(selection) if args.marks else []
        pruned = {session["id"]: log.not_kept(session["id"]) for session in sessions} if args.plot else {}
    if args.session is not None and not sessions:
        raise UsageError(f"No recording's id begins with {args.session!r}. `emgtwitch events --json` shows their ids.")
    if args.plot:
        return _plot(Path(args.plot), sessions, events, start, end, pruned)
    numbers = _train_numbers(sessions, events)
    summary = _summary(sessions, events, intervals, start, end) | {"trains": len(set(numbers.values()))}
    if args.json:
        lines = [(row, event_json(row, numbers.get(row["id"]))) for row in events]
        lines += [(row, interval_json(row)) for row in listed]
        order = {session["id"]: n for n, session in enumerate(sessions)}
        for _, line in sorted(lines, key=lambda pair: (order[pair[0]["session"]], pair[0]["onset_s"])):
            print(json.dumps(line))
        for mark in marks:
            print(json.dumps(mark_json(mark)))
        print(json.dumps(summary))
        return 0
    if events:
        print_table(EVENT_COLUMNS, [event_cells(event, numbers.get(event["id"])) for event in events])
    if listed:
        print()
        print_table(INTERVAL_COLUMNS, [interval_cells(interval) for interval in listed])
    if marks:
        print()
        print_table(MARK_COLUMNS, [mark_cells(mark, _report(mark)) for mark in marks])
    print(_sentence(summary))
    return 0


def _report(mark: Row) -> str:
    return report_text(mark["kind"], mark["source"], mark["detail"])


def _train_numbers(sessions: Sequence[Row], events: Sequence[Row]) -> dict[int, int]:
    """The number of its train, from 1, by the id of each event in one; each session's settings say what a train is."""
    found: list[list[Row]] = []
    for session in sessions:
        told = session["settings"]
        own = [event for event in events if event["session"] == session["id"]]
        found += trains(own, told.get("train_gap_s", 1.0), told.get("train_min_count", 3))
    return {event["id"]: n for n, train in enumerate(found, start=1) for event in train}


def bounds_s(session: Row, start: Moment, end: Moment) -> tuple[float, float]:
    """A range as seconds from the session's first sample; nothing of a session without clock marks is in a range."""
    bounds = []
    for bound, open_end in ((start, -math.inf), (end, math.inf)):
        if bound.local_ms is None and bound.utc_ms is None:
            bounds.append(open_end)
        elif session["started_utc_ms"] is None:
            return 0.0, 0.0
        else:
            utc_ms = bound.utc_ms if bound.local_ms is None else utc_ms_of(bound.local_ms, zone_of(session))
            assert utc_ms is not None
            bounds.append((utc_ms - session["started_utc_ms"]) / 1000)
    return bounds[0], bounds[1]


def zone_of(session: Row) -> datetime.tzinfo:
    """The session's zone; where this machine does not know it, the offset that was valid when it began."""
    if session["zone"]:
        import zoneinfo

        try:
            return zoneinfo.ZoneInfo(session["zone"])
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            pass
    return datetime.timezone(datetime.timedelta(seconds=session["utc_offset_s"] or 0))


def _summary(
    sessions: Sequence[Row], events: Sequence[Row], intervals: Sequence[Row], start: Moment, end: Moment
) -> dict[str, Any]:
    """The contract's last line but for trains, over all recordings. `analysable_s` is the mean over the channels."""
    duration_s = 0.0
    analysable_s: list[float] = []
    for session in sessions:
        length_s, parts = exposure(session, intervals, *bounds_s(session, start, end))
        duration_s += length_s
        analysable_s += [0.0] * (len(parts) - len(analysable_s))
        for channel, part in enumerate(parts):
            analysable_s[channel] += part
    counts = {name: sum(event["class"] == name for event in events) for name in CLASSES}
    return {
        "type": "summary",
        "duration_s": round(duration_s, 6),
        "analysable_s": round(sum(analysable_s) / len(analysable_s), 6) if analysable_s else 0.0,
        "analysable_s_by_channel": [round(part, 6) for part in analysable_s],
        "counts": counts,
    }


def _sentence(summary: dict[str, Any]) -> str:
    counts = ", ".join(counted(count, name) for name, count in summary["counts"].items())
    text = f"{counts}; {counted(summary['trains'], 'train')}."
    analysable = ", ".join(
        f"{shown_duration(part)} (channel {n})" for n, part in enumerate(summary["analysable_s_by_channel"])
    )
    return f"{text} Analysable of {shown_duration(summary['duration_s'])}: {analysable or 'nothing'}."


def _plot(
    out: Path,
    sessions: Sequence[Row],
    events: Sequence[Row],
    start: Moment,
    end: Moment,
    pruned: Mapping[int, str | None],
) -> int:
    """Draw the last of the selected recordings, or the last that has a selected event."""
    with_events = {event["session"] for event in events}
    chosen = [s for s in sessions if s["id"] in with_events] or list(sessions)
    if not chosen:
        raise UsageError("The log holds no recording to draw. Choose another --session, --from or --to.")
    session = chosen[-1]
    if session["path"] is None:
        raise UsageError(f"The log does not say where {session['recording_id']} was recorded. Name another --session.")
    from_s, to_s = bounds_s(session, start, end)
    from emgtwitch.app.plot import plot_recording

    plot_recording(
        Path(session["path"]),
        out,
        None if from_s <= 0 else from_s,
        None if to_s >= session["duration_s"] else to_s,
    )
    if said := pruned[session["id"]]:
        print(f"{said} It is drawn as lost.")
    return 0
