"""What the page's answers are made from, be it a daemon's or a closed recording's."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from emgtwitch.app.opened import Reading
from emgtwitch.app.page.calibrate import Calibration
from emgtwitch.app.page.news import News
from emgtwitch.app.page.past import Past
from emgtwitch.app.page.tap import Tap
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import log_path
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader

PATIENCE_S = 10.0  # with a disk
T = TypeVar("T")


class Writes(Protocol):
    """The one writer of the log: runs a job with it on its own thread."""

    def __call__(self, job: Callable[[LogWriter], T], /) -> Future[T]: ...


@dataclass(slots=True)
class Desk:
    """Shared by all requests. `write` and `note` are None where nothing may be written, or nothing is recorded."""

    folder: Path
    config: Mapping[str, Any]
    tap: Tap
    news: News
    status: Callable[[], dict[str, Any]]
    write: Writes | None = None
    note: Callable[[str, dict[str, Any]], None] | None = None  # into the running stream; raises NoBoardError
    reading: Reading = field(default_factory=Reading)  # how a foreign file that is shown is to be read
    past: Past = field(default_factory=Past)
    calibration: Calibration | None = None
    now_s: Callable[[], float] = time.time
    clients: set[int] = field(default_factory=set)  # live sockets that are open

    def log(self) -> LogReader:
        """The log, to be closed by the caller, on the thread that asks. Raises UnreadableInputError."""
        return LogReader(log_path(self.folder))

    def keep(self, job: Callable[[LogWriter], T]) -> T:
        """What `job` gives, once it is on the disk. Raises CannotWriteError."""
        if self.write is None:
            raise CannotWriteError("This page shows a recording and keeps nothing. Open its log folder to write.")
        try:
            return self.write(job).result(PATIENCE_S)
        except TimeoutError:
            raise CannotWriteError(
                f"The disk has not taken it within {PATIENCE_S:g} s; it may yet. Look before you try again."
            ) from None

    def now_ms(self) -> int:
        """UTC in ms."""
        return round(1000 * self.now_s())

    def today(self) -> datetime.date:
        """The calendar day on this computer's clock."""
        return datetime.datetime.fromtimestamp(self.now_s()).astimezone().date()


def utc_offset_s(utc_ms: int) -> int:
    """Local time minus UTC then, on this computer."""
    offset = datetime.datetime.fromtimestamp(utc_ms / 1000).astimezone().utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0
