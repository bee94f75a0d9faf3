"""`emgtwitch prune`: drop the signal of old sessions, but for that around events, marks and labels."""

from __future__ import annotations

import argparse
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
)
from emgtwitch.app.log_rows import Row, counted, shown_time
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError

if TYPE_CHECKING:
    from emgtwitch.store.log_reader import LogReader

AROUND_S = 10.0  # 2 s were enough for a cold detector to find 59 of 59 simulated events again


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prune`."""
    parser.add_argument(
        "--days", type=float, metavar="N", help="of sessions that ended so long ago; else signal_days of [keep]"
    )
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

    keep = read_config(args.config).get("keep", {})
    days = args.days if args.days is not None else keep.get("signal_days")
    around_s = args.around if args.around is not None else keep.get("around_event_s", AROUND_S)
    if days is None:
        raise UsageError(
            "All signal is kept, since nobody said for how many days. Say --days N, or write signal_days = N under "
            "[keep] into the configuration file."
        )
    if not (0 <= days < 1e6 and 0 <= around_s < 1e6):
        raise UsageError(f"--days is {days:g} and --around {around_s:g}; both must be 0 or more.")
    for line in prune(data_folder(args.data), days, around_s, round(1000 * time.time()), args.dry_run):
        print(line)
    return 0


def prune(folder: Path, days: float, around_s: float, now_ms: int, dry_run: bool = False) -> list[str]:
    """Prune the closed sessions of `folder` that ended `days` before `now_ms`; returns what was done, a line each."""
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
            runs = known.get(str(path.resolve()), [])
            if not _old(runs, now_ms - 86_400_000 * days) or _done(log, runs, around_s):
                continue
            ids = [run["id"] for run in runs]
            note = f"kept are {around_s:g} s around events, marks and labels"
            detail = {"around_s": around_s, "pruned_utc_ms": now_ms, "note": note}
            try:
                fates: Fates = fates_of_pruning(path, around(log, runs[0]["recording_id"], around_s))
                if dry_run:
                    gone = lost_bytes(fates)
                else:
                    say_pruned(log.path, ids, detail | {"done": False})  # before signal goes, nobody shall miss it
                    gone = sum(rewrite(segment, own, set()) for segment, own in by_segment(path, fates))
                    say_pruned(log.path, ids, detail | {"done": True})
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


def _old(runs: list[Row], before_ms: float) -> bool:
    """Whether all runs over a recording are closed and it ended before then. One without a clock has no age."""
    return bool(runs) and all(
        run["state"] != "open"
        and run["started_utc_ms"] is not None
        and run["started_utc_ms"] + 1000 * run["duration_s"] < before_ms
        for run in runs
    )


def _done(log: LogReader, runs: list[Row], around_s: float) -> bool:
    """Whether an earlier pruning kept no more than this one would."""
    for run in runs:
        if not any(detail["done"] and detail["around_s"] <= around_s for detail in log.prunings(run["id"])):
            return False
    return True
