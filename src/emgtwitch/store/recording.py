"""The recording writer: the wire's own bytes into a folder of numbered segments.

Rules. What is appended is whole frames, so a segment may begin at any append. Segment 0 opens with the Session note
that stands in the bytes; every later one opens with the notes Session and Board, so that it can be read alone. Nothing
is repaired: a frame that was cut by a failing write is a lost frame, and the next write begins with a zero byte.
"""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emgtwitch.store.sync import sync_path
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Board, Session

SUFFIX = ".emgw"
MAX_SEGMENT_BYTES = 1 << 30


def today() -> datetime.date:
    """The local calendar day."""
    return datetime.datetime.now().astimezone().date()


class SessionWriter:
    """Writes one session; opens its files when the first bytes come. The recording thread owns it.

    `folder` becomes the session's folder, `session` is the object of its Session note, `local_day` tells the calendar
    day and `max_segment_bytes` the size from which the next append goes to a new segment. Every method that writes
    raises OSError when the disk does not take it; the next call tries again and goes on in the same segment. Only
    `hello`, `change` and `sync` may come from another thread: however long a disk syncs, the next append goes on.
    """

    def __init__(
        self,
        folder: Path,
        session: Mapping[str, Any],
        *,
        local_day: Callable[[], datetime.date] = today,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self.folder = folder
        self._session = dict(session)
        self._hello = b""
        self._local_day = local_day
        self._max_segment_bytes = max_segment_bytes
        self._segment = 0
        self._file: int | None = None
        self._path: Path | None = None  # of the file: made once, since a Path made for each batch leaves traces
        self._day: datetime.date | None = None
        self._bytes = 0
        self._needs_head = False  # segment 0 brings its own Session note
        self._whole = 0  # appends that this segment took entirely
        self._torn = False
        self._unsynced: set[Path] = set()  # files and folders
        self._touching = threading.Lock()

    def hello(self, body: bytes) -> None:
        """Remember the body of the board's last Hello for the head of later segments."""
        self._hello = bytes(body)

    def change(self, values: Mapping[str, Any]) -> None:
        """Remember changed keys of the Session note (settings, worn, ...) for the head of later segments."""
        self._session = {**self._session, **values}

    def append(self, data: bytes) -> None:
        """Write whole frames; they are safe from a crash of the program, and after a later `sync` from a power cut."""
        if not data:
            return
        day = self._local_day()
        if self._file is not None and (day != self._day or self._bytes >= self._max_segment_bytes):
            self._leave_segment()
        try:
            if self._file is None:
                self._open_segment(day)
            head = (b"\0" if self._torn else b"") + (self._head() if self._needs_head else b"")
            self._write(head + data)
        except OSError:
            self._torn = True
            self._needs_head = self._needs_head or self._whole == 0
            raise
        self._torn = self._needs_head = False
        self._whole += 1

    def sync(self) -> None:
        """Return when all that was appended before the call is on the disk; what comes meanwhile is for the next call.

        What a disk refuses is tried again by the next call, and the rest is synced all the same.
        """
        with self._touching:
            paths, self._unsynced = self._unsynced, set()
        refusal: OSError | None = None
        for path in sorted(paths):
            try:
                sync_path(path)
            except FileNotFoundError:
                pass  # somebody deleted it
            except OSError as error:
                self._touched(path)
                refusal = refusal or error
        if refusal is not None:
            raise refusal

    def close(self) -> None:
        """Sync and close; a later append would begin a new segment."""
        if self._file is not None:
            self._leave_segment()
        self.sync()

    def _touched(self, *paths: Path) -> None:
        with self._touching:
            self._unsynced.update(paths)

    def _head(self) -> bytes:
        head = note(Session({**self._session, "segment": self._segment}), 0)
        return head + note(Board(self._hello), 0) if self._hello else head

    def _leave_segment(self) -> None:
        file, self._file = self._file, None
        assert file is not None
        self._segment += 1
        self._needs_head = True
        os.close(file)

    def _open_segment(self, day: datetime.date) -> None:
        if not self.folder.is_dir():
            if not self.folder.parent.is_dir():
                self.folder.parent.mkdir(mode=0o700, parents=True)
                self._touched(self.folder.parent.parent)
            self.folder.mkdir(mode=0o700)
            self._touched(self.folder.parent)
        self._path = self.folder / f"{self._segment:04d}{SUFFIX}"
        # Never over or behind what another session left there.
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._day, self._bytes, self._whole, self._torn = day, 0, 0, False
        self._touched(self.folder)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        assert self._path is not None
        rest = memoryview(data)
        while rest:
            written = os.write(self._file, rest)
            self._touched(self._path)  # now, not before: a sync that goes on may already have passed it
            self._bytes += written
            rest = rest[written:]
