"""`emgtwitch prune`: drop signal that is old, but for that around events, marks and labels."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emgtwitch.app.config import read_config
from emgtwitch.app.keeping import (
    Fates,
    around,
    by_segment,
    fates_of_pruning,
    keeping_lock,
    lost_bytes,
    recordings,
    session_rows,
    shown_bytes,
    union,
)
from emgtwitch.app.log_rows import Row, counted, shown_time
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError
from emgtwitch.sources.recording import segments

if TYPE_CHECKING:
    from emgtwitch.store.log_reader import LogReader

AROUND_S = 10.0  # 2 s were enough for a cold detector to find 59 of 59 simulated events again


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prune`."""
    parser.add_argument("--days", type=float, metavar="N", help="older than so many days; else signal_days of [keep]")
    parser.add_argument(
        "--around",
        type=float,
        metavar="S",
        help=f"seconds of signal to keep on both sides of each event; else around_event_s of [keep], else {AROUND_S:g}",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be dropped")
    parser.add_argument("--config", metavar="FILE", help="configuration file; else EMGTWITCH_CONFIG, else the XDG one")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Drop signal, also beside a running daemon. Raises UsageError without a number of days, CannotWriteError."""
    from emgtwitch.store.folders import data_folder

    told = args.days is not None and args.around is not None  # then a broken configuration is none of its business
    keep = {} if told else read_config(args.config).get("keep", {})
    days = args.days if args.days is not None else keep.get("signal_days")
    around_s = args.around if args.around is not None else keep.get("around_event_s", AROUND_S)
    if days is None:
        raise UsageError(
            "All signal is kept, since nobody said for how many days. Say --days N, or write signal_days = N under "
            "[keep] into the configuration file."
        )
    if not (0 <= days < 1e6 and 0 <= around_s < 1e6):
        raise UsageError(f"--days is {days:g} and --around {around_s:g}; both must be at least 0 and below 1000000.")
    for line in prune(data_folder(args.data), days, around_s, round(1000 * time.time()), args.dry_run):
        print(line)
    return 0


def prune(folder: Path, days: float, around_s: float, now_ms: int, dry_run: bool = False) -> list[str]:
    """Prune what is older than `days` before `now_ms` in `folder`; returns what was done, a line for each session."""
    from emgtwitch.app.kernels import prepare_kernels
    from emgtwitch.store.beside import say_pruned
    from emgtwitch.store.folders import SESSIONS_NAME, log_path
    from emgtwitch.store.log_reader import LogReader
    from emgtwitch.store.rewrite import clear_leftovers, rewrite

    prepare_kernels()
    lines, freed = [], 0
    with keeping_lock(folder), LogReader(log_path(folder)) as log:
        if not dry_run:
            clear_leftovers(folder / SESSIONS_NAME)
        known = session_rows(log)
        for path in recordings(folder):
            runs = [run | {"started_utc_ms": _began_ms(log, run)} for run in known.get(str(path.resolve()), [])]
            old_s = _old_s(runs, now_ms - 86_400_000 * days)
            if old_s <= 0 or _done(log, runs, around_s):
                continue
            ids = [run["id"] for run in runs]
            try:
                lost = _lost(log, path, runs, old_s, around_s)
                if math.isfinite(old_s) and not lost:
                    continue
                if dry_run:
                    gone = sum(lost_bytes(fates) for _, fates in lost)
                else:
                    detail = _detail(runs, old_s, around_s, now_ms)
                    say_pruned(log.path, ids, detail | {"done": False})  # before signal goes, nobody shall miss it
                    gone = sum(rewrite(segment, fates, set()) for segment, fates in lost)
                    say_pruned(log.path, ids, detail | {"done": math.isinf(old_s)})
            except UnreadableInputError as error:
                lines.append(f"{path.name}: left as it is. {error}")
                continue
            except OSError as error:
                raise CannotWriteError(
                    f"The recording {path} cannot be pruned: {error.strerror}. It is as it was, or pruned in part, and "
                    "sound either way. Make room and do the same again."
                ) from None
            freed += gone
            would = "would be dropped" if dry_run else "dropped"
            when = shown_time(runs[-1] | {"utc_ms": runs[-1]["started_utc_ms"], "onset_s": 0.0})
            lines.append(f"{path.name} (from {when}): {shown_bytes(gone)} of signal {would}.")
    some = counted(len(lines), "session")
    end = "Nothing was changed." if dry_run else "Events, intervals, marks, labels and diary are all kept."
    return [*lines, f"{some}, {shown_bytes(freed)}. {end}"]


def _began_ms(log: LogReader, run: Row) -> int | None:
    """When it began; where the wall clock was set meanwhile, by the latest that it has shown.

    A computer without a clock of its own begins with an old date: all of the session would be old.
    """
    (row,) = log.rows(
        "SELECT max(utc_ms - 1000 * onset_s) AS began_ms FROM interval WHERE session = ?1 AND onset_s >= "
        "(SELECT min(onset_s) FROM interval WHERE session = ?1 AND kind = 'clock_step')",
        (run["id"],),
    )
    known = [ms for ms in (run["started_utc_ms"], row["began_ms"]) if ms is not None]
    return round(max(known)) if known else None


def _old_s(runs: list[Row], before_ms: float) -> float:
    """How much of a recording lies before then, from its first sample; inf: all of it, and it is closed.

    One without a clock has no age.
    """
    if not runs or any(run["started_utc_ms"] is None for run in runs):
        return 0.0
    old_s = min((before_ms - run["started_utc_ms"]) / 1000 for run in runs)
    whole = all(run["state"] != "open" and run["duration_s"] < old_s for run in runs)
    return math.inf if whole else old_s


def _lost(log: LogReader, path: Path, runs: list[Row], old_s: float, around_s: float) -> list[tuple[Path, Fates]]:
    """The segments that lose something, and what. A segment that may still be written to loses nothing."""
    written = segments(path)[-1:] if any(run["state"] == "open" for run in runs) else []
    kept = union([*around(log, runs[0]["recording_id"], around_s), (old_s, math.inf)])
    fates = fates_of_pruning(path, kept, max(run["duration_s"] for run in runs))
    return [one for one in by_segment(path, fates) if one[0] not in written]


def _detail(runs: list[Row], old_s: float, around_s: float, now_ms: int) -> Row:
    """What the log says of a pruning."""
    note = f"kept are {around_s:g} s around events, marks and labels"
    if math.isfinite(old_s):
        note += f", and all since {shown_time(runs[-1] | {'utc_ms': runs[-1]['started_utc_ms'] + round(1000 * old_s)})}"
    return {"around_s": around_s, "pruned_utc_ms": now_ms, "note": note}


def _done(log: LogReader, runs: list[Row], around_s: float) -> bool:
    """Whether an earlier pruning of all of it kept no more than this one would."""
    for run in runs:
        if not any(detail["done"] and detail["around_s"] <= around_s for detail in log.prunings(run["id"])):
            return False
    return True
