"""Answers with signal: a stretch of it, and an event with what is around it and why it has its class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emgtwitch.app.log_rows import Row, shown_duration
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.log_answers import event_row, train_numbers
from emgtwitch.app.page.past import Source
from emgtwitch.app.page.route import Asked, RefusedError
from emgtwitch.app.page.survey import GRID_S, Columns, Floats
from emgtwitch.app.page.told_answers import event_key
from emgtwitch.errors import UnreadableInputError
from emgtwitch.settings import Settings
from emgtwitch.store.log_reader import Selection
from emgtwitch.store.told import labels, ratings

AROUND_S = 0.4  # at least, before and after an event
AROUND_SHARE = 0.5  # of its length
AROUND_MOST_S = 5.0
POINTS = 2000


def signal(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Least and greatest value a column, raw and filtered, with envelope and thresholds; null where nothing is."""
    query = asked.query
    if query.to_s <= query.from_s:
        raise RefusedError(400, "to_s does not lie after from_s.", "Send from_s < to_s.")
    return stretch(desk, query.recording, query.channel, query.from_s, query.to_s, query.points)


def stretch(desk: Desk, recording: str | None, channel: int, from_s: float, to_s: float, points: int) -> dict[str, Any]:
    """From memory where it is there, else from the session's recording."""
    name = recording or desk.news.recording_id
    epoch = desk.tap.epoch
    unit = "uV"
    columns: Columns | None = None
    source, share = "memory", 1.0
    if epoch is not None and name == desk.news.recording_id:
        unit = "uV" if epoch.in_uV else "counts"
        start, stop = epoch.sample(from_s), min(epoch.sample(to_s), epoch.end)
        if start >= epoch.end:
            return _shape(None, name, channel, unit, source, share)
        per_column = round((to_s - from_s) * epoch.rate_Hz / points)
        columns = desk.tap.read(channel, start, stop, per_column) or desk.tap.survey(channel, from_s, to_s, points)
    if columns is None:
        session = _session(desk, name)
        if session["path"] is None:
            raise RefusedError(404, "The log does not say where this was recorded.", "Choose another recording.")
        unit = "uV" if session["uV_per_count"] is not None else "counts"
        recorded = Source(Path(session["path"]), desk.reading, Settings.from_mapping(session["settings"]))
        if (to_s - from_s) / points >= GRID_S:
            columns, share = desk.past.survey(recorded, channel, from_s, to_s, points)
        if columns is None and share == 1.0:  # finer than a survey is
            columns = desk.past.columns(recorded, channel, from_s, to_s, points)
        source = "recording"
        if share == 1.0 and (columns is None or not np.isfinite(columns.raw_max).any()):
            with desk.log() as log:
                if said := log.not_kept(session["id"]):
                    raise RefusedError(404, said, "Choose an event: what is around it is kept.")
    return _shape(columns, name, channel, unit, source, share)


def event(desk: Desk, asked: Asked) -> dict[str, Any]:
    """One event: its features, why it has its class, and the signal around it."""
    recording, channel, number = event_key(asked.path["id"])
    with desk.log() as log:
        found = [e for e in log.events(Selection(recording=recording)) if e["recording_id"] == recording]
        sessions = [s for s in log.sessions(Selection(recording=recording)) if s["recording_id"] == recording]
        labelled, rated = labels(log), ratings(log)
    row = next((e for e in found if (e["channel"], e["number"]) == (channel, number)), None)
    if row is None:
        raise RefusedError(404, f"There is no event {asked.path['id']} in the log.", "Take the id from /events.")
    shown = event_row(row, train_numbers(sessions, found).get(row["id"]), labelled, rated)
    offset_s = row["offset_s"] if row["offset_s"] is not None else row["onset_s"] + 1.0
    around_s = min(max(AROUND_S, AROUND_SHARE * (offset_s - row["onset_s"])), AROUND_MOST_S)
    try:
        wave = stretch(desk, recording, channel, max(0.0, row["onset_s"] - around_s), offset_s + around_s, POINTS)
    except (RefusedError, UnreadableInputError) as error:
        wave = {"error": str(error)}
    return {"event": shown, "why": reasons(row, sessions[-1]["settings"]), "signal": wave}


def reasons(row: Row, settings: dict[str, Any]) -> list[str]:
    """Why the event has its class, in sentences."""
    told = Settings.from_mapping(settings)
    out = []
    if row["duration_ms"] is None:
        out.append(f"It goes on, and has lasted for {told.spasm_min_s:g} s or more: a spasm.")
    else:
        length = shown_duration(row["duration_ms"] / 1000)
        out.append(
            {
                "twitch": f"It lasted {length}; up to {told.twitch_max_ms:g} ms is a twitch.",
                "contraction": f"It lasted {length}: longer than a twitch ({told.twitch_max_ms:g} ms), "
                f"shorter than a spasm ({told.spasm_min_s:g} s).",
                "spasm": f"It lasted {length}; {told.spasm_min_s:g} s or more is a spasm.",
            }[row["class"]]
        )
        unit = "uV" if row["in_uV"] else "counts"
        out.append(f"It stood {row['snr_dB']:.0f} dB over rest, with a peak of {row['peak']:.3g} {unit}.")
    if row["on_tone"]:
        out.append("It rode on a longer contraction, which counts as well.")
    if row["crash_closed"]:
        out.append("The program ended during it, so its end is only the last time known.")
    elif row["truncated"]:
        out.append("It was cut off by a gap, a lost contact or the end of the recording: it may have lasted longer.")
    return out


def _session(desk: Desk, recording: str) -> Row:
    with desk.log() as log:
        found = [s for s in log.sessions(Selection(recording=recording)) if s["recording_id"] == recording]
    if not found:
        raise RefusedError(404, f"There is no recording {recording!r} in the log.", "Take a recording_id from /events.")
    return found[-1]


def _shape(
    columns: Columns | None, recording: str, channel: int, unit: str, source: str, share: float
) -> dict[str, Any]:
    out: dict[str, Any] = {"recording_id": recording, "channel": channel, "unit": unit, "source": source}
    out["read"] = round(share, 4)  # how far; what is missing yet is null
    if columns is None:
        return out | {"from_s": None, "step_s": None, "raw": None, "filtered": None, "envelope": []}
    return out | as_json(columns) | {"raw": pair(columns.raw_min, columns.raw_max)}


def as_json(columns: Columns) -> dict[str, Any]:
    """What is sent of columns, but for the raw signal."""
    return {
        "from_s": round(columns.from_s, 6),
        "step_s": columns.step_s,
        "filtered": pair(columns.filtered_min, columns.filtered_max),
        "envelope": numbers(columns.envelope),
        "on": numbers(columns.on),
        "off": numbers(columns.off),
    }


def pair(least: Floats, most: Floats) -> dict[str, list[float | None]]:
    """Least and greatest of each column."""
    return {"min": numbers(least), "max": numbers(most)}


def numbers(values: Floats) -> list[float | None]:
    """Rounded to 0.01, null where there is none."""
    rounded = np.round(values.astype(np.float64), 2)
    return [value if value == value else None for value in rounded.tolist()]
