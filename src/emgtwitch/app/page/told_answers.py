"""Answers to what the wearer tells: each is on the disk before it is given."""

from __future__ import annotations

from typing import Any

import msgspec

from emgtwitch.app.log_rows import Row
from emgtwitch.app.page.desk import PATIENCE_S, Desk, utc_offset_s
from emgtwitch.app.page.log_answers import selection
from emgtwitch.app.page.route import Asked, RefusedError
from emgtwitch.app.safety import SAFETY
from emgtwitch.errors import NoBoardError
from emgtwitch.store import told

# kind -> what the page calls it, where it goes, the unit of its value
FACTORS: dict[str, tuple[str, str, str | None]] = {
    "coffee": ("Coffee", "diary", "cups"),
    "water": ("Water", "diary", "glasses"),
    "sleep": ("Sleep", "diary", "h"),
    "exercise": ("Exercise", "diary", "min"),
    "stress": ("Stress", "diary", "of 10"),
    "supplement": ("Supplement", "diary", None),
    "medicine": ("Medicine", "diary", None),
    "nothing": ("Nothing today", "diary", None),
    "felt": ("Felt a twitch", "mark", None),
}


def factors(desk: Desk, _: Asked) -> dict[str, Any]:
    """The one-tap entries: those of [diary] factors in the configuration, else the usual ones."""
    chosen = desk.config.get("diary", {}).get("factors", list(FACTORS))
    rows = []
    for kind in chosen:
        label, target, unit = FACTORS.get(kind, (kind.capitalize(), "diary", None))
        rows.append({"kind": kind, "label": label, "target": target, "unit": unit})
    return {"factors": rows}


def add_mark(desk: Desk, asked: Asked) -> dict[str, Any]:
    """A mark at this moment, in the log and, while something is recorded, in the recording."""
    kind = asked.body.kind.strip()
    detail = {"note": asked.body.note} if asked.body.note else {}
    if desk.note is not None:
        stored = desk.news.await_mark(kind, detail)
        try:
            desk.note(kind, detail)
        except NoBoardError:
            stored.cancel()
        else:
            try:
                return stored.result(PATIENCE_S)
            except TimeoutError:
                raise RefusedError(
                    503, "The mark was sent, but is not in the log yet.", "Look at the marks before you try again."
                ) from None
    utc_ms = desk.now_ms()
    offset_s = utc_offset_s(utc_ms)
    desk.keep(lambda log: log.mark(kind, detail, utc_ms, offset_s))
    at = {"at_s": None, "utc_ms": utc_ms, "utc_offset_s": offset_s, "recording_id": None}
    return {"type": "mark", "kind": kind, "channel": None, **detail, **at}


def diary(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The diary of a stretch of time."""
    chosen = selection(desk, asked.query.from_, asked.query.to)
    with desk.log() as log:
        rows = log.diary(chosen)
    return {"diary": [_entry(row) for row in rows]}


def add_entry(desk: Desk, asked: Asked) -> dict[str, Any]:
    """A new diary entry."""
    body = asked.body
    now_ms = desk.now_ms()
    utc_ms = now_ms if body.utc_ms is None else body.utc_ms
    values = {"kind": body.kind.strip(), "value": body.value, "unit": body.unit, "note": body.note, **_clock(utc_ms)}
    return _entry(desk.keep(lambda log: log.change(lambda db: told.add_diary(db, values, now_ms))))


def change_entry(desk: Desk, asked: Asked) -> dict[str, Any]:
    """An entry, or its time, put right."""
    values = msgspec.structs.asdict(asked.body)
    values = {name: value for name, value in values.items() if value is not msgspec.UNSET}
    if "utc_ms" in values:
        values |= _clock(values["utc_ms"])
    number = _number(asked.path["id"])
    return _entry(desk.keep(lambda log: log.change(lambda db: told.change_diary(db, number, values))))


def remove_entry(desk: Desk, asked: Asked) -> dict[str, Any]:
    """An entry taken out; the answer holds what it was, so that it can be put back."""
    number = _number(asked.path["id"])
    return _entry(desk.keep(lambda log: log.change(lambda db: told.remove_diary(db, number))))


def add_label(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The wearer's word on an event."""
    body, now_ms = asked.body, desk.now_ms()
    key = event_key(body.event)
    row = desk.keep(lambda log: log.change(lambda db: told.add_label(db, key, body.label, body.note, now_ms)))
    return {"event": body.event, "label": row["class"], "note": row["note"], "made_utc_ms": row["made_utc_ms"]}


def rate(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Pain and a note of a spasm."""
    values = msgspec.structs.asdict(asked.body)
    values = {name: value for name, value in values.items() if value is not msgspec.UNSET}
    key, now_ms = event_key(asked.path["id"]), desk.now_ms()
    row = desk.keep(lambda log: log.change(lambda db: told.rate_spasm(db, key, values, now_ms)))
    return {"event": asked.path["id"], "pain": row["pain"], "note": row["note"]}


def safety(desk: Desk, _: Asked) -> dict[str, Any]:
    """The safety text, and when it was acknowledged."""
    with desk.log() as log:
        utc_ms = told.acknowledged_utc_ms(log, SAFETY)
    return {"text": SAFETY, "acknowledged_utc_ms": utc_ms}


def acknowledge(desk: Desk, asked: Asked) -> dict[str, Any]:
    """The wearer has read the safety text."""
    if asked.body.text != SAFETY:
        raise RefusedError(
            409, "This is not the safety text of this version.", "Show the text of GET /acknowledge first."
        )
    now_ms = desk.now_ms()
    desk.keep(lambda log: log.change(lambda db: told.acknowledge(db, SAFETY, now_ms)))
    return {"text": SAFETY, "acknowledged_utc_ms": now_ms}


def event_key(text: str) -> tuple[str, int, int]:
    """Recording, channel and number of an event's id. Raises RefusedError."""
    recording, _, rest = text.rpartition(".")
    recording, _, channel = recording.rpartition(".")
    if not recording or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (channel, rest)):
        raise RefusedError(404, f"{text!r} is no event's id.", "Take the id from /events.")
    return recording, int(channel), int(rest)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise RefusedError(404, f"{text!r} is no diary entry's id.", "Take the id from /diary.")
    return int(text)


def _clock(utc_ms: int) -> dict[str, Any]:
    return {"utc_ms": utc_ms, "utc_offset_s": utc_offset_s(utc_ms), "zone": None}


def _entry(row: Row) -> dict[str, Any]:
    names = ("id", "kind", "value", "unit", "note", "utc_ms", "utc_offset_s", "told_utc_ms")
    return {name: row[name] for name in names}
