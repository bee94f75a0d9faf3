"""Which found event is which true one.

Events are matched one to one, the largest overlap first, after widening both by 10 ms at each end so that a brief
twitch a little beside its place still counts. The overlap must be a share of what the two cover together, lest a
fragment of a spasm, or a long event over a twitch, pass for it. Tone and the twitches that ride on it are matched
apart: a true riding twitch may be found as riding, or as a twitch of its own that lies mostly within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.case import Case, Span

WIDEN_S = 0.010
IGNORE_WIDEN_S = 0.050
LEAST_SHARE = {"twitch": 0.1, "contraction": 0.25, "spasm": 0.25}
COVERED = 0.5  # a found event that covers so much of a true one has swallowed it


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of one recording's true and found events, as indices into `truth` and `found`."""

    truth: tuple[Span, ...]
    found: tuple[Span, ...]
    pairs: tuple[tuple[int, int], ...]  # (true, found)
    missed: tuple[int, ...]  # true ones
    false: tuple[int, ...]  # found ones
    splits: tuple[int, ...]  # per pair: how many other found events lie in the true one
    merges: tuple[int, ...]  # per pair: how many other true events the found one swallowed


def match(case: Case, found: Sequence[Span]) -> Matched:
    """Match the events of a case; what touches ignored time is judged neither way."""
    truth, spans = case.truth, tuple(sorted(found, key=lambda s: s.onset_s))
    riders = [s for s in truth if s.on_tone]
    rides = {j for j, s in enumerate(spans) if s.on_tone or _is_one_of(s, riders)}
    main = _greedy(
        [(i, s) for i, s in enumerate(truth) if not s.on_tone], [(j, s) for j, s in enumerate(spans) if j not in rides]
    )
    riding = _greedy(
        [(i, s) for i, s in enumerate(truth) if s.on_tone], [(j, s) for j, s in enumerate(spans) if j in rides]
    )
    pairs = sorted(main + riding)
    judged = [not _touches(s, case.ignore, IGNORE_WIDEN_S) for s in truth]
    known = {i for i, _ in pairs}
    claimed = {j for _, j in pairs}
    kept = tuple(pair for pair in pairs if judged[pair[0]])
    false = tuple(j for j, s in enumerate(spans) if j not in claimed and not _touches(s, case.ignore, IGNORE_WIDEN_S))
    missed = tuple(i for i in range(len(truth)) if judged[i] and i not in known)
    return Matched(truth, spans, kept, missed, false, _splits(truth, spans, kept), _merges(truth, spans, kept))


def _greedy(truth: list[tuple[int, Span]], found: list[tuple[int, Span]]) -> list[tuple[int, int]]:
    """Pairs (true, found), the largest overlap first."""
    overlaps: list[tuple[float, int, int]] = []
    by_onset = sorted(found, key=lambda pair: pair[1].onset_s)
    for i, true in truth:
        for j, span in by_onset:
            if span.onset_s - WIDEN_S >= true.offset_s + WIDEN_S:
                break
            overlap_s = _overlap_s(true, span) + 2 * WIDEN_S
            together_s = true.duration_s + span.duration_s + 4 * WIDEN_S - overlap_s
            if overlap_s > 0 and overlap_s >= LEAST_SHARE[true.event_class] * together_s:
                overlaps.append((-overlap_s, i, j))
    pairs: list[tuple[int, int]] = []
    used_true: set[int] = set()
    used_found: set[int] = set()
    for _, i, j in sorted(overlaps):
        if i not in used_true and j not in used_found:
            used_true.add(i)
            used_found.add(j)
            pairs.append((i, j))
    return pairs


def _splits(truth: Sequence[Span], found: Sequence[Span], pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    out = []
    for i, j in pairs:
        one = truth[i]
        out.append(
            sum(
                1
                for k, span in enumerate(found)
                if k != j and not span.on_tone and not one.on_tone and _overlap_s(one, span) > COVERED * span.duration_s
            )
        )
    return tuple(out)


def _merges(truth: Sequence[Span], found: Sequence[Span], pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    out = []
    for i, j in pairs:
        span = found[j]
        out.append(
            sum(
                1
                for k, one in enumerate(truth)
                if k != i and not one.on_tone and not span.on_tone and not truth[i].on_tone
                and _overlap_s(one, span) > COVERED * one.duration_s
            )
        )  # fmt: skip
    return tuple(out)


def _is_one_of(span: Span, riders: Sequence[Span]) -> bool:
    """Whether a found twitch lies mostly within a true riding one, so that it does not stand for the tone."""
    if span.event_class != "twitch":
        return False
    return any(_overlap_s(span, rider) > COVERED * span.duration_s for rider in riders)


def _overlap_s(a: Span, b: Span) -> float:
    return min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s)


def _touches(span: Span, ignore: Sequence[tuple[float, float]], widen_s: float) -> bool:
    return any(span.onset_s < stop + widen_s and span.offset_s > start - widen_s for start, stop in ignore)
