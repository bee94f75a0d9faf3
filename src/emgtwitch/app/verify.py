"""`emgtwitch verify`: whether every recording and the log are sound, and if not, what that means and what to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emgtwitch.app.keeping import recordings, session_rows, shown_bytes
from emgtwitch.app.log_rows import Row, counted
from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.recording import segments
from emgtwitch.store.folders import SESSIONS_NAME, data_folder, log_path
from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.schema import NewerVersionError

UNREADABLE = ("crc", "length", "type", "overlong")  # reasons that damage of a disk shows as
LAG_FRAMES = 8  # rejected in the second before a crash, which the log has not counted
LAG_S = 3.0  # by which a recording that the daemon writes, or that a crash ended, may differ from the log
AGAIN = "Take it from a backup; what is left can be replayed as it is."
ORPHAN = "It is whole, but no event of it is logged. `emgtwitch replay --log` fills a log from it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `verify`."""
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Check and say; 0 where all is sound, 65 where something is damaged. Changes nothing.

    Raises UnreadableInputError where it cannot tell: no folder, or what a newer version wrote.
    """
    from emgtwitch.app.kernels import prepare_kernels

    folder = data_folder(args.data)
    if not folder.is_dir():
        raise UnreadableInputError(f"There is no data folder {folder}. --data or EMGTWITCH_DATA names it.")
    prepare_kernels()
    found = verify(folder)
    print(json.dumps(found) if args.json else "\n".join(_lines(found)))
    return 0 if found["sound"] else UnreadableInputError.exit_code


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling; `damaged` where it should not be so."""

    where: str
    what: str
    do: str
    damaged: bool = True


def verify(folder: Path) -> dict[str, Any]:
    """The state as the JSON object that `--json` prints."""
    findings: list[Finding] = []
    version, known = None, dict[str, list[Row]]()
    _check_backup(folder, findings)
    pruned: set[int] = set()
    if log_path(folder).exists():
        try:
            version, known, pruned = _check_log(folder, findings)
        except NewerVersionError:
            raise
        except UnreadableInputError as error:
            findings.append(Finding("log", str(error), "Or take it from a backup."))
    elif recordings(folder):
        findings.append(Finding("log", "There is none.", "`emgtwitch replay --log` fills one from the recordings."))
    told = []
    for path in recordings(folder):
        runs = known.get(str(path.resolve()), [])
        told.append(_check_recording(path, runs, any(run["id"] in pruned for run in runs), findings.append))
        if not runs and version is not None:
            findings.append(Finding(path.name, "The log does not know this recording.", ORPHAN, damaged=False))
    return {
        "type": "verify",
        "data": str(folder),
        "sound": not any(finding.damaged for finding in findings),
        "log_version": version,
        "sessions": sum(map(len, known.values())),
        "recordings": told,
        "findings": [asdict(finding) for finding in findings],
    }


def _check_backup(folder: Path, findings: list[Finding]) -> None:
    from emgtwitch.store.backup import state_of

    state = state_of(folder)
    if state is not None and not state.get("complete"):
        of = state.get("of")
        do = f"Run `emgtwitch backup` to it again; it goes on where it stopped. It is a backup of {of}."
        findings.append(Finding("backup", "This backup is not complete: it was interrupted.", do))


def _check_log(folder: Path, findings: list[Finding]) -> tuple[int, dict[str, list[Row]], set[int]]:
    from emgtwitch.store.check_log import version_of, wrong_in

    with LogReader(log_path(folder)) as log:
        for what in wrong_in(log):
            do = (
                "Move the log away; a new one begins by itself, and `emgtwitch replay --log` fills it. Or use a backup."
            )
            findings.append(Finding("log", what, do))
        known = session_rows(log)
        for path, runs in known.items():
            if segments(Path(path)) and Path(path).exists():
                continue
            name = runs[0]["recording_id"]
            if Path(path).parent == (folder / SESSIONS_NAME).resolve():
                do = "Its events stay in the log; the signal is in a backup or lost."
                findings.append(Finding(name, f"Its recording {path} is missing.", do))
            else:
                do = "Nothing, if you moved it: it lies outside of the data folder."
                findings.append(Finding(name, f"{path}, which was replayed, is not there.", do, damaged=False))
        altered = log.rows("SELECT session FROM mark WHERE kind = 'pruned' AND session IS NOT NULL")
        altered += log.rows("SELECT session FROM interval WHERE cause = 'forgotten'")
        return version_of(log), known, {row["session"] for row in altered}


