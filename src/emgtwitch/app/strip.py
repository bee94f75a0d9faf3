"""A day as a strip, minute by minute: good signal, recorded but not usable, not worn, or nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MINUTE_MS = 60_000
NOT_WORN = ("lead_off", "flat", "rail")  # kinds of intervals in which the electrodes touch nothing
KINDS = ("good", "unusable", "not_worn")


def strip(
    sessions: Sequence[dict[str, Any]], intervals: Iterable[dict[str, Any]], begin_ms: int, end_ms: int
) -> list[dict[str, Any]]:
    """[begin_ms, end_ms) as stretches of whole minutes: `from_utc_ms`, `to_utc_ms` and a kind of KINDS, in order.

    A minute is of the kind that most of it is, over all channels; one mostly without a recording is in no stretch.
    """
    minutes = -(-(end_ms - begin_ms) // MINUTE_MS)
    recorded, lost, off = ([0.0] * minutes for _ in range(3))
    began = {s["id"]: s for s in sessions if s["started_utc_ms"] is not None}
    for session in began.values():
        at_s = (session["started_utc_ms"] - begin_ms) / 1000
        _spread(recorded, [(at_s, at_s + session["duration_s"])], 1.0)
    stretches: dict[tuple[int, int, bool], list[tuple[float, float]]] = {}
    for interval in intervals:
        if (session_ := began.get(interval["session"])) is None or interval["offset_s"] <= interval["onset_s"]:
            continue
        at_s = (session_["started_utc_ms"] - begin_ms) / 1000
        own = range(session_["channels"]) if interval["channel"] is None else (interval["channel"],)
        for channel in own:
            for kind in {False, interval["kind"] in NOT_WORN}:
                stretch = (at_s + interval["onset_s"], at_s + interval["offset_s"])
                stretches.setdefault((session_["id"], channel, kind), []).append(stretch)
    for (session_id, _, worn_off), parts in stretches.items():
        _spread(off if worn_off else lost, _union(parts), 1 / began[session_id]["channels"])
    kinds = [_kind(*minute) for minute in zip(recorded, lost, off, strict=True)]
    return _joined(kinds, begin_ms, end_ms)


def _kind(recorded_s: float, lost_s: float, off_s: float) -> str | None:
    if recorded_s < 30.0:
        return None
    if 2 * lost_s < recorded_s:
        return "good"
    return "not_worn" if 2 * off_s >= lost_s else "unusable"


def _joined(kinds: Sequence[str | None], begin_ms: int, end_ms: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for minute, kind in enumerate(kinds):
        from_ms, to_ms = begin_ms + minute * MINUTE_MS, min(begin_ms + (minute + 1) * MINUTE_MS, end_ms)
        if kind is not None and out and out[-1]["kind"] == kind and out[-1]["to_utc_ms"] == from_ms:
            out[-1]["to_utc_ms"] = to_ms
        elif kind is not None:
            out.append({"from_utc_ms": from_ms, "to_utc_ms": to_ms, "kind": kind})
    return out


def _union(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without overlap, so that no second counts twice."""
    out: list[tuple[float, float]] = []
    for onset, offset in sorted(stretches):
        if out and onset <= out[-1][1]:
            out[-1] = (out[-1][0], max(offset, out[-1][1]))
        else:
            out.append((onset, offset))
    return out


def _spread(minutes: list[float], stretches: Iterable[tuple[float, float]], weight: float) -> None:
    """Add to each minute the seconds of it that the stretches cover, times `weight`."""
    for onset, offset in stretches:
        first, last = max(0, int(onset // 60)), min(len(minutes) - 1, int(offset // 60))
        for minute in range(first, last + 1):
            inside_s = min(offset, 60.0 * (minute + 1)) - max(onset, 60.0 * minute)
            minutes[minute] += weight * max(0.0, inside_s)
