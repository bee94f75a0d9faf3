"""Has a board send its test signal for a while, and puts everything back as it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.handshake import STREAMING
from emgtwitch.sources.link import Link, LinkLostError
from emgtwitch.sources.talk import ANSWER_S, Talk
from emgtwitch.wire.pattern import scan
from emgtwitch.wire.records import Samples, SetRate, Start, Stop, TestSignal

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
    talk = Talk(link, clock)
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


def _compare(talk: Talk, result: SelfTest, scans: int) -> None:
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
