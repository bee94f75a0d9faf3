"""`emgtwitch compare`: twitches an hour on days with and without a factor of the diary."""

from __future__ import annotations

import argparse
import datetime
import json
from typing import Any

from emgtwitch.app.days import day_of
from emgtwitch.app.events import zone_of
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import UsageError
from emgtwitch.store.folders import data_folder, log_path
from emgtwitch.store.log_reader import LogReader

LEAST_HOURS = 1.0  # analysable, before a day counts
MOST_DAYS = 366
WIDE = 60  # characters of the picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `compare`."""
    parser.add_argument("--factor", required=True, metavar="NAME", help="a kind of diary entry, as coffee")
    parser.add_argument(
        "--class", dest="event_class", choices=CLASSES, default="twitch", help="what is counted (twitch)"
    )
    parser.add_argument("--lag", type=int, default=0, metavar="DAYS", help="1: count on the day after the factor (0)")
    parser.add_argument("--from", dest="from_", metavar="DAY", help="first day, a date; else the first recorded")
    parser.add_argument("--to", metavar="DAY", help="last day; else the last recorded")
    parser.add_argument("--muscle", metavar="M", help="muscle, or side and muscle; else the one recorded longest")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Print the comparison. Raises UsageError and UnreadableInputError."""
    if not 0 <= args.lag <= 7:
        raise UsageError(f"--lag is {args.lag}; it must be 0 to 7 days.")
    with LogReader(log_path(data_folder(args.data))) as log:
        told = _told(log, args)
    print(json.dumps(told) if args.json else "\n".join(_lines(told)))
    return 0


def _told(log: LogReader, args: argparse.Namespace) -> dict[str, Any]:
    """The JSON object."""
    from emgtwitch.app.report.facts import read
    from emgtwitch.app.report.worn import Days
    from emgtwitch.app.study.compare import compare
    from emgtwitch.app.study.factor_days import factor_days
    from emgtwitch.store.log_reader import Selection

    diary = log.diary(Selection())
    kinds = sorted({entry["kind"] for entry in diary} - {"nothing"})
    if args.factor.casefold() not in map(str.casefold, kinds):
        known = f"It knows: {', '.join(kinds)}." if kinds else "It is empty."
        raise UsageError(f"The diary has no entry {args.factor!r}. {known} The page's Diary takes entries.")
    first, last, zone = _range(log, args)
    facts = read(log, Days(first, last, zone), args.muscle)
    had = factor_days(diary, args.factor, args.lag)
    counts, hours = facts.counts[args.event_class].sum(axis=1), facts.analysable_h.sum(axis=1)
    days = []
    for day, number, length in zip(facts.days.all, counts.tolist(), hours.tolist(), strict=True):
        if length > 0:
            told = {"day": day.isoformat(), "with": had.get(day), "events": int(number), "hours": round(length, 3)}
            days.append(told | {"per_hour": round(number / length, 3), "counts": length >= LEAST_HOURS and day in had})
    used = [day for day in days if day["counts"]]
    arms = [day["with"] for day in used]
    out: dict[str, Any] = {
        "type": "comparison",
        "factor": args.factor,
        "lag_days": args.lag,
        "class": args.event_class,
        "site": facts.site,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "without_diary": sum(day["with"] is None for day in days),
        "too_short": sum(day["with"] is not None and not day["counts"] for day in days),
        "days": days,
    }
    if len(set(arms)) < 2:
        return out | {"verdict": "too few days", "days_with": arms.count(True), "days_without": arms.count(False)}
    found = compare([day["events"] for day in used], [day["hours"] for day in used], arms)
    for name, rate in (("with", found.with_), ("without", found.without)):
        out[f"per_hour_{name}"] = [_round(value) for value in (rate.per_hour, rate.low, rate.high)]
        out[f"dispersion_{name}"] = _round(rate.dispersion)
    return out | {
        "verdict": found.verdict,
        "days_with": found.days[0],
        "days_without": found.days[1],
        "ratio": [_round(value) for value in (found.ratio, found.low, found.high)],
        "p": round(found.p, 5),
        "ways": found.ways,
        "exact": found.exact,
    }


def _range(log: LogReader, args: argparse.Namespace) -> tuple[datetime.date, datetime.date, datetime.tzinfo]:
    sessions = [s for s in log.sessions() if s["started_utc_ms"] is not None]
    if not sessions:
        raise UsageError("The log holds no recording that knows its time of day. `emgtwitch run` makes one.")
    zone = zone_of(sessions[-1])
    today = datetime.datetime.now().astimezone().date()

    def shown(utc_ms: float) -> datetime.date:
        return datetime.datetime.fromtimestamp(utc_ms / 1000, zone).date()

    first = shown(sessions[0]["started_utc_ms"]) if args.from_ is None else day_of(args.from_, "--from", today)
    ended_ms = max(s["started_utc_ms"] + 1000 * s["duration_s"] for s in sessions)
    last = shown(ended_ms) if args.to is None else day_of(args.to, "--to", today)
    if not 1 <= (count := (last - first).days + 1) <= MOST_DAYS:
        raise UsageError(f"{first} to {last} are {max(count, 0)} days; 1 to {MOST_DAYS} can be compared.")
    return first, last, zone


def _lines(told: dict[str, Any]) -> list[str]:
    """For people."""
    factor, plural = told["factor"], {"twitch": "twitches"}.get(told["class"], told["class"] + "s")
    after = "" if not told["lag_days"] else f" {told['lag_days']} day{'s' if told['lag_days'] > 1 else ''} after"
    lines = [
        f"{told['site']}, {told['from']} to {told['to']}: {plural} an hour of good signal on days{after} with {factor}"
        f" ({told['days_with']}) and without ({told['days_without']}).",
    ]
    left = [
        (told["without_diary"], "without any diary entry"),
        (told["too_short"], "with under an hour of good signal"),
    ]
    lines += [f"Left out: {n} day{'s' if n > 1 else ''} {why}." for n, why in left if n]
    if "ratio" in told:
        lines.append("")
        for name in ("with", "without"):
            mean, low, high = told[f"per_hour_{name}"]
            lines.append(f"  {name:8}{mean:8.1f} an hour ({low:.1f} to {high:.1f})  {_dots(told, name == 'with')}")
        ratio, low, high = told["ratio"]
        parted = f"{'all' if told['exact'] else 'random'} {told['ways']} ways to part the days"
        lines += [
            f"  ratio   {ratio:8.2f}         ({low:.2f} to {high:.2f})  p = {told['p']:.3g}, {parted}",
            "  Counts of days vary {} and {} times as much as independent events would.".format(
                *(_times(told[f"dispersion_{name}"]) for name in ("with", "without"))
            ),
        ]
    return [*lines, "", _verdict(told, plural)]


def _verdict(told: dict[str, Any], plural: str) -> str:
    factor = told["factor"]
    if told["verdict"] == "too few days":
        return f"Too few days to tell: at least ten with {factor} and ten without. `emgtwitch schedule` draws them up."
    if told["verdict"] == "cannot tell":
        return (
            "Cannot tell: days differ by as much or more by themselves. That is not to say that it makes no difference."
        )
    return (
        f"There were {told['verdict']} {plural} on days with {factor} than chance explains. That does not say why:"
        " such days may differ in other ways, too, unless they were drawn by lot (`emgtwitch schedule`)."
    )


def _dots(told: dict[str, Any], arm: bool) -> str:
    """Each day of the arm as a point on a line from 0 to the most of both."""
    used = [day for day in told["days"] if day["counts"]]
    most = max((day["per_hour"] for day in used), default=0.0) or 1.0
    places = [0] * WIDE
    for day in used:
        if day["with"] is arm:
            places[min(WIDE - 1, int(WIDE * day["per_hour"] / most))] += 1
    return "|" + "".join(" .:"[min(n, 2)] if n < 3 else "#" for n in places) + f"| {most:.0f}"


def _times(value: float | None) -> str:
    return "an unknown number of" if value is None else f"{value:.1f}"


def _round(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    return round(value, 4) if abs(value) < float("inf") else None
