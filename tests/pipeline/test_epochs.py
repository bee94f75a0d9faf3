"""One time for a session: through resets, unplugs and new rates the host's clock marks bridge the holes."""

from __future__ import annotations

import numpy as np
import pytest

from emgtwitch.detect.records import Event, Mark
from emgtwitch.pipeline import Pipeline
from tests.pipeline.tape import RATE_HZ, UTC_MS, Tape, events, intervals, muscle, of, records, run

HOLE_S = 12.5
LATE_S = (0.0, 0.004, 0.016, 0.04)  # how late a clock mark may be
BURST = [(4.0, 0.5)]


def marked(tape: Tape, seconds: float, seed: int = 0, bursts: list[tuple[float, float]] | None = None) -> Tape:
    """Half seconds of signal, each followed by a clock mark, as the splicer makes them."""
    signal = muscle(seconds, bursts or [], seed, tape.rate_Hz)
    step = tape.rate_Hz // 2
    for k, at in enumerate(range(0, len(signal), step)):
        tape.samples(signal[at : at + step]).clock(LATE_S[k % len(LATE_S)])
    return tape


def resets() -> dict[str, Tape]:
    """A board that starts anew after HOLE_S, with the first clock mark before, at or after its first word."""
    made = {}
    for name in ("before", "both", "after", "unplugged"):
        tape = marked(Tape().port(1).hello().clock(), 6.0)
        if name == "unplugged":
            tape.port(0)
        tape.restart(HOLE_S)
        if name == "unplugged":
            tape.port(1)
        if name == "before":
            tape.clock(-0.2)
        tape.hello()
        if name == "both":
            tape.clock()
        made[name] = marked(tape, 8.0, 1, BURST)
    return made


@pytest.mark.parametrize("name", ["before", "both", "after", "unplugged"])
def test_a_reset_is_a_gap_as_long_as_the_host_measured(name: str) -> None:
    out, progress = run(resets()[name])
    found = [stamped.record for stamped in out]
    (gap,) = intervals(found, "gap")
    assert gap.onset_s == 6.0
    assert gap.offset_s - gap.onset_s == pytest.approx(HOLE_S, abs=max(LATE_S) + 0.001)
    assert gap.cause == ("unplugged" if name == "unplugged" else "reset")
    (event,) = events(found)
    assert event.onset_s == pytest.approx(gap.offset_s + 4.0, abs=0.02)
    assert progress.duration_s == pytest.approx(14.0 + HOLE_S, abs=max(LATE_S) + 0.001)
    (stamped,) = [stamped for stamped in out if isinstance(stamped.record, Event)]
    assert stamped.utc_ms == pytest.approx(UTC_MS + 1000 * (6 + HOLE_S + 4), abs=60)


def test_silence_before_a_new_start_belongs_to_the_hole() -> None:
    """A stopped board says Hello every few seconds; the clock marks after them do not move the end of its samples."""
    tape = marked(Tape().hello().clock(), 6.0)
    for _ in range(10):
        tape.at_s += 3.0
        tape.hello().clock()
    tape.run += 1
    tape.index = 0
    found = records(marked(tape.hello().clock(), 3.0))
    (gap,) = intervals(found, "gap")
    assert gap.onset_s == 6.0
    assert gap.offset_s == pytest.approx(36.0, abs=0.05)


def test_a_new_start_within_the_hello_changes_nothing_but_the_epoch() -> None:
    """Hello after Hello without samples between them: only the last says how to read what comes."""
    tape = marked(Tape().hello().clock(), 3.0).restart(1.0).hello(channels=3).clock()
    tape.run += 1
    found = records(marked(tape.hello().clock(), 3.0))
    assert len(intervals(found, "gap")) == 1
    assert {interval.channel for interval in intervals(found, "settling")} == {0}


def test_without_clock_marks_a_reset_is_told_though_its_length_is_not_known() -> None:
    tape = Tape().hello().samples(muscle(3.0)).restart(9.0).hello().samples(muscle(3.0))
    out, progress = run(tape)
    (gap,) = intervals((stamped.record for stamped in out), "gap")
    assert (gap.onset_s, gap.offset_s, gap.cause) == (3.0, 3.0, "reset")
    assert progress.duration_s == 6.0
    assert {(stamped.utc_ms, stamped.offset_s) for stamped in out} == {(None, None)}


def test_a_board_that_never_sends_a_clock_mark_again_is_placed_by_the_last() -> None:
    tape = marked(Tape().hello().clock(), 3.0).restart(5.0).hello().clock().samples(muscle(4.0))
    (gap,) = intervals(records(tape), "gap")
    assert gap.offset_s - gap.onset_s == pytest.approx(5.0, abs=0.05)


def test_an_unplug_closes_the_open_event_at_once() -> None:
    tape = Tape().hello().samples(muscle(5.0, [(4.0, 9.0)])).port(0)
    (event,) = [s.record for s in Pipeline().feed(bytes(tape.data)) if isinstance(s.record, Event)]
    assert event.truncated


