"""`emgtwitch export`: a log or a recording in formats that other programs read."""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from emgtwitch import __version__
from emgtwitch.app.days import Moment, moment
from emgtwitch.app.events import WHEN, bounds_s
from emgtwitch.app.export.formats import FORMATS, write
from emgtwitch.app.export.material import Item, anonymous
from emgtwitch.app.log_rows import Row, event_json, interval_json, mark_json
from emgtwitch.app.opened import Reading, add_reading_arguments, replayable
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError
from emgtwitch.store.folders import data_folder, log_path
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.store.told import labels, ratings

if TYPE_CHECKING:
    from emgtwitch.app.notebook import Recording, Segment

Rows = tuple[Row, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    formats = "; ".join(f"{form.name}: {form.help}" for form in FORMATS)
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help=replayable("without it, the log. Recording, session folder, or")
    )
    parser.add_argument("--format", required=True, choices=[form.name for form in FORMATS], help=formats)
    parser.add_argument("-o", dest="out", required=True, metavar="FOLDER", help="a new folder for the files")
    parser.add_argument("--from", dest="from_", metavar="TIME", help=f"of a log, first time: {WHEN}")
    parser.add_argument("--to", metavar="TIME", help="of a log, end; a date is included whole")
    parser.add_argument("--session", metavar="ID", help="of a log, only recordings whose id begins so")
    parser.add_argument("--muscle", metavar="M", help="only channels worn on this muscle")
    parser.add_argument("--anonymous", action="store_true", help="no names, notes, devices and absolute times")
    add_reading_arguments(parser)
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Write the folder, whole or not at all. Raises UsageError, UnreadableInputError, CannotWriteError."""
    form = next(form for form in FORMATS if form.name == args.format)
    out = Path(args.out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already. Name a folder that is not, or an empty one.")
    items = _of_file(args) if args.file is not None else _of_log(args)
    if args.muscle is not None:
        items = [one for item in items if (one := _worn_on(item, args.muscle)) is not None]
        if not items:
            raise UsageError(
                f"Nothing was recorded on the muscle {args.muscle!r}. `emgtwitch status` tells what is worn."
            )
    if args.anonymous:
        items = anonymous(items)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise CannotWriteError(f"{out} cannot be written: {error.strerror}. Name another folder: -o FOLDER.") from None
    try:
        write(form, items, part)
        if out.exists():
            out.rmdir()
        os.replace(part, out)
    except OSError as error:
        raise CannotWriteError(f"{out} cannot be written: {error.strerror}. Make room, or name another.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    size_kB = sum(path.stat().st_size for path in files) / 1000
    print(f"{out}: {len(files)} file{'' if len(files) == 1 else 's'}, {size_kB:.0f} kB, of {_counted(items)}.")
    return 0


def _counted(items: list[Item]) -> str:
    recordings = f"{len(items)} recording{'' if len(items) == 1 else 's'}"
    return f"{recordings} with {sum(len(item.events) for item in items)} events"


def _of_file(args: argparse.Namespace) -> list[Item]:
    """A recording, detected anew."""
    for name in ("from_", "to", "session"):
        if getattr(args, name) is not None:
            raise UsageError(f"--{name.rstrip('_')} chooses from a log; leave it out for a file.")
    from emgtwitch.app.notebook import read

    found = read(Path(args.file), Reading.asked(args))
    worn = tuple(found.worn) + ({},) * (found.channels - len(found.worn))
    return [
        Item(
            name=found.name,
            channels=tuple(range(found.channels)),
            worn=worn[: found.channels],
            events=found.event_rows,
            intervals=found.interval_rows,
            marks=found.mark_rows,
            device=found.device or None,
            settings=found.settings.as_dict(),
            software=__version__,
            started_utc_ms=found.started_utc_ms,
            utc_offset_s=found.utc_offset_s,
            load=lambda: list(found.segments),
        )
    ]


def _of_log(args: argparse.Namespace) -> list[Item]:
    """What the log holds of the range: the newest run over each recording."""
    for name in ("fs", "units", "channel"):
        if getattr(args, name) is not None:
            raise UsageError(f"--{name} is for a foreign file; name one, or leave it out.")
    today = datetime.datetime.now().astimezone().date()
    start = moment(args.from_, today, end=False) if args.from_ else Moment(None, None)
    end = moment(args.to, today, end=True) if args.to else Moment(None, None)
    with LogReader(log_path(data_folder(args.data))) as log:
        selection = Selection(
            from_local_ms=start.local_ms,
            to_local_ms=end.local_ms,
            from_utc_ms=start.utc_ms,
            to_utc_ms=end.utc_ms,
            recording=args.session,
        )
        sessions = log.sessions(selection)
        pruned = {session["id"]: log.not_kept(session["id"]) for session in sessions}
        told = (log.events(selection), log.intervals(selection), log.marks(selection))
        said = (labels(log), ratings(log))
    items = []
    for session in sessions:
        from_s, to_s = bounds_s(session, start, end)
        if max(from_s, 0.0) < min(to_s, session["duration_s"]):
            if lacks := pruned[session["id"]]:
                print(f"{session['recording_id']}: {lacks} What is gone is missing in the export, too.")
            items.append(_item(session, *_own(session, *told, *said), from_s, to_s))
    if not items:
        raise UsageError("The log holds no recording in this range. `emgtwitch events` lists what it holds.")
    return items


def _own(
    session: Row,
    events: list[Row],
    intervals: list[Row],
    marks: list[Row],
    labelled: dict[int, Row],
    rated: dict[int, Row],
) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[Row, ...]]:
    """The rows of one session, with the wearer's words beside the detector's."""

    def heard(row: Row) -> Row:
        label, rating = labelled.get(row["id"]), rated.get(row["id"])
        notes = [one["note"] for one in (label, rating) if one is not None and one["note"]]
        said = None if label is None or label["class"] == "confirmed" else label["class"]
        return event_json(row, None) | {
            "label": said,
            "pain": None if rating is None else rating["pain"],
            "note": "; ".join(notes) or None,
        }

    return (
        tuple(heard(row) for row in events if row["session"] == session["id"]),
        tuple(interval_json(row) for row in intervals if row["session"] == session["id"]),
        tuple(mark_json(row) for row in marks if row["session"] == session["id"]),
    )


def _item(
    session: Row,
    events: tuple[Row, ...],
    intervals: tuple[Row, ...],
    marks: tuple[Row, ...],
    from_s: float,
    to_s: float,
) -> Item:
    worn = tuple(session["worn"] or ()) + ({},) * session["channels"]

    def load() -> list[Segment]:
        if session["path"] is None:
            raise UnreadableInputError(f"The log does not say where {session['recording_id']} was recorded.")
        from emgtwitch.app.notebook import read
        from emgtwitch.settings import Settings

        found: Recording = read(Path(session["path"]), settings=Settings.from_mapping(session["settings"]))
        cut = [one.cut(from_s, to_s) for one in found.segments]
        return [one for one in cut if len(one.counts)]

    return Item(
        name=session["recording_id"],
        channels=tuple(range(session["channels"])),
        worn=worn[: session["channels"]],
        events=events,
        intervals=intervals,
        marks=marks,
        device=session["device"] or None,
        settings=session["settings"],
        software=session["software"],
        started_utc_ms=session["started_utc_ms"],
        utc_offset_s=session["utc_offset_s"],
        load=load,
    )


def _worn_on(item: Item, muscle: str) -> Item | None:
    """The channels on this muscle; None without one."""
    places = [k for k, worn in enumerate(item.worn) if worn.get("muscle", "").casefold() == muscle.casefold()]
    channels = tuple(item.channels[k] for k in places)
    if not places:
        return None

    def of(rows: Rows) -> Rows:
        return tuple(row for row in rows if row["channel"] is None or row["channel"] in channels)

    def load() -> list[Segment]:
        return [replace(segment, counts=segment.counts[:, places]) for segment in item.load()]

    worn = tuple(item.worn[k] for k in places)
    return replace(item, channels=channels, worn=worn, events=of(item.events), intervals=of(item.intervals), load=load)
