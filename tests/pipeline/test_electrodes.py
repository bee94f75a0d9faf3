"""An electrode's state: the board marks each change, and every Hello says it again, so that a lost mark is mended."""

from __future__ import annotations

import itertools

import pytest

from emgtwitch.detect.records import Interval, Mark
from tests.pipeline.tape import Tape, intervals, muscle, of, records, run

OFF, ON = 2, 3
SIGNAL = muscle(12.0, [(3.5, 0.3), (10.5, 0.3)])
HELLO_EVERY = 1000


def bit(off: bool, channel: int = 0) -> int:
    return 1 | off << (2 + channel)


def tape(lost: tuple[int, ...] = (), channels: int = 2, which: int = 1, off_at: int = 4300, on_at: int = 7700) -> Tape:
    """The electrode of channel `which` is off between two scans; the marks of the kinds `lost` do not arrive."""
    told = Tape(channels).hello()
    for at in range(0, len(SIGNAL), 100):
        for kind, when in ((OFF, off_at), (ON, on_at)):
            if at == when:
                told.mark(kind, which)
                if kind in lost:  # the frame is made, its number taken, and it does not arrive
                    frames = bytes(told.data).split(b"\0")
                    told.data = bytearray(b"\0".join([*frames[:-2], b""]))
        if at % HELLO_EVERY == 0 and at:
            told.hello(flags=bit(off_at <= at < on_at, which))
        told.samples(SIGNAL[at : at + 100])
    return told


def off_times(found: list[object]) -> list[tuple[int | None, float, float]]:
    return [(i.channel, round(i.onset_s, 2), round(i.offset_s, 2)) for i in of(Interval, found) if i.kind == "lead_off"]


@pytest.mark.parametrize(
    ("lost", "onset_s", "offset_s"),
    [((), 4.3, 7.7), ((OFF,), 5.0, 7.7), ((ON,), 4.3, 8.0), ((OFF, ON), 5.0, 8.0)],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_lost_mark_is_mended_by_the_next_hello(
    lost: tuple[int, ...], onset_s: float, offset_s: float, which: int
) -> None:
    assert off_times(list(records(tape(lost, which=which)))) == [(which, onset_s, offset_s)]


def test_the_time_that_a_hello_excludes_is_not_analysable() -> None:
    progress = run(tape((OFF, ON)))[1]
    assert progress.analysable_s[0] - progress.analysable_s[1] == pytest.approx(3.0, abs=2.0)
    assert progress.analysable_s[1] < progress.analysable_s[0]


def test_a_hello_that_says_what_is_known_changes_nothing() -> None:
    assert records(tape()) == records(without_hellos())


def without_hellos() -> Tape:
    told = Tape(2).hello()
    for at in range(0, len(SIGNAL), 100):
        if at == 4300:
            told.mark(OFF, 1)
        if at == 7700:
            told.mark(ON, 1)
        if at % HELLO_EVERY == 0 and at:
            told.seq = (told.seq + 1) & 0xFFFF
        told.samples(SIGNAL[at : at + 100])
    return told


def test_an_electrode_that_was_off_before_the_run_is_off_in_it() -> None:
    told = Tape().hello(flags=bit(True)).samples(SIGNAL[:3000]).hello(flags=bit(False)).samples(SIGNAL[3000:])
    assert off_times(list(records(told))) == [(0, 0.0, 3.0)]


def test_a_hello_before_the_first_sample_mends_what_was_marked_before_it() -> None:
    told = Tape().hello().mark(OFF).hello(flags=bit(False)).samples(SIGNAL)
    assert [(on, off) for _, on, off in off_times(list(records(told))) if off > on] == []
    again = Tape().hello().hello(flags=bit(True)).samples(SIGNAL)
    assert off_times(list(records(again))) == [(0, 0.0, 12.0)]


def test_after_a_reset_the_electrodes_are_as_the_new_hello_says() -> None:
    told = Tape().hello().clock().samples(SIGNAL[:3000]).clock().mark(OFF).samples(SIGNAL[3000:4000])
    told.restart(2.0).hello(flags=bit(True)).samples(SIGNAL[4000:5000]).clock().samples(SIGNAL[5000:6000])
    found = records(told.hello(flags=bit(False)).samples(SIGNAL[6000:]))
    assert [(round(i.onset_s, 1), round(i.offset_s, 1)) for i in intervals(found, "lead_off")] == [(3, 4), (6, 8)]


def test_mending_does_not_depend_on_how_the_stream_is_cut() -> None:
    for lost in itertools.chain.from_iterable(itertools.combinations((OFF, ON), n) for n in range(3)):
        data = bytes(tape(lost).data)
        assert run(data, range(0, len(data), 257)) == run(data)


def test_a_mended_state_is_no_mark() -> None:
    assert of(Mark, records(tape((OFF, ON)))) == []
