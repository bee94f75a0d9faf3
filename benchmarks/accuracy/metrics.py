"""Figures over recordings. Each is a ratio of two sums, so that recordings can be drawn anew for its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from benchmarks.accuracy.outcome import Outcome, Row

Select = Callable[[Row], bool]
Measure = Callable[[Outcome], tuple[float, float]]  # numerator and denominator of one recording
DRAWS = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Value:
    """A figure and where it lies with 95 % confidence; NaN where nothing was there to measure."""

    value: float
    low: float
    high: float
    n: float  # the denominator: events, hours, ...


def everything(row: Row) -> bool:
    return True


def recall(select: Select = everything) -> Measure:
    """Share of true events that were found."""
    return lambda o: _sums((1.0, float(r.found)) for r in o.rows if select(r))


def recall_of_ideal(select: Select = everything) -> Measure:
    """Found events over those that the clairvoyant observer sees."""
    return lambda o: _sums((float(bool(r.ideal)), float(r.found)) for r in o.rows if select(r))


def precision() -> Measure:
    """Share of found events that are true."""

    def measure(o: Outcome) -> tuple[float, float]:
        hits = sum(r.found for r in o.rows)
        return hits, hits + len(o.false)

    return measure


def f1(select: Select = everything) -> Measure:
    """Harmonic mean of recall and precision; false events count whatever `select` picks."""

    def measure(o: Outcome) -> tuple[float, float]:
        hits = sum(r.found for r in o.rows if select(r))
        missed = sum(not r.found for r in o.rows if select(r))
        return 2 * hits, 2 * hits + missed + len(o.false)

    return measure


def error_ms(edge: str, select: Select = everything) -> Measure:
    """Mean absolute error of `edge`, onset or offset."""
    return lambda o: _sums((1.0, abs(e)) for e in errors_ms(o, edge, select))


def bias_ms(edge: str, select: Select = everything) -> Measure:
    """Mean error of `edge`: found minus true."""
    return lambda o: _sums((1.0, e) for e in errors_ms(o, edge, select))


def errors_ms(o: Outcome, edge: str, select: Select = everything) -> list[float]:
    """Errors of `edge` in one recording."""
    found = [r for r in o.rows if r.found and not r.truncated and select(r)]
    return [r.onset_error_ms if edge == "onset" else r.offset_error_ms for r in found]


def duration_error(select: Select = everything) -> Measure:
    """Mean of |found - true| over true duration."""
    return lambda o: _sums(
        (1.0, abs(r.offset_error_ms - r.onset_error_ms) / (1000 * r.duration_s))
        for r in o.rows
        if r.found and not r.truncated and select(r)
    )


def class_right(select: Select = everything) -> Measure:
    """Share of found events of the right class."""
    return lambda o: _sums(
        (1.0, float(r.found_class == r.event_class)) for r in o.rows if r.found and not r.truncated and select(r)
    )


def split_share(select: Select = everything) -> Measure:
    """Share of found true events that other found events lie in, too."""
    return lambda o: _sums((1.0, float(r.splits > 0)) for r in o.rows if r.found and select(r))


def merge_share(select: Select = everything) -> Measure:
    """True events swallowed by what was found for another, over all true events."""
    return lambda o: _sums((1.0, float(r.merges)) for r in o.rows if select(r))


def in_one_piece(select: Select = everything) -> Measure:
    """Share of true events found in one piece: nothing beside, and the found one at least half as long."""

    def whole(r: Row) -> bool:
        if not r.found or r.splits:
            return False
        return 1000 * r.duration_s + r.offset_error_ms - r.onset_error_ms > 500 * r.duration_s

    return lambda o: _sums((1.0, float(whole(r))) for r in o.rows if select(r))


def false_per_hour() -> Measure:
    """Found events an hour that are no true one, fragments of true ones among them."""
    return lambda o: (float(len(o.false)), o.judged_s / 3600)


def far_false_per_hour() -> Measure:
    """False events an hour that touch no true one: neither fragments nor echoes."""
    return lambda o: (float(sum(not a.beside for a in o.false)), o.judged_s / 3600)


def false_of_class(event_class: str) -> Measure:
    """False events of a class, and true ones taken for it, as a count over recordings."""

    def measure(o: Outcome) -> tuple[float, float]:
        false = sum(a.event_class == event_class for a in o.false)
        return false + sum(r.found_class == event_class != r.event_class for r in o.rows), 1.0

    return measure


def time_inside() -> Measure:
    """Time within found events over time within true ones."""
    return lambda o: (o.inside_found_s, o.inside_true_s)


def within_ms(limit_ms: float, select: Select, *, true: bool = False) -> Measure:
    """Share of found events told no later than `limit_ms`; one that was not told at all is late.

    A spasm's 2 s count from where the detector found its onset, or from its `true` one.
    """

    def late_ms(r: Row) -> float:
        return r.delay_ms - (r.onset_error_ms if r.event_class == "spasm" and not true else 0.0)

    return lambda o: _sums((1.0, float(late_ms(r) <= limit_ms)) for r in o.rows if r.found and select(r))


def value(measure: Measure, outcomes: Sequence[Outcome], *, rate: bool = False) -> Value:
    """The figure over all recordings, its interval from drawing recordings with replacement.

    A `rate` of rare events has the exact Poisson interval instead: no false event at all does not mean never.
    """
    sums = np.array([measure(o) for o in outcomes], dtype=np.float64).reshape(-1, 2)
    total = sums.sum(axis=0)
    if not total[1] > 0:
        return Value(math.nan, math.nan, math.nan, 0.0)
    seen = float(total[0] / total[1])
    if rate:
        tail = (1 - CONFIDENCE) / 2
        low = float(chi2.ppf(tail, 2 * total[0])) / 2 if total[0] else 0.0
        high = float(chi2.isf(tail, 2 * total[0] + 2)) / 2
        return Value(seen, low / float(total[1]), high / float(total[1]), float(total[1]))
    drawn = np.random.default_rng(1).integers(len(sums), size=(DRAWS, len(sums)))
    again = sums[drawn].sum(axis=1)
    again = again[again[:, 1] > 0]
    low, high = np.quantile(again[:, 0] / again[:, 1], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Value(seen, float(low), float(high), float(total[1]))


def percentile_ms(outcomes: Sequence[Outcome], edge: str, percent: float, select: Select = everything) -> float:
    """Percentile of the absolute error of an edge over all events."""
    found = [abs(e) for o in outcomes for e in errors_ms(o, edge, select)]
    return float(np.percentile(found, percent)) if found else math.nan


def _sums(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Sums of (denominator, numerator) pairs, as numerator and denominator."""
    below = above = 0.0
    for weight, counted in pairs:
        below += weight
        above += counted
    return above, below
