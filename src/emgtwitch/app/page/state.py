"""How the sensor is, in one word and with what to do about it."""

from __future__ import annotations

from typing import Any

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.tap import Condition

# state -> (headline, what to do); from the worst to the best, so the worst channel speaks for all
STATES = {
    "no_board": ("No board", "Plug the board in. If it is, try another cable; `emgtwitch doctor` looks further."),
    "not_understood": ("Not understood", "The board sends bytes that make no sense: check its cable, plug it in anew."),
    "closed": ("Recording", "This is a recording; no board is connected."),
    "poor_contact": ("Poor contact", "Press the electrodes down, check the leads, or use fresh electrodes."),
    "mains": ("Mains noise", "Check the reference electrode, unplug chargers nearby, keep the leads together."),
    "settling": ("Settling", "Sit still for a few seconds while the sensor learns how quiet your muscle is."),
    "good": ("Worn and good", "Nothing to do."),
}
MAINS_uV = 250.0  # one in twenty twitches is missed (docs/adr/0009-calibration.md)
MAINS_OVER_FLOOR = 50.0  # where the gain is unknown


def state(desk: Desk) -> dict[str, Any]:
    """The state as /api/v1/state and the live socket tell it."""
    status = desk.status()
    connected = bool(status.get("connected"))
    epoch = desk.tap.epoch
    worn = status.get("worn") or []
    channels = []
    in_uV = epoch is None or epoch.in_uV
    names = [channel_state(condition, in_uV) for condition in desk.tap.conditions]
    for number, condition in enumerate(desk.tap.conditions):
        told = worn[number] if number < len(worn) else {}
        where = {key: told.get(key) for key in ("muscle", "side", "placement")}
        levels = {"floor": _rounded(condition.floor_uV), "mains": _rounded(condition.mains_uV)}
        channels.append({"channel": number, "state": names[number], "input": condition.name, **levels, **where})
    if desk.note is None:
        name = "closed"
    elif not connected:
        name = "no_board"
    elif not status.get("hears", True):
        name = "not_understood"
    else:
        name = min(names, key=list(STATES).index, default="settling")
    headline, do = STATES[name]
    started = desk.news.started
    return {
        "type": "state",
        "state": name,
        "headline": headline,
        "do": do,
        "writable": desk.write is not None,
        "recording_id": desk.news.recording_id,
        "board": {key: status.get(key) for key in ("device", "source", "connected", "rate_Hz")},
        "unit": "uV" if in_uV else "counts",
        "channels": channels,
        "now_s": None if epoch is None else round(epoch.seconds(epoch.end), 4),
        "started_utc_ms": started[0] if started is not None else status.get("since_utc_ms"),
        "utc_offset_s": started[1] if started is not None else status.get("utc_offset_s"),
        "duration_s": status.get("duration_s", 0.0),
        "analysable_s": status.get("analysable_s", []),
        "scans_seen": status.get("scans_seen", 0),
        "scans_lost": status.get("scans_lost", 0),
        "frames_rejected": status.get("frames_rejected", 0),
        "clock_ppm": status.get("clock_ppm"),
        "troubles": status.get("troubles", []),
        "well": status.get("well", True),
        "well_since_utc_ms": status.get("well_since_utc_ms"),
        "running": list(desk.news.running.values()),
        "now_utc_ms": desk.now_ms(),
    }


def channel_state(condition: Condition, in_uV: bool) -> str:
    """One of STATES, of one channel."""
    if condition.name in ("rail", "flat", "lead_off", "absent"):
        return "poor_contact"
    if condition.name == "settling":
        return "settling"
    limit = MAINS_uV if in_uV else MAINS_OVER_FLOOR * condition.floor_uV
    return "mains" if condition.mains_uV > limit else "good"


def _rounded(value: float) -> float | None:
    return round(value, 3) if value == value else None
