"""`emgtwitch page`: the live page on a recording or on a log, without a board."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch.app.config import read_config
from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.opened import Reading, add_reading_arguments, replayable
from emgtwitch.app.page.server import PageServer
from emgtwitch.app.run import add_page_arguments, on_signals
from emgtwitch.errors import UnreadableInputError
from emgtwitch.store.folders import LOG_NAME, log_path

if TYPE_CHECKING:
    from emgtwitch.app.page.desk import Desk

BLOCK_BYTES = 1 << 18


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `page`."""
    parser.add_argument(
        "path", metavar="FILE", help=replayable("data folder with a log, recording, session folder, or")
    )
    add_reading_arguments(parser)
    add_page_arguments(parser)
    parser.add_argument("--config", metavar="FILE", help="configuration file; else EMGTWITCH_CONFIG, else the XDG one")


def main(args: argparse.Namespace) -> int:
    """Serve until a signal. Raises UnreadableInputError, UsageError, CannotWriteError where a daemon has the log."""
    path, config = Path(args.path), read_config(args.config)
    stop = threading.Event()
    server = PageServer(_say, args.host, args.port)
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_signals(stop.set))
        stack.callback(server.close)
        prepare_kernels()
        has_log = (path.is_file() and path.name == LOG_NAME) or log_path(path).is_file()
        desk = _log_desk(stack, path, config) if has_log else _recording_desk(stack, path, config, Reading.asked(args))
        stack.callback(desk.past.close)
        server.start(desk)
        stop.wait()
    return 0


def _log_desk(stack: contextlib.ExitStack, path: Path, config: dict[str, Any]) -> Desk:
    """On a log, which this process then writes."""
    from emgtwitch.store.keeper import Keeper
    from emgtwitch.store.lock import DataLock
    from emgtwitch.store.log import LogWriter
    from emgtwitch.store.storage import Storage

    folder = path if path.is_dir() else path.parent
    stack.enter_context(DataLock(folder))
    keeper = Keeper(Storage(LogWriter(log_path(folder)), on_trouble=_say), on_trouble=_say)
    stack.callback(keeper.close)
    desk = _desk(folder, config)
    desk.write = keeper.write
    return desk


def _recording_desk(stack: contextlib.ExitStack, path: Path, config: dict[str, Any], reading: Reading) -> Desk:
    """On a recording: its events go to a log that is forgotten at the end, so nothing can be written to it."""
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.store.log import LogWriter

    blocks = reading.blocks(path, BLOCK_BYTES)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emgtwitch-page-")))
    pipeline = Pipeline(recording_id=path.stem)
    _say(f"reading {path}")
    with LogWriter(log_path(folder)) as log:
        log.begin(path)
        for block in blocks:
            log.write(pipeline.feed(block))
        log.write(pipeline.finish(), pipeline.progress)
        log.end()
    if not pipeline.progress.scans_seen:
        raise UnreadableInputError(f"{path} holds no samples that can be shown. Is it an emgtwitch recording?")
    desk = _desk(folder, config)
    desk.reading = reading
    return desk


def _desk(folder: Path, config: dict[str, Any]) -> Desk:
    from emgtwitch.app.page.desk import Desk
    from emgtwitch.app.page.news import News
    from emgtwitch.app.page.tap import Tap
    from emgtwitch.store.log_reader import LogReader

    with LogReader(log_path(folder)) as log:
        sessions = log.sessions()
    last = sessions[-1] if sessions else {}
    status = {key: value for key, value in last.items() if key != "path"} | {"connected": False, "source": None}
    status["since_utc_ms"] = last.get("started_utc_ms")
    news = News(last.get("recording_id", ""))
    return Desk(folder=folder, config=config, tap=Tap(), news=news, status=lambda: status)


def _say(text: str) -> None:
    print(f"emgtwitch: {text}", file=sys.stderr, flush=True)
