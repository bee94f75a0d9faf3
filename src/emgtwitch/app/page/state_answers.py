"""Answers about the sensor itself: state, settings, the guided minute, figures for Prometheus."""

from __future__ import annotations

from typing import Any

from emgtwitch import __version__
from emgtwitch.app.log_rows import mark_json
from emgtwitch.app.page.calibrate import TOTAL_S, Calibration
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.route import Asked, RefusedError
from emgtwitch.app.page.state import STATES, state
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import NoBoardError
from emgtwitch.store.told import last_mark


def now(desk: Desk, _: Asked) -> dict[str, Any]:
    """How the sensor is, and what to do."""
    return state(desk)


def settings(desk: Desk, _: Asked) -> dict[str, Any]:
    """What the detector is set to, and what is worn where."""
    status = desk.status()
    return {
        "software": __version__,
        "detector": status.get("settings", {}),
        "worn": status.get("worn") or [],
        "device": {key: status.get(key) for key in ("device", "rate_Hz", "channels")},
        "data": str(desk.folder),
    }


def calibration(desk: Desk, _: Asked) -> dict[str, Any]:
    """Where the guided minute stands; with its result once it is over."""
    if desk.calibration is None:
        with desk.log() as log:
            kept = last_mark(log, "calibration")
        return {"state": "idle", "total_s": TOTAL_S, "kept": None if kept is None else mark_json(kept)}
    out = desk.calibration.progress(_now_s(desk))
    return out | {"result": desk.calibration.result(desk.tap)} if out["state"] == "done" else out


def calibrate(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Begin the guided minute anew."""
    epoch = desk.tap.epoch
    if desk.note is None or not desk.status().get("connected") or epoch is None:
        raise RefusedError(409, "No board streams at present.", "Connect it and wait for the signal, then begin.")
    if asked.body.channel >= len(epoch.tracks):
        raise RefusedError(409, f"There is no channel {asked.body.channel}.", f"There are {len(epoch.tracks)}, from 0.")
    desk.calibration = Calibration(asked.body.channel, epoch.seconds(epoch.end))
    return desk.calibration.progress(_now_s(desk))


def keep_calibration(desk: Desk, _: Asked) -> dict[str, Any]:
    """Keep the result as a mark `calibration` in the log and the recording."""
    if desk.calibration is None or desk.calibration.progress(_now_s(desk))["state"] != "done":
        raise RefusedError(409, "There is no finished calibration.", "Begin one, and let its minute pass.")
    result = {"channel": desk.calibration.channel, **desk.calibration.result(desk.tap)}
    if desk.note is None:
        raise RefusedError(409, "Nothing is recorded at present.", "Open the page of a running daemon.")
    stored = desk.news.await_mark("calibration", result)
    try:
        desk.note("calibration", result)
        return stored.result(10.0)
    except (NoBoardError, TimeoutError):
        raise RefusedError(
            503, "The result is not in the log yet.", "Look at the marks before you try again."
        ) from None


def _now_s(desk: Desk) -> float:
    epoch = desk.tap.epoch
    return 0.0 if epoch is None else epoch.seconds(epoch.end)


def metrics(desk: Desk) -> str:
    """Prometheus text, version 0.0.4."""
    told = state(desk)
    epoch = desk.tap.epoch
    lines: list[str] = []

    def add(name: str, kind: str, text: str, values: list[tuple[str, float]]) -> None:
        lines.append(f"# HELP emgtwitch_{name} {text}")
        lines.append(f"# TYPE emgtwitch_{name} {kind}")
        lines.extend(f"emgtwitch_{name}{labels} {value:.15g}" for labels, value in values)

    add("info", "gauge", "Version of the program.", [(f'{{version="{__version__}"}}', 1)])
    add("connected", "gauge", "Whether a board streams.", [("", float(bool(told["board"]["connected"])))])
    well = bool(told.get("well", True))
    words = "Whether a board streams, is understood, an electrode has contact and all is stored."
    add("well", "gauge", words, [("", float(well))])
    if told["well_since_utc_ms"] is not None:
        words = "Since when this is so, in seconds since 1970 UTC."
        add("well_since_timestamp_seconds", "gauge", words, [("", told["well_since_utc_ms"] / 1000)])
    add("state", "gauge", "The present state.", [(f'{{state="{name}"}}', told["state"] == name) for name in STATES])
    add("duration_seconds", "counter", "Length of the recording, gaps included.", [("", told["duration_s"])])
    each = [(f'{{channel="{n}"}}', part) for n, part in enumerate(told["analysable_s"])]
    add("analysable_seconds", "counter", "What of it could be analysed.", each)
    add("scans_total", "counter", "Scans received.", [("", told["scans_seen"])])
    add("scans_lost_total", "counter", "Scans made and not received.", [("", told["scans_lost"])])
    add("frames_rejected_total", "counter", "Frames rejected by the decoder.", [("", told["frames_rejected"])])
    found = [(f'{{class="{name}"}}', float(desk.news.counts[name])) for name in CLASSES]
    add("events_total", "counter", "Events of this recording, by class.", found)
    add("spasms_running", "gauge", "Spasms that go on.", [("", len(told["running"]))])
    add("clients", "gauge", "Live sockets that are open.", [("", len(desk.clients))])
    if epoch is not None:
        add("signal_end_seconds", "gauge", "Session time of the newest sample.", [("", epoch.seconds(epoch.end))])
    return "\n".join(lines) + "\n"
