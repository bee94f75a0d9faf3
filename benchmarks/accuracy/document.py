"""docs/accuracy.md from the kept results of the held-out recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.accuracy.draw import OURS, draw

DOCS = Path(__file__).parents[2] / "docs"
HEAD = """# Accuracy

Made by `python -m benchmarks.accuracy --docs`; do not edit. How it is measured stands in benchmarks/accuracy.

The recordings are those of the simulated wearer, whose truth is known to the sample, with muscles, electrodes and
boards drawn anew for each, and of seeds and kinds that nothing was tuned on; real ones have a group of their own. One
setting, the default preset, for everything. An event is found where a found one overlaps it, one to one, both widened
by 10 ms, by a tenth (twitches) or a quarter (longer ones) of what the two cover together. Onset and offset are where
the 5 ms RMS of the noise-free event exceeds 10 % of its peak. The signal-to-noise ratio (SNR) is the event's RMS over
the floor's, 20-450 Hz. Intervals hold 95 %: recordings drawn with replacement, or Poisson's for false events. `n` is
what a figure was measured on: events, hours or seconds.

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
EXPLAINED = {
    "recall.png": "Recall of brief events over SNR, by kind, against the clairvoyant observer",
    "edges.png": "Errors of onset and offset, found minus true",
    "false.png": "False events an hour, by group; 0.01 stands for none",
}


def write(kept: dict[str, Any], folder: Path = DOCS) -> Path:
    """Write the page and its plots."""
    plots = draw(kept, folder / "accuracy", dpi=70)
    parts = [HEAD, "\n## Asked for and seen\n", _asked(kept["detectors"].get(OURS, {}))]
    parts += ["\n## Weak spots\n", _weak(kept["detectors"].get(OURS, {}))]
    parts += ["\n## Plots\n"]
    parts += [f"\n{EXPLAINED[plot.name]}:\n\n![{EXPLAINED[plot.name]}](accuracy/{plot.name})\n" for plot in plots]
    parts += ["\n## Beside others\n", _beside(kept["detectors"]), _half(kept["detectors"]), LIMITS]
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
                cells = [_cell(it[key], 1 if key.endswith(("ms", "hour")) else 3) for key in (*keys, "splits")]
                lines.append(f"| {group} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"


def halves(detectors: dict[str, Any]) -> list[tuple[str, str, float, float, str]]:
    """Group, figure, ours, the best peer's and its name, where ours is not half of the best peer's error or less."""
    out = []
    for group, kept in detectors.get(OURS, {}).items():
        peers = {name: of[group]["figures"] for name, of in detectors.items() if name != OURS and group in of}
        errors = {"1 - F1": _missing_f1, "onset MAE, ms": _onset_ms, "false/h": _false_per_hour}
        for what, error in errors.items():
            mine = error(kept["figures"])
            theirs = {name: it for name, figures in peers.items() if (it := error(figures)) is not None}
            if mine is None or not theirs:
                continue
            best = min(theirs, key=lambda name: theirs[name])
            if mine > 0.5 * theirs[best]:
                out.append((group, what, mine, theirs[best], best))
    return out


def _missing_f1(figures: dict[str, Any]) -> float | None:
    return None if figures["f1"] is None else 1 - figures["f1"]


def _onset_ms(figures: dict[str, Any]) -> float | None:
    """Of a detector that finds less than half of the events the onsets say nothing."""
    return figures["onset_mae_ms"] if (figures["recall"] or 0) >= 0.5 else None


def _false_per_hour(figures: dict[str, Any]) -> float | None:
    """Of a detector that finds less than half of the events, silence is no merit."""
    return figures["false_per_hour"] if figures["recall"] is None or figures["recall"] >= 0.5 else None


def _half(detectors: dict[str, Any]) -> str:
    if len(detectors) < 2:
        return ""
    rows = halves(detectors)
    lines = ["", "Half the error of the best peer or less, in 1 - F1, onset MAE and false events an hour"]
    lines[-1] += ", everywhere." if not rows else ", except (peers that find less than half are left out):"
    lines += [f"- {group}, {what}: {mine:.3g}; {name} {best:.3g}." for group, what, mine, best, name in rows]
    return "\n".join(lines) + "\n"
