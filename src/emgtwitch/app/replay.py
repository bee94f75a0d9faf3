"""`emgtwitch replay`: a recording or a foreign file through the same path as the live signal."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import math
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from emgtwitch.app.config import add_settings_arguments, chosen_settings, read_config
from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.opened import Reading, add_reading_arguments, replayable
from emgtwitch.errors import CannotWriteError, EmgtwitchError, UnreadableInputError, UsageError

if TYPE_CHECKING:
    from emgtwitch.detect.records import Stamped
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.settings import Settings
    from emgtwitch.store.log import LogWriter
    from emgtwitch.wire.records import Session

T = TypeVar("T")

BLOCK_BYTES = 1 << 18  # its samples stay in the second-level cache
PACED_BLOCK_BYTES = 512
BATCH = 1024  # outputs in a transaction
ID_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=replayable())
    add_reading_arguments(parser)
    parser.add_argument("--speed", type=float, metavar="X", help="X times real time instead of as fast as it goes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the last of a file a summary")
    parser.add_argument("--log", type=Path, metavar="PATH", help="also write what was found into this log")
    add_settings_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Replay each file in turn. Raises UnreadableInputError, UsageError and CannotWriteError."""
    if args.speed is not None and not 0 < args.speed < math.inf:
        raise UsageError(f"--speed is {args.speed:g}; it must be a number greater than 0.")
    prepare_kernels()
    if args.speed is not None or len(args.files) == 1:
        for path in args.files:
            _show(args, _found(args, path))
        return 0
    from concurrent.futures import ThreadPoolExecutor

    # Each recording on a core of its own, at most so many ahead of the one whose turn it is to be shown.
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        coming = deque(pool.submit(_whole, args, path) for path in args.files[:cores])
        following = iter(args.files[cores:])
        try:
            while coming:
                found = coming.popleft().result()
                coming.extend(pool.submit(_whole, args, path) for path in islice(following, 1))
                _show(args, found)
        finally:
            pool.shutdown(cancel_futures=True)
    return 0


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found in a file: the last piece is what its end decided, with the pipeline at its end."""

    path: Path
    native: bool
    settings: Settings | None
    pipeline: Pipeline
    pieces: Iterator[list[Stamped]]


def _found(args: argparse.Namespace, path: Path) -> _Found:
    """The pieces come as they are asked for, decoded ahead in a thread. Raises UnreadableInputError and UsageError."""
    found, blocks = _opened(args, path)
    pipeline = found.pipeline
    pieces: Iterator[list[Stamped]]
    if args.speed is None:
        decoded = _ahead(pipeline.decode(block) for block in _progress(blocks, path))
        pieces = (pipeline.detect(items) for items in decoded)
    else:
        pieces = _paced((pipeline.feed(block) for block in blocks), pipeline, args.speed)
    return replace(found, pieces=_finished(pieces, pipeline))


def _whole(args: argparse.Namespace, path: Path) -> _Found:
    """The same, with all pieces found already; what went wrong half-way is raised after them."""
    found, blocks = _opened(args, path)
    pieces: list[list[Stamped]] = []
    error: EmgtwitchError | None = None
    try:
        pieces.extend(_finished((found.pipeline.feed(block) for block in blocks), found.pipeline))
    except EmgtwitchError as trouble:
        error = trouble

    def again() -> Iterator[list[Stamped]]:
        yield from pieces
        if error is not None:
            raise error

    return replace(found, pieces=again())


def _opened(args: argparse.Namespace, path: Path) -> tuple[_Found, Iterator[bytes | memoryview]]:
    """The file with nothing found yet, and its bytes."""
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.sources.recording import is_recording

    native = is_recording(path)
    blocks = Reading.asked(args).blocks(path, PACED_BLOCK_BYTES if args.speed else BLOCK_BYTES)
    settings = _settings(args, path, native)
    named = not args.log or (native and _named(path))
    pipeline = Pipeline(settings, recording_id="" if named else _content_id(args, path))
    return _Found(path, native, settings, pipeline, iter(())), blocks


def _finished(pieces: Iterable[list[Stamped]], pipeline: Pipeline) -> Iterator[list[Stamped]]:
    yield from pieces
    yield pipeline.finish()


def _show(args: argparse.Namespace, found: _Found) -> None:
    """Log and show what is found, and the summary. Raises UnreadableInputError and CannotWriteError."""
    from concurrent.futures import ThreadPoolExecutor

    from emgtwitch.app.show import Tally, json_line, line, summary_line
    from emgtwitch.store.storage import Storage

    path, pipeline = found.path, found.pipeline
    tally: Tally | None = None

    def show(outputs: Sequence[Stamped]) -> None:
        nonlocal tally
        tally = tally or Tally(pipeline.settings)
        tally.add(outputs)
        for stamped in outputs:
            text = json_line(stamped.record) if args.json else line(stamped.record, _label(stamped))
            if text is not None:
                print(text, flush=args.speed is not None)

    troubles: list[str] = []
    with contextlib.ExitStack() as stack:
        log = _open_log(stack, args.log.resolve(), path, found.settings) if args.log else None
        storage = Storage(log, on_stored=show, on_unstored=show, on_trouble=troubles.append)
        thread = stack.enter_context(ThreadPoolExecutor(1))  # stores and shows while the next is being found
        storing = thread.submit(storage.store, [], [])
        waiting: list[Stamped] = []
        ended = False
        try:
            for outputs in found.pieces:
                waiting += outputs
                if len(waiting) >= BATCH or (waiting and args.speed is not None):
                    storing.result()
                    storing = thread.submit(storage.store, [], waiting)
                    waiting = []
            ended = True
        finally:  # a file may turn out damaged half-way: what was found before that counts
            storing.result()
            storage.store([], waiting, pipeline.progress if ended else None)
        storage.close()
    if not pipeline.progress.scans_seen:
        if not (found.native and _head(path)):
            raise UnreadableInputError(
                f"{path} holds no samples that can be read: {_rejections(pipeline)}. Is it an emgtwitch recording?"
            )
        _complain(f"{path} ends before its first sample.")
    print(summary_line(tally or Tally(pipeline.settings), pipeline.progress, args.json, file=str(path)))
    if troubles:
        raise CannotWriteError(f"{' '.join(troubles)} Make room and replay {path} again: nothing is logged twice.")


def _settings(args: argparse.Namespace, path: Path, native: bool) -> Settings | None:
    """What was asked for; None where the recording's own settings, and its changes of them, shall hold.

    A foreign file takes the wearer's settings. --set alone changes single settings of a recording's own.
    """
    if native and not (args.preset or args.assignments or args.config):
        return None
    if native and not (args.preset or args.config):
        return chosen_settings(args, next((note.json.get("settings", {}) for note in _head(path)), {}))
    return chosen_settings(args, read_config(args.config).get("detector", {}))


def _head(path: Path) -> list[Session]:
    """The Session notes at the head of a recording; none if it was cut off there."""
    from emgtwitch.sources.recording import HEAD_BYTES, segments
    from emgtwitch.wire.light import frames
    from emgtwitch.wire.records import Session

    with contextlib.suppress(OSError), segments(path)[0].open("rb") as file:
        return [note for note in frames(file.read(HEAD_BYTES), (Session.TYPE,)) if isinstance(note, Session)]
    return []


def _named(path: Path) -> bool:
    """Whether the recording says its own id."""
    return any("recording_id" in note.json for note in _head(path)[:1])


def _progress(blocks: Iterable[bytes | memoryview], path: Path) -> Iterator[bytes | memoryview]:
    """The blocks, with a bar on a terminal."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
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


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before is used: decoding and detecting share two cores."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


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


