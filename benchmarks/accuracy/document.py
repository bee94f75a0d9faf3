"""docs/accuracy.md from the kept results of the held-out recordings."""

from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path
from typing import Any

from benchmarks.accuracy import peers
from benchmarks.accuracy.detectors import OURS
from benchmarks.accuracy.draw import draw
from benchmarks.accuracy.halves import as_markdown, halves

DOCS = Path(__file__).parents[2] / "docs"
HEAD = """# Accuracy

Made by `python -m benchmarks.accuracy --docs`; do not edit. How it is measured stands in benchmarks/accuracy.

The recordings are those of the simulated wearer, whose truth is known to the sample, with muscles, electrodes and
boards drawn anew for each, and of seeds that nothing was tuned on and partly of new kinds; real ones have a group of
their own. One setting, the default preset, for everything. An event is found where a found one overlaps it, one to
one, both widened by 10 ms, by a tenth (twitches) or a quarter (longer ones) of what the two cover together. Onset and
offset are where the 5 ms RMS of the noise-free event exceeds 10 % of its peak. The signal-to-noise ratio (SNR) is the
event's RMS over the floor's, 20-450 Hz. Intervals hold 95 %: recordings drawn with replacement, or Poisson's for false
events. `n` is what a figure was measured on: events, hours or seconds.

No public recordings of spontaneous fasciculation or cramp with labels were found. Simulated and evoked activity stand
in for them, so these figures are no clinical ones.
"""
LIMITS = """
## What one channel cannot do
- It cannot tell a voluntary contraction from an involuntary one: the wearer marks them.
- A single potential of 10 ms at 3 dB is missed by the ideal observer, too, mostly: at half a false event an hour its
  energy is not enough. The dashed line in the first plot is what the energy of an event can tell at all, to an
  observer who knows its onset, duration and the noise.
- The edge of a contraction that rises over 100 ms lies below the noise where the whole is only 3-6 dB above it.
- Where the heart's beat and a twitch coincide, one of them hides the other.
"""
HALF = """
In each group and figure, ours beside the peer that is best in just that one.
Peers that find less than half of the events are left out of onset MAE and false events.
"""
EXPLAINED = {
    "recall.png": "Recall of brief events over SNR, by kind. The clairvoyant observer has 0.5 false events an hour; "
    "who sees more than it has more of them",
    "edges.png": "Errors of onset and offset, found minus true",
    "false.png": "False events an hour, by group; 0.01 stands for none; hollow: finds less than half of the events",
}


def write(kept: dict[str, Any], folder: Path = DOCS) -> Path:
    """Write the page and its plots."""
    plots = draw(kept, folder / "accuracy", dpi=70)
    parts = [HEAD, "\n## Asked for and seen\n", _asked(kept["detectors"].get(OURS, {}))]
    parts += ["\n## Weak spots\n", _weak(kept["detectors"].get(OURS, {}))]
    parts += ["\n## Plots\n"]
    parts += [f"\n{EXPLAINED[plot.name]}:\n\n![{EXPLAINED[plot.name]}](accuracy/{plot.name})\n" for plot in plots]
    parts += ["\n## Beside others\n", _beside(kept["detectors"])]
    if rows := halves(kept["detectors"]):
        parts += ["\n### Half the error of the best peer\n", HALF, as_markdown(rows)]
    parts += ["\n### How the peers were set\n", _peers_settings(), LIMITS]
    path = folder / "accuracy.md"
    path.write_text("".join(parts))
    return path


def _asked(ours: dict[str, Any]) -> str:
    lines = ["", "| group | figure | asked for | seen | 95 % interval | n | |", "|---|---|---|---|---|---|---|"]
    for group, kept in ours.items():
        for row in kept["asked"]:
            if row["value"] is None:
                continue
            asked = "" if row["limit"] is None else f"{row['sense']} {row['limit']:g} {row['unit']}".strip()
            verdict = "" if row["met"] is None else "ok" if row["met"] else "**falls short**"
            what = f"· {row['what']}" if row["part"] else row["what"]
            seen, low, high = (_number(row[key], row) for key in ("value", "low", "high"))
            lines.append(f"| {group} | {what} | {asked} | {seen} | {low} to {high} | {row['n']:.3g} | {verdict} |")
    return "\n".join(lines) + "\n"


def _number(value: float, row: dict[str, Any]) -> str:
    return f"{value:.2f}" if row["unit"] == "ms" or row["rate"] else f"{value:.3f}"


def _weak(ours: dict[str, Any]) -> str:
    rows = [(group, row) for group, kept in ours.items() for row in kept["asked"] if row["met"] is False]
    if not rows:
        return "\nEverything asked for is met.\n"
    lines = [
        f"- {group}, {row['what']}: {_number(row['value'], row)}, asked for {row['sense']} {row['limit']:g}."
        for group, row in rows
    ]
    return "\n" + "\n".join(lines) + "\n"


def _beside(detectors: dict[str, Any]) -> str:
    lines = [
        "",
        "| group | detector | recall | precision | F1 | false/h | onset MAE | offset MAE | class right | split |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for group in dict.fromkeys(g for of in detectors.values() for g in of if g != "promise"):
        for name, of in detectors.items():
            if group in of:
                it = of[group]["figures"]
                keys = ("recall", "precision", "f1", "false_per_hour", "onset_mae_ms", "offset_mae_ms", "class_right")
                if not of[group]["events"]:  # neither can be anything but 0
                    it = it | {"precision": None, "f1": None}
                cells = [_cell(it[key], 1 if key.endswith(("ms", "hour")) else 3) for key in (*keys, "splits")]
                lines.append(f"| {group} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"


def _peers_settings() -> str:
    """How each peer was set, from what peers.py says, with its constants' values for their names."""

    def said(of: object) -> str:
        text = " ".join((getdoc(of) or "").split())
        return re.sub(r"`([A-Z_]+)`", lambda name: f"{getattr(peers, name[1]):g}", text)

    lines = ["", said(peers), "", *(f"- {name}: {said(peer)}" for name, peer in peers.PEERS.items())]
    return "\n".join(lines) + "\n"
