"""What the host writes into a recording: settings, their changes, clock marks and the wearer's marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emgtwitch.detect.records import Mark, Opened, Output
from emgtwitch.errors import UnreadableInputError
from emgtwitch.pipeline import Pipeline, WireVersionError
from emgtwitch.settings import Settings, SettingsError
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Board, Clock
from tests.pipeline.tape import (
    BOOT_NS,
    HELLO,
    OFFSET_S,
    UTC_MS,
    Tape,
    events,
    imported,
    in_uV,
    intervals,
    muscle,
    of,
    records,
    run,
)

BURSTS = [(3.0, 0.12), (4.0, 0.5), (8.0, 0.12), (9.0, 0.5)]
SIGNAL = muscle(11.0, BURSTS)


def opened(found: list[Output]) -> Opened:
    (record,) = of(Opened, found)
    return record


def test_a_recording_opens_with_what_it_says_of_itself() -> None:
    session = {"recording_id": "r7", "settings": Settings(twitch_max_ms=100).as_dict(), "worn": [{"muscle": "calf"}]}
    found = records(Tape().session(**session).hello().samples(SIGNAL))
    first = opened(found)
    assert found[0] is first
    assert (first.recording_id, first.session, first.device) == ("r7", session, f"{7:016x}")
    assert (first.rate_Hz, first.channels, first.uV_per_count) == (1000.0, 1, 5e6 / 65536 / 1000)
    assert first.settings_digest == Settings(twitch_max_ms=100).digest


def test_a_replay_uses_the_settings_in_the_recording_unless_told_otherwise() -> None:
    tape = Tape().session(settings=Settings(twitch_max_ms=100).as_dict()).hello().samples(SIGNAL)
    assert [event.event_class for event in events(records(tape))] == ["contraction"] * 4
    told = records(tape, Settings(twitch_max_ms=140))
    assert [event.event_class for event in events(told)] == ["twitch", "contraction"] * 2
    assert {event.settings_digest for event in events(told)} == {opened(told).settings_digest}
    changed = Tape().hello().samples(SIGNAL[:6000]).change(twitch_max_ms=100).samples(SIGNAL[6000:])
    assert {event.settings_digest for event in events(records(changed, Settings()))} == {Settings().digest}


def test_changed_settings_hold_from_there_on_and_the_detector_starts_afresh() -> None:
    tape = Tape().hello().samples(SIGNAL[:6000]).change(twitch_max_ms=100).samples(SIGNAL[6000:])
    found = records(tape)
    assert [event.event_class for event in events(found)] == ["twitch", "contraction", "contraction", "contraction"]
    digests = [event.settings_digest for event in events(found)]
    assert digests == [Settings().digest] * 2 + [Settings(twitch_max_ms=100).digest] * 2
    numbers = [event.number for event in events(found)]
    assert numbers == sorted(set(numbers))
    assert [round(i.onset_s, 1) for i in intervals(found, "settling")] == [0.0, 6.0]


def test_a_change_closes_the_open_event_with_the_settings_that_found_it() -> None:
    tape = Tape().hello().samples(SIGNAL[:4250]).change(twitch_max_ms=100).samples(SIGNAL[4250:])
    cut = events(records(tape))[1]
    assert (cut.truncated, cut.settings_digest) == (True, Settings().digest)


def test_changes_add_up_and_what_is_no_setting_changes_nothing() -> None:
    tape = Tape().hello().samples(SIGNAL[:2000]).change(twitch_max_ms=100).change(min_ms=7)
    pipeline = Pipeline()
    pipeline.feed(bytes(tape.data))
    assert pipeline.settings == Settings(twitch_max_ms=100, min_ms=7)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"sensitivity": 3}, "In the recording: Setting 'sensitivity' is unknown. Known are: preset, mains_Hz"),
        ({"min_ms": "x"}, "Setting min_ms is 'x'; it must be a number from 1 to 10000 ms"),
        ([1], r"The recording's settings are \[1\], no table"),
        (None, "The recording's settings are None, no table"),
    ],
)
def test_settings_that_cannot_be_used_are_named_with_the_way_out(settings: object, text: str) -> None:
    with pytest.raises(SettingsError, match=text + ".*--preset"):
        records(Tape().session(settings=settings).hello())
    assert events(records(Tape().session(settings=settings).hello().samples(SIGNAL), Settings()))


def test_an_unknown_setting_in_a_change_is_an_error_too() -> None:
    with pytest.raises(SettingsError, match="In the recording: Setting 'x' is unknown"):
        records(Tape().hello().samples(SIGNAL).change(x=1))


def test_another_wire_version_says_what_to_do() -> None:
    for data in (Tape().hello(wire_version=9).data, note(Board(replace(HELLO, wire_version=9).pack()), 0)):
        with pytest.raises(WireVersionError, match=r"speaks wire version 9; this program reads 1\. Update"):
            run(bytes(data))
    assert issubclass(WireVersionError, UnreadableInputError)


# Segments


def test_the_heads_of_later_segments_change_nothing() -> None:
    plain = Tape().session(recording_id="r").hello().clock().samples(SIGNAL)
    split = Tape().session(recording_id="r").hello().clock().samples(SIGNAL[:4300])
    split.session(recording_id="r", segment=1, settings=Settings(twitch_max_ms=100).as_dict()).board()
    assert run(split.samples(SIGNAL[4300:]))[0] == run(plain)[0]


def test_a_segment_alone_is_a_cold_run_from_its_first_sample() -> None:
    alone = Tape().session(recording_id="r", segment=1).board()
    alone.index, alone.seq = 123_456, 789
    whole = Tape().session(recording_id="r", segment=1).hello().samples(SIGNAL)
    assert records(alone.samples(SIGNAL)) == records(whole)


def test_only_the_first_session_note_counts_even_if_it_is_the_second() -> None:
    late = Tape().hello().samples(SIGNAL[:2000]).session(recording_id="late", settings={"twitch_max_ms": 100})
    found = records(late.samples(SIGNAL[2000:]))
    assert (opened(found).recording_id, opened(found).session) == ("", {})
    assert events(found)[0].settings_digest == Settings().digest


# Marks


def test_a_mark_of_the_wearer_stands_at_the_sample_that_follows() -> None:
    tape = Tape().hello().samples(SIGNAL[:2500]).note("felt", note="left calf").samples(SIGNAL[2500:])
    (mark,) = of(Mark, records(tape))
    assert mark == Mark("felt", None, 2.5, "host", 2500, {"note": "left calf"})


def test_a_note_without_a_kind_is_none() -> None:
    from emgtwitch.wire.records import Note

    tape = Tape().hello().samples(SIGNAL[:2500])
    tape.data += note(Note({}), 0)
    assert of(Mark, records(tape)) == []


def test_a_mark_before_the_first_sample_has_the_hosts_time() -> None:
    tape = Tape().hello().clock().note("felt").samples(SIGNAL)
    stamped = [s for s in run(tape)[0] if isinstance(s.record, Mark)]
    assert [(s.utc_ms, s.offset_s) for s in stamped] == [(UTC_MS, OFFSET_S)]


# The host's clocks


def test_a_recording_without_clock_marks_has_no_wall_clock_time() -> None:
    for data in (bytes(Tape().hello().samples(SIGNAL).data), imported(in_uV(SIGNAL)[:, None])):
        out, progress = run(data)
        assert {(stamped.utc_ms, stamped.offset_s) for stamped in out} == {(None, None)}
        assert (progress.clock_ppm, progress.clock_ppm_uncertainty) == (None, None)


def seconds_of(tape: Tape, n: int, at: int = 0) -> Tape:
    for k in range(n):
        tape.samples(SIGNAL[1000 * (at + k) : 1000 * (at + k + 1)]).clock()
    return tape


def test_a_stepped_wall_clock_is_told_and_times_after_it_are_the_new_ones() -> None:
    tape = seconds_of(Tape().hello().clock(), 6)
    tape.utc_step_ms = 90_000
    tape.offset_s = OFFSET_S + 3600
    out, _ = run(seconds_of(tape, 5, 6))
    (step,) = intervals((s.record for s in out), "clock_step")
    assert (step.cause, step.onset_s, step.offset_s) == ("+90.0 s", 7.0, 7.0)
    assert intervals((s.record for s in out), "suspend") == []
    stamps = [(s.utc_ms, s.offset_s) for s in out if s.record in events(s.record for s in out)]
    onsets = [event.onset_s for event in events(s.record for s in out)]
    expected = [(UTC_MS + 1000 * t + (90_000 if t > 7 else 0), OFFSET_S + (3600 if t > 7 else 0)) for t in onsets]
    for (utc_ms, offset_s), (wanted_ms, wanted_s) in zip(stamps, expected, strict=True):
        assert utc_ms == pytest.approx(wanted_ms, abs=5)
        assert offset_s == wanted_s


def test_a_suspend_is_told_and_utc_holds_through_it() -> None:
    tape = seconds_of(Tape().hello().clock(), 5)
    tape.asleep_s = 100.0
    out, _ = run(seconds_of(tape.lose(100_000), 6, 5))
    (asleep,) = intervals((s.record for s in out), "suspend")
    assert asleep.cause == "+100.0 s"
    assert intervals((s.record for s in out), "clock_step") == []
    last = [s for s in out if s.record in events(s.record for s in out)][-1]
    assert last.utc_ms == pytest.approx(UTC_MS + 1000 * 109.0, abs=20)


def test_remarks_on_clocks_wait_for_the_recording_to_open() -> None:
    """A log takes an interval only of a recording that it knows."""
    tape = Tape().hello().clock()
    tape.asleep_s = 50.0
    tape.at_s += 50.0
    found = records(tape.clock().samples(SIGNAL))
    assert isinstance(found[0], Opened)
    assert intervals(found, "suspend") == []


@pytest.mark.parametrize("clock", [Clock(1, 1, -5, 0), Clock(1, 1, 1 << 60, 0), Clock(1, 1, UTC_MS, 90_000)])
def test_clock_marks_that_no_calendar_holds_are_none(clock: Clock) -> None:
    tape = Tape().hello().clock().samples(SIGNAL[:5000])
    tape.data += note(clock, 9)
    out, _ = run(tape.samples(SIGNAL[5000:]))
    assert all(abs((s.utc_ms or 0) - UTC_MS) < 20_000 for s in out)
    assert BOOT_NS > 0


def test_the_boards_rate_is_measured_against_the_host() -> None:
    tape = Tape().hello().clock()
    quiet = np.resize(muscle(1.0), 1000)
    for _ in range(60):
        tape.samples(quiet)
        tape.at_s -= 50e-6  # a board 50 ppm too fast makes its thousand scans so much sooner
        tape.clock()
    progress = run(tape)[1]
    assert progress.clock_ppm == pytest.approx(50.0, abs=0.1)
    assert progress.clock_ppm_uncertainty is not None
    assert progress.clock_ppm_uncertainty < 1.0
