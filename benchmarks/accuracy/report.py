"""Outcomes as tables of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.accuracy import metrics as m
from benchmarks.accuracy.asks import ASKS, Ask
from benchmarks.accuracy.metrics import Value
from benchmarks.accuracy.outcome import Outcome


def judgement(outcomes: Sequence[Outcome]) -> str:
    """Asked for, seen and whether it is enough, for one detector."""
    known = {o.group for o in outcomes}
    lines, group = [], ""
    for ask in ASKS:
        if ask.group not in known:
            continue
        seen = ask.value(outcomes)
        met = ask.met(seen.value)
        verdict = "" if met is None else "ok" if met else "FALLS SHORT"
        asked = "" if ask.limit is None else f"{ask.sense} {ask.limit:g}{' ' + ask.unit if ask.unit else ''}"
        head = ask.group if ask.group != group else ""
        group = ask.group
        lines.append(f"{head:<21} {ask.what:<46} {asked:<10} {told(seen, ask):<30} {verdict}".rstrip())
    return "\n".join(lines)


def told(seen: Value, ask: Ask) -> str:
    """A figure with its interval and what it was measured on."""
    if seen.value != seen.value:
        return "nothing to measure"
    form = ".2f" if ask.unit == "ms" or ask.rate else ".3f"
    return f"{seen.value:{form}} [{seen.low:{form}}, {seen.high:{form}}] n={seen.n:.3g}"


def comparison(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Groups x detectors: the same figures for all."""
    head = (
        "recall",
        "precision",
        "F1",
        "false/h",
        "onset MAE/bias/P95",
        "offset MAE/bias/P95",
        "class",
        "in/true time",
    )
    widths = (7, 9, 6, 9, 20, 22, 6, 12)
    lines = [f"{'group':<21} {'detector':<19} " + " ".join(f"{h:>{w}}" for h, w in zip(head, widths, strict=True))]
    for group in dict.fromkeys(o.group for some in outcomes.values() for o in some):
        for name, some in outcomes.items():
            of = [o for o in some if o.group == group]
            if not of:
                continue
            edges = []
            for edge in ("onset", "offset"):
                mae, bias = m.value(m.error_ms(edge), of).value, m.value(m.bias_ms(edge), of).value
                p95 = m.percentile_ms(of, edge, 95)
                edges.append("-" if mae != mae else f"{mae:.1f}/{bias:+.1f}/{p95:.0f} ms")
            figures = [m.value(x, of).value for x in (m.recall(), m.precision(), m.f1())]
            if not any(o.rows for o in of):  # no true event: precision and F1 could be nothing but 0
                figures = [math.nan] * 3
            cells = [*(_cell(x, 3) for x in figures), _cell(m.value(m.false_per_hour(), of).value, 2), *edges]
            cells += [_cell(m.value(m.class_right(), of).value, 3), _cell(m.value(m.time_inside(), of).value, 2)]
            lines.append(f"{group:<21} {name:<19} " + " ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True)))
    return "\n".join(lines)


def _cell(figure: float, places: int) -> str:
    """A figure, or a dash where nothing was there to measure."""
    return "-" if math.isnan(figure) else f"{figure:.{places}f}"
