"""The handshake, by its rules alone: records in, requests out, a clock that the test holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError, UsageError
from emgtwitch.sources.handshake import REASONS, Handshake, SilentBoardError
from emgtwitch.wire.records import Answer, AskHello, Samples, SetRate, Start, Stop
from tests.sources.fake_board import FakeBoard

HELLO = FakeBoard(Path("unused")).hello()
STREAMING = replace(HELLO, flags=1)
SAMPLES = Samples(0, 0, (1, 2))
S = 10**9


def test_a_board_that_boots_is_asked_until_it_answers() -> None:
    talk = Handshake("p", 0)
    asked = [t for t in range(0, 3 * S, S // 10) if talk.requests(t) == [AskHello()]]
    assert asked == list(range(0, 3 * S, 3 * S // 10))
    talk.hear(HELLO, 3 * S)
    assert talk.requests(3 * S) == [Start()]
    talk.hear(SAMPLES, 3 * S)
    assert (talk.state, talk.requests(3 * S), talk.started) == ("run", [], True)


def test_a_board_that_streams_as_asked_is_left_alone() -> None:
    talk = Handshake("p", 0, rate_Hz=1000, channels=1)
    talk.hear(STREAMING, 0)
    assert (talk.state, talk.requests(0), talk.started) == ("run", [], False)


def test_a_running_board_is_asked_every_10_s_so_that_it_does_not_stop_by_itself() -> None:
    talk = Handshake("p", 0)
    talk.hear(STREAMING, 0)
    asked = []
    for tenth in range(601):
        now_ns = tenth * S // 10
        talk.heard(now_ns)
        if talk.requests(now_ns) == [AskHello()]:
            talk.hear(STREAMING, now_ns)  # its answer changes nothing
            asked.append(now_ns // S)
    assert asked == [10, 20, 30, 40, 50, 60]


def test_a_board_that_stopped_by_itself_is_started_again() -> None:
    """As after the host was suspended: the board goes into guard mode after 30 s without a request."""
    talk = Handshake("p", 0)
    talk.hear(STREAMING, 0)
    assert talk.requests(3 * S) == [AskHello()]
    talk.hear(HELLO, 4 * S)
    assert talk.requests(4 * S) == [Start()]


@pytest.mark.parametrize(("wanted", "said"), [((2000, None), (2000, 1, 1)), ((None, 2), (1000, 2, 1))])
def test_what_differs_is_set_while_stopped_and_the_rest_kept(
    wanted: tuple[int | None, int | None], said: tuple[int, int, int]
) -> None:
    talk = Handshake("p", 0, *wanted)
    talk.hear(STREAMING, 0)
    assert talk.requests(0) == [Stop(), SetRate(*said)]
    talk.hear(HELLO, 1)  # sent by the stop
    assert talk.requests(1) == []
    talk.hear(Answer(SetRate.TYPE, 2, 0, 0), 2)
    assert talk.requests(2) == [Start()]


def test_a_request_that_got_lost_is_repeated() -> None:
    talk = Handshake("p", 0, rate_Hz=500)
    talk.hear(HELLO, 0)
    assert [len(talk.requests(t)) for t in (0, S, 2 * S)] == [2, 0, 2]


def test_a_timer_that_cannot_divide_evenly_is_near_enough() -> None:
    talk = Handshake("p", 0, rate_Hz=1000)
    talk.hear(replace(STREAMING, rate_num=16_000_000, rate_den=16_001), 0)
    assert talk.state == "run"


@pytest.mark.parametrize("status", REASONS)
def test_a_refusal_names_its_reason(status: int) -> None:
    talk = Handshake("p", 0, rate_Hz=4000, channels=4)
    talk.hear(HELLO, 0)
    talk.requests(0)
    with pytest.raises(UsageError, match=rf"refuses 4000 Hz with 4 channel.*{REASONS[status]}.*Ask for a lower"):
        talk.hear(Answer(SetRate.TYPE, 2, status, 0), 0)


def test_a_refused_start_is_a_board_that_does_not_work() -> None:
    talk = Handshake("p", 0)
    talk.hear(HELLO, 0)
    with pytest.raises(NoBoardError, match="does not start: status 9"):
        talk.hear(Answer(Start.TYPE, 1, 9, 0), 0)


@pytest.mark.parametrize(("version", "remedy"), [(0, "Load the firmware"), (2, "Update this program")])
def test_another_wire_version_names_both_and_the_remedy(version: int, remedy: str) -> None:
    with pytest.raises(NoBoardError, match=rf"wire version {version}; this program reads version 1\. {remedy}"):
        Handshake("p", 0).hear(replace(HELLO, wire_version=version), 0)


def test_a_reset_while_running_is_followed_by_a_new_start_at_the_asked_rate() -> None:
    talk = Handshake("p", 0, rate_Hz=2000)
    talk.hear(replace(STREAMING, rate_num=2000), 0)
    talk.hear(HELLO, S)
    assert talk.requests(S) == [Stop(), SetRate(2000, 1, 1)]


def test_silence_while_running_is_asked_about_and_then_given_up() -> None:
    talk = Handshake("p", 0)
    talk.hear(STREAMING, 0)
    talk.heard(S)
    assert talk.requests(2 * S) == []
    assert talk.requests(3 * S) == [AskHello()]
    with pytest.raises(SilentBoardError, match=r"no answer from p for 5\.0 s"):
        talk.requests(6 * S)


def test_a_port_without_a_hello_is_given_up() -> None:
    talk = Handshake("p", 0, hello_ns=3 * S)
    talk.heard(2 * S)  # noise is no answer
    with pytest.raises(SilentBoardError, match=r"no answer from p for 3\.0 s"):
        talk.requests(3 * S)


def test_a_senseless_hello_does_not_break_the_next_request() -> None:
    talk = Handshake("p", 0, channels=2)
    talk.hear(replace(HELLO, rate_num=2**32 - 1, rate_den=0), 0)
    assert all(len(request.pack()) < 5 for request in talk.requests(0))
