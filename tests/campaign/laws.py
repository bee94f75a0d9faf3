"""What must hold of a data folder after a fault: all that was shown is in the log, and how much signal is missing."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from emgtwitch.app.cli import main
from emgtwitch.sources.recording import read_blocks
from emgtwitch.store.folders import SESSIONS_NAME, log_path
from emgtwitch.store.log import LogWriter
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Clock, Hello, Samples

KEYS = ("class", "channel", "onset_s")


class LawBrokenError(AssertionError):
    """A fault ended otherwise than documented; the text says what was seen."""


def boottime_s() -> float:
    """The clock that goes on during a suspend."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def identity(event: dict[str, Any]) -> tuple[Any, ...]:
    """What makes an event one."""
    return tuple(event[key] for key in KEYS)


def logged(folder: Path) -> list[dict[str, Any]]:
    """The log's events and intervals, as `emgtwitch events` prints them."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["events", "--json", "--intervals", "--data", str(folder)])
    if code:
        raise LawBrokenError(f"`emgtwitch events` on {folder} ended with {code}")
    return [json.loads(line) for line in out.getvalue().splitlines()]


def check_shown(lines: Iterable[dict[str, Any]], folder: Path) -> int:
    """Raise unless every event among `lines` that were printed is in the log; how many there were."""
    events = [identity(line) for line in lines if line["type"] == "event"]
    if events:
        known = {identity(row) for row in logged(folder) if row["type"] == "event"}
        missing = [event for event in events if event not in known]
        if missing:
            raise LawBrokenError(f"shown, but not in the log of {folder}: {missing}")
    return len(events)


def sessions(folder: Path) -> list[Path]:
    """Recordings by age."""
    return sorted((folder / SESSIONS_NAME).glob("*")) if (folder / SESSIONS_NAME).is_dir() else []


def missing_s(recording: Path, died_boottime_s: float) -> float | None:
    """Seconds of signal before `died_boottime_s` that the recording lacks; None before its first clock mark."""
    if not any(path.stat().st_size for path in recording.glob("*.emgw")):
        return None  # the end came between making the file and writing to it
    data = b"".join(bytes(block) for block in read_blocks(recording))
    last_clock_s, rate_Hz, channels, since = None, 0.0, 1, 0
    for found in frames(data, (Clock.TYPE, Hello.TYPE, Samples.TYPE)):
        if isinstance(found, Clock):
            last_clock_s, since = found.boottime_ns / 1e9, 0
        elif isinstance(found, Hello):
            rate_Hz, channels = found.rate_num / found.rate_den, found.channels
        elif isinstance(found, Samples):
            since += len(found.counts) // channels
    if last_clock_s is None or not rate_Hz:
        return None
    return died_boottime_s - last_clock_s - since / rate_Hz


def check_sound(folder: Path, lines: Iterable[dict[str, Any]] | None = None) -> None:
    """Raise unless the next start opens the log as it is and every recording can be replayed.

    After a power cut `lines` are what was printed before it: each event among them must come out of a replay, and where
    nothing was synced yet a recording may hold nothing that can be read.
    """
    nothing = ("Hello",) if lines is None else ("Hello", "no samples that can be read")
    LogWriter(log_path(folder)).close()
    found = set()
    for recording in sessions(folder):
        if any(path.stat().st_size for path in recording.glob("*.emgw")):
            found |= {identity(line) for line in replayed(recording, nothing) if line["type"] == "event"}
    missing = [event for line in lines or () if line["type"] == "event" and (event := identity(line)) not in found]
    if missing:
        raise LawBrokenError(f"shown, but not in the recordings of {folder}: {missing}")


def replayed(recording: Path, nothing: Sequence[str] = ("Hello",)) -> list[dict[str, Any]]:
    """What a replay of a recording says; one that holds `nothing` yet, in its words, says nothing."""
    out, words = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(words):
        code = main(["replay", str(recording), "--json"])
    if code and not any(one in words.getvalue() for one in nothing):
        raise LawBrokenError(f"the replay of {recording} ended with {code}: {words.getvalue()}")
    return [json.loads(line) for line in out.getvalue().splitlines()]
