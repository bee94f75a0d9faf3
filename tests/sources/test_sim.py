"""The simulated board sends what a board would, at the pace of a clock."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgtwitch.errors import UsageError
from emgtwitch.sources.link import LinkLostError
from emgtwitch.sources.sim import SimLink, open_sim, parse_spec, recorded
from emgtwitch.wearer.scenario import SCENARIOS, Scenario
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire import records as wire
from emgtwitch.wire.encode import frame
from emgtwitch.wire.light import frames, split
from emgtwitch.wire.pattern import scan
from emgtwitch.wire.records import (
    Answer,
    AskHello,
    Hello,
    Record,
    ResetCounters,
    Samples,
    Session,
    SetRate,
    Start,
    Stop,
    WriteIdentity,
)

DEMO = SCENARIOS["demo"]
MINUTE = b"".join(recorded(DEMO, 7, 60.0))


class Time:
    """A clock that moves only when someone sleeps, or when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, s: float) -> None:
        assert s >= 0
        self.now_s += s


def link(scenario: Scenario = DEMO, seed: int = 7, started: bool = True, speed: float = 1.0) -> tuple[SimLink, Time]:
    time = Time()
    return SimLink(scenario, seed, started=started, speed=speed, clock=time.clock, sleep=time.sleep), time


def read_for(one: SimLink, time: Time, seconds: float) -> bytes:
    end_s = time.now_s + seconds
    out = b""
    while time.now_s < end_s:
        out += one.read(end_s - time.now_s)
    return out


def counts_in(data: bytes) -> list[int]:
    return [count for one in frames(data, {Samples.TYPE}) for count in getattr(one, "counts", ())]


def test_the_frames_hold_exactly_the_wearers_counts() -> None:
    assert counts_in(MINUTE) == Wearer(DEMO, 7).render(60_000)[:, 0].tolist()


def test_frames_follow_each_other_without_a_hole() -> None:
    seqs = [one.seq for one in split(MINUTE)]
    assert seqs == [n & 0xFFFF for n in range(len(seqs))]
    samples = [one for one in frames(MINUTE) if isinstance(one, Samples)]
    assert [one.index for one in samples] == [16 * n for n in range(3750)]
    assert all(len(one.counts) == 16 for one in samples)


def test_a_hello_comes_first_and_every_few_seconds_and_tells_the_next_index() -> None:
    at = 0
    hellos = []
    for one in frames(MINUTE):
        if isinstance(one, Hello):
            assert one.index == at
            hellos.append(one)
        elif isinstance(one, Samples):
            at += len(one.counts)
    assert frames(MINUTE)[0] == hellos[0]
    assert np.diff([h.index for h in hellos]).tolist() == [3008] * (len(hellos) - 1)
    first = hellos[0]
    assert (first.rate_num, first.rate_den, first.channels, first.bits) == (1000, 1, 1, 10)
    assert (first.reference_mV, first.gain_milli, first.flags, first.run_count) == (5000, 1_000_000, 1, 1)


@settings(max_examples=15, deadline=None)
@given(waits=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=12), timeout_s=st.floats(0.0, 0.5))
def test_the_bytes_do_not_depend_on_when_they_are_read(waits: list[float], timeout_s: float) -> None:
    one, time = link()
    got = b""
    for wait_s in waits:
        time.now_s += wait_s
        got += one.read(timeout_s)
    assert MINUTE.startswith(got)


def test_the_board_keeps_its_own_time() -> None:
    for ppm in (0.0, 4000.0, -4000.0):
        one, time = link(replace(DEMO, clock_ppm=ppm))
        made = len(counts_in(read_for(one, time, 20.0)))
        assert made == pytest.approx(20_000 * (1 + ppm * 1e-6), abs=16)


def test_a_faster_board_gives_the_same_bytes_sooner() -> None:
    one, time = link(speed=10.0)
    got = read_for(one, time, 3.0)
    assert MINUTE.startswith(got)
    assert len(counts_in(got)) == pytest.approx(30_000, abs=20)


def test_without_pacing_it_never_waits() -> None:
    one, time = link(speed=math.inf)
    got = b"".join(one.read(0.1) for _ in range(5))
    assert time.now_s == 1000.0
    assert MINUTE.startswith(got)
    assert len(counts_in(got)) > 15_000
    ask(one, Stop())
    assert one.read(0.5) == b""
    assert time.now_s == 1000.5  # a stopped board has nothing to say


