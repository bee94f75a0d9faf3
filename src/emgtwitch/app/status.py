"""`emgtwitch status`: whether the daemon runs, and how well it hears."""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

from emgtwitch.app.board_words import errors_text
from emgtwitch.app.days import local_time, wall_ms
from emgtwitch.app.log_rows import Row, counted, mark_json, shown_duration, shown_time
from emgtwitch.detect.records import CLASSES
from emgtwitch.store.channel import ask
from emgtwitch.store.folders import data_folder, log_path
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.store.told import last_mark


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `status`."""
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Print the state; 0 if all is well, NOT_WELL or NOT_RUNNING. Raises UnreadableInputError on a log that cannot be
    read.
    """
    folder = data_folder(args.data)
    state = gather(folder, datetime.datetime.now())
    print(json.dumps(state) if args.json else "\n".join(_lines(state)))
    if not state["running"]:
        return NOT_RUNNING
    return 0 if state.get("well", True) else NOT_WELL


# Exit codes, as the Linux Standard Base has them for a service's status.
NOT_WELL, NOT_RUNNING = 1, 3
# What the daemon's answer to {"command": "status"} may say better than the log, which lags by up to a second.
LIVE_KEYS = (
    *("pid", "since_utc_ms", "recording_id", "utc_offset_s", "source", "device", "connected", "hears"),
    *("contact", "rate_Hz", "channels"),
    *("duration_s", "analysable_s", "scans_seen", "scans_lost", "frames_rejected", "clock_ppm"),
    *("clock_ppm_uncertainty", "troubles", "board_errors", "well", "well_since_utc_ms", "well_since_offset_s"),
)
LOGGED_KEYS = (
    *("recording_id", "device", "worn", "rate_Hz", "channels", "duration_s", "analysable_s", "scans_seen"),
    *("scans_lost", "frames_rejected", "clock_ppm", "clock_ppm_uncertainty"),
)


def gather(folder: Path, now: datetime.datetime) -> dict[str, Any]:
    """The state as the JSON object that `--json` prints; `now` is the local time without a zone."""
    answer = ask(folder, {"command": "status"})
    state: dict[str, Any] = {"type": "status", "running": answer is not None, "data": str(folder)}
    path = log_path(folder)
    if path.exists():
        with LogReader(path) as log:
            session = _session(log.sessions(), (answer or {}).get("recording_id"))
            midnight_ms = wall_ms(datetime.datetime.combine(now.date(), datetime.time()))
            events = log.events(Selection(from_local_ms=midnight_ms))
            kept = last_mark(log, "calibration")
        if session is not None:
            state |= {key: session[key] for key in LOGGED_KEYS}
            state |= {"since_utc_ms": session["started_utc_ms"], "utc_offset_s": session["utc_offset_s"]}
        if kept is not None:
            state["calibration"] = mark_json(kept)
        state["today"] = {name: sum(event["class"] == name for event in events) for name in CLASSES}
    if answer is not None:
        state |= {key: answer[key] for key in LIVE_KEYS if key in answer}
    if state.get("duration_s"):
        state["analysable_share"] = [round(part / state["duration_s"], 6) for part in state["analysable_s"]]
    return state


def _at_a_glance(state: dict[str, Any]) -> str:
    """The first line: whether all is well and since when, or what to do."""
    since = ""
    if state.get("well_since_utc_ms") is not None:
        when = local_time(state["well_since_utc_ms"], state.get("well_since_offset_s", state.get("utc_offset_s")) or 0)
        since = f" since {when.isoformat(' ', 'minutes')}"
    if state.get("well", True):
        return f"All is well{since}."
    if not state.get("connected", True):
        return f"No board{since}: plug it in; emgtwitch doctor finds out what is in the way."
    if not state.get("hears", True):
        return f"Nothing understandable comes from the board{since}: check its cable; emgtwitch doctor tells more."
    if not state.get("contact", True):
        return f"No electrode has contact{since}: press them on, or use fresh ones."
    return f"Not everything is stored{since}: make room on the disk; what is missing is told below."


def _session(sessions: list[Row], recording_id: str | None) -> Row | None:
    """The running recording's session; without one, the last."""
    running = [session for session in sessions if session["recording_id"] == recording_id]
    if recording_id is not None:
        return running[-1] if running else None
    return sessions[-1] if sessions else None


def _lines(state: dict[str, Any]) -> list[str]:
    lines = []
    since = ""
    if state.get("since_utc_ms") is not None:
        offset_s = state.get("utc_offset_s") or 0
        since = f" since {local_time(state['since_utc_ms'], offset_s).isoformat(' ', 'minutes')}"
    if state["running"]:
        process = f" (process {state['pid']})" if "pid" in state else ""
        unplugged = "" if state.get("connected", True) else "; no board is connected at present"
        lines.append(_at_a_glance(state))
        lines.append(f"The daemon runs{since}{process}{unplugged}.")
    else:
        lines.append(f"The daemon is not running on {state['data']}.")
        if "recording_id" not in state:
            return [*lines, "Nothing is logged there yet."]
        lines.append(f"The last recording{since or ' has no clock'}:")
    if "device" in state:
        source = f" on {state['source']}" if state.get("source") else ""
        lines.append(f"  board     {state['device']}{source}, {state['channels']} x {state['rate_Hz']:g} Hz")
    if "duration_s" in state:
        shares = ", ".join(f"{100 * s:.1f} %" for s in state.get("analysable_share", []))
        lines.append(f"  recorded  {shown_duration(state['duration_s'])}, analysable {shares or 'nothing yet'}")
    if "today" in state:
        lines.append("  today     " + ", ".join(counted(n, name) for name, n in state["today"].items()))
    if (kept := state.get("calibration")) is not None and "snr_dB" in kept:
        when = shown_time(kept | {"onset_s": kept["at_s"]})
        rest = f"{kept['baseline']:.3g} {kept['unit']}"
        lines.append(f"  rest      {rest}, firm {kept['snr_dB']:.0f} dB above it ({kept['verdict']}, {when})")
    if state.get("clock_ppm") is not None:
        uncertainty = state.get("clock_ppm_uncertainty")
        spread = f" ± {uncertainty:.1f}" if uncertainty is not None else ""
        lines.append(f"  clock     {state['clock_ppm']:+.1f}{spread} ppm against this computer's")
    elif "duration_s" in state:
        lines.append("  clock     not known yet")
    if "scans_lost" in state:
        made = state["scans_seen"] + state["scans_lost"]
        share = f" ({100 * state['scans_lost'] / made:.3g} %)" if made else ""
        rejected = counted(state["frames_rejected"], "frame")
        lines.append(f"  lost      {state['scans_lost']} of {made} scans{share}, {rejected} rejected")
    if errors := errors_text(state.get("board_errors", {})):
        lines.append(f"  errors    of the board since its power-up: {errors}")
    return lines + [f"  trouble   {text}" for text in state.get("troubles", [])]
