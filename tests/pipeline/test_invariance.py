"""Law 4: no answer depends on the cuts, or on how many channels run beside; and no bytes make the pipeline fail."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgtwitch.detect.records import Announcement, Event, Interval, Mark, Output, Stamped
from emgtwitch.errors import EmgtwitchError
from emgtwitch.pipeline import Pipeline
from tests.pipeline.tape import RATE_HZ, Tape, eventful, events, imported, in_uV, intervals, muscle, of, records, run

laws = settings(max_examples=25, deadline=None, derandomize=True)
CUTS = st.lists(st.integers(0, 1 << 20), max_size=60)
TAPE = bytes(eventful().data)
WHOLE = run(TAPE)


def holed(values: np.ndarray, seed: int, holes: int) -> np.ndarray:
    """With stretches of a channel missing, from 1 sample to 3 s, some at the very end."""
    rng = np.random.default_rng(seed)
    out = values.copy()
    for _ in range(holes):
        at, channel = rng.integers(0, len(values)), rng.integers(0, values.shape[1])
        out[at : at + rng.choice([1, 40, 100, 101, 700, 3000]), channel] = rng.choice([np.nan, np.inf, -np.inf])
    return out


def channels_in_uV(seconds: float, channels: int, seed: int = 0) -> np.ndarray:
    bursts = [(3.0 + 1.1 * k, [0.03, 0.4, 2.5][k % 3]) for k in range(int(seconds) - 3)]
    return np.stack([in_uV(muscle(seconds, bursts, seed + k)) for k in range(channels)], axis=1)


def test_the_eventful_recording_holds_every_kind_of_output() -> None:
    found = [stamped.record for stamped in WHOLE[0]]
    assert {type(record) for record in found} >= {Event, Announcement, Interval, Mark}
    kinds = {(record.kind, record.cause) for record in of(Interval, found)}
    assert kinds >= {("gap", "lost"), ("gap", "reset"), ("gap", "unplugged"), ("lead_off", ""), ("settling", "")}
    assert {mark.kind for mark in of(Mark, found)} == {
        *("felt", "button", "unplugged", "back", "electrode_off", "electrode_on")
    }


@laws
@given(CUTS)
def test_cuts_change_neither_what_comes_out_nor_its_order(cuts: list[int]) -> None:
    assert run(TAPE, cuts) == WHOLE


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_blocks_of_any_size_change_nothing(size: int) -> None:
    part = TAPE if size > 1 else TAPE[:30_000]
    assert run(part, range(0, len(part), size)) == run(part)


@laws
@given(st.integers(0, 1 << 20), CUTS)
def test_cuts_change_nothing_in_a_damaged_recording(seed: int, cuts: list[int]) -> None:
    rng = random.Random(seed)
    damaged = bytes(rng.randrange(256) if rng.random() < 1e-3 else byte for byte in TAPE)
    assert run(damaged, cuts) == run(damaged)


@laws
@given(st.integers(0, 1 << 20), st.integers(1, 3), CUTS)
def test_cuts_change_nothing_where_values_are_missing(seed: int, channels: int, cuts: list[int]) -> None:
    data = imported(holed(channels_in_uV(12.0, channels), seed, 8))
    assert run(data, cuts) == run(data)


def own(found: list[Output], channel: int) -> list[Output]:
    """What concerns one channel, as if it were the first."""
    chosen: list[Output] = []
    for record in found:
        if isinstance(record, (Event, Announcement)) and record.channel == channel:
            chosen.append(replace(record, channel=0))
        elif isinstance(record, Interval) and record.channel in (None, channel):
            chosen.append(replace(record, channel=None if record.channel is None else 0))
    return chosen


@pytest.mark.parametrize("seed", range(4))
def test_a_channel_finds_the_same_alone_and_beside_others(seed: int) -> None:
    values = holed(channels_in_uV(20.0, 3, seed), seed, 12)
    together, progress = run(imported(values))
    for k in range(3):
        alone, single = run(imported(values[:, k : k + 1]))
        assert own([s.record for s in together], k) == own([s.record for s in alone], 0)
        assert progress.analysable_s[k] == single.analysable_s[0]
    assert len(of(Event, [s.record for s in together])) >= 10


def test_a_boards_channels_are_sampled_in_turn_and_otherwise_as_alone() -> None:
    signal = np.stack([muscle(15.0, [(4.0, 0.05), (7.0, 1.0), (9.0, 3.0)], seed) for seed in range(4)], axis=1)
    together = records(Tape(4).hello().samples(signal))
    for k in range(4):
        alone = events(records(Tape().hello().samples(signal[:, k])))
        beside = events(together, k)
        assert [e.decided_sample for e in beside] == [e.decided_sample for e in alone]
        assert [e.peak for e in beside] == [e.peak for e in alone]
        for a, b in zip(alone, beside, strict=True):
            assert b.onset_s - a.onset_s == pytest.approx(k / 4 / RATE_HZ, abs=1e-9)
        assert len(alone) == 3


def decided(stamped: Stamped) -> int:
    return getattr(stamped.record, "decided_sample", 0)


@pytest.mark.parametrize("seed", range(3))
def test_outputs_come_in_the_order_in_which_they_were_decided(seed: int) -> None:
    for data in (bytes(eventful(seed, 3).data), imported(holed(channels_in_uV(15.0, 3), seed, 15))):
        order = [decided(stamped) for stamped in run(data, range(0, len(data), 500))[0]]
        assert order == sorted(order)


def test_event_numbers_are_unique_in_a_channel() -> None:
    found = [stamped.record for stamped in WHOLE[0]]
    for k in range(2):
        numbers = [event.number for event in events(found, k)]
        assert len(set(numbers)) == len(numbers) > 5


@pytest.mark.parametrize("seed", range(3))
def test_analysable_time_is_the_duration_without_the_union_of_lost_time(seed: int) -> None:
    for data in (bytes(eventful(seed).data), imported(holed(channels_in_uV(15.0, 2), seed, 10))):
        out, progress = run(data)
        for k, analysable_s in enumerate(progress.analysable_s):
            ticks = np.zeros(round(progress.duration_s * 1e5), dtype=bool)
            for interval in of(Interval, [stamped.record for stamped in out]):
                if interval.channel in (None, k):
                    ticks[round(interval.onset_s * 1e5) : round(interval.offset_s * 1e5)] = True
            assert analysable_s == pytest.approx(progress.duration_s - ticks.sum() / 1e5, abs=1e-3)
            assert analysable_s < progress.duration_s


def test_an_open_hole_is_not_analysable_while_it_lasts() -> None:
    values = channels_in_uV(10.0, 2)
    values[6000:, 1] = np.nan
    pipeline = Pipeline()
    pipeline.feed(imported(values)[:-1] + b"")
    so_far = pipeline.progress
    assert so_far.analysable_s[0] - so_far.analysable_s[1] == pytest.approx(so_far.duration_s - 6.0, abs=0.5)


@settings(laws, max_examples=60)
@given(st.lists(st.one_of(st.integers(0, 25).map(lambda k: k), st.binary(max_size=120)), max_size=20))
def test_no_bytes_make_it_fail_but_for_what_it_says_it_refuses(parts: list[int | bytes]) -> None:
    frames = [piece + b"\0" for piece in TAPE[:3000].split(b"\0") + TAPE[-3000:].split(b"\0")]
    data = b"".join(part if isinstance(part, bytes) else frames[part * len(frames) // 26] for part in parts)
    pipeline = Pipeline()
    with contextlib.suppress(EmgtwitchError):
        pipeline.feed(data)
        pipeline.finish()
    assert pipeline.progress.duration_s >= 0


def test_missing_values_are_gaps_of_their_channel_whole_wherever_they_lie() -> None:
    values = channels_in_uV(10.0, 2)
    values[:500, 0] = np.nan
    values[5000:5600, 1] = np.inf
    values[9000:, 1] = np.nan
    gaps = intervals(records(imported(values)), "gap")
    assert [(g.channel, g.onset_s, g.offset_s, g.cause) for g in gaps] == [
        (0, 0.0, 0.5, "missing"),
        (1, 5.0, 5.6, "missing"),
        (1, 9.0, 10.0, "missing"),
    ]


def test_a_channel_without_any_value_has_no_analysable_time() -> None:
    values = channels_in_uV(8.0, 2)
    values[:, 1] = np.nan
    out, progress = run(imported(values))
    assert progress.analysable_s[1] == 0.0
    assert progress.analysable_s[0] > 5
    assert events([stamped.record for stamped in out], 1) == []
