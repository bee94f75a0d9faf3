"""What a detector made of one recording, in numbers that can be added up over recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.case import SPASM_MIN_S, Case, Span
from benchmarks.accuracy.match import match

NAN = float("nan")
BESIDE_S = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one true event; NaN and empty where it was not found."""

    kind: str
    event_class: str
    on_tone: bool
    snr_dB: float
    duration_s: float
    ideal: bool | None  # would the clairvoyant observer see it? None: not asked
    found: bool
    found_class: str = ""
    onset_error_ms: float = NAN  # found minus true
    offset_error_ms: float = NAN
    splits: int = 0  # other found events inside it
    merges: int = 0  # other true events that its found one swallowed
    truncated: bool = False
    delay_ms: float = NAN  # twitch: from its true end until told; spasm: from its first 2 s until announced


@dataclass(frozen=True, slots=True)
class Alarm:
    """A found event that is none."""

    event_class: str
    on_tone: bool
    onset_s: float
    duration_s: float
    beside: bool  # it touches a true event, of which it is a fragment, or an echo


@dataclass(frozen=True, slots=True)
class Outcome:
    """One detector on one recording."""

    group: str
    name: str
    cell: str
    confounder: str
    judged_s: float
    rows: tuple[Row, ...]
    false: tuple[Alarm, ...]
    inside_true_s: float  # time within true events
    inside_found_s: float
    remarks: tuple[str, ...] = ()  # what else the detector said


def judge(case: Case, found: Sequence[Span], seen_by_ideal: Sequence[bool] | None = None) -> Outcome:
    """Compare what was found with what was there."""
    result = match(case, found)
    place = {i: n for n, (i, _) in enumerate(result.pairs)}
    spans = result.found
    rows = []
    for i, one in enumerate(case.truth):
        if i not in place and i not in result.missed:
            continue  # in ignored time
        label = case.labels[i] if case.labels else None
        ideal = seen_by_ideal[i] if seen_by_ideal is not None else None
        kind, snr_dB = (label.kind, label.snr_dB) if label else ("", NAN)
        if i not in place:
            rows.append(Row(kind, one.event_class, one.on_tone, snr_dB, one.duration_s, ideal, False))
            continue
        n = place[i]
        span = spans[result.pairs[n][1]]
        rows.append(
            Row(
                kind,
                one.event_class,
                one.on_tone,
                snr_dB,
                one.duration_s,
                ideal,
                True,
                span.event_class,
                1000 * (span.onset_s - one.onset_s),
                1000 * (span.offset_s - one.offset_s),
                result.splits[n],
                result.merges[n],
                span.decided_as_truncated,
                _delay_ms(one, span),
            )
        )
    false = tuple(
        Alarm(s.event_class, s.on_tone, s.onset_s, s.duration_s, _is_beside(s, case.truth))
        for s in (spans[j] for j in result.false)
    )
    return Outcome(
        case.group,
        case.name,
        case.cell,
        case.confounder,
        case.judged_s,
        tuple(rows),
        false,
        inside_s(case.truth, case.ignore),
        inside_s(spans, case.ignore),
        tuple(getattr(found, "remarks", ())),
    )


def _is_beside(span: Span, truth: Sequence[Span]) -> bool:
    return any(span.onset_s < one.offset_s + BESIDE_S and span.offset_s > one.onset_s - BESIDE_S for one in truth)


def inside_s(spans: Sequence[Span], ignore: Sequence[tuple[float, float]]) -> float:
    """Time within any of the spans that is judged."""
    total_s, until_s = 0.0, 0.0
    for onset_s, offset_s in sorted((s.onset_s, s.offset_s) for s in spans):
        start_s = max(onset_s, until_s)
        if offset_s > start_s:
            total_s += offset_s - start_s - sum(max(0.0, min(offset_s, b) - max(start_s, a)) for a, b in ignore)
            until_s = offset_s
    return total_s


def _delay_ms(true: Span, found: Span) -> float:
    if true.event_class == "twitch" and found.decided_s is not None:
        return 1000 * (found.decided_s - true.offset_s)
    if true.event_class == "spasm" and found.announced_s is not None:
        return 1000 * (found.announced_s - true.onset_s - SPASM_MIN_S)
    return NAN
