"""`emgtwitch doctor`: what is in the way of a good recording, with one remedy for each finding."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from emgtwitch.app.case import Case, Finding
from emgtwitch.app.checks import CHECKS
from emgtwitch.app.safety import SAFETY
from emgtwitch.errors import NoBoardError, UsageError

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--source", default="auto", metavar="PORT", help="auto, a port, or sim (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="how long to listen to the board (%(default)s)"
    )
    parser.add_argument(
        "--test-signal",
        action="store_true",
        help="also stop the board's run and compare a second of its own test signal, count by count",
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def main(args: argparse.Namespace, case: Case | None = None) -> int:
    """Print the findings. Returns 0 if none is bad, 69 if no board answers, else the first bad one's code."""
    if not 1.0 <= args.seconds <= 3600.0:
        raise UsageError(f"--seconds is {args.seconds:g}; it must be from 1 to 3600.")
    if case is None:
        case = Case(source=args.source, seconds=args.seconds, data=args.data, test_signal=args.test_signal)
        if args.source.partition(":")[0] == "sim":
            from emgtwitch.sources.sim import open_sim, parse_spec

            parse_spec(args.source)
            case.open_link = lambda: open_sim(args.source)
    if sys.stderr.isatty():
        print(f"Listening to the board for {args.seconds:g} s: relax the muscle and keep still.", file=sys.stderr)
    found = [finding for check in CHECKS for finding in check(case)]
    if args.json:
        _print_json(found)
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        _print_lines(found)
    print(SAFETY, file=sys.stderr if args.json else sys.stdout)
    return exit_code(found)


def exit_code(found: Sequence[Finding]) -> int:
    """0 if nothing is bad, 69 if no board answers, else the first bad one's."""
    codes = [finding.exit_code for finding in found if finding.state == "bad"]
    return NoBoardError.exit_code if NoBoardError.exit_code in codes else codes[0] if codes else 0


def _print_json(found: Sequence[Finding]) -> None:
    for finding in found:
        print(json.dumps({"type": "finding", **{k: v for k, v in asdict(finding).items() if k != "exit_code"}}))
    states = {state: sum(finding.state == state for finding in found) for state in COLOURS}
    print(json.dumps({"type": "summary", **states}))


def _print_lines(found: Sequence[Finding]) -> None:
    for finding in found:
        print(f"{finding.state:<4}  {finding.check:<12}  {finding.text}")
        if finding.remedy:
            print(f"{'':20}-> {finding.remedy}")


def _print_table(found: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "check", "finding"):
        table.add_column(name, no_wrap=name != "finding")
    for finding in found:
        text = Text(finding.text)
        if finding.remedy:
            text.append(f"\n-> {finding.remedy}", style="italic")
        table.add_row(Text(finding.state, style=COLOURS[finding.state]), finding.check, text)
    Console().print(table)
