"""`emgtwitch forget`: delete a range of time for good, from the log and from the recordings."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emgtwitch.app.days import Moment, moment
from emgtwitch.app.events import WHEN
from emgtwitch.app.exposure import exposure
from emgtwitch.app.keeping import (
    Fates,
    by_segment,
    fates_of_forgetting,
    keeping_lock,
    lost_bytes,
    recordings,
    session_rows,
    shown_bytes,
)
from emgtwitch.app.log_rows import counted
from emgtwitch.errors import CannotWriteError, UsageError
from emgtwitch.sources.recording import segments
from emgtwitch.store.folders import LOG_NAME, SESSIONS_NAME, data_folder, log_path
from emgtwitch.store.forget_log import EVERY, Holes, delete_rows, found_in, wipe
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.rewrite import NEW, Fate, clear_leftovers, remove_recording, rewrite
from emgtwitch.store.span import Offsets, Span, offsets_of

ELSEWHERE = (
    "Exports, reports and backups that you made in other folders still hold it, and so does whatever kept what `run` "
    "printed: delete them, or do the same with --data BACKUP."
)

NOUNS = {"diary": "diary note"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `forget`."""
    parser.add_argument("--from", dest="from_", metavar="TIME", required=True, help=f"first time: {WHEN}")
    parser.add_argument("--to", metavar="TIME", required=True, help="end; a date is included whole")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Ask and delete. Raises UsageError, UnreadableInputError, and CannotWriteError while a daemon runs."""
    today = datetime.datetime.now().astimezone().date()
    span = span_of(moment(args.from_, today, end=False), moment(args.to, today, end=True))
    folder = data_folder(args.data)
    if not log_path(folder).exists() and not recordings(folder):
        raise UsageError(f"There is nothing in {folder} to forget. --data or EMGTWITCH_DATA names the folder.")
    if args.dry_run:
        print(_sentence(plan(folder, span), "Would delete"))
        return 0
    with DataLock(folder), keeping_lock(folder):
        found = plan(folder, span)
        print(_sentence(found, "Deletes for good"))
        if not args.yes and not _agreed():
            print("Nothing was deleted.")
            return 0
        carry_out(folder, found)
    print(f"Deleted. {ELSEWHERE}")
    return 0


def span_of(start: Moment, stop: Moment) -> Span:
    """The range between two moments. Raises UsageError where nothing lies between them."""
    bounds = [moment.utc_ms if moment.local_ms is None else moment.local_ms for moment in (start, stop)]
    assert bounds[0] is not None
    assert bounds[1] is not None
    span = Span(bounds[0], bounds[1], start.local_ms is None, stop.local_ms is None)
    if span.start_utc == span.stop_utc and span.stop_ms <= span.start_ms:
        raise UsageError("--to does not lie after --from. Give the earlier time with --from.")
    return span


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes: rows by table, whole recordings, pieces of others, and the holes that these leave in the log."""

    rows: dict[str, list[int]]
    whole: list[Path]
    parts: list[tuple[Path, Fates]]
    holes: Holes
    elsewhere: list[str]  # recordings outside of the data folder


