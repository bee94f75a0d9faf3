"""Prints on a thread of its own: a held terminal or a slow reader holds up neither the signal nor the disk."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import TextIO

ERROR, WARNING, INFO = 3, 4, 6  # levels of syslog(3)
PATIENCE_S = 5.0  # with a reader that does not read, at the end


class Printer:
    """Writes lines to standard output and standard error, in their order, without Python's buffer.

    `on_gone` is called, on the printing thread, when nobody reads standard output any more; `on_trouble` with a
    sentence, once, when it cannot be written for another reason.
    """

    def __init__(self, on_gone: Callable[[], None], on_trouble: Callable[[str], None]) -> None:
        self._on_gone, self._on_trouble = on_gone, on_trouble
        self._lines: queue.SimpleQueue[tuple[TextIO | None, str] | None] = queue.SimpleQueue()
        self._fails = False
        self._journal = _is_journal(sys.stderr)
        self._closed = False
        self._begin()

    def out(self, text: str) -> None:
        """Print a line on standard output."""
        self._put(sys.stdout, text)

    def err(self, text: str, level: int = INFO) -> None:
        """Print a line on standard error; into the journal with its level."""
        self._put(sys.stderr, f"<{level}>{text}" if self._journal else text)

    def close(self) -> None:
        """Return when all is printed, or after PATIENCE_S."""
        self._closed = True
        self._lines.put(None)
        self._thread.join(PATIENCE_S)

    def _put(self, stream: TextIO | None, text: str) -> None:
        self._lines.put((stream, text))
        if not self._thread.is_alive() and not self._closed:  # where memory lacks, catching that may fail, too
            self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            stream, text = line
            if stream is None:  # closed before the program began
                continue
            try:
                _write(stream, text)
            except MemoryError:
                continue  # the line is lost; the log has it, and the next one may find some
            except BrokenPipeError:
                if stream is sys.stdout:
                    self._on_gone()
            except OSError as error:
                if stream is sys.stdout and not self._fails:
                    self._fails = True
                    self._on_trouble(f"Standard output cannot be written: {error.strerror}. Recording and log go on.")


def complain(text: str, level: int = ERROR) -> None:
    """Print what ended a command, or else is amiss, on standard error at once; into the journal with its level."""
    print(f"<{level}>{text}" if _is_journal(sys.stderr) else text, file=sys.stderr, flush=True)


def _is_journal(stream: TextIO | None) -> bool:
    """Whether systemd's journal reads `stream`: JOURNAL_STREAM names its device and inode, see sd-daemon(3)."""
    told = os.environ.get("JOURNAL_STREAM", "")
    if not told or stream is None:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return told == f"{found.st_dev}:{found.st_ino}"


def _write(stream: TextIO, text: str) -> None:
    rest = memoryview(f"{text}\n".encode(stream.encoding or "utf-8", errors="replace"))
    while rest:
        rest = rest[os.write(stream.fileno(), rest) :]
