"""What the wearer tells, in the log: diary, labels beside the detector's word, how a spasm felt, the safety text read.

The functions that change something take the connection of `LogWriter.change`; the others a reader.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from emgtwitch.errors import UsageError
from emgtwitch.store.log_reader import LogReader, Row

EventKey = tuple[str, int, int]  # recording, channel, number: of the newest run over that recording
DIARY_COLUMNS = ("kind", "value", "unit", "note", "utc_ms", "utc_offset_s", "zone")


class UnknownRowError(UsageError):
    """The log has no such row."""


def add_diary(db: sqlite3.Connection, entry: Mapping[str, Any], told_utc_ms: int) -> Row:
    """A new diary entry; `entry` holds DIARY_COLUMNS. Returns its row."""
    values = tuple(entry[name] for name in DIARY_COLUMNS)
    marks = ", ".join("?" * (len(values) + 1))
    cursor = db.execute(
        f"INSERT INTO diary ({', '.join(DIARY_COLUMNS)}, told_utc_ms) VALUES ({marks})", (*values, told_utc_ms)
    )
    assert cursor.lastrowid is not None
    return _row(db, "diary", "id", cursor.lastrowid)


def change_diary(db: sqlite3.Connection, number: int, values: Mapping[str, Any]) -> Row:
    """Put columns of an entry right, its time among them. Returns its row. Raises UnknownRowError."""
    _row(db, "diary", "id", number)
    names = [name for name in DIARY_COLUMNS if name in values]
    if names:
        sets = ", ".join(f"{name} = ?" for name in names)
        db.execute(f"UPDATE diary SET {sets} WHERE id = ?", (*(values[name] for name in names), number))
    return _row(db, "diary", "id", number)


def remove_diary(db: sqlite3.Connection, number: int) -> Row:
    """Take an entry out; returns what it was. Raises UnknownRowError."""
    row = _row(db, "diary", "id", number)
    db.execute("DELETE FROM diary WHERE id = ?", (number,))
    return row


def add_label(db: sqlite3.Connection, key: EventKey, label: str, note: str | None, made_utc_ms: int) -> Row:
    """The wearer's word on an event, over the event's own time; a later one counts. Raises UnknownRowError."""
    row = _event(db, key)
    offset_s = row["onset_s"] if row["offset_s"] is None else row["offset_s"]  # a spasm that goes on
    cursor = db.execute(
        "INSERT INTO label (session, event, channel, onset_s, offset_s, class, note, made_utc_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row["session"], row["id"], row["channel"], row["onset_s"], offset_s, label, note, made_utc_ms),
    )
    assert cursor.lastrowid is not None
    return _row(db, "label", "id", cursor.lastrowid)


def rate_spasm(db: sqlite3.Connection, key: EventKey, values: Mapping[str, Any], told_utc_ms: int) -> Row:
    """Set `pain` (0 to 10) and `note` of a spasm, those that are given. Raises UnknownRowError."""
    row = _event(db, key)
    if row["class"] != "spasm":
        raise UnknownRowError(f"Event {'.'.join(map(str, key))} is a {row['class']}. Only spasms are rated.")
    event = row["id"]
    db.execute("INSERT OR IGNORE INTO rating (event, told_utc_ms) VALUES (?, ?)", (event, told_utc_ms))
    for name in ("pain", "note"):
        if name in values:
            told = (values[name], told_utc_ms, event)
            db.execute(f"UPDATE rating SET {name} = ?, told_utc_ms = ? WHERE event = ?", told)
    return _row(db, "rating", "event", event)


def acknowledge(db: sqlite3.Connection, text: str, utc_ms: int) -> None:
    """The wearer has read `text`."""
    db.execute("INSERT INTO acknowledgement (text, utc_ms) VALUES (?, ?)", (text, utc_ms))


def acknowledged_utc_ms(log: LogReader, text: str) -> int | None:
    """When `text` was last acknowledged."""
    found = log.rows("SELECT max(utc_ms) AS utc_ms FROM acknowledgement WHERE text = ?", (text,))
    return found[0]["utc_ms"] if found else None


def labels(log: LogReader) -> dict[int, Row]:
    """The newest label of each labelled event."""
    rows = log.rows("SELECT * FROM label WHERE event IS NOT NULL ORDER BY id")
    return {row["event"]: row for row in rows}


def ratings(log: LogReader) -> dict[int, Row]:
    """How each rated spasm felt."""
    return {row["event"]: row for row in log.rows("SELECT * FROM rating")}


def last_mark(log: LogReader, kind: str) -> Row | None:
    """The newest mark of a kind, with its decoded detail."""
    found = log.rows("SELECT * FROM mark WHERE kind = ? ORDER BY utc_ms DESC, id DESC LIMIT 1", (kind,))
    return found[0] | {"detail": json.loads(found[0]["detail"])} if found else None


def _event(db: sqlite3.Connection, key: EventKey) -> Row:
    found = db.execute(
        "SELECT event.id FROM event JOIN session ON session.id = event.session "
        "WHERE recording_id = ? AND channel = ? AND number = ? AND session.id = "
        "(SELECT max(id) FROM session WHERE recording_id = ?)",
        (*key, key[0]),
    ).fetchone()
    if found is None:
        raise UnknownRowError(f"There is no event {'.'.join(map(str, key))} in the log. Ask for the list again.")
    return _row(db, "event", "id", found[0])


def _row(db: sqlite3.Connection, table: str, key: str, number: int) -> Row:
    cursor = db.execute(f"SELECT * FROM {table} WHERE {key} = ?", (number,))
    found = cursor.fetchone()
    if found is None:
        raise UnknownRowError(f"There is no {table} {number} in the log any more. Ask for the list again.")
    return dict(zip((column[0] for column in cursor.description), found, strict=True))