def _check_recording(path: Path, runs: list[Row], pruned: bool, tell: Callable[[Finding], None]) -> dict[str, Any]:
    """Decode all of it and hold it against the log, which has counted the same frames as they came."""
    from emgtwitch.wire.decode import Decoder

    decoder = Decoder()
    files = segments(path)
    cut_ends = size = 0
    for number, file in enumerate(files):
        if file.stem != f"{number:04d}" and (number == 0 or int(file.stem) != int(files[number - 1].stem) + 1):
            tell(Finding(path.name, f"A segment before {file.name} is missing.", AGAIN))
        try:
            found = _read(file, decoder)
        except OSError as error:
            tell(Finding(path.name, f"{file.name} cannot be read: {error.strerror}.", AGAIN))
            continue
        size += found.size
        if not found.session:
            empty = found.size == 0 and file is files[-1]
            do = "Nothing is lost: the program ended before it wrote to it." if empty else AGAIN
            tell(Finding(path.name, f"{file.name} has no note of its session.", do, damaged=not empty))
        elif not found.board:
            what = f"{file.name} does not say which board it is of, so that it cannot be read alone."
            tell(Finding(path.name, what, "Replay the whole folder, which says it earlier.", damaged=number == 0))
        if found.cut:
            cut_ends += 1
            do = "Nothing: a crash, or the running daemon, left it so. It is one lost frame, and no damage."
            tell(Finding(path.name, f"{file.name} ends within a frame.", do, damaged=False))
    for leftover in path.glob("*.new"):
        do = "Nothing: an interrupted prune left it, and the next one removes it."
        tell(Finding(path.name, f"{leftover.name} is no part of it.", do, damaged=False))
    told = {
        "recording_id": path.name,
        "segments": len(files),
        "bytes": size,
        "scans_seen": decoder.seen,
        "scans_lost": decoder.lost,
        "frames_rejected": sum(decoder.rejected.values()),
        "pruned": pruned,
    }
    if runs:
        _compare(path.name, runs[-1], decoder.rejected, told, cut_ends, tell)
    return told


def _compare(
    name: str, run: Row, rejected: dict[str, int], told: dict[str, Any], cut_ends: int, tell: Callable[[Finding], None]
) -> None:
    lags = run["state"] != "closed"
    bad = sum(rejected[reason] for reason in UNREADABLE)
    expected = run["frames_rejected"] + cut_ends + (LAG_FRAMES if lags else 0)
    if bad > expected:
        what = f"{counted(bad - expected, 'frame')} of it cannot be read that could when they were recorded."
        tell(Finding(name, what, f"The disk may be failing. {AGAIN}"))
    missing = run["scans_seen"] - told["scans_seen"] - (LAG_S * run["rate_Hz"] if lags else 0)
    if missing > 0 and bad <= expected and not told["pruned"]:
        what = f"It lacks {counted(round(missing), 'scan')} that the log has seen."
        tell(Finding(name, what, f"Bytes are gone, or the disk took none then (see the log's troubles). {AGAIN}"))


@dataclass(frozen=True, slots=True)
class _Segment:
    size: int
    session: bool
    board: bool
    cut: bool


def _read(file: Path, decoder: Any) -> _Segment:
    from emgtwitch.wire.decode import WrongVersion
    from emgtwitch.wire.light import frames
    from emgtwitch.wire.records import WIRE_VERSION, Board, Hello, Import, Session

    size, last, head = 0, b"\0", b""
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            head = head or block[: 1 << 16]
            for told in decoder.feed(block):
                if isinstance(told, WrongVersion):
                    raise UnreadableInputError(
                        f"The board of {file} spoke wire version {told.wire_version}; this program reads "
                        f"{WIRE_VERSION} and cannot tell whether it is sound. Update emgtwitch."
                    )
            size, last = size + len(block), block[-1:]
    kinds = {type(one) for one in frames(head)}
    return _Segment(size, Session in kinds, bool(kinds & {Board, Hello, Import}), last != b"\0")


def _lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for finding in found["findings"]:
        lines.append(f"{'DAMAGED' if finding['damaged'] else 'note'}  {finding['where']}: {finding['what']}")
        lines.append(f"  {finding['do']}")
    size = shown_bytes(sum(told["bytes"] for told in found["recordings"]))
    read = counted(len(found["recordings"]), "recording")
    lines.append(f"{read} ({size}) and a log of {counted(found['sessions'], 'session')} read to their ends.")
    damaged = sum(finding["damaged"] for finding in found["findings"])
    lines.append(f"{found['data']}: {counted(damaged, 'damage') if damaged else 'all is sound'}.")
    return lines
