"""Events per hour with an interval that stays honest where events come in clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEAST_BLOCKS = 5  # with events, before the interval is to be believed


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per hour and its 95 % interval."""

    per_hour: float
    low: float
    high: float
    dispersion: float  # variance of the blocks' counts over that of independent events; NaN without events
    enough: bool  # whether there were blocks enough for the interval


def rate(events: npt.ArrayLike, hours: npt.ArrayLike) -> Rate:
    """The rate over blocks that differ, such as days: `events` and analysable `hours` (over 0) of each, shapes (n,).

    Events over hours; the interval is that of the logarithm, from the jackknife over blocks (Efron and Stein 1981,
    Ann. Statist. 9:586), no narrower than independent events would make it, with Student's t for as many blocks as
    their unequal hours amount to. Without events the upper end is the exact Poisson one.
    """
    e, h = np.asarray(events, dtype=np.float64), np.asarray(hours, dtype=np.float64)
    total, time_h = float(e.sum()), float(h.sum())
    if not time_h:
        return Rate(math.nan, 0.0, math.inf, math.nan, False)
    mean = total / time_h
    if not total:
        return Rate(0.0, 0.0, -math.log(0.025) / time_h, math.nan, False)
    expected = mean * h
    blocks = len(e)
    dispersion = float(((e - expected) ** 2 / expected).sum() / (blocks - 1)) if blocks > 1 else math.nan
    enough = bool(np.count_nonzero(e) >= LEAST_BLOCKS)
    variance, spread = 1 / total, 0.0
    if blocks > 1:
        without = np.log(np.maximum(total - e, 0.5) / (time_h - h))
        apart = without - without.mean()
        spread = float((blocks - 1) / blocks * (apart**2).sum())
        variance = max(variance, spread)
    freedom = float(time_h**2 / (h**2).sum()) - 1
    if blocks > 3 and spread > 0:
        # So many as the scatter of such a variance is worth (Satterthwaite 1946): fewer where single days stand out.
        peakedness = float(blocks * (apart**4).sum() / (apart**2).sum() ** 2)
        freedom = min(freedom, 2 * blocks / (peakedness - (blocks - 3) / (blocks - 1)))
    freedom = max(1.0, freedom)
    width = t975(freedom) * math.sqrt(variance)
    return Rate(mean, mean * math.exp(-width), mean * math.exp(width), dispersion, enough)


def t975(freedom: float) -> float:
    """The 0.975 quantile of Student's t, to 1 % from three degrees of freedom on (Fisher and Cornish 1960)."""
    z = NormalDist().inv_cdf(0.975)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
