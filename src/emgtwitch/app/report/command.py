"""`emgtwitch report`: two pages for a doctor, or one for the wearer's week, from the log."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from emgtwitch.app.days import day_of
from emgtwitch.app.events import zone_of
from emgtwitch.errors import CannotWriteError, UsageError
from emgtwitch.store.folders import data_folder, log_path
from emgtwitch.store.log_reader import LogReader

if TYPE_CHECKING:
    from emgtwitch.app.report.worn import Days

USUAL_DAYS, WEEK_DAYS, MOST_DAYS = 28, 7, 92
SUFFIXES = (".pdf", ".html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument("-o", dest="out", type=Path, required=True, metavar="FILE", help="FILE.pdf or FILE.html")
    day = "today, yesterday or a date (2024-05-31)"
    parser.add_argument(
        "--from",
        dest="from_",
        metavar="DAY",
        help=f"first day: {day}; else 28 days in all, or since the first that was recorded",
    )
    parser.add_argument("--to", metavar="DAY", help="last day; else the last that was recorded")
    parser.add_argument("--muscle", metavar="M", help="muscle, or side and muscle; else the one recorded longest")
    parser.add_argument("--week", action="store_true", help="one page for the wearer on seven days, in plain words")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Write the report. Raises UsageError, UnreadableInputError and CannotWriteError, and then leaves no file."""
    suffix = args.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{args.out} can be no report: it ends in neither .pdf nor .html. Name such a file.")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError("A report needs matplotlib: pip install 'emgtwitch[report]'.") from None
    from emgtwitch.app.kernels import prepare_kernels

    today = datetime.datetime.now().astimezone().date()
    first = None if args.from_ is None else day_of(args.from_, "--from", today)
    last = None if args.to is None else day_of(args.to, "--to", today)
    with _replaced(args.out) as file:
        prepare_kernels()
        with LogReader(log_path(data_folder(args.data))) as log:
            days = _days(log, first, last, week=args.week)
            if args.week:
                from emgtwitch.app.report.for_wearer import week_report

                report = week_report(log, days, args.muscle)
            else:
                from emgtwitch.app.report.facts import read
                from emgtwitch.app.report.for_doctor import doctor_report

                report = doctor_report(read(log, days, args.muscle))
        if suffix == ".pdf":
            from emgtwitch.app.report.pdf import write_pdf

            write_pdf(report, file)
        else:
            from emgtwitch.app.report.html import html

            file.write(html(report).encode())
    print(f"{args.out}: {report.subtitle}; {len(report.pages)} {'page' if len(report.pages) == 1 else 'pages'}")
    return 0


def _days(log: LogReader, first: datetime.date | None, last: datetime.date | None, *, week: bool) -> Days:
    """The days asked for, on the clock of the last recording. Raises UsageError."""
    from emgtwitch.app.report.worn import Days

    sessions = [s for s in log.sessions() if s["started_utc_ms"] is not None]
    if not sessions:
        raise UsageError("The log holds no recording that knows its time of day. `emgtwitch run` makes one.")
    zone = zone_of(sessions[-1])
    length = datetime.timedelta(days=(WEEK_DAYS if week else USUAL_DAYS) - 1)
    if last is None and week and first is not None:
        last = first + length
    if last is None:
        end_ms = max(s["started_utc_ms"] + 1000 * s["duration_s"] for s in sessions)
        last = datetime.datetime.fromtimestamp(end_ms / 1000, zone).date()
    if first is None:
        first = last - length
        begun = datetime.datetime.fromtimestamp(sessions[0]["started_utc_ms"] / 1000, zone).date()
        if not week and first < begun <= last:
            first = begun
    count = (last - first).days + 1
    most = WEEK_DAYS if week else MOST_DAYS
    if not 1 <= count <= most:
        raise UsageError(
            f"{first} to {last} are {max(count, 0)} days; a report takes 1 to {most}. Change --from or --to."
        )
    return Days(first, last, zone)


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that becomes `path` once the block is left, and is nothing where it raises. For its owner alone."""
    temporary: Path | None = None
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(number, "wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise CannotWriteError(f"The report {path} cannot be written: {error.strerror}. Name another file.") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
