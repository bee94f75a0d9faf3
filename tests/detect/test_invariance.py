"""What must not change an answer: how the signal is cut, its unit and offset, the sampling rate."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgtwitch.detect.state import EVENT, OUT
from emgtwitch.settings import Settings
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from tests.detect.common import Floats, Found, events, found, overlap_s, rows, worn

RAILS = (0.0, 1023.0)
UV_PER_COUNT = 4.8828125
SIGNALS = ("demo", "confounders", "trains", "rails", "noise")


@cache
def counts(name: str) -> Floats:
    """12 s at 1000 Hz of a wearer, or of noise with lead-off, rails and flat parts."""
    if name in SCENARIOS:
        return Wearer(SCENARIOS[name], 41001).render(12000)[:, 0].astype(np.float64)
    x = np.random.default_rng(41002).normal(512, 2, 12000).round()
    if name == "rails":
        x[2000:2100], x[3000:3004], x[5000:5600], x[7000:7300] = 1023, 0, 0, 512
        x[9000:9900] += np.random.default_rng(41003).normal(0, 90, 900).round()
        x[9900:10000] = 1023
    return x


@cache
def whole(name: str) -> list[tuple[float, ...]]:
    return rows(counts(name), 1000.0, UV_PER_COUNT, RAILS)


@pytest.mark.parametrize("name", SIGNALS)
@given(cuts=st.lists(st.integers(0, 12000), max_size=40))
@settings(max_examples=20, deadline=None)
def test_events_do_not_depend_on_how_the_signal_is_cut(name: str, cuts: list[int]) -> None:
    assert rows(counts(name), 1000.0, UV_PER_COUNT, RAILS, cuts=cuts) == whole(name)


@pytest.mark.parametrize("name", SIGNALS)
def test_events_do_not_depend_on_the_cut_down_to_one_sample(name: str) -> None:
    assert rows(counts(name), 1000.0, UV_PER_COUNT, RAILS, cuts=range(1, 12000)) == whole(name)


@pytest.mark.parametrize("name", ["demo", "rails"])
@pytest.mark.parametrize("block", [7, 32, 333, 1000])
def test_events_do_not_depend_on_the_block_size(name: str, block: int) -> None:
    assert rows(counts(name), 1000.0, UV_PER_COUNT, RAILS, cuts=range(block, 12000, block)) == whole(name)


def test_the_signals_of_these_tests_hold_every_kind_of_row() -> None:
    kinds = {f.what for name in SIGNALS for f in found(counts(name), 1000.0, UV_PER_COUNT, RAILS)}
    assert {"twitch", "contraction", "settling", "rail", "flat", "motion"} <= kinds


@pytest.mark.parametrize("exponent", [-12, -1, 3, 20])
def test_scaling_by_a_power_of_two_scales_amplitudes_and_changes_nothing_else(exponent: int) -> None:
    """A power of two leaves mantissas as they are: not one edge may move by a sample."""
    plain, scaled = (rows(counts("demo") * gain, 1000.0, UV_PER_COUNT) for gain in (1.0, 2.0**exponent))
    scaling = [2.0**exponent if name in ("peak", "rms") else 1.0 for name in OUT.names or ()]
    assert len(scaled) == len(plain)
    assert sum(row[0] == EVENT for row in plain) >= 5
    for row, other in zip(plain, scaled, strict=True):
        assert other == pytest.approx([value * factor for value, factor in zip(row, scaling, strict=True)], rel=1e-9)


@given(factor=st.floats(1e-6, 1e6), offset=st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
def test_unit_and_offset_change_amplitudes_and_nothing_else(factor: float, offset: float) -> None:
    """The floor's histogram has bins: gradual edges may move by 10 ms, the peak by 2 %, the RMS by 10 %."""
    x = counts("demo")
    plain, other = (events(found(y, 1000.0)) for y in (x, (x + offset * x.std()) * factor))
    assert [e.what for e in other] == [e.what for e in plain]
    for a, b in zip(plain, other, strict=True):
        assert b.onset_s == pytest.approx(a.onset_s, abs=0.010)
        assert b.offset_s == pytest.approx(a.offset_s, abs=0.010)
        assert b.peak == pytest.approx(a.peak * factor, rel=0.02)
        assert b.rms == pytest.approx(a.rms * factor, rel=0.1)


