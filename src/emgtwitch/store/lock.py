"""The lock of a data folder: one process writes the log at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import LOG_NAME


class DataLock:
    """Held from construction to `close` or the end of the process, however it ends.

    `name` is the log's file name: logs that `replay --log` writes beside each other do not hinder one another.
    Raises CannotWriteError if another process holds the lock, naming its pid, what it `does` and what to `do`, or if
    the folder takes no file.
    """

    def __init__(
        self,
        folder: Path,
        name: str = LOG_NAME,
        does: str = "writes the log",
        do: str = "Stop it first, or choose another folder with --data.",
    ) -> None:
        self.path = folder / f"{name}.lock"
        try:  # never through a link: what it names would be emptied
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CannotWriteError(
                f"The folder {folder} cannot be written: {error.strerror}. "
                "Choose one that you may write with --data or EMGTWITCH_DATA."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(self._file, 20, 0).decode(errors="replace").strip()
            os.close(self._file)
            raise CannotWriteError(f"Another emgtwitch (process {pid or 'unknown'}) {does} in {folder}. {do}") from None
        # The file stays when the lock is given back: removing it would let two processes lock two files of one name.
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError:  # a full disk: the lock holds all the same, only the pid is not told
            return

    def close(self) -> None:
        """Give the lock back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