def _content_id(args: argparse.Namespace, path: Path) -> str:
    """Names a recording that has no id of its own, by its content and by how it was read."""
    if path.is_dir():
        return path.resolve().name
    digest = hashlib.sha256(repr((args.fs, args.units, args.channel)).encode())
    with contextlib.suppress(OSError), path.open("rb") as file:
        while block := file.read(ID_BYTES):
            digest.update(block)
    return digest.hexdigest()[:16]


def _open_log(stack: contextlib.ExitStack, log: Path, recording: Path, settings: Settings | None) -> LogWriter:
    from emgtwitch.app.keeping import session_rows
    from emgtwitch.store.lock import DataLock
    from emgtwitch.store.log import LogWriter
    from emgtwitch.store.log_reader import LogReader

    stack.enter_context(DataLock(log.parent, log.name))
    writer = stack.enter_context(LogWriter(log))
    with LogReader(log) as known:
        for run in session_rows(known).get(str(recording.resolve()), []):
            if lacks := known.not_kept(run["id"]):
                raise UsageError(
                    f"{lacks} A run over what is left would take the place of the one that heard all of it. "
                    "Name another log with --log."
                )
    writer.begin(recording, settings.as_dict() if settings is not None else None)
    return writer


def _complain(text: str) -> None:
    print(f"emgtwitch: {text}", file=sys.stderr)


def _rejections(pipeline: Pipeline) -> str:
    rejected = [f"{n} frames rejected for {reason}" for reason, n in pipeline.rejected.items() if n]
    return ", ".join(rejected) or "no frame of the wire is in it"
