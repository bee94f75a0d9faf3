"""The log's writer: outputs of the pipeline into SQLite, each batch in one transaction.

Rules. A run is one recording, one settings digest and one software version; writing a run again adds nothing. A spasm's
row comes with its announcement and without an offset; its event completes it. Whoever opens the log for writing holds
the DataLock, so a session that is still open then was left by a crash and is closed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Self, TypeVar

from emgtwitch import __version__
from emgtwitch.detect.records import Announcement, Event, Interval, Mark, Opened, Progress, Stamped
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import is_full
from emgtwitch.store.schema import connect_writer

T = TypeVar("T")


class LogWriter:
    """The only writer of the log at `path`. Opening raises what `connect_writer` raises.

    `software` is the version that detects, a part of the run's key. One that `awaits_room` opens on a full disk, too:
    it is then like a log that cannot be written at present.
    """

    def __init__(self, path: Path, *, software: str = __version__, awaits_room: bool = False) -> None:
        self.path = path
        self._software = software
        self._recording: str | None = None
        self._settings: dict[str, Any] | None = None
        self._session: int | None = None
        self._db: sqlite3.Connection | None = None
        self._took_over = False  # from a run that a crash ended
        try:
            self._connection()
        except CannotWriteError:
            if not (awaits_room and is_full(path.parent)):
                raise

    def begin(self, recording: Path | None, settings: Mapping[str, Any] | None = None) -> None:
        """Say where the bytes of the next run are, and its settings where they are not those in the recording."""
        self._session = None
        self._settings = dict(settings) if settings is not None else None
        self._recording = None
        if recording is not None:
            full, home = recording.resolve(), self.path.parent.resolve()
            self._recording = str(full.relative_to(home) if full.is_relative_to(home) else full)

    def write(self, outputs: Sequence[Stamped], progress: Progress | None = None) -> None:
        """Commit `outputs`, in their order, and how far the run has come; on the disk when this returns.

        Raises CannotWriteError (UnreadableInputError if the file was damaged meanwhile), and then nothing of them is
        in the log: write them again later.
        """
        try:
            with _transaction(self._connection()) as db:
                session, dated = self._session, None
                for kind, group in groupby(outputs, lambda stamped: type(stamped.record)):
                    alike = list(group)
                    if kind is Event and session is not None:  # most outputs are: all at once costs a third
                        db.executemany(f"INSERT INTO event {_EVENT} {_COMPLETE}", _events(session, alike))
                    else:
                        for stamped in alike:
                            session = self._insert(db, session, stamped)
                    known = next((stamped for stamped in alike if stamped.utc_ms is not None), None)
                    if known is not None and session != dated:
                        _date(db, session, known)
                        dated = session
                if progress is not None and session is not None:
                    _progress(db, session, progress)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a defect of this program, which writing again would only repeat
        except sqlite3.Error as error:
            self._drop()  # after an I/O error only a new connection is sure to be sound
            raise _refused(self.path, error) from None
        self._session = session

    def end(self) -> None:
        """The run is complete. Raises CannotWriteError."""
        if self._session is None:
            return
        try:
            with _transaction(self._connection()) as db:
                _close_dangling(db, self._session)
                db.execute("UPDATE session SET state = 'closed' WHERE id = ?", (self._session,))
        except sqlite3.Error as error:
            self._drop()
            raise _refused(self.path, error) from None
        self._session = None

    def mark(self, kind: str, detail: Mapping[str, Any], utc_ms: int, utc_offset_s: int) -> None:
        """Commit a mark that was made while nothing was recorded. Raises CannotWriteError."""
        self._session = None
        self.write([Stamped(Mark(kind, None, 0.0, "host", 0, dict(detail)), utc_ms, utc_offset_s)])

    def change(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Do `act` in one transaction, on the disk when this returns, and give its result.

        Raises what `act` raises, and then nothing has changed, and CannotWriteError.
        """
        try:
            with _transaction(self._connection()) as db:
                return act(db)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a defect of the caller
        except sqlite3.Error as error:
            self._drop()
            raise _refused(self.path, error) from None

    def close(self) -> None:
        """Close the file. A session that was not ended counts as crashed for the next writer."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = connect_writer(self.path)
        if not self._took_over:
            try:
                with _transaction(self._db) as db:
                    _close_dangling(db, None)
                    db.execute("UPDATE session SET state = 'crashed' WHERE state = 'open'")
            except sqlite3.Error as error:
                self._drop()
                raise _refused(self.path, error) from None
            self._took_over = True
        return self._db

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _insert(self, db: sqlite3.Connection, session: int | None, stamped: Stamped) -> int | None:
        record, clock = stamped.record, (stamped.utc_ms, stamped.offset_s)
        match record:
            case Opened():
                return self._open(db, record, clock)
            case Mark():
                detail = json.dumps(record.detail, sort_keys=True)
                at_s, decided = (None, None) if session is None else (record.at_s, record.decided_sample)
                row = (session, record.kind, record.channel, at_s, record.source, detail, decided, *clock)
                db.execute(f"INSERT OR IGNORE INTO mark {_MARK}", row)
                return session
        if session is None:
            raise RuntimeError(f"{record} came before its recording was opened")
        match record:
            case Announcement():
                digest = db.execute("SELECT settings_digest FROM session WHERE id = ?", (session,)).fetchone()[0]
                spasm = (session, *_announcement(record), digest, *clock)
                db.execute(f"INSERT OR IGNORE INTO event {_EVENT}", spasm)
            case Interval():
                interval = (record.kind, record.channel, record.onset_s, record.offset_s, record.cause)
                values = (session, *interval, record.decided_sample, *clock)
                db.execute(f"INSERT OR IGNORE INTO interval {_INTERVAL}", values)
        return session

    def _open(self, db: sqlite3.Connection, opened: Opened, clock: tuple[int | None, int | None]) -> int:
        told = opened.session
        settings = self._settings if self._settings is not None else told.get("settings", {})
        key = (opened.recording_id, opened.settings_digest, self._software)
        values = (
            *(self._recording, json.dumps(settings), json.dumps(told.get("worn", {}))),
            *(opened.device, told.get("zone"), opened.rate_Hz, opened.channels, opened.uV_per_count, *clock),
        )
        db.execute(f"INSERT OR IGNORE INTO session {_SESSION}", key + values)
        where = "WHERE recording_id = ? AND settings_digest = ? AND software = ?"
        db.execute(f"UPDATE session SET state = 'open' {where} AND state = 'crashed'", key)
        return int(db.execute(f"SELECT id FROM session {where}", key).fetchone()[0])


def _refused(path: Path, error: sqlite3.Error) -> CannotWriteError:
    return CannotWriteError(f"The log {path} cannot be written: {error}.")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, and the disk has it when the block is left."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _into(names: str) -> str:
    return f"({names}) VALUES ({', '.join('?' * len(names.split()))})"


_SESSION = _into(
    "recording_id, settings_digest, software, path, settings, worn, device, zone, rate_Hz, channels, uV_per_count, "
    "started_utc_ms, utc_offset_s"
)
_EVENT = _into(
    "session, channel, number, class, onset_s, offset_s, duration_ms, peak, rms, snr_dB, in_uV, on_tone, truncated, "
    "decided_sample, settings_digest, utc_ms, utc_offset_s"
)
_INTERVAL = _into("session, kind, channel, onset_s, offset_s, cause, decided_sample, utc_ms, utc_offset_s")
_MARK = _into("session, kind, channel, at_s, source, detail, decided_sample, utc_ms, utc_offset_s")
_CHANGING = (
    *("class", "onset_s", "offset_s", "duration_ms", "peak", "rms", "snr_dB", "in_uV", "on_tone", "truncated"),
    *("decided_sample", "settings_digest", "utc_ms", "utc_offset_s"),
)
# What is known is never overwritten: only an announced row, or one whose end a crash cut off, is completed.
_COMPLETE = (
    "ON CONFLICT (session, channel, number) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
    + ", crash_closed = 0 WHERE event.offset_s IS NULL OR event.crash_closed"
)


def _events(session: int, outputs: Iterable[Stamped]) -> Iterator[tuple[Any, ...]]:
    """The rows of the outputs that are events."""
    for stamped in outputs:
        event = stamped.record
        if isinstance(event, Event):
            yield (
                *(session, event.channel, event.number, event.event_class, event.onset_s, event.offset_s),
                *(event.duration_ms, event.peak, event.rms, event.snr_dB, event.in_uV, event.on_tone, event.truncated),
                *(event.decided_sample, event.settings_digest, stamped.utc_ms, stamped.offset_s),
            )


def _announcement(spasm: Announcement) -> tuple[Any, ...]:
    unknown = (None, None, None, None, None)  # offset, duration, peak, rms, snr
    return (
        *(spasm.channel, spasm.number, "spasm", spasm.onset_s, *unknown, True, False, False),
        spasm.decided_sample,
    )


def _date(db: sqlite3.Connection, session: int | None, stamped: Stamped) -> None:
    """Give the session its start from the first output whose time is known: at the opening the clock may not be."""
    assert stamped.utc_ms is not None
    record = stamped.record
    after_s = 0.0 if isinstance(record, Opened) else record.at_s if isinstance(record, Mark) else record.onset_s
    db.execute(
        "UPDATE session SET started_utc_ms = ?, utc_offset_s = ? WHERE id = ? AND started_utc_ms IS NULL",
        (stamped.utc_ms - round(1000 * after_s), stamped.offset_s, session),
    )


def _progress(db: sqlite3.Connection, session: int, progress: Progress) -> None:
    db.execute(
        "UPDATE session SET duration_s = ?, analysable_s = ?, scans_seen = ?, scans_lost = ?, frames_rejected = ?, "
        "clock_ppm = ?, clock_ppm_uncertainty = ? WHERE id = ? AND state = 'open'",
        (
            *(progress.duration_s, json.dumps(progress.analysable_s), progress.scans_seen, progress.scans_lost),
            *(progress.frames_rejected, progress.clock_ppm, progress.clock_ppm_uncertainty, session),
        ),
    )


def _close_dangling(db: sqlite3.Connection, session: int | None) -> None:
    """Close announced spasms, of one session or of all, at the last time known of their session."""
    db.execute(
        "UPDATE event SET (offset_s, duration_ms, truncated, crash_closed) = ("
        "  SELECT max(event.onset_s, duration_s), 1000 * (max(event.onset_s, duration_s) - event.onset_s), 1, 1"
        "  FROM session WHERE session.id = event.session"
        ") WHERE offset_s IS NULL AND (?1 IS NULL OR session = ?1)",
        (session,),
    )