def test_a_read_waits_for_a_few_frames_and_no_longer_than_asked() -> None:
    one, time = link()
    assert isinstance(frames(one.read(1.0))[0], Hello)
    assert one.read(0.005) == b""
    assert time.now_s == pytest.approx(1000.005)
    assert len(counts_in(one.read(0.012))) == 16
    assert len(counts_in(one.read(1.0))) == 48
    assert time.now_s == pytest.approx(1000.064, abs=1e-4)


def test_a_late_reader_gets_everything_in_portions() -> None:
    one, time = link()
    time.now_s += 30.0
    portions = [one.read(0.0) for _ in range(8)]
    assert MINUTE.startswith(b"".join(portions))
    assert len(counts_in(b"".join(portions))) == pytest.approx(30_000, abs=20)
    assert max(len(p) for p in portions) < 16_000


def ask(one: SimLink, *records: Record) -> list[Record]:
    """What the board says to requests, its samples apart."""
    one.write(b"".join(frame(record, 40 + n) for n, record in enumerate(records)))
    return [record for record in frames(one.read(0.0)) if not isinstance(record, Samples)]


def test_a_board_that_was_not_started_waits_for_start() -> None:
    one, time = link(started=False)
    (hello,) = frames(one.read(0.0))
    assert isinstance(hello, Hello)
    assert (hello.flags, hello.run_count) == (0, 0)
    assert counts_in(read_for(one, time, 5.0)) == []
    hello, answer = ask(one, Start())
    assert answer == Answer(Start.TYPE, 40, 0, 0)
    assert isinstance(hello, Hello)
    assert (hello.flags, hello.run_count, hello.index) == (1, 1, 0)
    assert counts_in(read_for(one, time, 1.0)) == counts_in(MINUTE)[: 62 * 16]


def test_stop_ends_the_run_and_start_begins_another_at_index_0() -> None:
    one, time = link()
    read_for(one, time, 1.0)
    ask(one, Stop())
    assert counts_in(read_for(one, time, 4.0)) == []
    hello = ask(one, Start())[0]
    assert isinstance(hello, Hello)
    assert (hello.run_count, hello.index) == (2, 0)
    first = next(r for r in frames(read_for(one, time, 1.0)) if isinstance(r, Samples))
    assert first.index == 0
    assert list(first.counts) == counts_in(MINUTE)[:16]  # the run's truth is the wearer's


def test_a_new_rate_holds_from_the_next_run() -> None:
    one, time = link(started=False)
    read_for(one, time, 0.1)
    (answer,) = ask(one, SetRate(2000, 2, 1))
    assert answer == Answer(SetRate.TYPE, 40, 0, 2000)
    hello = ask(one, Start())[0]
    assert isinstance(hello, Hello)
    assert (hello.rate_num, hello.channels) == (2000, 2)
    samples = [r for r in frames(read_for(one, time, 1.0)) if isinstance(r, Samples)]
    assert {len(r.counts) for r in samples} == {16}
    assert samples[1].index == 8
    counts = [c for r in samples for c in r.counts]
    expected = Wearer(replace(DEMO, fs_Hz=2000.0, channels=2), 7).render(len(counts) // 2)
    assert counts == expected.reshape(-1).tolist()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (SetRate(1000, 1, 8), 0),
        (SetRate(2000, 3, 1), 0),
        (SetRate(2000, 4, 1), 3),  # nine tenths of the line
        (SetRate(1234, 1, 1), 2),
        (SetRate(1000, 5, 1), 2),
        (SetRate(1000, 1, 3), 2),
        (SetRate(4000, 2, 1), 3),
        (SetRate(4000, 4, 1), 4),  # at any line
        (SetRate(4000, 1, 4), 4),
        (SetRate(500, 4, 4), 4),  # made of a thousand scans a second
        (SetRate(500, 2, 4), 0),
        (ResetCounters(), 0),
        (wire.TestSignal(1), 0),
        (wire.TestSignal(2), 2),
        (WriteIdentity(5, 6), 0),
        (AskHello(), None),
        (Session({}), 1),
    ],
)
def test_every_request_is_answered_with_a_reason(request_: Record, status: int | None) -> None:
    one, _ = link(started=False)
    one.read(0.0)
    (answer,) = ask(one, request_)
    if status is None:
        assert isinstance(answer, Hello)
        return
    assert isinstance(answer, Answer)
    assert (answer.request, answer.request_seq, answer.status) == (request_.TYPE, 40, status)


