"""Requests to a board and its answers, one after the other, on a link that nobody else uses meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.handshake import ASK_EVERY_NS, REASONS, check_version
from emgtwitch.sources.link import Link
from emgtwitch.wire.encode import note as request_frame
from emgtwitch.wire.light import Reader, record
from emgtwitch.wire.records import Answer, AskHello, Hello, Record

ANSWER_S = 2.0
HELLO_S = 5.0
READ_S = 0.05


class Talk:
    """Requests and their answers on one link."""

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self.port = link.name
        self._link, self._clock = link, clock
        self._reader = Reader()
        self._unread: list[Record] = []
        self._seq = 0

    def hello(self) -> Hello:
        """The board's Hello; asked for again and again, since a bootloader swallows what comes before it."""
        until_s = self._clock() + HELLO_S
        while self._clock() < until_s:
            self._send(AskHello())
            for found in self.records(ASK_EVERY_NS / 1e9):
                if isinstance(found, Hello):
                    check_version(found.wire_version, self.port)
                    return found
        raise NoBoardError(f"The port {self.port} is open, but no board says Hello there.")

    def ask(self, request: Record) -> None:
        """Have it done; what comes before the answer is of no interest. Raises NoBoardError otherwise."""
        seq = self._send(request)
        for found in self.records(ANSWER_S):
            if isinstance(found, Answer) and (found.request, found.request_seq) == (request.TYPE, seq):
                if found.status:
                    why = REASONS.get(found.status, f"status {found.status}")
                    raise NoBoardError(f"The board at {self.port} refuses {type(request).__name__}: {why}.")
                return
        raise NoBoardError(f"The board at {self.port} does not answer {type(request).__name__}.")

    def records(self, timeout_s: float) -> Iterator[Record]:
        """What comes within `timeout_s`, one after the other."""
        until_s = self._clock() + timeout_s
        while True:
            while self._unread:
                yield self._unread.pop(0)
            if self._clock() >= until_s:
                return
            frames = self._reader.feed(self._link.read(READ_S))
            self._unread += [found for frame in frames if (found := record(frame)) is not None]

    def _send(self, request: Record) -> int:
        self._seq = (self._seq + 1) & 0xFFFF
        self._link.write(request_frame(request, self._seq))
        return self._seq
