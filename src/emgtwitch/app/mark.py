"""`emgtwitch mark`: a word of the wearer's at this moment, into the log and the running recording."""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path

from emgtwitch.app.days import local_time
from emgtwitch.errors import UsageError
from emgtwitch.store.channel import ask
from emgtwitch.store.folders import data_folder, log_path, make_data_folder
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter

MAX_BYTES = 3000  # of the 4096 that a frame may have


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `mark`."""
    parser.add_argument("kind", metavar="KIND", help="what it is, in a word: felt, coffee, walk, ...")
    parser.add_argument("--note", metavar="TEXT", help="more about it")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Mark, through the daemon or, where none runs, in the log alone."""
    now = datetime.datetime.now().astimezone()
    offset = now.utcoffset()
    assert offset is not None  # astimezone() gave one
    utc_ms, utc_offset_s = round(1000 * now.timestamp()), round(offset.total_seconds())
    print(mark(data_folder(args.data), args.kind, args.note, utc_ms, utc_offset_s))
    return 0


def mark(folder: Path, kind: str, note: str | None, utc_ms: int, utc_offset_s: int) -> str:
    """Place the mark and say where. Raises UsageError on an empty or overlong one, CannotWriteError."""
    if not kind.strip():
        raise UsageError("A mark needs a kind: a word such as felt, coffee or walk.")
    detail = {"note": note} if note else {}
    size = len(json.dumps({"kind": kind, **detail}))
    if size > MAX_BYTES:
        raise UsageError(f"The mark has {size} bytes as JSON; it may have {MAX_BYTES}. Shorten the note.")
    shown = local_time(utc_ms, utc_offset_s).isoformat(" ", "seconds")
    if ask(folder, {"command": "mark", "kind": kind, "detail": detail}) is not None:
        return f"Marked {kind!r} at {shown}, in the log and the running recording."
    with DataLock(make_data_folder(folder)), LogWriter(log_path(folder)) as log:
        log.mark(kind, detail, utc_ms, utc_offset_s)
    return f"Marked {kind!r} at {shown}, in the log alone: nothing is recorded at present."
