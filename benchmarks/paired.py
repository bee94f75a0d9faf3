"""Compare two ways of doing one thing on a shared, noisy machine: alternate them in one process and trust the ratio.

Sequential groups cannot do that: what the machine does meanwhile falls on one of them. Beside every ratio stands the
one of the base against itself, taken in the same rounds; a ratio inside its spread says nothing.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much faster `new` is than `base`: ratios of time, base over new, medians over the rounds with quartiles."""

    name: str
    rounds: int
    new_s: float
    base_s: float
    ratio: float
    ratio_quartiles: tuple[float, float]
    null: float  # base over base
    null_quartiles: tuple[float, float]
    least: float | None = None  # what is asked for

    def __str__(self) -> str:
        low, high = self.null_quartiles
        asked = (
            "" if self.least is None else f", {'' if self.ratio >= self.least else 'NOT '}the {self.least:g} asked for"
        )
        return (
            f"{self.name}: {self.ratio:.2f} times as fast{asked} "
            f"(base against base {self.null:.2f}, {low:.2f} to {high:.2f})"
        )


def compare(
    name: str,
    new: Callable[[], object],
    base: Callable[[], object],
    *,
    rounds: int = 30,
    least: float | None = None,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Run new once and base twice a round, in an order that rotates, if `warm` after one round that does not count.

    Raises ValueError for fewer than 2 rounds, which have no quartiles.
    """
    if rounds < 2:
        raise ValueError(f"rounds is {rounds}; quartiles need at least 2.")
    tasks = [new, base, base]
    times: list[list[float]] = [[], [], []]
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(-1 if warm else 0, rounds):
            for k in range(3):
                which = (turn + k) % 3
                start = clock()
                tasks[which]()
                if turn >= 0:
                    times[which].append(clock() - start)
    finally:
        if collecting:
            gc.enable()
    new_s, base_s, again_s = times
    ratios = [b / n for n, b in zip(new_s, base_s, strict=True)]
    nulls = [b / a for b, a in zip(base_s, again_s, strict=True)]
    return Comparison(
        name,
        rounds,
        statistics.median(new_s),
        statistics.median(base_s),
        statistics.median(ratios),
        _quartiles(ratios),
        statistics.median(nulls),
        _quartiles(nulls),
        least,
    )


def _quartiles(values: list[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high