def test_marks_while_the_board_is_unplugged_come_at_once() -> None:
    tape = Tape().hello().samples(muscle(5.0)).port(0).note("felt")
    kinds = [getattr(stamped.record, "kind", "") for stamped in Pipeline().feed(bytes(tape.data))]
    assert "felt" in kinds


def test_a_port_that_comes_back_to_the_same_run_is_a_gap_told_by_the_index() -> None:
    tape = Tape().hello().clock().samples(muscle(3.0)).port(0).lose(4000).port(1).hello().samples(muscle(3.0))
    (gap,) = intervals(records(tape), "gap")
    assert (gap.onset_s, gap.offset_s, gap.cause) == (3.0, 7.0, "unplugged")


@pytest.mark.parametrize("rate_Hz", [500, 2000, 4000])
def test_times_hold_through_a_change_of_rate(rate_Hz: int) -> None:
    tape = marked(Tape().hello().clock(), 6.0, 0, BURST)
    tape.rate_Hz = rate_Hz
    tape.run += 1
    tape.index = 0
    tape.at_s += 1.0
    found, progress = run(marked(tape.hello().clock(), 6.0, 1, BURST))
    first, second = events(stamped.record for stamped in found)
    assert first.onset_s == pytest.approx(4.0, abs=0.02)
    assert second.onset_s == pytest.approx(7.0 + 4.0, abs=0.06)
    assert second.duration_ms == pytest.approx(500, abs=25)
    assert progress.duration_s == pytest.approx(13.0, abs=0.05)
    order = [getattr(stamped.record, "decided_sample", 0) for stamped in found]
    assert order == sorted(order)


def test_a_channel_that_joins_or_leaves_is_not_analysable_without_samples() -> None:
    tape = marked(Tape().hello().clock(), 4.0)
    tape.channels, tape.run, tape.index = 2, 2, 0
    marked(tape.hello(), 4.0)
    tape.channels, tape.run, tape.index = 1, 3, 0
    out, progress = run(marked(tape.hello(), 4.0))
    lacking = [g for g in intervals((s.record for s in out), "gap") if g.channel == 1]
    assert [round(g.offset_s - g.onset_s) for g in lacking] == [4, 4]
    assert progress.analysable_s[0] - progress.analysable_s[1] == pytest.approx(8.0 - 2 * 0.75, abs=1.0)
    assert progress.analysable_s[1] < 4.0


def test_event_numbers_go_on_through_epochs() -> None:
    tape = marked(Tape().hello().clock(), 6.0, 0, [(3.0, 0.5), (4.5, 0.5)])
    found = records(marked(tape.restart(1.0).hello().clock(), 6.0, 1, BURST))
    numbers = [event.number for event in events(found)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 3


def test_a_boards_mark_before_its_first_sample_stands_at_that_sample() -> None:
    tape = marked(Tape().hello().clock(), 3.0).restart(2.0).hello().mark(1).samples(muscle(1.0)).clock()
    found = records(marked(tape, 1.0))
    (mark,) = of(Mark, found)
    (gap,) = intervals(found, "gap")
    assert mark.at_s == pytest.approx(gap.offset_s, abs=1e-9)


def test_damage_at_a_reset_shifts_nothing_but_by_what_it_takes() -> None:
    """The first frames of the new run are lost: its first sample that arrives is placed by the clock all the same."""
    tape = marked(Tape().hello().clock(), 6.0).restart(3.0).hello().clock().lose(800)
    found = records(marked(tape, 6.0, 1, BURST))
    (event,) = events(found)
    assert event.onset_s == pytest.approx(6.0 + 3.0 + 0.8 + 4.0, abs=0.06)


def test_memory_of_an_epoch_that_cannot_be_placed_is_bounded() -> None:
    tape = Tape().hello().samples(muscle(1.0)).restart(1.0).hello()
    pipeline = Pipeline()
    pipeline.feed(bytes(tape.data))
    for _ in range(2000):
        start = len(tape.data)
        pipeline.feed(bytes(tape.mark(1).data[start:]))
        assert 0 < len(pipeline._held) <= 256
    start = len(tape.data)
    tape.samples(np.resize(muscle(1.0), 10 * RATE_HZ))
    pipeline.feed(bytes(tape.data[start:]))
    assert pipeline._held == []


def test_progress_between_two_epochs_stands_still() -> None:
    tape = marked(Tape().hello().clock(), 3.0)
    pipeline = Pipeline()
    pipeline.feed(bytes(tape.data))
    assert pipeline.progress.duration_s == 3.0
    at = len(tape.data)
    pipeline.feed(bytes(tape.restart(2.0).hello(rate_num=4000).clock().data[at:]))
    assert pipeline.progress.duration_s == 3.0
    assert of(Event, [s.record for s in pipeline.finish()]) == []
