"""The order of storing: recording bytes, fsync, commit, and only then is an event shown.

A disk that refuses stops neither the other half nor the detection: each trouble is told once, and once when it is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from emgtwitch.detect.records import Progress, Stamped
from emgtwitch.errors import CannotWriteError, EmgtwitchError
from emgtwitch.store.log import LogWriter
from emgtwitch.store.recording import SessionWriter

BACKLOG = 50_000  # outputs kept for a log that cannot be written: hours of the busiest muscle

Outputs = Sequence[Stamped]
T = TypeVar("T")


def _ignore(_: object) -> None:
    """For what a caller does not want to hear."""


class Storage:
    """Stores batches. `recording` or `log` is None where that is not wanted.

    `record` and everything else may be called from two threads, so that bytes are written while the disk still syncs
    what came before: then the end of this process costs none of them.

    `on_stored` gets outputs that are on the disk, `on_unstored` those that the log did not take: they were seen, and
    are kept and written when the log can be written again, without a second call. `on_trouble` gets a sentence for
    people whenever something begins or ceases to fail.
    """

    def __init__(
        self,
        log: LogWriter | None,
        recording: SessionWriter | None = None,
        *,
        on_stored: Callable[[Outputs], None] = _ignore,
        on_unstored: Callable[[Outputs], None] = _ignore,
        on_trouble: Callable[[str], None] = _ignore,
    ) -> None:
        self._log = log
        self._recording = recording
        self._on_stored = on_stored
        self._on_unstored = on_unstored
        self._on_trouble = on_trouble
        self._unrecorded_bytes = 0
        self._telling = threading.Lock()  # of the recording's state, which both threads change
        self._refused = False  # the last bytes
        self._recording_fails = False
        self._log_fails = False
        self._backlog: list[Stamped] = []
        self._forgotten = 0

    def store(self, data: Sequence[bytes], outputs: Outputs, progress: Progress | None = None) -> None:
        """Store one batch: `data` is whole frames, `outputs` what the pipeline said, in their order."""
        self.record(data)
        self.commit(outputs, progress)

    def record(self, data: Sequence[bytes]) -> None:
        """Write whole frames; does not wait for the disk to have them."""
        if self._recording is None or not data:
            return
        written = 0
        try:
            for chunk in data:
                self._recording.append(chunk)
                written += 1
        except OSError as error:
            with self._telling:
                self._refused = True
                self._unrecorded_bytes += sum(len(chunk) for chunk in data[written:])
                self._unrecorded(self._recording, error)
            return
        self._refused = False

    def commit(self, outputs: Outputs, progress: Progress | None = None) -> None:
        """Once the disk has all that was recorded, commit what the pipeline said to it, and show it."""
        if self._recording is not None:
            self._sync(self._recording)
        self._log_and_show(outputs, progress)

    def write(self, job: Callable[[LogWriter], T]) -> T:
        """What `job` makes of the log. Raises what it raises, and CannotWriteError where there is no log."""
        if self._log is None:
            raise CannotWriteError("No log is written here. Name one with --log.")
        return job(self._log)

    @property
    def failing(self) -> bool:
        """Whether the disk does not take something at present."""
        return self._recording_fails or self._log_fails

    def close(self) -> None:
        """End the run in the log and close both files; says once more what could not be stored."""
        if self._recording is not None:
            try:
                self._recording.close()
            except OSError as error:
                self._on_trouble(f"The recording may lack its last second: {error.strerror}.")
        if self._log is not None:
            if self._backlog:
                self._log_and_show([], None)
            try:
                if not self._backlog:
                    self._log.end()
            except EmgtwitchError as error:
                self._on_trouble(f"{error} The session counts as crashed.")
            if self._backlog:
                lost = len(self._backlog) + self._forgotten
                self._on_trouble(
                    f"{lost} outputs are not in the log. `emgtwitch replay --log` fills it from the recording."
                )
            self._log.close()

    def _sync(self, recording: SessionWriter) -> None:
        try:
            recording.sync()
        except OSError as error:
            with self._telling:
                self._unrecorded(recording, error)
            return
        with self._telling:
            if self._recording_fails and not self._refused:
                self._recording_fails = False
                lacks = f"it lacks {self._unrecorded_bytes} bytes"
                self._on_trouble(f"The recording {recording.folder} is written again; {lacks}.")

    def _unrecorded(self, recording: SessionWriter, error: OSError) -> None:
        if not self._recording_fails:
            self._recording_fails = True
            self._on_trouble(
                f"The recording {recording.folder} cannot be written: {error.strerror}. Detection and the log go on."
            )

    def _log_and_show(self, outputs: Outputs, progress: Progress | None) -> None:
        if self._log is None:
            self._on_stored(outputs)
            return
        try:
            self._log.write([*self._backlog, *outputs], progress)
        except EmgtwitchError as error:
            room = BACKLOG - len(self._backlog)
            self._backlog += outputs[:room]
            self._forgotten += len(outputs[room:])
            if not self._log_fails:
                self._log_fails = True
                self._on_trouble(f"{error} Events are still shown, but not stored until it can be.")
            self._on_unstored(outputs)
            return
        late, self._backlog = len(self._backlog), []
        if self._log_fails:
            self._log_fails = False
            lost = f"; {self._forgotten} were too many to keep" if self._forgotten else ""
            self._on_trouble(f"The log is written again, with {late} outputs that were shown as not stored{lost}.")
            self._forgotten = 0
        self._on_stored(outputs)
