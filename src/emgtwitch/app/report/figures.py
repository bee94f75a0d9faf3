"""What a report draws: in greys, hatches and digits alone, so that any printer shows it. Needs matplotlib."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from emgtwitch.app.days import local_time
from emgtwitch.app.report.canvas import SMALL_PT, Canvas, fitted, width_mm
from emgtwitch.app.report.facts import LEAST_HOUR, LEAST_HOURS, Facts, Grid, together
from emgtwitch.app.report.sheet import capital, plain, printable

GREYS = ("0.90", "0.74", "0.54", "0.32", "0.05")  # of an hour worn without a twitch, and of four rising steps
HATCHES = {"twitch": "", "contraction": "////", "spasm": ""}
FILLS = {"twitch": "0.75", "contraction": "white", "spasm": "black"}
_BARS: dict[str, Any] = {"facecolor": FILLS["twitch"], "edgecolor": "black", "linewidth": 0.3}
DIARY_ROWS = 6
LEFT_MM, RIGHT_MM = 25.0, 25.0
HEAT_TOP_MM, HEAT_LEAST_MM = 24.0, 40.0
DAY_MM = 20.0  # of the week, for the names of its days
ROW_MM = 4.2
NAME_MM = 18.0  # of a day, with room
WIDEST_DAY_MM = 19.0


def timeline_mm(facts: Facts) -> tuple[float, float]:
    """The least and the most height of `timeline`."""
    rest_mm = HEAT_TOP_MM + 26.0 + ROW_MM * (1 + len(_kinds(facts)))
    return rest_mm + HEAT_LEAST_MM, rest_mm + 84.0


def timeline(canvas: Canvas, facts: Facts) -> None:
    """The days from left to right: rate, hour by hour, hours worn, spasms and diary, all on one axis."""
    wide = min(canvas.width_mm - LEFT_MM - RIGHT_MM, WIDEST_DAY_MM * len(facts.days.all))
    high = canvas.height_mm - timeline_mm(facts)[0] + HEAT_LEAST_MM
    days, count = facts.days.all, len(facts.days.all)
    hours = facts.analysable_h.sum(axis=1)
    daily = canvas.axes(LEFT_MM, 2.0, wide, 18.0)
    _daily_rate(daily, facts, hours)
    _label(canvas, 11.0, "Twitches", "an hour,", "by day")
    grid = canvas.axes(LEFT_MM, HEAT_TOP_MM, wide, high)
    edges = _heat(grid, _rates(facts), np.arange(count + 1), np.arange(25))
    grid.invert_yaxis()
    grid.set_yticks([0, 6, 12, 18, 24])
    grid.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:02.0f}:00"))
    _label(canvas, HEAT_TOP_MM + high / 2, "Twitches", "an hour,", "by hour")
    _key(canvas.part(LEFT_MM + wide + 3.0, HEAT_TOP_MM, RIGHT_MM - 3.0, high), edges)
    top = HEAT_TOP_MM + high + 5.0
    worn = canvas.axes(LEFT_MM, top, wide, 12.0)
    recorded = facts.recorded_h.sum(axis=1)
    at = np.arange(count) + 0.5
    worn.bar(at, hours, 0.8, color="0.45", linewidth=0)
    worn.bar(at, recorded - hours, 0.8, bottom=hours, color="white", edgecolor="black", hatch="/////", linewidth=0.4)
    worn.set_ylim(0, 24)
    worn.set_yticks([0, 12, 24])
    _label(canvas, top + 6.0, "Hours;", "hatched:", "not usable")
    for axis in (daily, grid, worn):
        axis.set_xlim(0, count)
        axis.set_xticks([])
    mondays = [number for number, day in enumerate(days) if count <= 8 or day.weekday() == 0]
    apart = math.ceil(NAME_MM * count / (7 * wide)) if count > 8 else 1
    for number in mondays[::apart]:
        canvas.text(LEFT_MM + wide * number / count + 0.4, top + 16.0, day_name(days[number]))
        for axis in (daily, worn):
            axis.axvline(number, color="0.6", linewidth=0.4, zorder=0)
    _diary(canvas, facts, top + 18.0, wide)


def day_name(day: datetime.date) -> str:
    """As `Mon 6 May`."""
    return f"{day:%a} {day.day} {day:%b}"


def _daily_rate(axis: Axes, facts: Facts, hours: Any) -> None:
    counts = facts.counts["twitch"].sum(axis=1)
    rates = np.divide(counts, hours, out=np.full(len(hours), np.nan), where=hours >= LEAST_HOURS)
    at = np.arange(len(hours)) + 0.5
    axis.plot(at, rates, color="black", linewidth=0.7, marker="o", markersize=2.6, clip_on=False)
    mean = facts.rate("twitch")
    told = facts.hours >= LEAST_HOURS
    if told:
        axis.axhline(mean.per_hour, color="0.45", linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    if told and mean.enough:
        axis.axhspan(mean.low, mean.high, color="0.88", linewidth=0, zorder=0)
    highest = max([*rates[np.isfinite(rates)], *([mean.high] if told and mean.enough else []), 0.0]) or 1.0
    axis.set_ylim(0, 1.08 * highest)


def _rates(facts: Facts) -> Grid:
    """Twitches per analysable hour of each hour and day; NaN where too little was analysable to tell."""
    out = np.full(facts.analysable_h.shape, np.nan)
    np.divide(facts.counts["twitch"], facts.analysable_h, out=out, where=facts.analysable_h >= LEAST_HOUR)
    return out


def _heat(axis: Axes, rates: Grid, x: Any, y: Any) -> list[float]:
    """Cells in greys; those without a rate stay blank. Returns the steps' upper edges."""
    most = _nice(float(np.nanmax(rates)) if np.isfinite(rates).any() else 8.0)
    edges = [most / 8, most / 4, most / 2, most]
    steps = np.where(rates > 0, 1.0 + np.searchsorted(edges, np.nan_to_num(rates), side="left"), 0.0)
    steps = np.ma.masked_where(~np.isfinite(rates), np.minimum(steps, 4.0))
    axis.pcolormesh(
        x, y, steps.T, cmap=ListedColormap(list(GREYS)), vmin=-0.5, vmax=4.5, edgecolor="white", linewidth=0.4
    )
    none = np.argwhere(rates == 0)
    axis.plot(none[:, 0] + 0.5, none[:, 1] + 0.5, ".", color="0.35", markersize=1.0)
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color("0.6")
    return edges


