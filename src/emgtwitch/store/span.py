"""A range of time as a person names it, and what lies in it."""

from __future__ import annotations

from dataclasses import dataclass


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

    def within_s(self, began_utc_ms: int, offset_s: int, duration_s: float) -> tuple[float, float] | None:
        """The part of a session that lies in it, in seconds from its first sample; None where nothing does."""
        start_s = (self.start_ms - self._shown(began_utc_ms, offset_s, self.start_utc)) / 1000
        stop_s = (self.stop_ms - self._shown(began_utc_ms, offset_s, self.stop_utc)) / 1000
        start_s, stop_s = max(0.0, start_s), min(duration_s, stop_s)
        return (start_s, stop_s) if stop_s > start_s else None

    @staticmethod
    def _shown(utc_ms: float, offset_s: int, utc: bool) -> float:
        return utc_ms if utc else utc_ms + 1000 * offset_s
