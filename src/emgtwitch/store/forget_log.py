"""Rows of a range of time deleted from the log for good: not one byte of them stays in its files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path

from emgtwitch.errors import CannotWriteError
from emgtwitch.store.log_reader import PRUNED, LogReader, Row, Selection
from emgtwitch.store.schema import connect_writer
from emgtwitch.store.span import Offsets, Part, Span, offset_at

EVERY = Selection(all_runs=True)
# For each session the parts that are forgotten, and how much of each was analysable in each channel.
Holes = Mapping[int, list[tuple[Part, list[float]]]]
FORGOTTEN = "forgotten"  # an interval of this cause stands where a range was forgotten


def found_in(log: LogReader, span: Span, gone: Collection[int], offsets: Mapping[int, Offsets]) -> dict[str, list[int]]:
    """The row ids that a forgetting of `span` concerns, by table; `gone` are sessions that go entirely, `offsets` those
    of each session from UTC.

    All of these are deleted, but an interval that reaches out of the range stays there.
    """
    began = {row["id"]: row for row in log.sessions(EVERY)}

    def within(row: Row, onset: str, offset: str) -> bool:
        if row["session"] in gone:
            return True
        length_ms = 1000 * ((row[offset] if row[offset] is not None else row[onset]) - row[onset])
        if row.get("utc_ms") is not None and row["utc_offset_s"] is not None:
            return span.meets(row["utc_ms"], row["utc_ms"] + length_ms, row["utc_offset_s"])
        session = began[row["session"]]
        if session["started_utc_ms"] is None or "utc_ms" in row:
            return False
        at_ms = session["started_utc_ms"] + 1000 * row[onset]
        return span.meets(at_ms, at_ms + length_ms, offset_at(offsets[row["session"]], at_ms))

    def at(row: Row) -> bool:
        if row.get("session") in gone:
            return True
        if row["utc_ms"] is None or row["utc_offset_s"] is None or row["kind"] == PRUNED:
            return False
        return span.meets(row["utc_ms"], row["utc_ms"], row["utc_offset_s"])

    out: dict[str, list[int]] = {"session": sorted(gone)}
    out["event"] = [row["id"] for row in log.events(EVERY) if within(row, "onset_s", "offset_s")]
    rows = [row for row in log.intervals(EVERY) if row["cause"] != FORGOTTEN]
    out["interval"] = [row["id"] for row in rows if within(row, "onset_s", "offset_s")]
    out["mark"] = [row["id"] for row in log.marks(EVERY) if at(row)]
    out["diary"] = [row["id"] for row in log.diary() if at(row)]
    events = set(out["event"])
    rows = log.rows("SELECT * FROM label ORDER BY id")
    out["label"] = [row["id"] for row in rows if row["event"] in events or within(row, "onset_s", "offset_s")]
    out["rating"] = [row["event"] for row in log.rows("SELECT event FROM rating") if row["event"] in events]
    return out


def delete_rows(path: Path, ids: Mapping[str, Collection[int]], holes: Holes) -> None:
    """Delete these rows of the log at `path` in one transaction; the caller holds the DataLock.

    `holes` says of a session that stays which seconds of it are forgotten, and how many of them were analysable in
    each channel: a gap takes their place, and intervals that reach into it are cut off there. Raises CannotWriteError.
    """
    db = connect_writer(path)
    try:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        for table in ("rating", "label", "event", "mark", "diary"):
            key = "event" if table == "rating" else "id"
            db.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(number,) for number in ids[table]])
        for session, parts in holes.items():
            for part, analysable_s in parts:
                _leave_hole(db, session, part, analysable_s)
        for session in ids["session"]:
            db.execute("DELETE FROM interval WHERE session = ?", (session,))
            db.execute("DELETE FROM session WHERE id = ?", (session,))
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise CannotWriteError(f"The log {path} cannot be written: {error}. Do the same again.") from None
    finally:
        db.close()


def wipe(path: Path) -> None:
    """Rewrite the log at `path`, so that neither it nor its WAL holds a byte of a deleted row; under the DataLock.

    Raises CannotWriteError where somebody reads the log meanwhile, or where the disk has no room for a second log.
    """
    db = connect_writer(path)
    try:
        db.execute("VACUUM")
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise CannotWriteError(
            f"The rows are deleted, but the log {path} cannot be wiped of their bytes: {error}. Do the same again."
        ) from None
    finally:
        db.close()
    if busy:
        raise CannotWriteError(
            f"The rows are deleted, but another program reads the log {path}, so that its files still hold bytes of "
            "them. Close it (a page, a notebook) and do the same again."
        )


def _leave_hole(db: sqlite3.Connection, session: int, part: Part, lost_s: list[float]) -> None:
    """Intervals keep what of them lies outside, and the hole is a gap that counts as not analysable."""
    onset_s, offset_s, utc_offset_s = part
    inside = {"session": session, "onset": onset_s, "offset": offset_s, "cause": FORGOTTEN}
    own = "session = :session AND cause <> :cause"
    db.execute(
        "INSERT OR IGNORE INTO interval (session, kind, channel, onset_s, offset_s, cause, decided_sample, utc_ms, "
        "utc_offset_s) SELECT session, kind, channel, :offset, offset_s, cause, decided_sample, "
        "utc_ms + CAST(1000 * (:offset - onset_s) AS INTEGER), utc_offset_s "
        f"FROM interval WHERE {own} AND onset_s < :offset AND offset_s > :offset",
        inside,
    )
    db.execute(f"DELETE FROM interval WHERE {own} AND onset_s >= :onset AND onset_s < :offset", inside)
    db.execute(
        f"UPDATE interval SET offset_s = :onset WHERE {own} AND onset_s < :onset AND offset_s > :onset",
        inside,
    )
    within = "session = :session AND cause = :cause AND onset_s <= :onset AND offset_s >= :offset"
    if db.execute(f"SELECT 1 FROM interval WHERE {within}", inside).fetchone():
        return  # an interrupted forgetting has been here
    had, began_ms = db.execute("SELECT analysable_s, started_utc_ms FROM session WHERE id = ?", (session,)).fetchone()
    left_s = [max(0.0, had_s - part_s) for had_s, part_s in zip(json.loads(had), lost_s, strict=False)]
    db.execute("UPDATE session SET analysable_s = ? WHERE id = ?", (json.dumps(left_s), session))
    db.execute(
        "INSERT INTO interval (session, kind, channel, onset_s, offset_s, cause, decided_sample, utc_ms, utc_offset_s) "
        "VALUES (?, 'gap', NULL, ?, ?, ?, 0, ?, ?)",
        (session, onset_s, offset_s, FORGOTTEN, began_ms + round(1000 * onset_s), utc_offset_s),
    )