def _nice(value: float) -> float:
    """The least of 1, 2, 4, 8 and their tenfolds that is not less."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next((step * power for step in (1, 2, 4, 8) if step * power >= value), 10 * power)


def _short(value: float) -> str:
    return f"{value:g}" if value < 10_000 else f"{value / 1000:g}k"


def _key(canvas: Canvas, edges: Sequence[float]) -> None:
    """What the greys of `_heat` mean."""
    axis = canvas.axes(0.0, 0.0, canvas.width_mm, canvas.height_mm)
    axis.set_axis_off()
    axis.set_xlim(0, canvas.width_mm)
    axis.set_ylim(canvas.height_mm, 0)
    below = [0.0, *edges]
    rows = [(GREYS[n], f"{_short(below[n - 1])} to {_short(below[n])}") for n in range(4, 1, -1)]
    rows.append((GREYS[1], f"up to {_short(below[1])}"))
    rows += [(GREYS[0], "worn, none"), ("white", "blank: under")]
    for number, (grey, text) in enumerate(rows):
        y = 1.0 + 5.0 * number
        axis.add_patch(Rectangle((0, y), 4.0, 3.2, facecolor=grey, edgecolor="0.6", linewidth=0.4))
        if grey == GREYS[0]:
            axis.plot([2.0], [y + 1.6], ".", color="0.35", markersize=1.0)
        axis.text(5.2, y + 1.7, text, va="center")
    axis.text(0.0, y + 5.0, "10 min of signal", va="center")


def _kinds(facts: Facts) -> list[str]:
    """The diary's kinds that are drawn, those told most often first."""
    told: dict[str, int] = {}
    for entry in facts.diary:
        told[entry["kind"]] = told.get(entry["kind"], 0) + 1
    return sorted(sorted(told, key=lambda kind: -told[kind])[:DIARY_ROWS])


def _diary(canvas: Canvas, facts: Facts, top_mm: float, wide: float) -> None:
    """A row of spasms and one for each kind of entry: what was told of a day, added up, or a dot."""
    spasms = facts.counts["spasm"].sum(axis=1)
    canvas.text(LEFT_MM - 2.0, top_mm + 3.0, "Spasms", align="right", weight="bold")
    _row(canvas, top_mm, wide, [f"{n:.0f}" if n else "" for n in spasms], weight="bold")
    for number, kind in enumerate(_kinds(facts), start=1):
        own = [entry for entry in facts.diary if entry["kind"] == kind]
        cells = []
        for day in facts.days.all:
            here = [e for e in own if local_time(e["utc_ms"], e["utc_offset_s"]).date() == day]
            value = together(here)
            cells.append(plain(value) if value is not None else "•" if here else "")
        y_mm = top_mm + ROW_MM * number
        unit = next((e["unit"] for e in own if e["unit"]), "")
        name = fitted(printable(capital(f"{kind} ({unit})" if unit else kind)), LEFT_MM - 2.0, SMALL_PT)
        canvas.text(LEFT_MM - 2.0, y_mm + 3.0, name, align="right")
        _row(canvas, y_mm, wide, cells)
        canvas.rule(LEFT_MM, y_mm, wide, 0.2)


def _row(canvas: Canvas, top_mm: float, wide: float, cells: Sequence[str], **more: Any) -> None:
    """A cell for each day; dots where the days are too narrow for their numbers."""
    day_mm = wide / len(cells)
    fits = max(width_mm(cell, SMALL_PT, **more) for cell in cells) < day_mm - 0.2
    for number, cell in enumerate(cells):
        if cell:
            x_mm = LEFT_MM + day_mm * (number + 0.5)
            canvas.text(x_mm, top_mm + 3.0, cell if fits else "•", align="center", **more)


