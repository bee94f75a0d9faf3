"""Answers from the log: events, intervals, marks, trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emgtwitch.app.days import moment
from emgtwitch.app.log_rows import Row, as_labelled, event_json, interval_json, mark_json
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.news import event_id
from emgtwitch.app.page.route import Asked, RefusedError
from emgtwitch.app.trains import trains
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import UsageError
from emgtwitch.store.log_reader import Selection
from emgtwitch.store.told import labels, ratings

MOST_ROWS = 5000


def selection(desk: Desk, from_: str, to: str, **more: Any) -> Selection:
    """What a query's `from` and `to` select. Raises RefusedError."""
    try:
        start, end = moment(from_, desk.today(), end=False), moment(to, desk.today(), end=True)
    except UsageError as error:
        raise RefusedError(400, f"The time cannot be read: {error}", "Send today, a date, or an ISO time.") from None
    return Selection(
        from_local_ms=start.local_ms,
        to_local_ms=end.local_ms,
        from_utc_ms=start.utc_ms,
        to_utc_ms=end.utc_ms,
        **more,
    )


def events(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The events of a stretch of time, with the wearer's labels and ratings beside them."""
    query = asked.query
    classes = (query.class_,) if query.class_ else ()
    if query.recording is None:
        chosen = selection(desk, query.from_, query.to, classes=classes, channel=query.channel)
    else:
        chosen = Selection(recording=query.recording, classes=classes, channel=query.channel)
    with desk.log() as log:
        found = [e for e in log.events(chosen) if query.recording in (None, e["recording_id"])]
        sessions = log.sessions()
        labelled, rated = labels(log), ratings(log)
    heard = as_labelled(found, labelled)
    numbers = train_numbers(sessions, heard)
    shown = found[-query.limit :]
    rows = [event_row(row, numbers.get(row["id"]), labelled, rated) for row in shown]
    return {"events": rows, "total": len(found), "counts": counts(heard)}


def event_row(row: Row, train: int | None, labelled: dict[int, Row], rated: dict[int, Row]) -> Row:
    """An event as the API tells it."""
    label, rating = labelled.get(row["id"]), rated.get(row["id"])
    return event_json(row, train) | {
        "id": event_id(row["recording_id"], row["channel"], row["number"]),
        "label": label["class"] if label is not None and label["class"] != "confirmed" else None,
        "label_note": label["note"] if label is not None else None,
        "pain": rating["pain"] if rating is not None else None,
        "note": rating["note"] if rating is not None else None,
    }


def counts(found: Sequence[Row]) -> dict[str, int]:
    """Events by class."""
    return {name: sum(event["class"] == name for event in found) for name in CLASSES}


def train_numbers(sessions: Sequence[Row], found: Sequence[Row]) -> dict[int, int]:
    """The number of its train, from 1, by the row id of each event in one."""
    return {event["id"]: n for n, train in enumerate(_trains(sessions, found), start=1) for event in train}


def _trains(sessions: Sequence[Row], found: Sequence[Row]) -> list[list[Row]]:
    told = {session["id"]: session["settings"] for session in sessions}
    out: list[list[Row]] = []
    for session in dict.fromkeys(event["session"] for event in found):
        settings = told.get(session, {})
        own = [event for event in found if event["session"] == session]
        out += trains(own, settings.get("train_gap_s", 1.0), settings.get("train_min_count", 3))
    return out


def recordings(desk: Desk, _: Asked) -> dict[str, Any]:
    """What has been recorded, in order of time."""
    with desk.log() as log:
        found = log.sessions()
    keys = ("recording_id", "started_utc_ms", "utc_offset_s", "duration_s", "analysable_s", "channels", "worn", "state")
    return {"recordings": [{key: row[key] for key in keys} | {"worn": row["worn"] or []} for row in found]}


def intervals(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Time that could not be analysed, and remarks on the clock."""
    with desk.log() as log:
        found = log.intervals(selection(desk, asked.query.from_, asked.query.to))
    return {"intervals": [interval_json(row) for row in found[-MOST_ROWS:]], "total": len(found)}


def marks(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The wearer's marks and the board's."""
    with desk.log() as log:
        found = log.marks(selection(desk, asked.query.from_, asked.query.to))
    rows = [mark_json(row) | {"source": row["source"]} for row in found[-MOST_ROWS:]]
    return {"marks": rows, "total": len(found)}


def trains_of(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Trains of twitches in a stretch of time."""
    with desk.log() as log:
        events = log.events(selection(desk, asked.query.from_, asked.query.to))
        found = _trains(log.sessions(), as_labelled(events, labels(log)))
    rows = []
    for number, train in enumerate(found, start=1):
        first, last = train[0], train[-1]
        length_s = last["onset_s"] - first["onset_s"]
        rows.append(
            {
                "train": number,
                "channel": first["channel"],
                "recording_id": first["recording_id"],
                "onset_s": round(first["onset_s"], 6),
                "offset_s": round(last["offset_s"] or last["onset_s"], 6),
                "twitches": len(train),
                "rate_Hz": round((len(train) - 1) / length_s, 3) if length_s > 0 else None,
                "utc_ms": first["utc_ms"],
                "utc_offset_s": first["utc_offset_s"],
            }
        )
    return {"trains": rows}
