"""Results as JSON: by detector and group, so that a run of a part takes the place of that part only."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy import metrics as m
from benchmarks.accuracy.asks import ASKS
from benchmarks.accuracy.detectors import OURS
from benchmarks.accuracy.halves import as_json, halves
from benchmarks.accuracy.outcome import Outcome, Row
from benchmarks.accuracy.remembered import settings_digest
from benchmarks.figures import RESULTS, machine

FOLDER = RESULTS / "accuracy"
KINDS = ("twitch", "doublet", "jerk 30 ms", "jerk 60 ms", "jerk 120 ms")
LEVELS_DB = (0, 3, 6, 10, 20)
EDGES = ("onset", "offset")
COMMON: dict[str, m.Measure] = {
    "recall": m.recall(),
    "precision": m.precision(),
    "f1": m.f1(),
    "false_per_hour": m.false_per_hour(),
    "onset_mae_ms": m.error_ms("onset"),
    "onset_bias_ms": m.bias_ms("onset"),
    "offset_mae_ms": m.error_ms("offset"),
    "offset_bias_ms": m.bias_ms("offset"),
    "duration_error": m.duration_error(),
    "class_right": m.class_right(),
    "splits": m.split_share(),
    "merges": m.merge_share(),
    "time_inside": m.time_inside(),
}
"""Figures that each detector has of each group."""


def path(held_out: bool, short: bool) -> Path:
    """The file of these recordings."""
    return FOLDER / f"{'held_out' if held_out else 'tuning'}{'_short' if short else ''}.json"


def keep(outcomes: Mapping[str, Sequence[Outcome]], file: Path) -> dict[str, Any]:
    """Put the outcomes in the place of older ones of the same detector and group, and return all that is kept."""
    kept = load(file)
    kept["machine"] = machine()
    for name, some in outcomes.items():
        of = kept["detectors"].setdefault(name, {})
        for group in dict.fromkeys(o.group for o in some):
            made = {"detector": detector_digest() if name == OURS else settings_digest()}
            of[group] = made | group_json([o for o in some if o.group == group])
    kept["half_of_best_peer"] = as_json(halves(kept["detectors"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def load(file: Path) -> dict[str, Any]:
    """What is kept in the file; nothing where there is none."""
    if file.exists():
        kept: dict[str, Any] = json.loads(file.read_text())
        return kept
    return {"machine": {}, "detectors": {}}


def group_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures of one group."""
    rows = [r for o in outcomes for r in o.rows]
    asked = []
    for ask in ASKS:
        if ask.group == outcomes[0].group:
            seen = ask.value(outcomes)
            asked.append(
                {
                    "what": ask.what.strip(),
                    "part": ask.what.startswith(" "),
                    "sense": ask.sense,
                    "limit": ask.limit,
                    "unit": ask.unit,
                    "rate": ask.rate,
                    "met": ask.met(seen.value),
                    **{key: _plain(number) for key, number in asdict(seen).items()},
                }
            )
    figures = {key: _plain(m.value(measure, outcomes).value) for key, measure in COMMON.items()}
    for edge in EDGES:
        figures[f"{edge}_p95_ms"] = _plain(m.percentile_ms(outcomes, edge, 95))
    return {
        "recordings": len(outcomes),
        "hours": round(sum(o.judged_s for o in outcomes) / 3600, 3),
        "events": len(rows),
        "asked": asked,
        "figures": figures,
        "cells": cells(rows),
        "errors_ms": {edge: _histogram(outcomes, edge) for edge in EDGES},
    }


def cells(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Recall of brief events by kind and signal-to-noise ratio, with the clairvoyant observer's."""
    out = []
    for kind in KINDS:
        for level in LEVELS_DB:
            some = [r for r in rows if r.ideal is not None and kind_of(r) == kind and abs(r.snr_dB - level) < 1]
            if some:
                seen, ideal = sum(r.found for r in some), sum(bool(r.ideal) for r in some)
                out.append({"kind": kind, "snr_dB": level, "events": len(some), "found": seen, "ideal": ideal})
    return out


def kind_of(row: Row) -> str:
    """What it was, jerks by about how long they lasted."""
    if row.kind != "jerk":
        return row.kind
    return f"jerk {30 if row.duration_s < 0.045 else 60 if row.duration_s < 0.09 else 120} ms"


def detector_digest() -> str:
    """Changes with the source of the detector: whether two figures are of the same one."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parents[2] / "src" / "emgtwitch" / "detect").glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _histogram(outcomes: Sequence[Outcome], edge: str) -> dict[str, int]:
    """How many errors lie in each ms from -60 to 60, those beyond at the ends."""
    out: dict[str, int] = {}
    for outcome in outcomes:
        for error in m.errors_ms(outcome, edge):
            key = str(max(-60, min(60, round(error))))
            out[key] = out.get(key, 0) + 1
    return {key: out[key] for key in sorted(out, key=int)}


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 5)
