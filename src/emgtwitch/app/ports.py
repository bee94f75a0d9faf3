"""`emgtwitch ports`: the serial ports, and which board answers there."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from emgtwitch.app.table import print_table
from emgtwitch.errors import NoBoardError
from emgtwitch.sources.discover import ASK_DOCTOR, PROBE_S, Candidate, Probe, candidates, probe
from emgtwitch.wire.records import Hello

DEV = Path("/dev")
WORDS = {
    "board": "board",
    "silent": "no answer",
    "busy": "in use",
    "denied": "no permission",
    "version": "other wire version",
    "lost": "failed",
    "unasked": "not asked",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ports`."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--no-probe", action="store_true", help="do not open the ports (opening one resets most Arduino boards)"
    )
    parser.add_argument(
        "--seconds", type=float, default=PROBE_S, metavar="S", help="how long a board may take to answer (%(default)s)"
    )


def main(args: argparse.Namespace, dev: Path = DEV) -> int:
    """List the ports under `dev`. Raises NoBoardError if there is none, or if no board answers where it was asked."""
    found = candidates(dev)
    if not found:
        raise NoBoardError(f"No serial port is there. Plug the board in with a cable that carries data.{ASK_DOCTOR}")
    results = {} if args.no_probe else {r.port: r for r in probe([c.port for c in found], args.seconds, first=False)}
    for result in results.values():
        if result.link is not None:
            result.link.close()
    rows = [describe(candidate, results.get(candidate.port)) for candidate in found]
    if args.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print_table(("port", "state", "what"), [(row["port"], WORDS[row["state"]], _what(row)) for row in rows])
    if not args.no_probe and not any(row["state"] == "board" for row in rows):
        sys.stdout.flush()
        raise NoBoardError(f"No board answers.{ASK_DOCTOR}")
    return 0


def describe(candidate: Candidate, result: Probe | None) -> dict[str, Any]:
    """One port as the object that `--json` prints; `result` is None where the port was not asked."""
    row: dict[str, Any] = {
        "type": "port",
        "port": candidate.port,
        "device": candidate.device,
        "description": candidate.description,
        "state": result.state if result else "unasked",
    }
    if result is not None and result.text:
        row["text"] = result.text
    if result is not None and result.hello is not None:
        row |= board(result.hello)
    return row


def board(hello: Hello) -> dict[str, Any]:
    """What a Hello says of a board, for `--json` and for `doctor`."""
    return {
        "device_id": f"{hello.device_id:016x}",
        "firmware": f"{hello.firmware_major}.{hello.firmware_minor}",
        "wire_version": hello.wire_version,
        "rate_Hz": round(hello.rate_num / hello.rate_den, 6) if hello.rate_den else None,
        "channels": hello.channels,
        "gain": hello.gain_milli / 1000 if hello.gain_milli else None,
    }


def board_text(hello: Hello) -> str:
    """The same for a person."""
    seen = board(hello)
    rate = f"{seen['rate_Hz']:g} Hz" if seen["rate_Hz"] else "an unknown rate"
    channels = "1 channel" if hello.channels == 1 else f"{hello.channels} channels"
    gain = f"gain {seen['gain']:g}" if seen["gain"] else "gain unknown"
    return f"board {seen['device_id']}, firmware {seen['firmware']}, {rate}, {channels}, {gain}"


def _what(row: dict[str, Any]) -> str:
    if row["state"] != "board":
        return str(row.get("text") or row["description"])
    rate = f"{row['rate_Hz']:g} Hz" if row["rate_Hz"] else "rate unknown"
    return f"{row['device_id']}, firmware {row['firmware']}, {rate}, {row['channels']} ch"
