"""Law 3: loss is data. What is missing is an interval; up to 100 ms an open event and the floor live on."""

from __future__ import annotations

import random

import numpy as np
import pytest

from emgtwitch.detect.records import Interval, Mark
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import Scenario, Scheduled
from tests.pipeline.tape import RATE_HZ, Tape, events, imported, in_uV, intervals, muscle, of, records, run

BURST = (4.0, 1.2)
SETTLED_S = 1.5


def with_gap(scans: int, at_s: float = 4.5) -> Tape:
    signal = muscle(9.0, [BURST])
    at = round(at_s * RATE_HZ)
    return Tape().hello().samples(signal[:at]).lose(scans).samples(signal[at:])


@pytest.mark.parametrize("scans", [16, 48, 96, 100])
def test_a_gap_of_up_to_100_ms_leaves_event_and_floor_alive(scans: int) -> None:
    found = records(with_gap(scans))
    (event,) = events(found)
    assert not event.truncated
    assert event.duration_ms == pytest.approx(1200 + scans, abs=30)
    (gap,) = intervals(found, "gap")
    assert (gap.onset_s, gap.offset_s, gap.cause, gap.channel) == (4.5, 4.5 + scans / RATE_HZ, "lost", None)
    assert len(intervals(found, "settling")) == 1


@pytest.mark.parametrize("scans", [101, 112, 5000])
def test_a_longer_gap_closes_the_event_and_starts_cold(scans: int) -> None:
    found = records(with_gap(scans))
    first, *rest = events(found)
    assert first.truncated
    assert first.offset_s == pytest.approx(4.5, abs=0.03)
    assert all(event.onset_s >= 4.5 + scans / RATE_HZ for event in rest)
    assert len(intervals(found, "settling")) == 2


