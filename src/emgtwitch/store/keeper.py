"""The threads that store: acquisition hands over bytes and outputs and never waits for a disk.

The recording thread writes bytes, the storage thread has the disk sync them, commits what was said to them and shows
it. Two, since a disk may take seconds for a sync, and what is not even written then dies with the process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from emgtwitch.detect.records import Announcement, Event, Mark, Progress, Stamped
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.log import LogWriter
from emgtwitch.store.storage import Storage

PERIOD_S = 0.5  # with what gathering and a busy disk take, a sudden end costs less than a second of signal
MAX_QUEUED_BYTES = 64 << 20  # over 7 hours at 1 kHz
MAX_JOBS = 64
HANGS_S = 15.0  # a disk that takes so long for one batch is told of

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """What waits to be stored."""

    period_s: float
    data: list[bytes] = field(default_factory=list)
    data_bytes: int = 0
    outputs: list[Stamped] = field(default_factory=list)
    progress: Progress | None = None
    since_s: float | None = None  # when the oldest part came; None: empty
    urgent: bool = False

    def add(self, data: bytes, outputs: Sequence[Stamped], progress: Progress | None, now_s: float) -> None:
        """Take one more piece. An event, an announcement or a mark is waited for, so it makes the batch urgent."""
        if data:
            self.data.append(data)
            self.data_bytes += len(data)
        self.outputs += outputs
        self.progress = progress or self.progress
        self.since_s = now_s if self.since_s is None else self.since_s
        self.urgent = self.urgent or any(isinstance(o.record, (Event, Announcement, Mark)) for o in outputs)

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the batch must be stored, None if there is nothing in it."""
        if self.since_s is None:
            return None
        return 0.0 if self.urgent else max(0.0, self.since_s + self.period_s - now_s)


class Keeper:
    """Owns `storage` and its callbacks: they run on the storage thread, those of a disk's trouble on either.

    `max_queued_bytes` bounds what may wait for a disk that hangs: beyond it bytes are dropped and counted. That, too,
    is told to `on_trouble`, which `put` then calls itself and which must not block.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        on_trouble: Callable[[str], None],
        period_s: float = PERIOD_S,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._on_trouble = on_trouble
        self._period_s = period_s
        self._max_queued_bytes = max_queued_bytes
        self._monotonic_s = monotonic_s
        self._batch = Batch(0.0)  # the first bytes at once
        self._recording_bytes = 0
        self._recorded = Batch(0.0)  # what is written and waits for the storage thread; its bytes are not kept
        self._busy_since_s: dict[str, float] = {}  # of threads by their names
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._closing = False
        self._all_recorded = False
        self._dropping = False
        self._hanging = False
        self._failure: Exception | None = None
        self.dropped_bytes = 0
        self._recorder = threading.Thread(target=self._run, args=(self._record_next,), name="recording", daemon=True)
        self._storer = threading.Thread(target=self._run, args=(self._store_next,), name="storage", daemon=True)
        self._recorder.start()
        self._storer.start()

    def put(self, data: bytes, outputs: Sequence[Stamped], progress: Progress | None) -> None:
        """Hand over whole frames, what the pipeline said to them and how far the run has come. Never waits for a disk.

        Raises what a thread died of, if one did.
        """
        troubles = []
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if not (self._recorder.is_alive() and self._storer.is_alive()):  # without memory even saying so may fail
                raise MemoryError("A thread that stores has ended.")
            fits = self._batch.data_bytes + self._recording_bytes + len(data) <= self._max_queued_bytes
            if not fits:
                self.dropped_bytes += len(data)
            if data and fits is self._dropping:
                self._dropping = not fits
                troubles.append(
                    "The disk does not keep up: the recording is incomplete from here on, detection goes on."
                    if self._dropping
                    else f"The disk keeps up again; the recording lacks {self.dropped_bytes} bytes."
                )
            if (self._busy_s() > HANGS_S) is not self._hanging:
                self._hanging = not self._hanging
                troubles.append(
                    f"The disk has not answered for {HANGS_S:g} s: events are shown once they are stored."
                    if self._hanging
                    else "The disk answers again."
                )
            was_empty, was_urgent = self._batch.since_s is None, self._batch.urgent
            self._batch.add(data if fits else b"", outputs, progress, self._monotonic_s())
            if was_empty or (self._batch.urgent and not was_urgent):  # else it is awake, or knows when to be
                self._changed.notify_all()
        for trouble in troubles:
            self._on_trouble(trouble)

    def write(self, job: Callable[[LogWriter], T]) -> Future[T]:
        """Run `job` on the storage thread, with the log; its result or what it raised. Never waits for a disk.

        Raises CannotWriteError where too many wait already, or where the keeper closes.
        """
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(self._storage.write(job))
            except Exception as error:
                future.set_exception(error)

        with self._changed:
            if self._closing or self._failure is not None or len(self._jobs) >= MAX_JOBS:
                raise CannotWriteError("The log takes nothing at present: its disk does not keep up. Try again.")
            self._jobs.append(run)
            self._changed.notify_all()
        return future

    @property
    def busy_for_s(self) -> float:
        """How long one of the threads has been in its present work; 0 while both wait for some."""
        with self._changed:
            return self._busy_s()

    def _busy_s(self) -> float:
        since_s = min(self._busy_since_s.values(), default=None)
        return 0.0 if since_s is None else self._monotonic_s() - since_s

    @property
    def failing(self) -> bool:
        """Whether the disk does not take something at present, or is too slow for it."""
        return self._dropping or self._hanging or self._storage.failing

    def close(self) -> None:
        """Store what is left and end the run, on the calling thread. Raises what a thread died of."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._recorder.join()
        with self._changed:
            self._all_recorded = True
            self._changed.notify_all()
        self._storer.join()
        if self._failure is not None:
            raise self._failure
        self._storage.close()

    def _run(self, next_work: Callable[[], Callable[[], None] | None]) -> None:
        """A thread: one work after the other, until there is no more."""
        name = threading.current_thread().name
        try:
            while (work := next_work()) is not None:
                with self._changed:
                    self._busy_since_s[name] = self._monotonic_s()
                work()
                with self._changed:
                    del self._busy_since_s[name]
        except Exception as error:  # a defect, not a disk: hand it to whoever puts or closes
            with self._changed:
                self._failure = error
                self._jobs.clear()

    def _record_next(self) -> Callable[[], None] | None:
        """Wait for a batch that is due; None when all is recorded and the keeper closes."""
        with self._changed:
            while not self._closing and (due_in_s := self._batch.due_in_s(self._monotonic_s())) != 0.0:
                self._changed.wait(due_in_s)
            batch, self._batch = self._batch, Batch(self._period_s)
            self._recording_bytes = batch.data_bytes
        return (lambda: self._record(batch)) if batch.since_s is not None else None

    def _record(self, batch: Batch) -> None:
        self._storage.record(batch.data)
        with self._changed:
            self._recording_bytes = 0
            self._recorded.add(b"", batch.outputs, batch.progress, self._monotonic_s())
            self._changed.notify_all()

    def _store_next(self) -> Callable[[], None] | None:
        """Wait for a job, or for what was recorded; None when all is stored and the keeper closes."""
        with self._changed:
            while not self._jobs and self._recorded.since_s is None:
                if self._all_recorded:
                    return None
                self._changed.wait()
            if self._jobs:
                return self._jobs.popleft()
            batch, self._recorded = self._recorded, Batch(0.0)
        return lambda: self._storage.commit(batch.outputs, batch.progress)
