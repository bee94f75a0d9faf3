"""What detectors make of the real recordings, event by event."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.accuracy.case import Case, Span
from benchmarks.accuracy.detectors import DETECTORS, detector
from benchmarks.accuracy.labelling import filled, levels
from benchmarks.accuracy.match import match


def report(cases: Sequence[Case], names: Sequence[str] = ()) -> list[str]:
    """Lines: per detector its sums, and for each recording what it missed and what it told falsely."""
    lines = []
    for name in names or list(DETECTORS):
        hits, missed, false, details = 0, 0, 0, []
        for case in cases:
            m = match(case, detector(name)(case))
            hits, missed, false = hits + len(m.pairs), missed + len(m.missed), false + len(m.false)
            details.append(
                f"  {case.name}: {len(case.truth)} labels, {len(m.pairs)} found, {len(m.missed)} missed, "
                f"{len(m.false)} false, {sum(m.splits)} splits, {sum(m.merges)} merges"
            )
            if len(m.missed) + len(m.false) <= 20:
                details += [f"    missed {_said(case, m.truth[i])}" for i in m.missed]
                details += [f"    false  {_said(case, m.found[j])}" for j in m.false]
        recall, precision = hits / max(1, hits + missed), hits / max(1, hits + false)
        lines += [f"{name}: recall {recall:.3f}, precision {precision:.3f} of {hits + missed} labels", *details]
    return lines


def _said(case: Case, span: Span) -> str:
    seen = levels(filled(case.counts), case.fs_Hz)
    part = slice(round(span.onset_s * case.fs_Hz), max(round(span.offset_s * case.fs_Hz), 1))
    over = float((seen.fast[part].max() / seen.floor[part].mean()) ** 0.5) if len(seen.fast[part]) else float("nan")
    riding = ", on tone" if span.on_tone else ""
    return f"{span.onset_s:8.3f} s, {1e3 * span.duration_s:5.0f} ms, peak of 5 ms RMS {over:.1f} baselines{riding}"
