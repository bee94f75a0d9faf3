"""What the board reports about itself becomes a mark when it is news, and only then."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from emgtwitch.detect.records import Mark, Opened
from emgtwitch.pipeline import Pipeline
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import Counters, Guard
from tests.pipeline.tape import Tape, muscle, of, records, run

SIGNAL = muscle(8.0)
WATCH = Guard(period=1, guarded_s=12000, twitches=12, contractions=3, spasms=1, longest_ms=2500)
NONE = Counters(0, 0, 0, 0, 0)


def say(tape: Tape, *reports: Counters | Guard) -> Tape:
    for report in reports:
        tape.data += frame(report, tape.seq)
        tape.seq = (tape.seq + 1) & 0xFFFF
    return tape


def test_what_the_board_found_alone_is_told_once_at_the_run_that_ended_its_watch() -> None:
    tape = say(Tape().hello(), NONE, WATCH).samples(SIGNAL[:4000])
    say(tape.hello(), NONE, WATCH).samples(SIGNAL[4000:])
    found = records(tape)
    assert of(Mark, found) == [Mark("guard", None, 0.0, "board", 0, asdict(WATCH))]
    assert isinstance(found[0], Opened)  # a log takes the mark into the session


def test_another_watch_is_told_too() -> None:
    later = replace(WATCH, period=2, twitches=0)
    tape = say(Tape().hello(), WATCH).samples(SIGNAL[:4000])
    tape.restart(60.0)
    tape.run = 2
    found = of(Mark, records(say(tape.hello(), later).samples(SIGNAL[4000:])))
    assert [mark.detail["period"] for mark in found] == [1, 2]


def test_a_watch_that_goes_on_is_told_when_it_has_ended() -> None:
    """The host was asleep: what the board said meanwhile lay in the port's buffer."""
    tape = Tape().hello().samples(SIGNAL[:4000])
    for k in range(1, 5):
        say(tape.hello(flags=0), NONE, replace(WATCH, guarded_s=5 * k, twitches=k))
    tape.run = 2
    tape.index = 0
    found = of(Mark, records(say(tape.hello(), NONE, replace(WATCH, twitches=4)).samples(SIGNAL[4000:])))
    assert [mark.detail["twitches"] for mark in found] == [4]


def test_another_boards_watch_is_its_own() -> None:
    tape = say(Tape().hello(), WATCH).samples(SIGNAL[:4000]).port(0).port(1)
    found = of(Mark, records(say(tape.hello(device_id=8, index=0), WATCH).samples(SIGNAL[4000:])))
    assert len(found) == 2


def test_a_counter_that_rises_is_a_mark_with_its_rise() -> None:
    tape = say(Tape().hello(), Counters(3, 0, 0, 0, 0)).samples(SIGNAL[:2000])
    say(tape, Counters(3, 0, 0, 0, 0)).samples(SIGNAL[2000:4000])
    found = of(Mark, records(say(tape, Counters(5, 1, 0, 0, 0)).samples(SIGNAL[4000:])))
    assert found == [Mark("board_errors", None, 4.0, "board", 4000, {"line_errors": 2, "rejected_requests": 1})]


def test_lost_scans_are_gaps_and_no_marks_besides() -> None:
    tape = say(Tape().hello(), NONE).samples(SIGNAL[:2000])
    assert of(Mark, records(say(tape, replace(NONE, lost_scans=40)).samples(SIGNAL[2000:]))) == []


def test_counters_that_were_set_to_zero_count_from_there() -> None:
    tape = say(Tape().hello(), Counters(9, 9, 0, 0, 0)).samples(SIGNAL[:2000])
    say(tape, NONE).samples(SIGNAL[2000:3000])
    found = of(Mark, records(say(tape, replace(NONE, watchdog_resets=1)).samples(SIGNAL[3000:])))
    assert [mark.detail for mark in found] == [{"watchdog_resets": 1}]


def test_the_latest_counters_can_be_asked_for() -> None:
    pipeline = Pipeline()
    assert pipeline.counters is None
    pipeline.feed(bytes(say(Tape().hello(), NONE, replace(NONE, missed_triggers=4)).samples(SIGNAL).data))
    assert pipeline.counters == replace(NONE, missed_triggers=4)


@pytest.mark.parametrize("step", [1, 53, 4096])
def test_reports_do_not_depend_on_how_the_stream_is_cut(step: int) -> None:
    tape = say(Tape().hello().clock(), NONE, WATCH).samples(SIGNAL[:500]).clock()
    say(tape.hello(), replace(NONE, missed_triggers=4), WATCH).samples(SIGNAL[500:1000])
    data = bytes(tape.data)
    assert run(data, range(0, len(data), step)) == run(data)
