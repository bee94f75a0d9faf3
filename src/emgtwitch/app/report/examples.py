"""Three waveforms to look at, from the recordings: a twitch, something longer, a spasm. Needs matplotlib."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from emgtwitch.app.days import local_time
from emgtwitch.app.log_rows import Row
from emgtwitch.app.page.past import Past, Source
from emgtwitch.app.page.survey import Columns
from emgtwitch.app.report.canvas import Canvas
from emgtwitch.app.report.facts import Facts
from emgtwitch.app.report.sheet import length
from emgtwitch.errors import EmgtwitchError
from emgtwitch.settings import Settings

POINTS = 600
AROUND = {"twitch": 0.1, "train": 0.5, "contraction": 0.5, "spasm": 2.0}  # s before and after
LONGEST_S = 40.0  # of a train or spasm that is shown; the rest is cut off
NEAR_S = 7200.0  # into its recording: what lies further takes long to decode


@dataclass(frozen=True, slots=True)
class Example:
    """One waveform, band-passed, or why there is none."""

    name: str
    onset_s: float = 0.0
    offset_s: float = 0.0
    told: str = ""  # when, and how long
    unit: str = ""
    columns: Columns | None = None


def examples(facts: Facts) -> list[Example]:
    """A twitch, a train or else a contraction, and a spasm, each near the median of its kind."""
    sessions = {track.session["id"]: track.session for track in facts.tracks}
    longer = ("train", [_train(train) for train in facts.trains])
    if not longer[1]:
        longer = ("contraction", facts.of("contraction"))
    out, past = [], Past()
    for name, events in (("twitch", facts.of("twitch")), longer, ("spasm", facts.of("spasm"))):
        chosen = _typical([e for e in events if _there(sessions[e["session"]])])
        if not events:
            out.append(Example(name, told=f"There was no {name}."))
        elif chosen is None:
            out.append(Example(name, told=f"No recording of a {name} is at hand."))
        else:
            out.append(_example(past, name, chosen, sessions[chosen["session"]]))
    return out


def _train(train: Sequence[Row]) -> Row:
    """The train as one event."""
    first, last = train[0], train[-1]
    duration_ms = 1000 * (last["offset_s"] - first["onset_s"])
    peak = max(event["peak"] for event in train)
    return first | {"offset_s": last["offset_s"], "duration_ms": duration_ms, "peak": peak, "twitches": len(train)}


def _there(session: Row) -> bool:
    return session["path"] is not None and os.path.exists(session["path"])


def _typical(events: Sequence[Row]) -> Row | None:
    """Of whole events near the start of their recordings the one whose peak is nearest to the median."""
    whole = [e for e in events if e["duration_ms"] and e["peak"] and not e["truncated"] and not e["on_tone"]]
    near = [e for e in whole if e["onset_s"] <= NEAR_S] or sorted(whole, key=lambda e: e["onset_s"])[:1]
    if not near:
        return None
    middle = median(e["peak"] for e in near)
    return min(near, key=lambda e: (abs(e["peak"] - middle), e["onset_s"]))


def _example(past: Past, name: str, event: Row, session: Row) -> Example:
    around_s = AROUND[name]
    from_s = max(0.0, event["onset_s"] - around_s)
    to_s = min(event["offset_s"], event["onset_s"] + LONGEST_S) + around_s
    try:
        settings = Settings.from_mapping(session["settings"]) if session["settings"] else None
        columns = past.columns(Source(Path(session["path"]), settings=settings), event["channel"], from_s, to_s, POINTS)
    except EmgtwitchError:  # the report does without
        columns = None
    if columns is None:
        return Example(name, told="Its recording cannot be read.")
    when = local_time(event["utc_ms"], event["utc_offset_s"])
    extent = f"{event['twitches']} twitches" if name == "train" else length(event["duration_ms"] / 1000)
    told = f"{when.day} {when:%b %H:%M:%S}, {extent}"
    return Example(name, event["onset_s"], event["offset_s"], told, "µV" if event["in_uV"] else "counts", columns)


def draw(canvas: Canvas, example: Example) -> None:
    """The waveform over a bar from its onset to its offset, with scale bars."""
    canvas.text(0.0, 3.2, example.name.capitalize(), 7.5, weight="bold")
    canvas.text(canvas.width_mm, 3.2, example.told, align="right")
    if example.columns is None:
        return
    columns = example.columns
    at_s = columns.from_s + columns.step_s * np.arange(len(columns.filtered_min))
    axis = canvas.axes(0.0, 5.0, canvas.width_mm, canvas.height_mm - 5.0)
    axis.set_axis_off()
    pair = np.column_stack((columns.filtered_min, columns.filtered_max)).reshape(-1)
    axis.plot(np.repeat(at_s, 2), pair, color="black", linewidth=0.5)
    known = pair[np.isfinite(pair)]
    limit = 1.05 * float(np.abs(known).max()) if known.size else 1.0
    length_s = at_s[-1] - at_s[0]
    axis.set_xlim(at_s[0], at_s[-1])
    axis.set_ylim(-2.0 * limit, 1.05 * limit)
    axis.plot([example.onset_s, min(example.offset_s, at_s[-1])], [-1.15 * limit] * 2, color="0.5", linewidth=1.6)
    _scale(axis, at_s[0], length_s, limit, example.unit)


def _scale(axis: Any, left_s: float, length_s: float, limit: float, unit: str) -> None:
    """Bars of a round time and a round amplitude in the lower left corner."""
    time_s, high = _round(length_s / 5), _round(0.6 * limit)
    x, y = left_s + 0.01 * length_s, -1.9 * limit
    axis.plot([x, x, x + time_s], [y + high, y, y], color="black", linewidth=1.0, solid_joinstyle="miter")
    shown = f"{1000 * time_s:g} ms" if time_s < 1 else f"{time_s:g} s"
    axis.text(x + 0.02 * length_s, y + 0.08 * limit, f"{high:g} {unit}, {shown}", va="bottom")


def _round(value: float) -> float:
    """The greatest of 1, 2, 5 and their tenfolds that is not more."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (5, 2, 1) if step * power <= value))