def test_counts_and_their_scale_are_interchangeable() -> None:
    assert rows(counts("demo") * 4.0, 1000.0, 1.0) == rows(counts("demo"), 1000.0, 4.0)


def test_without_a_gain_the_amplitudes_stand_in_counts() -> None:
    assert rows(counts("demo"), 1000.0, None) == rows(counts("demo"), 1000.0, 1.0)


@cache
def at_rate(fs_Hz: float) -> list[Found]:
    scenario = replace(SCENARIOS["demo"], clock_ppm=0.0, fs_Hz=fs_Hz)
    return events(worn(scenario, 92, 41004)[0])


def differences_ms(fs_Hz: float, *classes: str) -> tuple[Floats, Floats, int]:
    """Onsets and offsets at `fs_Hz` against those at 1000 Hz, and how many events have no single partner."""
    reference = [e for e in at_rate(1000.0) if e.what in classes]
    other = [e for e in at_rate(fs_Hz) if e.what in classes]
    pairs = []
    for one in reference:
        partners = [e for e in other if overlap_s(e, one) > 0 and e.on_tone == one.on_tone]
        if [p.what for p in partners] == [one.what]:
            pairs.append((partners[0].onset_s - one.onset_s, partners[0].offset_s - one.offset_s))
    both = 1000 * np.array(pairs)
    return both[:, 0], both[:, 1], max(len(reference), len(other)) - len(pairs)


@pytest.mark.parametrize("fs_Hz", [500.0, 2000.0, 4000.0])
def test_the_same_wearer_has_the_same_contractions_and_spasms_at_any_rate(fs_Hz: float) -> None:
    """Half of the edges within 5 ms (at 500 Hz offsets within 15 ms: the band ends at 200 Hz), all within 70 ms."""
    onsets_ms, offsets_ms, alone = differences_ms(fs_Hz, "contraction", "spasm")
    assert alone <= (1 if fs_Hz < 1000 else 0)  # what is hardly longer than a twitch may seem shorter
    assert len(onsets_ms) >= 9
    assert np.median(np.abs(onsets_ms)) <= 5
    assert np.median(np.abs(offsets_ms)) <= (15 if fs_Hz < 1000 else 5)
    assert np.abs([onsets_ms, offsets_ms]).max() <= 70


@pytest.mark.parametrize("fs_Hz", [2000.0, 4000.0])
def test_the_same_wearer_has_the_same_twitches_from_1000_Hz_on(fs_Hz: float) -> None:
    """At most one in ten without a single partner; half of the edges within 2 ms, 19 in 20 within 15 ms.

    Below 1000 Hz single units lose half of their spectrum.
    """
    onsets_ms, offsets_ms, alone = differences_ms(fs_Hz, "twitch")
    assert len(onsets_ms) > 30
    assert alone <= 0.1 * len(onsets_ms)
    assert max(np.median(np.abs(onsets_ms)), np.median(np.abs(offsets_ms))) <= 2
    assert np.percentile(np.abs([onsets_ms, offsets_ms]), 95) <= 15


def test_the_same_input_twice_gives_the_same_rows_with_numbers_that_go_on() -> None:
    rows_ = found(counts("demo"), 1000.0, UV_PER_COUNT, RAILS)
    numbers = [f.number for f in rows_ if f.is_event]
    assert len(set(numbers)) == len(numbers)
    assert rows(counts("demo"), 1000.0, UV_PER_COUNT, RAILS) == whole("demo")


def test_rows_come_in_the_order_in_which_they_were_decided_and_never_before_they_happened() -> None:
    for name in SIGNALS:
        seen = found(counts(name), 1000.0, UV_PER_COUNT, RAILS)
        assert [f.decided_s for f in seen] == sorted(f.decided_s for f in seen)
        # A rail's interval includes the quarter second that the filters need after it.
        assert all(f.offset_s <= f.decided_s + (0 if f.is_event else 0.25) for f in seen)
        # That a heart is seen is a remark and takes no time.
        assert all(f.onset_s < f.offset_s or (f.what == "ecg" and f.onset_s == f.offset_s) for f in seen)


def test_settings_that_are_not_asked_for_are_the_defaults() -> None:
    assert rows(counts("demo"), 1000.0, settings=Settings()) == rows(counts("demo"), 1000.0)
    assert not math.isnan(sum(sum(row) for row in whole("demo")))
