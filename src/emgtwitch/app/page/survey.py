"""The whole of a session at a glance: columns of half a second on the session's own time, whatever its epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRID_S = 0.5  # a day of a channel has 5 MB

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Columns:
    """A stretch of one channel, cut into columns of equal length; NaN where there is no signal. In uV or counts."""

    from_s: float
    step_s: float
    raw_min: Floats
    raw_max: Floats
    filtered_min: Floats
    filtered_max: Floats
    envelope: Floats  # the most of the RMS over 32 ms
    on: Floats  # RMS that begins an event
    off: Floats  # RMS to which it must return to end


SERIES = ("raw_min", "raw_max", "filtered_min", "filtered_max", "envelope", "on", "off")
LEAST = np.array([name.endswith("_min") for name in SERIES])


class Survey:
    """One channel: a row for each array of `Columns`; grows by doubling. One thread adds, any may read."""

    def __init__(self) -> None:
        self._rows = np.full((len(SERIES), 1024), np.nan, np.float32)
        self._end = 0  # grid columns that may hold something

    def add(self, columns: Columns) -> None:
        """Columns of any length of up to GRID_S or little more; what the grid has there already is widened."""
        parts = np.stack([getattr(columns, name) for name in SERIES])
        edges = (columns.from_s + columns.step_s * np.arange(parts.shape[1] + 1)) / GRID_S
        first = np.floor(edges[:-1] + 1e-6).astype(np.int64)
        # A column that is longer than the grid's now and then fills two of these.
        last = np.maximum(first, np.floor(edges[1:] + 0.5 - 1e-6).astype(np.int64) - 1)
        if len(first):
            self._reserve(int(last[-1]) + 1)
            self._merge(parts, first)
            self._merge(parts[:, last > first], last[last > first])
            self._end = max(self._end, int(last[-1]) + 1)

    def _merge(self, parts: Floats, cells: npt.NDArray[np.int64]) -> None:
        if not len(cells):
            return
        starts = np.flatnonzero(np.r_[True, np.diff(cells) > 0])
        for which, widen in ((LEAST, np.fmin), (~LEAST, np.fmax)):
            at = np.ix_(which, cells[starts])
            self._rows[at] = widen(self._rows[at], widen.reduceat(parts[which], starts, axis=1))

    def read(self, from_s: float, to_s: float, points: int) -> Columns | None:
        """`points` columns or fewer of [from_s, to_s); None beyond it, or where they would be finer than the grid."""
        step = int((to_s - from_s) / points / GRID_S)
        rows, end = self._rows, self._end
        first = max(0, int(from_s / GRID_S))
        n = -(-(min(int(np.ceil(to_s / GRID_S)), end) - first) // step) if step else 0
        if n < 1:
            return None
        part = rows[:, first : first + n * step]
        part = np.pad(part, ((0, 0), (0, n * step - part.shape[1])), constant_values=np.nan)
        cut = part.reshape(len(SERIES), n, step)
        series = [(np.fmin if least else np.fmax).reduce(row, axis=1) for row, least in zip(cut, LEAST, strict=True)]
        return Columns(first * GRID_S, step * GRID_S, *series)

    def _reserve(self, columns: int) -> None:
        while columns > self._rows.shape[1]:
            self._rows = np.concatenate((self._rows, np.full_like(self._rows, np.nan)), axis=1)
