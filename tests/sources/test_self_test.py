"""The board's test signal, asked for and compared; whatever happens, the board is left as it was."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.self_test import self_test
from emgtwitch.sources.serial_link import SerialLink
from emgtwitch.sources.sim import SimLink
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import frame
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import AskHello, Hello, SetRate, Start, Stop
from tests.sources.fake_board import FakeBoard


class Time:
    """A clock that moves only when someone sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, s: float) -> None:
        self.now_s += s


def sim(started: bool) -> tuple[SimLink, Time]:
    time = Time()
    return SimLink(SCENARIOS["quiet"], started=started, clock=time.clock, sleep=time.sleep), time


def state(link: SimLink) -> tuple[int, int, int, int]:
    link.read(0.0)
    link.write(frame(AskHello(), 9))
    hello = [r for r in frames(link.read(0.0)) if isinstance(r, Hello)][-1]
    return hello.rate_num, hello.channels, hello.oversampling, hello.flags


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "ttyUSB0") as board:
        yield board


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize(
    ("rate", "tested"),
    [(SetRate(2000, 2, 1), (2000, 2)), (SetRate(500, 1, 8), (1000, 1)), (SetRate(1000, 1, 4), (1000, 1))],
)
def test_the_signal_is_compared_and_the_board_left_as_it_was(
    started: bool, rate: SetRate, tested: tuple[int, int]
) -> None:
    """At 500 Hz the board filters what it converts: the pattern is asked for at 1000 Hz."""
    link, time = sim(started=False)
    link.write(frame(rate, 1) + (frame(Start(), 2) if started else b""))
    before = state(link)
    result = self_test(link, 1000, time.clock)
    assert (result.rate_Hz, result.channels) == tested
    assert result.counts >= 1000 * tested[1]
    assert (result.wrong, result.lost) == (0, 0)
    assert state(link) == before


def test_a_board_that_refuses_says_why_and_is_left_as_it_was(board: FakeBoard) -> None:
    board.refuse = 3
    link = SerialLink(str(board.path))
    with pytest.raises(NoBoardError, match=r"refuses SetRate: that many samples do not fit through the serial line"):
        self_test(link, 100)
    link.close()
    assert not board.testing


def test_a_stream_that_ends_too_early_is_said_with_how_much_there_was(board: FakeBoard) -> None:
    class Short(SerialLink):
        """The board's run ends by itself."""

        def read(self, timeout_s: float) -> bytes:
            if board.streaming and board.index >= 320:
                self.write(frame(Stop(), 77))
            return super().read(timeout_s)

    link = Short(str(board.path))
    with pytest.raises(NoBoardError, match=r"sends \d+ of 4000 scans of its test signal, and no more"):
        self_test(link, 4000, clock=_hurried())
    link.close()


def _hurried() -> Callable[[], float]:
    """A clock that goes on by a quarter of a second with each look at it."""
    return itertools.count(0.0, 0.25).__next__


def test_a_port_without_a_board_is_said(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "b", mute=True) as mute:
        link = SerialLink(str(mute.path))
        with pytest.raises(NoBoardError, match="no board says Hello there"):
            self_test(link, 100, clock=_hurried())
        link.close()