def _label(canvas: Canvas, middle_mm: float, *lines: str) -> None:
    """Beside the hours' labels, at the left edge."""
    for number, line in enumerate(lines):
        canvas.text(0.0, middle_mm + 3.0 * (number - len(lines) / 2) + 2.0, line)


def durations(canvas: Canvas, facts: Facts) -> None:
    """How long the events lasted, by class, on a logarithmic axis."""
    axis = _histogram_axes(canvas, "Number of events by duration")
    edges = np.geomspace(4, 240_000, 40)
    bottom = np.zeros(len(edges) - 1)
    for name in FILLS:
        values = [e["duration_ms"] for e in facts.of(name) if e["duration_ms"]]
        heights = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
        style = _BARS | {"facecolor": FILLS[name], "hatch": HATCHES[name]}
        axis.bar(edges[:-1], heights, np.diff(edges), bottom=bottom, align="edge", label=name, **style)
        bottom += heights
    axis.legend(frameon=False, fontsize=7, loc="upper right", handlelength=1.2, borderaxespad=0.0, labelspacing=0.2)
    ticks = {10.0: "10 ms", 100.0: "100 ms", 1e3: "1 s", 1e4: "10 s", 1e5: "100 s"}
    _log_axis(axis, (4, 240_000), ticks)


def amplitudes(canvas: Canvas, facts: Facts) -> None:
    """How high the twitches were, on a logarithmic axis."""
    twitches, unit = _one_unit(facts.of("twitch"))
    axis = _histogram_axes(canvas, f"Number of twitches by peak ({unit})")
    values = np.array([e["peak"] for e in twitches if e["peak"]], dtype=np.float64)
    low, high = (values.min() * 0.9, values.max() * 1.1) if values.size else (1.0, 100.0)
    edges = np.geomspace(low, high, 25)
    axis.bar(edges[:-1], np.histogram(values, edges)[0], np.diff(edges), align="edge", **_BARS)
    steps = [m * 10.0**p for p in range(-3, 7) for m in (1, 2, 5)]
    _log_axis(axis, (low, high), {step: f"{step:g}" for step in steps if low <= step <= high})


def pauses(canvas: Canvas, facts: Facts) -> None:
    """From one twitch to the next, on a logarithmic axis."""
    axis = _histogram_axes(canvas, "Time from a twitch to the next (s)")
    edges = np.geomspace(0.02, 5000, 30)
    heights = np.histogram(np.clip(facts.pauses_s, edges[0], edges[-1]), edges)[0]
    axis.bar(edges[:-1], heights, np.diff(edges), align="edge", **_BARS)
    _log_axis(axis, (0.02, 5000), {10.0**power: f"{10.0**power:g}" for power in range(-1, 4)})


def _histogram_axes(canvas: Canvas, title: str) -> Axes:
    canvas.text(0.0, 3.2, title, 7.5, weight="bold")
    axis = canvas.axes(9.0, 7.5, canvas.width_mm - 11.0, canvas.height_mm - 12.5)
    axis.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    return axis


def _log_axis(axis: Axes, limits: tuple[float, float], ticks: dict[float, str]) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*limits)
    axis.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ticks.get(value, "")))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_ylim(bottom=0)


def _one_unit(events: Sequence[Any]) -> tuple[list[Any], str]:
    """The events in uV, or where there is none those in counts."""
    scaled = [e for e in events if e["in_uV"]]
    return (scaled, "µV") if scaled or not events else (list(events), "counts")


def week(canvas: Canvas, facts: Facts) -> None:
    """A row for each day: its hours in greys, and beside them what the day came to."""
    days, high = facts.days.all, canvas.height_mm - 8.0
    grid = canvas.axes(DAY_MM, 2.0, canvas.width_mm - DAY_MM - 66.0, high)
    edges = _heat(grid, _rates(facts).T, np.arange(25), np.arange(len(days) + 1))
    grid.invert_yaxis()
    grid.set_yticks([])
    grid.set_xticks([0, 6, 12, 18, 24], ["00:00", "06:00", "12:00", "18:00", "24:00"])
    hours, counts = facts.analysable_h.sum(axis=1), facts.counts["twitch"].sum(axis=1)
    for number, day in enumerate(days):
        base_mm = 3.2 + high * (number + 0.5) / len(days)
        canvas.text(DAY_MM - 2.0, base_mm, day_name(day), align="right")
        told = (
            f"{counts[number] / hours[number]:.1f} an hour in {hours[number]:.1f} h"
            if hours[number] >= LEAST_HOURS
            else ""
        )
        canvas.text(canvas.width_mm - 64.0, base_mm, told or "hardly or not worn")
    _key(canvas.part(canvas.width_mm - RIGHT_MM + 3.0, 2.0, RIGHT_MM - 3.0, canvas.height_mm), edges)
