"""How much of a recording could not be analysed."""

from __future__ import annotations

import bisect

MOST_PIECES = 4096


class Exposure:
    """Length of a union of intervals that arrive nearly in order; older pieces are summed up and forgotten."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, float]] = []
        self._forgotten_s = 0.0

    def add(self, onset_s: float, offset_s: float) -> None:
        """Unite [onset_s, offset_s) with what was added before."""
        at = bisect.bisect_left(self._pieces, (onset_s, offset_s))
        while at > 0 and self._pieces[at - 1][1] >= onset_s:
            at -= 1
        while at < len(self._pieces) and self._pieces[at][0] <= offset_s:
            onset_s = min(onset_s, self._pieces[at][0])
            offset_s = max(offset_s, self._pieces[at][1])
            del self._pieces[at]
        self._pieces.insert(at, (onset_s, offset_s))
        if len(self._pieces) > MOST_PIECES:
            half = MOST_PIECES // 2
            self._forgotten_s += sum(b - a for a, b in self._pieces[:half])
            del self._pieces[:half]

    def total_s(self, until_s: float) -> float:
        """Length of the union up to `until_s`."""
        return self._forgotten_s + sum(max(0.0, min(b, until_s) - a) for a, b in self._pieces)
