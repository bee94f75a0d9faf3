"""How much of a recording could not be analysed."""

from __future__ import annotations

import bisect
from array import array

MOST_PIECES = 1 << 16


class Exposure:
    """Length of a union of intervals that arrive nearly in order; older pieces are summed up and forgotten.

    Exact unless an interval reaches back over more than half of MOST_PIECES others: what it has in common with
    forgotten ones, and what lies between them, is then left out.
    """

    def __init__(self) -> None:
        self._onsets = array("d")  # of disjoint pieces, in order
        self._offsets = array("d")
        self._total_s = 0.0  # of these, and of what is forgotten
        self._forgotten_until_s = 0.0

    def add(self, onset_s: float, offset_s: float) -> None:
        """Unite [onset_s, offset_s) with what was added before."""
        onset_s = max(onset_s, self._forgotten_until_s)
        if offset_s <= onset_s:
            return
        start = bisect.bisect_left(self._offsets, onset_s)
        stop = bisect.bisect_right(self._onsets, offset_s)
        self._total_s -= sum(self._offsets[start:stop]) - sum(self._onsets[start:stop])
        if start < stop:
            onset_s, offset_s = min(onset_s, self._onsets[start]), max(offset_s, self._offsets[stop - 1])
        self._onsets[start:stop] = array("d", (onset_s,))
        self._offsets[start:stop] = array("d", (offset_s,))
        self._total_s += offset_s - onset_s
        if len(self._onsets) > MOST_PIECES:
            half = MOST_PIECES // 2
            self._forgotten_until_s = self._offsets[half - 1]
            del self._onsets[:half], self._offsets[:half]

    def total_s(self, until_s: float, open_s: float | None = None) -> float:
        """Length of the union up to `until_s`, with [open_s, until_s) in it if an interval is still open."""
        whole_s = until_s if open_s is None else min(open_s, until_s)
        at, beyond_s = len(self._onsets), 0.0
        while at and self._offsets[at - 1] > whole_s:  # the last one, if any: what is asked every second takes no walk
            at -= 1
            beyond_s += self._offsets[at] - max(self._onsets[at], whole_s)
        return self._total_s - beyond_s + until_s - whole_s