def plan(folder: Path, span: Span) -> Plan:
    """Find what lies in `span`; changes nothing. Raises UnreadableInputError, CannotWriteError."""
    whole: list[Path] = []
    parts: list[tuple[Path, Fates]] = []
    noted: dict[str, Offsets] = {}
    for path in recordings(folder):
        try:
            fates, told = fates_of_forgetting(path, span)
        except OSError as error:
            raise CannotWriteError(f"The recording {path} cannot be read: {error.strerror}.") from None
        noted[str(path.resolve())] = told
        if fates and all(fate is Fate.FORGET for _, fate in fates):
            whole.append(path)
        elif any(fate is not Fate.KEEP for _, fate in fates):
            parts.append((path, fates))
    if not log_path(folder).exists():
        return Plan({}, whole, parts, {}, [])
    with LogReader(log_path(folder)) as log:
        known = session_rows(log)
        going = {row["id"] for path in whole for row in known.get(str(path.resolve()), [])}
        holes, elsewhere, offsets = {}, [], _offsets(log, noted)
        for row in log.sessions(EVERY):
            if row["id"] in going or row["started_utc_ms"] is None:
                continue
            if not (within := span.within_s(row["started_utc_ms"], offsets[row["id"]], row["duration_s"])):
                continue
            place = Path(row["path"]) if row["path"] is not None else None
            there = place is not None and place.exists()
            ours = place is not None and place.parent == folder / SESSIONS_NAME
            if there and not ours:
                elsewhere.append(str(place))
            recorded = ours and there and place is not None and bool(segments(place))
            if not recorded and within[0][:2] == (0.0, row["duration_s"]):
                going.add(row["id"])
            else:
                own = [one for one in log.intervals(EVERY) if one["session"] == row["id"]]
                holes[row["id"]] = [(part, exposure(row, own, *part[:2])[1]) for part in within]
        return Plan(found_in(log, span, going, offsets), whole, parts, holes, sorted(set(elsewhere)))


def _offsets(log: LogReader, noted: Mapping[str, Offsets]) -> dict[int, Offsets]:
    """For each run of the log what local time minus UTC was in it, by its rows and by the clock notes in its recording:
    these are in `noted`, by the recording's path.
    """
    known: dict[int, list[tuple[int, int]]] = {}
    for row in log.sessions(EVERY):
        place = str(Path(row["path"]).resolve()) if row["path"] is not None else ""
        known[row["id"]] = [(row["started_utc_ms"] or 0, row["utc_offset_s"] or 0), *noted.get(place, ())]
    for row in (*log.events(EVERY), *log.intervals(EVERY), *log.marks(EVERY)):
        if row["session"] in known and row["utc_ms"] is not None and row["utc_offset_s"] is not None:
            known[row["session"]].append((row["utc_ms"], row["utc_offset_s"]))
    return {session: offsets_of(moments) for session, moments in known.items()}


def carry_out(folder: Path, found: Plan) -> None:
    """Delete what was found: rows, then signal, then what the log's files still hold of the rows.

    Signal is found by the clock notes beside it and not by the log, so that an interrupted forgetting, done again,
    finds what is left. The caller holds the DataLock. Raises CannotWriteError.
    """
    log = log_path(folder)
    if found.rows:
        delete_rows(log, found.rows, found.holes)
    try:
        clear_leftovers(folder / SESSIONS_NAME)
        for leftover in folder.glob(f"{LOG_NAME}{NEW}*"):  # of an interrupted backup to this folder: it holds the rows
            leftover.unlink()
        for path, fates in found.parts:
            forgotten: set[bytes] = set()
            for segment, own in by_segment(path, fates):
                rewrite(segment, own, forgotten)
        for path in found.whole:
            remove_recording(path)
        for path in recordings(folder):
            if not any(path.iterdir()):  # an interrupted forgetting left it
                path.rmdir()
    except OSError as error:
        raise CannotWriteError(
            f"The recordings cannot be written: {error.strerror}. Not all is deleted yet: make room and do the same "
            "again."
        ) from None
    if log.exists():
        wipe(log)


def _sentence(found: Plan, how: str) -> str:
    rows = [counted(len(ids), NOUNS.get(table, table)) for table, ids in found.rows.items() if ids]
    size = sum(lost_bytes(fates) for _, fates in found.parts) + sum(_size(path) for path in found.whole)
    text = f"{how} {shown_bytes(size)} of signal out of {counted(len(found.parts) + len(found.whole), 'recording')}"
    text += f" ({len(found.whole)} of them whole), and from the log: {', '.join(rows) or 'nothing'}."
    for path in found.elsewhere:
        text += f"\nNot in this data folder, so not touched: {path}. Delete it yourself."
    return text


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir())


def _agreed() -> bool:
    try:
        return input("Type yes to delete this for good: ").strip() == "yes"
    except EOFError:
        raise UsageError("Nobody is there to ask. Say --yes to delete without being asked.") from None
