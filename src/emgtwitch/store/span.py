"""A range of time as a person names it, and what lies in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Offsets = Sequence[
    tuple[int, int]
]  # local time minus UTC in s, each since a moment in UTC, ms; the first one always was


class Part(NamedTuple):
    """Seconds of a session from its first sample, and what local time minus UTC was at their beginning."""

    onset_s: float
    offset_s: float
    utc_offset_s: int


def offsets_of(known: Iterable[tuple[int, int]]) -> Offsets:
    """Of what is known of moments, those at which the offset changed: summer time ends, or the wearer travels."""
    out: list[tuple[int, int]] = []
    for one in sorted(known):
        if not out or one[1] != out[-1][1]:
            out.append(one)
    return out


def offset_at(offsets: Offsets, utc_ms: float) -> int:
    """Local time minus UTC then."""
    return offsets[max(0, bisect_right(offsets, utc_ms, key=lambda one: one[0]) - 1)][1]


@dataclass(frozen=True, slots=True)
class Span:
    """[start, stop) in ms since 1970-01-01, each bound on the wearer's clock or, where `utc` says so, in UTC."""

    start_ms: int
    stop_ms: int
    start_utc: bool = False
    stop_utc: bool = False

    def meets(self, first_utc_ms: float, last_utc_ms: float, offset_s: int) -> bool:
        """Whether any of [first, last] lies in it; `offset_s` is local time minus UTC then."""
        return self._shown(last_utc_ms, offset_s, self.start_utc) >= self.start_ms and (
            self._shown(first_utc_ms, offset_s, self.stop_utc) < self.stop_ms
        )

    def within_s(self, began_utc_ms: int, offsets: Offsets, duration_s: float) -> list[Part]:
        """The parts of a session that lie in it, in order; none where nothing does."""
        out: list[Part] = []
        for n, (since_ms, offset_s) in enumerate(offsets):
            onset_s = (self.start_ms - self._shown(began_utc_ms, offset_s, self.start_utc)) / 1000
            end_s = (self.stop_ms - self._shown(began_utc_ms, offset_s, self.stop_utc)) / 1000
            onset_s = max(onset_s, (since_ms - began_utc_ms) / 1000 if n else 0.0)
            end_s = min(end_s, duration_s if n + 1 == len(offsets) else (offsets[n + 1][0] - began_utc_ms) / 1000)
            if out and onset_s <= out[-1].offset_s < end_s:
                out[-1] = out[-1]._replace(offset_s=end_s)
            elif end_s > onset_s:
                out.append(Part(onset_s, end_s, offset_s))
        return out

    @staticmethod
    def _shown(utc_ms: float, offset_s: int, utc: bool) -> float:
        return utc_ms if utc else utc_ms + 1000 * offset_s
