"""A copy of a data folder while it is written: the log as one moment of it, and recordings at least as long.

The order makes the copy consistent. The log is copied first; whatever it holds was in the recordings before it was in
the log, and these are copied after it, so the copy's recordings are never behind the copy's log. The log's copy gets
its name last: until then the copy of an earlier backup stays. STATE_NAME says whether a backup is complete.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError
from emgtwitch.store.folders import LOG_NAME, SESSIONS_NAME
from emgtwitch.store.lock import DataLock
from emgtwitch.store.recording import SUFFIX
from emgtwitch.store.rewrite import NEW, remove_recording
from emgtwitch.store.schema import connect_reader, is_damage
from emgtwitch.store.sync import make_folder, sync_path

STATE_NAME = "backup.json"
COPY_BYTES = 1 << 20


def state_of(folder: Path) -> dict[str, object] | None:
    """What a backup says of itself: `of` (the folder), `complete`; None where `folder` is none.

    Raises UnreadableInputError.
    """
    try:
        state = json.loads((folder / STATE_NAME).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UnreadableInputError(f"{folder / STATE_NAME} cannot be read: {error}. Back up to a new folder.") from None
    return state if isinstance(state, dict) else {}


def back_up(folder: Path, target: Path, recordings: Callable[[], Sequence[Path]]) -> tuple[int, int]:
    """Copy the log of `folder` and its session folders; returns bytes copied and bytes that were there before.

    `recordings` lists the session folders; it is asked once the log is copied, since one may begin meanwhile.

    Raises UsageError where `target` is something else than nothing or an earlier backup of `folder`, or where nothing
    of it is in `folder` any more; UnreadableInputError, for a damaged log, too, and CannotWriteError; then the backup
    is incomplete and the next one completes it.
    """
    source = str(folder.resolve())
    _refuse_what_is_no_backup(source, target)
    _refuse_the_last_copy(source, target, recordings())
    try:
        make_folder(target)
        _say(target, source, complete=False)
        with DataLock(target):  # a copy that somebody writes to is left alone
            copied = _copy_all(folder, target, recordings)
        _say(target, source, complete=True)
    except OSError as error:
        raise CannotWriteError(
            f"The backup {target} is not complete: {error.strerror or error}. Make room there, or name a folder that "
            "you may write, and run the same again; what is copied already stays."
        ) from None
    return copied


def _copy_all(folder: Path, target: Path, recordings: Callable[[], Sequence[Path]]) -> tuple[int, int]:
    damage = _copy_log(folder / LOG_NAME, target / (LOG_NAME + NEW))
    copied = kept = 0
    home = target / SESSIONS_NAME
    home.mkdir(mode=0o700, exist_ok=True)
    found = recordings()
    unread: list[str] = []
    for recording in found:
        fresh, same = _copy_recording(recording, home / recording.name, unread)
        copied, kept = copied + fresh, kept + same
    sync_path(home)
    if damage:
        raise UnreadableInputError(
            f"The log {folder / LOG_NAME} is damaged ({damage}). Its recordings are copied; the log in {target}, if "
            "any, stays as it was. `emgtwitch verify` says what to do."
        )
    for end in ("-wal", "-shm"):  # of the copy that is replaced: SQLite would take them for the new one's
        (target / (LOG_NAME + end)).unlink(missing_ok=True)
    os.replace(target / (LOG_NAME + NEW), target / LOG_NAME)
    there = {recording.name for recording in found}
    for path in home.iterdir():
        if path.name not in there:  # forgotten meanwhile; its rows have just gone from the copied log
            remove_recording(path)
    if unread:
        raise UnreadableInputError(
            f"Not in the backup {target}, or as an earlier one has it: {'; '.join(unread)}. All else is copied. "
            "The disk may be failing."
        )
    return copied, kept


def _refuse_what_is_no_backup(source: str, target: Path) -> None:
    place = Path(os.path.realpath(target))  # Path.resolve raises what no one phrases where links go in circles
    if place == Path(source) or place.is_relative_to(source) or Path(source).is_relative_to(place):
        raise UsageError(f"{target} and the data folder {source} lie in each other. Name a folder outside of it.")
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise UsageError(f"{target} is no folder. Name one that is not there yet, or an earlier backup.")
    state = state_of(target)
    names = [path.name for path in target.iterdir()]
    if state is None and any(name != STATE_NAME + NEW for name in names):
        raise UsageError(f"{target} is there and is no backup. Name a folder that is not there yet.")
    if state is not None and state.get("of") != source:
        raise UsageError(f"{target} is a backup of {state.get('of')}, not of {source}. Name another folder.")


def _refuse_the_last_copy(source: str, target: Path, recordings: Sequence[Path]) -> None:
    """A new data folder in the place of a lost one must not take its backup along."""
    home = target / SESSIONS_NAME
    there = {path.name for path in home.iterdir()} if home.is_dir() else set()
    if there and there.isdisjoint(recording.name for recording in recordings):
        raise UsageError(
            f"No recording of the backup {target} is in {source} any more, so that nothing was copied. Name another "
            "folder; if you have forgotten them all, delete this one."
        )


def _say(target: Path, source: str, *, complete: bool) -> None:
    text = json.dumps({"of": source, "complete": complete}) + "\n"
    fresh = target / (STATE_NAME + NEW)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.replace(fresh, target / STATE_NAME)
    sync_path(target)


def _copy_log(log: Path, fresh: Path) -> str:
    """Copy the log as one moment of it. A damaged one is not copied, and what is wrong returned: a sound copy that was
    there before is worth more.
    """
    for leftover in (fresh, *(fresh.with_name(fresh.name + end) for end in ("-wal", "-shm", "-journal"))):
        leftover.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        old, copy = connect_reader(log)
        with (
            copy or contextlib.nullcontext(),
            contextlib.closing(old),
            contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, also where nothing may be written
            damage = str(new.execute("PRAGMA quick_check(1)").fetchone()[0]).removeprefix("ok")
            if not new.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                damage = "it is empty"
    except sqlite3.Error as error:
        if not is_damage(error):
            raise CannotWriteError(
                f"The log {log} cannot be copied to {fresh.parent}: {error}. Make room there, or see "
                "`emgtwitch verify`."
            ) from None
        damage = str(error)
    if damage:
        fresh.unlink()
        return damage
    sync_path(fresh)
    return ""


def _copy_recording(source: Path, target: Path, unread: list[str]) -> tuple[int, int]:
    """Bytes copied and bytes that were there; adds to `unread` what the disk does not give, and goes on."""
    target.mkdir(mode=0o700, exist_ok=True)
    copied = kept = 0
    names = set()
    for path in sorted(source.glob(f"*{SUFFIX}")):
        if not path.is_file():
            continue  # a folder of that name is nobody's segment
        names.add(path.name)
        place, now = target / path.name, path.stat()
        if place.exists() and _is_copy(place.stat(), now):
            kept += now.st_size
            continue
        try:
            _copy_file(path, place, now)
        except _SourceError as error:
            unread.append(f"{path} ({error})")
            continue
        copied += now.st_size
    for path in target.iterdir():
        if path.name not in names:
            path.unlink()
    sync_path(target)
    return copied, kept


def _is_copy(old: os.stat_result, now: os.stat_result) -> bool:
    """Whether size and time say so. Sticks keep less of a time: FAT whole double seconds, exFAT hundredths."""
    kept = (now.st_mtime_ns - now.st_mtime_ns % grain_ns for grain_ns in (1, 10_000_000, 2_000_000_000))
    return old.st_size == now.st_size and old.st_mtime_ns in kept


class _SourceError(Exception):
    """What is to be copied cannot be read."""


def _copy_file(source: Path, place: Path, now: os.stat_result) -> None:
    """The first `now.st_size` bytes, whole under their name or not there at all. Raises _SourceError and OSError."""
    fresh = place.with_name(place.name + NEW)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        for block in _blocks(source, now.st_size):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except _SourceError:
        fresh.unlink()
        raise
    finally:
        os.close(file)
    os.utime(fresh, ns=(now.st_mtime_ns, now.st_mtime_ns))  # as the sign that it is the same
    os.replace(fresh, place)


def _blocks(source: Path, left: int) -> Iterator[bytes]:
    try:
        with source.open("rb", buffering=0) as file:
            while left and (block := file.read(min(left, COPY_BYTES))):
                left -= len(block)
                yield block
    except OSError as error:
        raise _SourceError(error.strerror) from None
