"""`emgtwitch replay`: a recording or a foreign file through the same path as the live signal."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emgtwitch.app.config import add_settings_arguments, asks_for_settings, chosen_settings, read_config
from emgtwitch.app.kernels import prepare_cache
from emgtwitch.errors import UnreadableInputError, UsageError

if TYPE_CHECKING:
    from emgtwitch.detect.records import Stamped
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.settings import Settings
    from emgtwitch.store.log import LogWriter

BLOCK_BYTES = 1 << 18  # its samples stay in the second-level cache
PACED_BLOCK_BYTES = 512
ID_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    from emgtwitch.sources.foreign.table import FORMATS

    formats = "; ".join(f"{form.name} ({' '.join(form.suffixes)})" for form in FORMATS)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=f"recording, session folder, or: {formats}")
    parser.add_argument("--fs", type=float, metavar="HZ", help="sampling rate of a foreign file that does not say it")
    parser.add_argument("--units", metavar="UNIT", help="uV, mV, V, nV or counts, where the file does not say it")
    parser.add_argument("--channel", metavar="C", help="of a foreign file: index from 0, label, a list A,B or A-B")
    parser.add_argument("--speed", type=float, metavar="X", help="X times real time instead of as fast as it goes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the last of a file a summary")
    parser.add_argument("--log", type=Path, metavar="PATH", help="also write what was found into this log")
    add_settings_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Replay each file in turn. Raises UnreadableInputError, UsageError and CannotWriteError."""
    if args.speed is not None and not args.speed > 0:
        raise UsageError(f"--speed is {args.speed:g}; it must be greater than 0.")
    prepare_cache()
    for path in args.files:
        _replay(args, path)
    return 0


def _replay(args: argparse.Namespace, path: Path) -> None:
    from emgtwitch.app.show import Tally, json_line, line, sentence
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.store.storage import Storage

    blocks, native = _open(args, path)
    # A recording brings its own settings; a foreign file takes the wearer's.
    own = native and not asks_for_settings(args)
    settings = None if own else chosen_settings(args, read_config(args.config).get("detector", {}))
    pipeline = Pipeline(settings, recording_id=_content_id(path))
    tally: Tally | None = None

    def show(outputs: Sequence[Stamped]) -> None:
        nonlocal tally
        tally = tally or Tally(pipeline.settings)
        tally.add(outputs)
        for stamped in outputs:
            text = json_line(stamped.record) if args.json else line(stamped.record, _label(stamped))
            if text is not None:
                print(text)

    with contextlib.ExitStack() as stack:
        log = _open_log(stack, args.log, path, settings) if args.log else None
        storage = Storage(log, on_stored=show, on_trouble=_complain)
        for outputs in _paced(_pieces(pipeline, blocks), pipeline, args.speed):
            if outputs:
                storage.store([], outputs)
        storage.store([], pipeline.finish(), pipeline.progress)
        storage.close()
    if not pipeline.progress.scans_seen:
        raise UnreadableInputError(
            f"{path} holds no samples that can be read: {_rejections(pipeline)}. Is it an emgtwitch recording?"
        )
    summary = (tally or Tally(pipeline.settings)).summary(pipeline.progress) | {"file": str(path)}
    print(json.dumps(summary) if args.json else sentence(summary))


def _open(args: argparse.Namespace, path: Path) -> tuple[Iterator[bytes | memoryview], bool]:
    """The file as wire bytes, and whether it is a recording of our own."""
    from emgtwitch.sources.recording import is_recording, read_blocks

    if is_recording(path):
        for name in ("fs", "units", "channel"):
            if getattr(args, name) is not None:
                raise UsageError(f"--{name} is for foreign files; the recording {path} says it itself.")
        return _progress(read_blocks(path, PACED_BLOCK_BYTES if args.speed else BLOCK_BYTES), path, args), True
    from emgtwitch.sources.foreign.as_wire import wire_bytes
    from emgtwitch.sources.foreign.table import open_foreign

    return wire_bytes(open_foreign(path, args.fs, args.units, args.channel)), False


def _progress(blocks: Iterable[memoryview], path: Path, args: argparse.Namespace) -> Iterator[memoryview]:
    """The blocks, with a bar on a terminal."""
    if args.json or not (sys.stderr.isatty() and not sys.stdout.isatty()):
        yield from blocks  # beside events that scroll by, a bar would only be in the way
        return
    from rich.console import Console
    from rich.progress import Progress

    from emgtwitch.sources.recording import segments

    total = sum(file.stat().st_size for file in segments(path))
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(path.name, total=total)
        for block in blocks:
            yield block
            bar.advance(task, len(block))


def _pieces(pipeline: Pipeline, blocks: Iterable[bytes | memoryview]) -> Iterator[list[Stamped]]:
    for block in blocks:
        yield pipeline.feed(block)


def _paced(
    pieces: Iterator[list[Stamped]],
    pipeline: Pipeline,
    speed: float | None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Stamped]]:
    """The pieces, each not before its time if a speed is asked for."""
    began_s = clock()
    for outputs in pieces:
        if speed is not None:
            sleep(max(0.0, began_s + pipeline.progress.duration_s / speed - clock()))
        yield outputs


def _label(stamped: Stamped) -> str:
    record = stamped.record
    at_s = getattr(record, "onset_s", getattr(record, "at_s", 0.0))
    return f"{at_s:10.3f} s"


def _content_id(path: Path) -> str:
    """Names a recording that has no id of its own, by its content."""
    if path.is_dir():
        return path.name
    digest = hashlib.sha256()
    with contextlib.suppress(OSError), path.open("rb") as file:
        digest.update(file.read(ID_BYTES))
        digest.update(str(path.stat().st_size).encode())
    return digest.hexdigest()[:16]


def _open_log(stack: contextlib.ExitStack, log: Path, recording: Path, settings: Settings | None) -> LogWriter:
    from emgtwitch.store.lock import DataLock
    from emgtwitch.store.log import LogWriter

    stack.enter_context(DataLock(log.parent, log.name))
    writer = stack.enter_context(LogWriter(log))
    writer.begin(recording, settings.as_dict() if settings is not None else None)
    return writer


def _complain(text: str) -> None:
    print(f"emgtwitch: {text}", file=sys.stderr)


def _rejections(pipeline: Pipeline) -> str:
    rejected = [f"{n} frames rejected for {reason}" for reason, n in pipeline.rejected.items() if n]
    return ", ".join(rejected) or "no frame of the wire is in it"
