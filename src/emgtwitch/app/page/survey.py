"""The whole of a session at a glance: columns of half a second or more on its own time, whatever its epochs."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRID_S = 0.5
CELLS = 2 * 86400  # a day of GRID_S: 5 MB; a month is seen in columns of 16 s

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
    """One channel: a row for each array of `Columns`. One thread adds, any may read.

    Its memory does not grow: a session too long for it has every two of its columns made one, as often as need be.
    """

    def __init__(self, cells: int = CELLS) -> None:
        self._grid = _nothing(cells), GRID_S  # replaced as one, for who is reading
        self._end_s = 0.0  # what lies behind holds nothing

    def add(self, columns: Columns) -> None:
        """Columns of any length of up to GRID_S or little more; what the grid has there already is widened."""
        parts = np.stack([getattr(columns, name) for name in SERIES])
        if not parts.shape[1]:
            return
        edges_s = columns.from_s + columns.step_s * np.arange(parts.shape[1] + 1)
        while edges_s[-1] + GRID_S > self._grid[0].shape[1] * self._grid[1]:
            self._fold()
        rows, step_s = self._grid
        edges = edges_s / step_s
        first = np.floor(edges[:-1] + 1e-6).astype(np.int64)
        # A column that is longer than the grid's now and then fills two of these.
        last = np.maximum(first, np.floor(edges[1:] + 0.5 - 1e-6).astype(np.int64) - 1)
        _merge(rows, parts, first)
        _merge(rows, parts[:, last > first], last[last > first])
        self._end_s = max(self._end_s, (int(last[-1]) + 1) * step_s)

    def read(self, from_s: float, to_s: float, points: int) -> Columns | None:
        """`points` columns or fewer of [from_s, to_s); None beyond it, or where they would be finer than the grid."""
        end_s = self._end_s
        rows, step_s = self._grid
        step = int((to_s - from_s) / points / step_s)
        first = max(0, int(from_s / step_s))
        n = -(-(int(np.ceil(min(to_s, end_s) / step_s)) - first) // step) if step else 0
        if n < 1:
            return None
        part = rows[:, first : first + n * step]
        part = np.pad(part, ((0, 0), (0, n * step - part.shape[1])), constant_values=np.nan)
        cut = part.reshape(len(SERIES), n, step)
        series = [(np.fmin if least else np.fmax).reduce(row, axis=1) for row, least in zip(cut, LEAST, strict=True)]
        return Columns(first * step_s, step * step_s, *series)

    def _fold(self) -> None:
        rows, step_s = self._grid
        half = rows.shape[1] // 2
        folded = _nothing(rows.shape[1])
        for new, old, least in zip(folded, rows, LEAST, strict=True):
            (np.fmin if least else np.fmax)(old[0 : 2 * half : 2], old[1 : 2 * half : 2], out=new[:half])
        self._grid = folded, 2 * step_s


def _nothing(cells: int) -> Floats:
    """In pages of its own, which go back to the system at a fold; the allocator would keep what is freed."""
    rows = np.frombuffer(mmap.mmap(-1, len(SERIES) * cells * np.float32().itemsize), np.float32)
    rows.fill(np.nan)
    return rows.reshape(len(SERIES), cells)


def _merge(rows: Floats, parts: Floats, cells: npt.NDArray[np.int64]) -> None:
    if not len(cells):
        return
    starts = np.flatnonzero(np.r_[True, np.diff(cells) > 0])
    for which, widen in ((LEAST, np.fmin), (~LEAST, np.fmax)):
        at = np.ix_(which, cells[starts])
        rows[at] = widen(rows[at], widen.reduceat(parts[which], starts, axis=1))
