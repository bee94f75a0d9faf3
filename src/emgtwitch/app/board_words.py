"""What a board reports about itself, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emgtwitch.app.log_rows import counted, shown_duration
from emgtwitch.detect.records import CLASSES

ERRORS = {  # fields of the wire's Counters
    "line_errors": "garbled byte",
    "rejected_requests": "rejected request",
    "missed_triggers": "late conversion",
    "lost_scans": "scan lost",
    "watchdog_resets": "restart by the watchdog",
}
_PLURALS = {"lost_scans": "scans lost", "watchdog_resets": "restarts by the watchdog"}
_WATCHED = {"twitch": "twitches", "contraction": "contractions", "spasm": "spasms"}  # fields of the wire's Guard


def errors_text(counts: Mapping[str, int]) -> str:
    """The counts that are not zero; empty where all are."""
    return ", ".join(
        f"{n} {_PLURALS[name]}" if n != 1 and name in _PLURALS else counted(n, noun)
        for name, noun in ERRORS.items()
        if (n := counts.get(name, 0))
    )


def report_text(kind: str, source: str, detail: Mapping[str, Any]) -> str:
    """A board's mark as a sentence; empty for marks that are none of its reports."""
    if source != "board":
        return ""
    if kind == "guard":
        found = ", ".join(counted(detail[_WATCHED[name]], name) for name in CLASSES)
        longest = f", the longest of {shown_duration(detail['longest_ms'] / 1000)}" if detail["longest_ms"] else ""
        watched = shown_duration(detail["guarded_s"])
        return f"While no computer was connected the board watched for {watched}: {found}{longest}."
    if kind == "board_errors":
        return f"The board reports errors: {errors_text(detail)}."
    return ""
