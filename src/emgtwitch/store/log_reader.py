"""The log's reader: sessions, events, intervals and marks as plain dicts, also where the folder is not writable."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from emgtwitch.errors import UnreadableInputError
from emgtwitch.store.schema import check, connect_reader, is_damage, migrations

if TYPE_CHECKING:
    import tempfile

Row = dict[str, Any]

PRUNED = "pruned"  # a mark of this kind says that signal of a session is no longer kept
_SLACK_MS = 15 * 3_600_000  # more than any offset from UTC


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read. Local times are wall-clock times as the wearer's clock showed them, in ms since 1970-01-01."""

    from_local_ms: int | None = None  # inclusive
    to_local_ms: int | None = None  # exclusive
    from_utc_ms: int | None = None
    to_utc_ms: int | None = None
    classes: tuple[str, ...] = ()  # none: all
    channel: int | None = None
    recording: str | None = None  # beginning of a recording's id
    all_runs: bool = False  # else only the newest run over each recording, so that nothing counts twice


class LogReader:
    """Reads the log at `path`, of this version or an older one; changes nothing there.

    Raises UnreadableInputError where there is no log, no right to read it, damage, or a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        try:
            with path.open("rb"):
                pass
        except FileNotFoundError:
            raise UnreadableInputError(
                f"There is no log at {path}. `emgtwitch run` begins one; --data or EMGTWITCH_DATA names its folder."
            ) from None
        except OSError as error:
            raise UnreadableInputError(f"The log {path} cannot be read: {error.strerror}.") from None
        try:
            db, self._copy = connect_reader(path)
            self._db = self._up_to_date(db)
            self._db.row_factory = sqlite3.Row
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def sessions(self, selection: Selection = Selection()) -> list[Row]:
        """The runs in order of time, JSON columns decoded, `path` absolute; only `recording` and `all_runs` select."""
        where, values = _runs(selection)
        rows = self._rows(f"SELECT session.* FROM session WHERE {where} ORDER BY {_IN_TIME}, id", values)
        for row in rows:
            row["settings"], row["worn"] = json.loads(row["settings"]), json.loads(row["worn"])
            row["analysable_s"] = json.loads(row["analysable_s"])
            row["path"] = str(self.path.parent / row["path"]) if row["path"] is not None else None
        return rows

    def events(self, selection: Selection = Selection()) -> list[Row]:
        """Events in the order of their onsets within the recordings, so a stepped clock does not shuffle them."""
        return self._timed("event", selection)

    def intervals(self, selection: Selection = Selection()) -> list[Row]:
        """Intervals; those of all channels come with any channel."""
        return self._timed("interval", selection)

    def marks(self, selection: Selection = Selection()) -> list[Row]:
        """Marks with their decoded detail; those made while nothing was recorded, too, unless a recording is chosen."""
        runs, values = _runs(selection)
        when, more = _time_range("mark", selection)
        unrecorded = "session.id IS NULL OR " if selection.recording is None else ""
        rows = self._rows(
            "SELECT mark.*, session.recording_id FROM mark LEFT JOIN session ON session.id = mark.session "
            f"WHERE ({unrecorded}{runs}) AND {when} ORDER BY mark.utc_ms, at_s, mark.id",
            values + more,
        )
        return [row | {"detail": json.loads(row["detail"])} for row in rows]

    def diary(self, selection: Selection = Selection()) -> list[Row]:
        """Diary entries in order of time; only times select."""
        when, values = _time_range("diary", selection)
        return self._rows(f"SELECT * FROM diary WHERE {when} ORDER BY utc_ms, id", values)

    def prunings(self, session: int) -> list[Row]:
        """The details of what was pruned of a run's recording, oldest first."""
        found = self._rows("SELECT detail FROM mark WHERE session = ? AND kind = ? ORDER BY id", (session, PRUNED))
        return [json.loads(row["detail"]) for row in found]

    def not_kept(self, session: int) -> str | None:
        """What to say where signal of this run is missing because it was pruned; None if it was not."""
        found = self.prunings(session)
        return f"The signal of this recording was pruned: {found[-1]['note']}." if found else None

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """What a SELECT finds, for the rest of this room."""
        return self._rows(sql, values)

    def close(self) -> None:
        self._db.close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _timed(self, table: str, selection: Selection) -> list[Row]:
        runs, values = _runs(selection)
        when, more = _time_range(table, selection)
        where, values = f"{runs} AND {when}", values + more
        if selection.classes and table == "event":
            where += f" AND class IN ({', '.join('?' * len(selection.classes))})"
            values += selection.classes
        if selection.channel is not None:
            where += f" AND ({table}.channel = ? OR {table}.channel IS NULL)"
            values += (selection.channel,)
        return self._rows(
            f"SELECT {table}.*, session.recording_id FROM {table} JOIN session ON session.id = {table}.session "
            f"WHERE {where} ORDER BY {_IN_TIME}, session.id, onset_s, {table}.id",
            values,
        )

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[Row]:
        try:
            return [dict(row) for row in self._db.execute(sql, values)]
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def _up_to_date(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """The log as this version has it; closes `db` where that is another or none."""
        try:
            steps = migrations()
            version = check(db, self.path, newest=len(steps))
            if not version:
                raise UnreadableInputError(
                    f"The log {self.path} is empty. `emgtwitch run` begins it, and `emgtwitch replay --log` fills it "
                    "from recordings."
                )
            return db if version == len(steps) else _brought_up(db, steps[version:])
        except BaseException:
            db.close()
            raise

    def _unreadable(self, error: sqlite3.Error) -> UnreadableInputError:
        what = "is damaged" if is_damage(error) else "cannot be read"
        return UnreadableInputError(
            f"The log {self.path} {what} ({error}). Move it away; a new one begins by itself, "
            "and `emgtwitch replay --log` fills it from the recordings."
        )


def _brought_up(old: sqlite3.Connection, steps: list[str]) -> sqlite3.Connection:
    """A copy in memory, brought up to date there: the file may be a backup, on a disk that takes nothing."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with contextlib.closing(old):
            old.backup(db)
        for step in steps:
            db.executescript(step)
    except BaseException:
        db.close()
        raise
    return db


_IN_TIME = "coalesce(session.started_utc_ms, 0)"


def _runs(selection: Selection) -> tuple[str, tuple[Any, ...]]:
    where, values = "1", ()
    if not selection.all_runs:
        where = "session.id IN (SELECT max(id) FROM session GROUP BY recording_id)"
    if selection.recording is not None:
        return f"{where} AND substr(session.recording_id, 1, ?) = ?", (len(selection.recording), selection.recording)
    return where, values


def _time_range(table: str, selection: Selection) -> tuple[str, tuple[Any, ...]]:
    """The condition on wall-clock time; the bounds with slack are there for the index on utc_ms."""
    local = f"{table}.utc_ms + 1000 * {table}.utc_offset_s"
    parts, values = ["1"], []
    if selection.from_local_ms is not None:
        parts.append(f"{table}.utc_ms >= ? AND {local} >= ?")
        values += [selection.from_local_ms - _SLACK_MS, selection.from_local_ms]
    if selection.to_local_ms is not None:
        parts.append(f"{table}.utc_ms < ? AND {local} < ?")
        values += [selection.to_local_ms + _SLACK_MS, selection.to_local_ms]
    if selection.from_utc_ms is not None:
        parts.append(f"{table}.utc_ms >= ?")
        values.append(selection.from_utc_ms)
    if selection.to_utc_ms is not None:
        parts.append(f"{table}.utc_ms < ?")
        values.append(selection.to_utc_ms)
    return " AND ".join(parts), tuple(values)
