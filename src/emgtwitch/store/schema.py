"""Opening the log: what makes a file a log of this program, and the numbered migrations that bring it up to date.

A file that is damaged, of another program or of a newer version is refused before anything is written to it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from emgtwitch.errors import CannotWriteError, UnreadableInputError

if TYPE_CHECKING:
    import tempfile

APPLICATION_ID = 1162692436  # "EMGT"; the first migration writes it
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_S = 5.0


class NewerVersionError(UnreadableInputError):
    """The log is of a newer version of this program: nothing is known of whether it is sound."""


def migrations(folder: Path = MIGRATIONS) -> list[str]:
    """The SQL that leads from version n to n + 1, for n = 0, 1, ...; read from 0001_*.sql, 0002_*.sql, ..."""
    return [path.read_text() for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def connect_writer(path: Path, folder: Path = MIGRATIONS) -> sqlite3.Connection:
    """Open the log at `path` for writing, made or migrated where needed; the caller holds the DataLock.

    A commit has reached the disk when it returns (WAL, synchronous=FULL). Raises UnreadableInputError on a file that
    is no sound log of at most this version, CannotWriteError where the folder or the disk refuses.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise CannotWriteError(f"The log {path} cannot be written: {error.strerror}. {_CHOOSE}") from None
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        steps = migrations(folder)
        version = check(db, path, newest=len(steps))
        if version:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise _damaged(path, found)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        for number, step in enumerate(steps[version:], start=version + 1):
            db.executescript(f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error as error:
        db.close()
        if is_damage(error):
            raise _damaged(path, str(error)) from None
        raise CannotWriteError(f"The log {path} cannot be written: {error}. {_CHOOSE}") from None
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> tuple[sqlite3.Connection, tempfile.TemporaryDirectory[str] | None]:
    """A read-only connection that has proved to work, and the folder of the copy that it reads if it needs one.

    SQLite reads a WAL database only if it may write its folder (for the -shm file), unless it is told that nothing
    changes. Where there is a -wal with newer rows that would hide them, so both are copied out. Raises sqlite3.Error,
    and UnreadableInputError where the copy fails.
    """
    uri = path.resolve().as_uri()
    try:
        return _proven(f"{uri}?mode=ro"), None
    except sqlite3.OperationalError:
        wal = path.with_name(path.name + "-wal")
        if not wal.exists() or not wal.stat().st_size:
            return _proven(f"{uri}?mode=ro&immutable=1"), None
    import shutil
    import tempfile

    copy = tempfile.TemporaryDirectory(prefix="emgtwitch-")
    try:
        for source in (path, wal):
            shutil.copyfile(source, Path(copy.name) / source.name)
    except OSError as error:
        raise UnreadableInputError(f"The log {path} cannot be read: {error.strerror}.") from None
    return _proven((Path(copy.name) / path.name).as_uri()), copy


def _proven(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
    try:
        db.execute("SELECT count(*) FROM sqlite_master")
    except BaseException:
        db.close()
        raise
    return db


def check(db: sqlite3.Connection, path: Path, newest: int) -> int:
    """The log's version, 0 for an empty file. Raises UnreadableInputError on another program's or a newer file."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    identity = int(db.execute("PRAGMA application_id").fetchone()[0])
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and not version and not identity:
        return 0
    if identity != APPLICATION_ID:
        raise UnreadableInputError(f"{path} is a database of another program, not a log. Name another file or folder.")
    if version > newest:
        raise NewerVersionError(
            f"The log {path} has version {version}; this program reads up to {newest}. Update emgtwitch."
        )
    return version


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is no database or a damaged one."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _damaged(path: Path, found: str) -> UnreadableInputError:
    return UnreadableInputError(
        f"The log {path} is damaged ({found}) and was left as it is. Move it away; a new one begins by itself, "
        "and `emgtwitch replay --log` fills it from the recordings."
    )


_CHOOSE = "Choose a folder that you may write with --data or EMGTWITCH_DATA."
