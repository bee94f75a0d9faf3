"""Has a board send its test signal for a while, and puts everything back as it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.handshake import ASK_EVERY_NS, REASONS, STREAMING, check_version
from emgtwitch.sources.link import Link, LinkLostError
from emgtwitch.wire.encode import note as request_frame
from emgtwitch.wire.light import Reader, record
from emgtwitch.wire.pattern import scan
from emgtwitch.wire.records import Answer, AskHello, Hello, Record, Samples, SetRate, Start, Stop, TestSignal

ANSWER_S = 2.0
HELLO_S = 5.0
READ_S = 0.05
DECIMATED_HZ = 500  # the board filters the pattern, too: not exact any more
PLAIN_HZ = 1000


@dataclass(slots=True)
class SelfTest:
    """What arrived of the test signal."""

    rate_Hz: int
    channels: int
    counts: int = 0
    wrong: int = 0  # counts that are not the agreed ones
    lost: int = 0  # scans missing between those that arrived


def self_test(link: Link, scans: int, clock: Callable[[], float] = time.monotonic) -> SelfTest:
    """Compare `scans` scans of the test signal with the agreed pattern, at the board's rate and channels.

    Raises NoBoardError if the board does not answer or refuses, with its reason, and LinkLostError.
    """
    talk = _Talk(link, clock)
    before = talk.hello()
    rate_Hz = round(before.rate_num / max(before.rate_den, 1))
    result = SelfTest(PLAIN_HZ if rate_Hz == DECIMATED_HZ else rate_Hz, before.channels)
    try:
        talk.ask(Stop())
        talk.ask(SetRate(result.rate_Hz, result.channels, 1))
        talk.ask(TestSignal(1))
        talk.ask(Start())
        _compare(talk, result, scans)
    finally:
        with contextlib.suppress(LinkLostError, NoBoardError):
            talk.ask(Stop())
            talk.ask(TestSignal(0))
            talk.ask(SetRate(rate_Hz, before.channels, before.oversampling))
            if before.flags & STREAMING:
                talk.ask(Start())
    return result


def _compare(talk: _Talk, result: SelfTest, scans: int) -> None:
    expected = 0
    patience_s = ANSWER_S + 2 * scans / result.rate_Hz
    for found in talk.records(patience_s):
        if not isinstance(found, Samples):
            continue
        result.lost += found.index - expected
        for n in range(len(found.counts) // result.channels):
            agreed = scan(found.index + n, result.channels)
            arrived = found.counts[n * result.channels : (n + 1) * result.channels]
            result.counts += result.channels
            result.wrong += sum(a != b for a, b in zip(agreed, arrived, strict=True))
        expected = found.index + len(found.counts) // result.channels
        if expected >= scans:
            return
    raise NoBoardError(f"The board at {talk.port} sends {expected} of {scans} scans of its test signal, and no more.")


class _Talk:
    """Requests and their answers on one link."""

    def __init__(self, link: Link, clock: Callable[[], float]) -> None:
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
