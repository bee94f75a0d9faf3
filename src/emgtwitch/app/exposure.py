"""The honest denominator: how long a run lasted and was analysable, whole or within a range. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def exposure(
    session: dict[str, Any], intervals: Iterable[dict[str, Any]], from_s: float, to_s: float
) -> tuple[float, list[float]]:
    """Duration and, per channel, analysable seconds of `session` within [from_s, to_s).

    The whole session has the figures that its run counted; of a part, what its intervals leave.
    """
    from_s, to_s = max(0.0, from_s), min(session["duration_s"], to_s)
    if to_s <= from_s:
        return 0.0, [0.0] * session["channels"]
    if from_s == 0.0 and to_s == session["duration_s"] and session["analysable_s"]:
        return to_s, list(session["analysable_s"])
    own = [i for i in intervals if i["session"] == session["id"]]
    analysable = []
    for channel in range(session["channels"]):
        lost = [(i["onset_s"], i["offset_s"]) for i in own if i["channel"] in (None, channel)]
        analysable.append(to_s - from_s - _union_s(lost, from_s, to_s))
    return to_s - from_s, analysable


def _union_s(stretches: list[tuple[float, float]], from_s: float, to_s: float) -> float:
    """How much of [from_s, to_s) the stretches cover together."""
    covered, reached = 0.0, from_s
    for onset, offset in sorted(stretches):
        onset, offset = max(onset, reached), min(offset, to_s)
        if offset > onset:
            covered += offset - onset
            reached = offset
    return covered
