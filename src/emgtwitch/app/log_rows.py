"""Rows of the log as the objects of the command-line contract and as cells for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emgtwitch.app.days import local_time

Row = dict[str, Any]

REJECTED = ("voluntary", "artefact")  # labels of what was no event of the muscle's own


def event_json(event: Row, train: int | None) -> Row:
    """The contract's event, with wall-clock time and recording; null where an announced spasm goes on."""
    unit = "uV" if event["in_uV"] else "counts"
    amplitudes: Row = {"peak_uV": None, "rms_uV": None}
    amplitudes[f"peak_{unit}"] = _rounded(event["peak"], 3)
    amplitudes[f"rms_{unit}"] = _rounded(event["rms"], 3)
    return {
        "type": "event",
        "class": event["class"],
        "channel": event["channel"],
        "onset_s": round(event["onset_s"], 6),
        "offset_s": _rounded(event["offset_s"], 6),
        "duration_ms": _rounded(event["duration_ms"], 3),
        **amplitudes,
        "snr_dB": _rounded(event["snr_dB"], 2),
        "on_tone": bool(event["on_tone"]),
        "truncated": bool(event["truncated"]),
        "decided_sample": event["decided_sample"],
        "settings_digest": event["settings_digest"],
        **_wall(event),
        "train": train,
    }


def interval_json(interval: Row) -> Row:
    """The contract's interval, with wall-clock time and recording."""
    out = {
        "type": "interval",
        "kind": interval["kind"],
        "channel": interval["channel"],
        "onset_s": round(interval["onset_s"], 6),
        "offset_s": round(interval["offset_s"], 6),
    }
    if interval["cause"]:
        out["cause"] = interval["cause"]
    return out | _wall(interval)


def mark_json(mark: Row) -> Row:
    """The contract's mark, with wall-clock time; `at_s` is null if it was made while nothing was recorded."""
    return {
        "type": "mark",
        "kind": mark["kind"],
        "channel": mark["channel"],
        "at_s": _rounded(mark["at_s"], 6),
        **mark["detail"],
        "utc_ms": mark["utc_ms"],
        "utc_offset_s": mark["utc_offset_s"],
    }


def as_labelled(events: Iterable[Row], labels: Mapping[int, Row]) -> list[Row]:
    """The events as the wearer counts them, `labels` by the row ids: those called voluntary or artefacts left out."""
    out = []
    for event in events:
        said = labels[event["id"]]["class"] if event["id"] in labels else "confirmed"
        if said not in REJECTED:
            out.append(event if said == "confirmed" else event | {"class": said})
    return out


EVENT_COLUMNS = ("time", "class", "ch", "duration", "peak", "SNR dB", "train", "remarks")
INTERVAL_COLUMNS = ("time", "kind", "ch", "duration", "cause")
MARK_COLUMNS = ("time", "mark", "from", "note")


def event_cells(event: Row, train: int | None) -> tuple[str, ...]:
    """One line for people, under EVENT_COLUMNS."""
    unit = "uV" if event["in_uV"] else "counts"
    remarks = []
    if event["offset_s"] is None:
        remarks.append("goes on")
    if event["on_tone"]:
        remarks.append("on tone")
    if event["truncated"]:
        remarks.append("cut off")
    return (
        shown_time(event),
        event["class"],
        str(event["channel"]),
        "" if event["duration_ms"] is None else shown_duration(event["duration_ms"] / 1000),
        "" if event["peak"] is None else f"{event['peak']:.1f} {unit}",
        "" if event["snr_dB"] is None else f"{event['snr_dB']:.1f}",
        "" if train is None else str(train),
        ", ".join(remarks),
    )


def interval_cells(interval: Row) -> tuple[str, ...]:
    """One line for people, under INTERVAL_COLUMNS."""
    return (
        shown_time(interval),
        interval["kind"],
        "all" if interval["channel"] is None else str(interval["channel"]),
        shown_duration(interval["offset_s"] - interval["onset_s"]),
        interval["cause"],
    )


def mark_cells(mark: Row, report: str = "") -> tuple[str, ...]:
    """One line for people, under MARK_COLUMNS; `report` stands where the wearer left no note."""
    note = mark["detail"].get("note", report)
    return shown_time(mark | {"onset_s": mark["at_s"]}), mark["kind"], mark["source"], str(note)


def shown_time(row: Row) -> str:
    """The wearer's clock then; without clock marks, seconds from the recording's first sample."""
    if row["utc_ms"] is None or row["utc_offset_s"] is None:
        return f"{row['onset_s']:.3f} s"
    return local_time(row["utc_ms"], row["utc_offset_s"]).isoformat(" ", "milliseconds")[:-2]


def shown_duration(seconds: float) -> str:
    """A length in the unit that reads best."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def counted(count: int, noun: str) -> str:
    """`1 twitch`, `2 twitches`."""
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('ch') else 's'}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _wall(row: Row) -> Row:
    return {"recording_id": row["recording_id"], "utc_ms": row["utc_ms"], "utc_offset_s": row["utc_offset_s"]}
