"""The accuracy benchmark judges as it says: matching, figures, the ideal observer, the product's path."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import eigvalsh, toeplitz
from scipy.signal import butter, sosfiltfilt
from scipy.stats import chi2

from benchmarks.accuracy import metrics as m
from benchmarks.accuracy import promise
from benchmarks.accuracy.asks import ASKS
from benchmarks.accuracy.case import Case, Span, class_of
from benchmarks.accuracy.groups import names, sources
from benchmarks.accuracy.ideal import energy_quantile, ideal
from benchmarks.accuracy.match import match
from benchmarks.accuracy.ours import as_stream, ours
from benchmarks.accuracy.outcome import judge
from benchmarks.accuracy.recipe import Recipe
from benchmarks.accuracy.scenarios import GROUPS, recipes
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.wearer.scenario import Scenario, Scheduled

FS_HZ = 1000.0


def _span(onset_s: float, offset_s: float, on_tone: bool = False) -> Span:
    return Span(onset_s, offset_s, class_of(offset_s - onset_s), on_tone)


def _case(*truth: Span, ignore: tuple[tuple[float, float], ...] = ()) -> Case:
    return Case("g", "n", 0, FS_HZ, np.zeros(60_000), 1.0, (0.0, 1023.0), truth, ignore)


def _recipe(*rows: Scheduled, fitted_s: tuple[float, ...] = ()) -> Recipe:
    return Recipe("g", "n", 3, Scenario(schedule=rows), 20.0, True, fitted_s=fitted_s)


def test_the_truth_itself_is_without_fault() -> None:
    case = _case(_span(5, 5.01), _span(7, 8), _span(10, 14), _span(11, 11.02, on_tone=True))
    outcome = judge(case, case.truth)
    assert m.value(m.f1(), [outcome]).value == 1.0
    assert m.value(m.error_ms("onset"), [outcome]).value == 0.0
    assert m.value(m.class_right(), [outcome]).value == 1.0
    assert m.value(m.in_one_piece(), [outcome]).value == 1.0
    assert m.value(m.time_inside(), [outcome]).value == pytest.approx(1.0)


def test_one_found_event_is_one_true_one_and_swallows_the_others() -> None:
    result = match(_case(_span(5, 5.1), _span(5.5, 5.6), _span(6, 6.1)), [_span(5, 6.1)])
    assert len(result.pairs) == 1
    assert len(result.missed) == 2
    assert result.merges == (2,)


def test_pieces_of_an_event_are_one_hit_and_the_rest_false() -> None:
    result = match(_case(_span(5, 8)), [_span(5, 6), _span(6.1, 7.5), _span(7.6, 8)])
    assert result.pairs == ((0, 1),)
    assert result.splits == (2,)
    assert len(result.false) == 2


def test_a_fragment_does_not_pass_for_a_spasm_nor_a_long_event_for_a_twitch() -> None:
    assert not match(_case(_span(5, 25)), [_span(5, 6)]).pairs
    assert not match(_case(_span(5, 5.01)), [_span(4.9, 6)]).pairs


@pytest.mark.parametrize(("beside_ms", "hit"), [(10, True), (25, False)])
def test_a_twitch_may_be_found_a_little_beside_its_place(beside_ms: float, hit: bool) -> None:
    true = _span(5, 5.01)
    result = match(_case(true), [_span(5.01 + beside_ms / 1000, 5.02 + beside_ms / 1000)])
    assert bool(result.pairs) is hit


def test_a_twitch_on_tone_does_not_stand_for_the_tone() -> None:
    tone, twitch = _span(5, 9), _span(7, 7.01, on_tone=True)
    result = match(_case(tone, twitch), [_span(7, 7.01)])
    assert result.pairs == ((1, 0),)
    assert result.missed == (0,)


def test_what_touches_ignored_time_is_neither_hit_nor_fault() -> None:
    case = _case(_span(5, 6), _span(20, 21), ignore=((0.0, 3.0), (5.5, 7.0)))
    result = match(case, [_span(1, 2), _span(6.5, 6.6), _span(20, 21)])
    assert result.pairs == ((1, 2),)
    assert not result.false
    assert not result.missed


def test_a_rate_without_any_event_is_not_shown_as_never() -> None:
    outcome = judge(_case(), [])
    seen = m.value(m.false_per_hour(), [outcome], rate=True)
    assert seen.value == 0.0
    assert seen.high == pytest.approx(-math.log(0.025) / (60 / 3600))


def test_an_interval_holds_its_figure_and_shrinks_with_recordings() -> None:
    rng = np.random.default_rng(0)

    def seen(recordings: int) -> m.Value:
        some = [judge(_case(_span(5, 6)), [_span(5, 6)] if rng.uniform() < 0.7 else []) for _ in range(recordings)]
        return m.value(m.recall(), some)

    few, many = seen(10), seen(200)
    assert few.low <= few.value <= few.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


@pytest.mark.parametrize("n", [3, 20, 200])
@pytest.mark.parametrize("p", [1e-3, 1e-6])
def test_the_energy_of_white_noise_has_the_quantiles_of_chi_squared(n: int, p: float) -> None:
    assert energy_quantile(np.ones(n), p) == pytest.approx(chi2.isf(p, n), rel=3e-3)


def test_the_ideal_observer_sees_what_is_strong_and_not_what_is_drowned() -> None:
    rows = [Scheduled(5.0 + 1.5 * k, "jerk", duration_s=0.06, snr_dB=20.0 if k % 2 else -10.0) for k in range(8)]
    case = replace(_recipe(*rows).case(), group="single")
    assert ideal(case, 0.5) == [bool(k % 2) for k in range(8)]


def test_the_product_is_asked_through_a_stream_of_bytes() -> None:
    case = _recipe(Scheduled(6.0, "contraction", duration_s=0.8, snr_dB=25.0)).case()
    seen: list[float] = []
    pipeline = Pipeline(Settings(), on_counts=lambda _first, counts: seen.extend(counts[:, 0].tolist()))
    pipeline.feed(as_stream(case))
    pipeline.finish()
    assert np.array_equal(seen, case.counts)
    assert [s.event_class for s in ours(case)] == ["contraction"]


def test_samples_that_are_lost_reach_the_product_as_a_gap() -> None:
    case = _recipe(Scheduled(15.0, "jerk", duration_s=0.06, snr_dB=25.0)).case()
    counts = case.counts.copy()
    counts[8000:8500] = np.nan
    assert "gap lost" in ours(replace(case, counts=counts)).remarks


def test_a_fitted_event_measures_what_was_wanted() -> None:
    wanted_s = (0.14, 0.16, 1.9, 2.1)
    rows = [Scheduled(4.0 + 4 * k, "contraction", duration_s=d, snr_dB=20.0) for k, d in enumerate(wanted_s)]
    truth = _recipe(*rows, fitted_s=wanted_s).case().truth
    assert [s.duration_s for s in truth] == pytest.approx(wanted_s, rel=0.02)


def test_tuning_and_held_out_recordings_share_no_seed() -> None:
    seeds = [{r.seed for g in GROUPS for r in recipes(g, held_out)} for held_out in (False, True)]
    assert not seeds[0] & seeds[1]
    assert len(seeds[1]) == sum(group.recordings for group in GROUPS.values())


def test_every_group_is_asked_something() -> None:
    assert {ask.group for ask in ASKS} >= set(names())


def test_a_recording_can_be_made_again() -> None:
    first, second = (sources("trains", True, True)[0].case() for _ in range(2))
    assert np.array_equal(first.counts, second.counts)
    assert first.truth == second.truth


@pytest.mark.slow
@pytest.mark.parametrize("window", [10, 32, 64])
def test_the_noise_of_the_promised_rate_exceeds_the_ideal_threshold_as_often_as_said(window: int) -> None:
    case = next(iter(promise.sources(True, False))).case()
    sos = butter(2, (20.0, 400.0), "bandpass", fs=case.fs_Hz, output="sos")
    x = sosfiltfilt(sos, case.counts - case.counts.mean())
    lags = np.array([np.mean(x[: len(x) - k] * x[k:]) for k in range(window)])
    energy = np.convolve(x * x, np.ones(window), "valid")[::window]
    p = 1e-3
    assert np.mean(energy > energy_quantile(eigvalsh(toeplitz(lags)), p)) == pytest.approx(p, rel=0.2)
