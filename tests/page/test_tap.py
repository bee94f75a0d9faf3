"""Laws of the signal in memory: it is what the pipeline saw, however that was cut, and looking changes nothing."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emgtwitch.app.page.past import Past, Source
from emgtwitch.app.page.survey import Columns
from emgtwitch.app.page.tap import Tap
from emgtwitch.detect.records import Stamped
from emgtwitch.pipeline import Pipeline
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import WIRE_VERSION, Hello

FS_HZ = 1000
SECONDS = 12
HELLO = Hello(WIRE_VERSION, 0, 0, 0, 0, FS_HZ, 1, 1, 10, 1, 5000, 0, 1_000_000, 0, 0, 0, 1, 0, 0)


def stream(lost: tuple[int, int] = (0, 0)) -> bytes:
    counts = Wearer(SCENARIOS["demo"], 3).render(SECONDS * FS_HZ)[:, :1].astype(np.uint16)
    before, seq = encode_samples(counts[: lost[0]], 0, 1) if lost[0] else (b"", 1)
    after, _ = encode_samples(counts[lost[1] :], lost[1], seq + 1 if lost[0] else 1)
    return frame(HELLO, 0) + bytes(before) + bytes(after)


def watched(data: bytes, block: int) -> tuple[Tap, list[Stamped]]:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    outputs: list[Stamped] = []
    for at in range(0, len(data), block):
        outputs += pipeline.feed(data[at : at + block])
        tap.look(pipeline)
    return tap, outputs + pipeline.finish()


def read(tap: Tap, start: int, stop: int, per_column: int = 1) -> Columns:
    columns = tap.read(0, start, stop, per_column)
    assert columns is not None
    return columns


def test_looking_changes_no_result() -> None:
    plain = Pipeline()
    expected = plain.feed(stream()) + plain.finish()
    assert watched(stream(), 97)[1] == expected


@pytest.mark.parametrize("lost", [(0, 0), (5000, 5040), (5000, 5900)])
def test_the_signal_does_not_depend_on_how_it_came(lost: tuple[int, int]) -> None:
    ends = (SECONDS - 1) * FS_HZ
    one, other = (read(watched(stream(lost), block)[0], 0, ends) for block in (61, 700))
    for name in ("raw_min", "filtered_min", "envelope"):
        first, second = getattr(one, name), getattr(other, name)
        assert np.isfinite(first).mean() > 0.85
        for part in (slice(0, 4800), slice(6000, None)):  # a long hole takes along what was being filtered before it
            np.testing.assert_array_equal(first[part], second[part], err_msg=name)


def test_what_was_lost_is_no_signal_and_the_rest_stands_where_it_was() -> None:
    whole, holed = (watched(stream(lost), 97)[0] for lost in ((0, 0), (5000, 5040)))
    raw, gap = read(whole, 4000, 7000).raw_min, read(holed, 4000, 7000).raw_min
    assert np.isnan(gap[1000:1040]).all()
    np.testing.assert_array_equal(gap[:1000], raw[:1000])
    np.testing.assert_array_equal(gap[1040:], raw[1040:])


def test_a_look_after_minutes_without_one_takes_no_more_memory_than_after_seconds() -> None:
    def taken(gap_s: int) -> int:
        tap = Tap()
        pipeline = Pipeline(on_counts=tap.counts)
        counts = np.full((2 * FS_HZ, 1), 512, np.uint16)
        before, seq = encode_samples(counts, 0, 1)
        pipeline.feed(frame(HELLO, 0) + bytes(before))
        tap.look(pipeline)
        after, _ = encode_samples(counts, (2 + gap_s) * FS_HZ, seq + 1)
        pipeline.feed(bytes(after))
        tracemalloc.start()
        tap.look(pipeline)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    taken(10)  # what a first look imports
    assert taken(200) < 1.2 * taken(20)
    assert taken(400_000) < 1.2 * taken(20), "a list of what lies between two looks took gigabytes after days"


def test_a_column_holds_the_least_and_greatest_of_its_samples() -> None:
    tap, _ = watched(stream(), 97)
    each, wide = read(tap, 2000, 4000), read(tap, 2000, 4000, 50)
    assert (wide.step_s, len(wide.raw_min)) == (0.05, 40)
    for least, most, values in (
        (wide.raw_min, wide.raw_max, each.raw_min),
        (wide.filtered_min, wide.filtered_max, each.filtered_min),
    ):
        rows = values.reshape(-1, 50)
        np.testing.assert_array_equal(least, rows.min(axis=1))
        np.testing.assert_array_equal(most, rows.max(axis=1))


def test_the_envelope_and_thresholds_tell_the_events(tmp_path: Path) -> None:
    from emgtwitch.detect.records import Event

    tap, outputs = watched(stream(), 97)
    events = [s.record for s in outputs if isinstance(s.record, Event) and s.record.offset_s < SECONDS - 1]
    assert events
    for event in events:
        around = read(tap, round(1000 * event.onset_s), round(1000 * event.offset_s) + 40, 5)
        assert np.nanmax(around.envelope) > np.nanmin(around.on) > 0


def test_the_past_is_what_memory_held(tmp_path: Path) -> None:
    path = tmp_path / "one.emgw"
    path.write_bytes(stream())
    tap, _ = watched(stream(), 97)
    expected = read(tap, 6000, 8000, 4)
    found = Past().columns(Source(path), 0, 6.0, 8.0, 500)
    assert found is not None
    assert (found.from_s, found.step_s) == (expected.from_s, expected.step_s)
    for name in ("raw_min", "raw_max", "filtered_min", "filtered_max"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-6)


def test_nothing_is_given_that_memory_does_not_hold() -> None:
    tap, _ = watched(stream(), 97)
    assert tap.read(1, 0, 100, 1) is None
    assert tap.read(0, 100, 100, 1) is None
    assert Tap().read(0, 0, 100, 1) is None
    beyond = read(tap, SECONDS * FS_HZ - 10, SECONDS * FS_HZ + 10)
    assert np.isnan(beyond.raw_max[10:]).all()


def test_the_whole_session_is_kept_in_wide_columns() -> None:
    tap, _ = watched(stream(), 97)
    each, wide = read(tap, 0, 10 * FS_HZ, 500), tap.survey(0, 0.0, 10.0, 10)
    assert wide is not None
    assert (wide.from_s, wide.step_s, len(wide.raw_min)) == (0.0, 1.0, 10)
    np.testing.assert_array_equal(wide.raw_min, each.raw_min.reshape(-1, 2).min(axis=1))
    np.testing.assert_array_equal(wide.filtered_max, np.fmax.reduce(each.filtered_max.reshape(-1, 2), axis=1))
    assert tap.survey(0, 0.0, 10.0, 100) is None  # finer than it is


def test_after_a_gap_of_hours_the_overview_goes_on_where_it_belongs() -> None:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    before, seq = encode_samples(np.full((2000, 1), 500, np.uint16), 0, 1)
    after, _ = encode_samples(np.full((2000, 1), 520, np.uint16), 3_600_000, seq + 1)
    for data in (frame(HELLO, 0), bytes(before), bytes(after)):
        pipeline.feed(data)
        tap.look(pipeline)
    wide = tap.survey(0, 0.0, 3602.0, 7204)
    assert wide is not None
    known = np.flatnonzero(np.isfinite(wide.raw_max)) * wide.step_s
    assert {0.0, 1.0, 3600.0, 3600.5} <= set(known)
    assert not [at_s for at_s in known if 2.0 <= at_s < 3600.0]


def test_what_was_before_a_new_rate_stays_at_a_glance() -> None:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    first, _ = encode_samples(np.full((3000, 1), 500, np.uint16), 0, 1)
    slower = replace(HELLO, rate_num=500, run_count=2)
    second, _ = encode_samples(np.full((3000, 1), 540, np.uint16), 0, 1)
    for data in (frame(HELLO, 0), bytes(first), frame(slower, 0), bytes(second)):
        pipeline.feed(data)
        tap.look(pipeline)
    wide = tap.survey(0, 0.0, 9.0, 18)
    assert wide is not None
    seen = wide.raw_max[np.isfinite(wide.raw_max)]
    assert set(np.unique(seen)) == {seen[0], seen[-1]}
    assert seen[0] < seen[-1]
