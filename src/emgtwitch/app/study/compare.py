"""Days with a factor against days without: by permutation of whole days, with an interval by bootstrap of whole days.

Whole days, since the events of a day belong together; what differs between days is then part of the uncertainty.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.app.study.rates import Rate, rate, t975

LEAST_DAYS = 10  # in each arm, before anything is said
PERMUTATIONS = 9999
BOOTSTRAPS = 4000
SEED = 20_241_107  # fixed, so that the same log gives the same answer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rates of both arms, their ratio with its 95 % interval, and how often chance alone parts days as far."""

    with_: Rate
    without: Rate
    days: tuple[int, int]  # with, without
    ratio: float  # NaN where it cannot be told
    low: float
    high: float
    p: float
    ways: int  # in which the days were parted
    exact: bool  # whether these are all ways

    @property
    def verdict(self) -> str:
        """`more` or `fewer` on days with the factor, `cannot tell`, or `too few days`."""
        if min(self.days) < LEAST_DAYS:
            return "too few days"
        if self.p >= 0.05 or not (self.low > 1 or self.high < 1):
            return "cannot tell"
        return "more" if self.ratio > 1 else "fewer"


def compare(events: npt.ArrayLike, hours: npt.ArrayLike, with_factor: npt.ArrayLike) -> Comparison:
    """`events` and analysable `hours` (over 0) of each day, and whether it had the factor: shapes (n,).

    The statistic is the logarithm of the ratio of the arms' rates, with half an event added to each arm. p is two-sided
    (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39, where ways are drawn). The interval is the statistic
    give or take its bootstrap standard error, enlarged for few days, times Student's t.
    """
    e, h = np.asarray(events, dtype=np.float64), np.asarray(hours, dtype=np.float64)
    arm = np.asarray(with_factor, dtype=bool)
    n, k = len(arm), int(arm.sum())
    seen = float(_statistic(e, h, arm[None, :])[0])
    rng = np.random.default_rng(SEED)
    exact = math.comb(n, k) <= PERMUTATIONS
    if exact:
        parted = np.zeros((math.comb(n, k), n), dtype=bool)
        for row, chosen in zip(parted, itertools.combinations(range(n), k), strict=True):
            row[list(chosen)] = True
    else:
        parted = rng.permuted(np.tile(arm, (PERMUTATIONS, 1)), axis=1)
    as_far = int(np.count_nonzero(np.abs(_statistic(e, h, parted)) >= abs(seen) - 1e-12))
    p = as_far / len(parted) if exact else (as_far + 1) / (PERMUTATIONS + 1)
    error = math.sqrt(sum(_error(e[of], h[of], rng) ** 2 for of in (arm, ~arm)))
    width = t975(max(1.0, n - 2.0)) * error
    return Comparison(
        with_=rate(e[arm], h[arm]),
        without=rate(e[~arm], h[~arm]),
        days=(k, n - k),
        ratio=math.exp(seen),
        low=math.exp(seen - width),
        high=math.exp(seen + width),
        p=p,
        ways=len(parted),
        exact=exact,
    )


def _statistic(e: Floats, h: Floats, arms: npt.NDArray[np.bool_]) -> Floats:
    """One for each row of `arms`."""
    e_with, h_with = arms @ e, arms @ h
    found: Floats = np.log((e_with + 0.5) / h_with) - np.log((e.sum() - e_with + 0.5) / (h.sum() - h_with))
    return found


def _error(e: Floats, h: Floats, rng: np.random.Generator) -> float:
    """Standard error of the logarithm of an arm's rate, no less than that of independent events."""
    n = len(e)
    drawn = rng.integers(0, n, (BOOTSTRAPS, n))
    logs = np.log((e[drawn].sum(axis=1) + 0.5) / h[drawn].sum(axis=1))
    return max(float(logs.std()) * math.sqrt(n / max(n - 1, 1)), 1 / math.sqrt(e.sum() + 0.5))
