"""docs/speed.md and its plot from the kept results: `python -m benchmarks.document`, after `make bench`."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.figures import RESULTS
from benchmarks.growth import CURVES, draw
from benchmarks.table import parts

DOCS = Path(__file__).parents[1] / "docs"
GROWTH = "growth.json"
HEAD = """# Speed

Made by `python -m benchmarks.document` from what `make bench` measured; do not edit. How it is measured stands in
benchmarks.

A ratio is time of the other over time of ours: two ways of doing one thing take turns in one process, or as processes,
and the median over the rounds counts. Beside it stands the other against itself, with quartiles, in the same rounds: a
ratio within that spread says nothing. Absolute times are of a shared machine and informational. `load` is how many
processes wanted a core when the part ended; above 1, others worked at the same time.

What a day is compared with filters and thresholds only, in a bare file of the same numbers. NeuroKit2, BioSPPy and
ObsPy do less, too: one time scale, no mains that is followed, no artefacts, no classes. ObsPy's STA/LTA has no filter.
Instructions are counted by callgrind, which no other process disturbs.
"""
LATENCY = """
What a twitch waits for: the filter's delay and the hold, in which it might go on; then the end of the hop in which that
is decided; then the rest of the signal that the daemon gathers before it looks at any; then compute, disk and print.
The first three lie between an event's true end and its decision, all of them between its last byte and its line.
"""
PARTS = {
    "ratios": "Ratios",
    "day": "A day with an event every 1.3 s",
    "day_quiet": "A quiet day",
    "daemon": "The daemon",
    "latency": "Latency",
    "page": "The live page",
    "page_memory": "An hour with the page open",
    "startup": "Start",
    "instructions": "Instructions a sample",
    "speed": "Absolute times",
}


def write(results: Path = RESULTS, folder: Path = DOCS) -> Path:
    """Write the page and its plot. Raises FileNotFoundError where `make bench` has not been run."""
    kept = json.loads((results / GROWTH).read_text())
    draw(kept["measured"], folder / "speed" / "growth.png")
    machine = kept["machine"]
    text = [HEAD, f"\nMeasured on {machine['processor']}, {machine['cores']} cores, Python {machine['python']}.\n"]
    found = {name: (load, rows) for name, load, rows in parts(results)}
    short = [row for _, rows in found.values() for row in rows if row.asked.endswith(("UNDER", "OVER"))]
    if short:
        text += [
            "\n## Falls short\n\n",
            *(f"- {row.what}: {row.value}, asked for {_bound(row.asked)}\n" for row in short),
        ]
    for name, title in PARTS.items():
        if name in found:
            load, rows = found[name]
            text += [f"\n## {title}\n{LATENCY if name == 'latency' else ''}\nLoad {load}.\n\n"]
            text += ["| what | value | asked for | base against itself, or throughput |\n|---|---|---|---|\n"]
            text += [f"| {row.what} | {row.value} | {_bound(row.asked)} | {row.beside} |\n" for row in rows]
    text += ["\n## Growth\n\n![How cost grows](speed/growth.png)\n"]
    text += ["\nThe detector's cost is for each channel's sample, fed 100 ms at a time, channels in turn.\n"]
    for curve in CURVES:
        points = curve.points(kept["measured"])
        text += [
            f"\n| {curve.what} | " + " | ".join(f"{at}" for at, _ in points) + " |\n",
            "|---|" + "---|" * len(points) + "\n",
            f"| {curve.of}, {curve.unit} | " + " | ".join(f"{cost:.3g}" for _, cost in points) + " |\n",
        ]
    path = folder / "speed.md"
    path.write_text("".join(text))
    return path


def _bound(asked: str) -> str:
    return asked.partition(":")[0]


if __name__ == "__main__":
    print(f"wrote {write()}")
