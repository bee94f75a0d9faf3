"""Where scans were lost, told by a column that numbers or times them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from emgtwitch.sources.foreign.contents import Block

_MODULI = np.array([2.0**bits for bits in (4, 7, 8, 12, 15, 16, 32, 64)])

_LARGEST = 1e16  # nanoseconds of a year; float64 cannot count beyond
_LONGEST = 2**31  # scans; what a nonsensical number may claim at most


def _steps(column: npt.NDArray[np.float64], last: float) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a missing number tells nothing
        return np.diff(np.where(np.isfinite(column), column, np.nan), prepend=last)


class Gaps(Protocol):
    """Says how many scans are missing before each row; carries the last row from block to block."""

    def lost(self, column: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Scans missing before each row of `column`."""


class SequenceGaps:
    """Numbers that count up by one and may start again at a power of two, or stay at their highest."""

    def __init__(self) -> None:
        self._last = np.nan
        self._highest = 0.0

    def lost(self, column: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Scans missing before each row; a restart that is not at a power of two tells nothing and counts as none."""
        step = _steps(column, self._last)
        highest = np.fmax.accumulate(np.concatenate([[self._highest], column]))
        modulus = _MODULI[np.minimum(np.searchsorted(_MODULI, highest[:-1], side="right"), _MODULI.size - 1)]
        wrapped = (step < 0) & (highest[:-1] >= modulus - 2)
        step = np.where(wrapped, step + modulus, step)
        self._last, self._highest = float(column[-1]), float(highest[-1])
        return np.where(step > 1, np.rint(step) - 1, 0).clip(0, _LONGEST).astype(np.int64)


class TimeGaps:
    """Times that advance by `step`, each known to +-`error`, both in the column's unit."""

    def __init__(self, step: float, error: float) -> None:
        self._step = step
        self._error = error
        self._last = np.nan

    def lost(self, column: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Scans missing before each row."""
        step = _steps(column, self._last)
        self._last = float(column[-1])
        late = step > 1.5 * self._step + 2 * self._error
        return np.where(late, np.rint(step / self._step) - 1, 0).clip(0, _LONGEST).astype(np.int64)


class Ramp(NamedTuple):
    """A column that advances evenly."""

    step: float
    error: float  # what rounding in the file may have moved a value by
    rate: Fraction  # scans per unit of the column, the simplest within the error


def ramp(column: npt.NDArray[np.float64], resolution: float) -> Ramp | None:
    """The ramp that `column` is, but for some holes; None if it is none. `resolution`: of the values as written."""
    if column.size < 8 or not np.all(np.abs(column) < _LARGEST):
        return None
    exact = 4 * float(np.spacing(np.abs(column).max()))
    # rounding can hide a hole of one scan: it is allowed for only where the exact values are no ramp
    return _ramp(column, exact) or _ramp(column, exact + 0.5 * resolution)


def _ramp(column: npt.NDArray[np.float64], error: float) -> Ramp | None:
    steps = np.diff(column)
    step = float(np.median(steps))
    if step <= 4 * error:  # coarser than the rate: neighbours may be equal, only the mean tells
        step = float((column[-1] - column[0]) / steps.size)
    if not step > 0 or steps.min() < 0:
        return None
    holes = np.flatnonzero(steps > 1.5 * step + 2 * error)
    if holes.size > steps.size // 20 or np.any(np.abs(np.delete(steps, holes) - step) > 2 * error + 1e-9 * step):
        return None
    edges = np.concatenate([[0], holes + 1, [column.size]])
    longest = int(np.argmax(np.diff(edges)))
    run = column[edges[longest] : edges[longest + 1]]
    if run.size < 8:
        return None
    step = float((run[-1] - run[0]) / (run.size - 1))
    if step <= 0 or np.any(np.abs(run - run[0] - step * np.arange(run.size)) > 3 * error):
        return None
    return Ramp(step, error, _simplest(step, 2 * error / (run.size - 1)))


def _simplest(step: float, error: float) -> Fraction:
    """1 / step as the fraction of smallest denominator that the error allows."""
    exact = 1 / Fraction(step)
    allowed = Fraction(error) * exact * exact + exact / 10**12
    for limit in (1, 2, 3, 4, 5, 8, 10, 16, 64, 100, 1000, 10**6, 10**9):
        near = exact.limit_denominator(limit)
        if near and abs(near - exact) <= allowed:
            return near
    return exact


def split(values: npt.NDArray[np.float64], lost: npt.NDArray[np.int64], index: int) -> Iterator[Block]:
    """Blocks of `values` cut where scans are missing; `index` is that of the first row if none is missing before it."""
    cuts = [0, *(k for k in np.flatnonzero(lost).tolist() if k), len(values)]
    place = index + np.arange(len(values)) + np.cumsum(lost)
    for low, high in itertools.pairwise(cuts):
        yield Block(int(place[low]), values[low:high])