@pytest.mark.parametrize("request_", [SetRate(2000, 1, 1), wire.TestSignal(1), WriteIdentity(5, 6)])
def test_some_things_are_done_only_while_stopped(request_: Record) -> None:
    one, _ = link()
    one.read(0.0)
    (answer,) = ask(one, request_)
    assert isinstance(answer, Answer)
    assert answer.status == 5
    (hello,) = ask(one, AskHello())  # is answered while it streams
    assert isinstance(hello, Hello)
    assert (hello.flags, hello.rate_num, hello.device_id >> 32) == (1, 1000, 0x53494D00)


def test_an_answer_carries_the_value_in_force_whether_it_was_taken_or_refused() -> None:
    one, _ = link(started=False)
    one.read(0.0)
    asked = SetRate(2000, 1, 1), SetRate(1500, 1, 1), wire.TestSignal(1), wire.TestSignal(2), WriteIdentity(5, 6)
    answers = [answer for answer in ask(one, *asked) if isinstance(answer, Answer)]
    assert [(answer.status, answer.value) for answer in answers] == [(0, 2000), (2, 2000), (0, 1), (2, 1), (0, 0)]


def test_a_stop_while_stopped_is_done() -> None:
    one, _ = link(started=False)
    one.read(0.0)
    assert ask(one, Stop())[0] == Answer(Stop.TYPE, 40, 0, 0)


def test_the_test_signal_is_the_agreed_pattern_until_it_is_switched_off() -> None:
    one, time = link(started=False)
    read_for(one, time, 0.1)
    _, on, hello, _ = ask(one, SetRate(1000, 2, 4), wire.TestSignal(1), Start())
    assert on == Answer(wire.TestSignal.TYPE, 41, 0, 1)
    assert isinstance(hello, Hello)
    assert hello.flags == 3
    counts = counts_in(read_for(one, time, 1.0))
    assert counts == [count for n in range(len(counts) // 2) for count in scan(n, 2, 4)]
    ask(one, Stop(), wire.TestSignal(0))
    assert ask(one, AskHello())[0].flags == 0  # type: ignore[union-attr]


def test_an_identity_is_kept() -> None:
    one, _ = link(started=False)
    one.read(0.0)
    hello = ask(one, WriteIdentity(5, 6), AskHello())[1]
    assert isinstance(hello, Hello)
    assert (hello.device_id, hello.gain_milli) == (5, 6)


def test_a_request_may_come_byte_by_byte_and_a_damaged_one_goes_unheard() -> None:
    one, _ = link(started=False)
    one.read(0.0)
    whole = frame(AskHello(), 1)
    for byte in whole:
        one.write(bytes([byte]))
    assert len(frames(one.read(0.0))) == 1
    one.write(bytes([whole[0], whole[1] ^ 4]) + whole[2:])
    assert one.read(0.0) == b""


def test_the_answer_stands_after_the_samples_that_were_made_before_the_request() -> None:
    one, time = link()
    one.read(0.0)
    time.now_s += 0.5
    one.write(frame(AskHello(), 1))
    *samples, hello = frames(one.read(0.0))
    assert sum(len(s.counts) for s in samples if isinstance(s, Samples)) == 496
    assert isinstance(hello, Hello)
    assert hello.index == 496


def test_a_closed_link_is_lost_and_closing_twice_is_fine() -> None:
    one, _ = link()
    one.close()
    one.close()
    with pytest.raises(LinkLostError, match="sim is closed"):
        one.read(0.1)
    with pytest.raises(LinkLostError, match="sim is closed"):
        one.write(b"\0")


def test_a_last_short_frame_holds_what_is_left() -> None:
    data = b"".join(recorded(DEMO, 7, 1.005))
    assert counts_in(data) == counts_in(MINUTE)[:1005]


def test_wearers_go_by_name_and_seed() -> None:
    assert parse_spec("sim") == (DEMO, 0)
    assert parse_spec("sim:twitches") == (SCENARIOS["twitches"], 0)
    assert parse_spec("sim:spasms:12") == (SCENARIOS["spasms"], 12)
    assert open_sim("sim:quiet:3").name == "sim:quiet:3"
    for wrong in ("sim:nobody", "sim:demo:x", "serial", "sim:demo:-1"):
        with pytest.raises(UsageError, match=r"There is no simulated wearer.*demo.*sim:twitches:3"):
            parse_spec(wrong)
