"""`emgtwitch schedule`: days with and without a factor, drawn by lot."""

from __future__ import annotations

import argparse
import datetime
import json
import secrets

from emgtwitch.app.days import day_of
from emgtwitch.app.study.schedule import draw
from emgtwitch.app.table import print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `schedule`."""
    parser.add_argument("--factor", required=True, metavar="NAME", help="what is to be tried, as the diary calls it")
    parser.add_argument("--days", type=int, default=28, metavar="N", help="how many in all (28)")
    parser.add_argument("--block", type=int, default=4, metavar="N", help="in every N days half with, half without (4)")
    parser.add_argument("--start", default="tomorrow", metavar="DAY", help="first day, a date; else tomorrow")
    parser.add_argument("--seed", type=int, metavar="N", help="draws the same lots again; printed with them")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def main(args: argparse.Namespace) -> int:
    """Print the days. Raises UsageError."""
    today = datetime.datetime.now().astimezone().date()
    tomorrow = today + datetime.timedelta(days=1)
    first = tomorrow if args.start == "tomorrow" else day_of(args.start, "--start", today)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    drawn = draw(args.days, args.block, seed)
    days = [first + datetime.timedelta(days=n) for n in range(args.days)]
    if args.json:
        told = [{"day": day.isoformat(), "with": has} for day, has in zip(days, drawn, strict=True)]
        print(json.dumps({"type": "schedule", "factor": args.factor, "seed": seed, "block": args.block, "days": told}))
        return 0
    words = {True: f"with {args.factor}", False: "without"}
    print_table(("day", "", ""), [(f"{day:%a}", day.isoformat(), words[h]) for day, h in zip(days, drawn, strict=True)])
    print(
        f"Seed {seed}. Keep this before you begin, follow it whatever the day is like, and write what you had into the"
        f" diary. A change of medicine is your doctor's to decide. Then: emgtwitch compare --factor {args.factor}"
    )
    return 0