@pytest.mark.parametrize(("missing", "truncated"), [(1, False), (100, False), (101, True), (2000, True)])
@pytest.mark.parametrize("what", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_missing_by_the_same_rule(missing: int, truncated: bool, what: float) -> None:
    values = np.insert(in_uV(muscle(9.0, [BURST])), 4500, np.full(missing, what))
    found = records(imported(values[:, None]))
    assert events(found)[0].truncated == truncated
    (gap,) = intervals(found, "gap")
    assert (gap.onset_s, gap.offset_s, gap.cause, gap.channel) == (4.5, 4.5 + missing / RATE_HZ, "missing", 0)
    assert len(intervals(found, "settling")) == 1 + truncated


@pytest.mark.parametrize(("missing", "truncated"), [(52, False), (53, True)])
def test_a_hole_of_values_and_one_of_frames_add_up(missing: int, truncated: bool) -> None:
    from emgtwitch.wire.bulk import encode_values
    from emgtwitch.wire.encode import frame
    from emgtwitch.wire.records import Import

    values = in_uV(muscle(9.0, [BURST]))[:, None]
    before = np.concatenate([values[:4500], np.full((missing, 1), np.nan)])
    head, seq = encode_values(before, 0, 1)
    tail, _ = encode_values(values[4500:], len(before) + 48, seq)
    nan = float("nan")
    found = records(frame(Import(RATE_HZ, 1, 1, 1, (nan, nan)), 0) + head + tail)
    assert events(found)[0].truncated == truncated


def test_a_truncated_event_is_told_before_the_values_come_back() -> None:
    values = in_uV(muscle(6.0, [(4.0, 2.0)]))
    values[4500:] = np.nan
    decided = [event.decided_sample for event in events(records(imported(values[:, None])))]
    assert decided == [4500]


def test_the_end_of_a_recording_truncates_what_is_open() -> None:
    (event,) = events(records(Tape().hello().samples(muscle(5.0, [(4.0, 2.0)]))))
    assert event.truncated
    assert event.offset_s == pytest.approx(5.0, abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_a_spasm_of_10_s_on_a_noisy_line_is_still_one_spasm(seed: int) -> None:
    """One wrong byte in a thousand costs some three frames of 16 scans a second."""
    scenario = Scenario(schedule=(Scheduled(4.0, "spasm", 800.0, 10.0),))
    rng = random.Random(seed)
    clean = b"".join(recorded(scenario, seed, 20.0))
    noisy = bytes(rng.randrange(256) if rng.random() < 1e-3 else byte for byte in clean)
    found, progress = run(noisy)
    (spasm,) = [event for event in events(s.record for s in found) if event.event_class == "spasm"]
    (true,) = [event for event in events(records(clean)) if event.event_class == "spasm"]
    assert not spasm.truncated
    assert spasm.onset_s == pytest.approx(true.onset_s, abs=0.05)
    assert spasm.offset_s == pytest.approx(true.offset_s, abs=0.05)
    gaps = [g for g in intervals((s.record for s in found), "gap") if spasm.onset_s <= g.onset_s < spasm.offset_s]
    assert 1.5 < len(gaps) / (spasm.duration_ms / 1000) < 4.5
    assert all(g.offset_s - g.onset_s <= 0.1 for g in gaps)
    lost_s = sum(g.offset_s - g.onset_s for g in intervals((s.record for s in found), "gap"))
    assert progress.scans_lost == pytest.approx(lost_s * scenario.fs_Hz, abs=32)


# Electrodes


def test_a_channel_without_its_electrode_is_lead_off_and_the_other_goes_on() -> None:
    signal = muscle(12.0, [(4.0, 0.5), (6.0, 0.5), (10.5, 0.5)])
    tape = Tape(2).hello().samples(signal[:5000]).mark(2, 1).samples(signal[5000:8000]).mark(3, 1)
    found = records(tape.samples(signal[8000:]))
    assert [round(e.onset_s) for e in events(found, 0)] == [4, 6, 10]
    assert [round(e.onset_s) for e in events(found, 1)] == [4, 10]
    (off,) = intervals(found, "lead_off")
    assert (off.channel, off.onset_s, off.offset_s) == (1, 5.0005, 8.0005)


def test_an_electrode_that_comes_off_closes_the_open_event() -> None:
    signal = muscle(6.0, [(4.0, 2.0)])
    found = records(Tape().hello().samples(signal[:4800]).mark(2).samples(signal[4800:]))
    (event,) = events(found)
    assert event.truncated
    assert event.offset_s == pytest.approx(4.8, abs=0.03)
    (off,) = intervals(found, "lead_off")
    assert (off.onset_s, off.offset_s) == (4.8, 6.0)


def test_a_reset_ends_a_lead_off_since_the_board_would_say_it_again() -> None:
    signal = muscle(14.0, [(12.0, 0.5)])
    tape = Tape().hello().clock().samples(signal[:5000]).clock().mark(2).samples(signal[5000:6000])
    found = records(tape.restart(2.0).hello().samples(signal[6000:]).clock())
    (off,) = intervals(found, "lead_off")
    assert (off.onset_s, off.offset_s) == (5.0, 6.0)
    assert len(events(found)) == 1


def test_an_electrode_off_from_the_first_sample_is_heard() -> None:
    """The board's word may come before the samples that it is about."""
    found = records(Tape().hello().mark(2).samples(muscle(3.0)).mark(3).samples(muscle(3.0)))
    (off,) = intervals(found, "lead_off")
    assert (off.onset_s, off.offset_s) == (0.0, 3.0)


@pytest.mark.parametrize("ahead", [-20, 0, 9])
def test_board_marks_stand_where_the_board_says(ahead: int) -> None:
    tape = Tape().hello(index=0xFFFFFFF0)
    tape.index = 0xFFFFFFF0
    found = records(tape.samples(muscle(2.0)).mark(1, 255, ahead).samples(muscle(1.0)))
    (mark,) = of(Mark, found)
    assert (mark.kind, mark.source) == ("button", "board")
    assert mark.at_s == pytest.approx(2.0 + ahead / RATE_HZ)


def test_every_interval_of_a_recording_lies_within_it() -> None:
    tape = (
        Tape().hello().samples(muscle(3.0)).lose(500).samples(muscle(2.0)).mark(2).samples(muscle(1.0)).mark(3, 255, 9)
    )
    out, progress = run(tape.samples(muscle(0.1)))
    for interval in of(Interval, [stamped.record for stamped in out]):
        assert 0 <= interval.onset_s <= interval.offset_s
        assert interval.onset_s <= progress.duration_s
