"""`emgtwitch run`: acquire, record, detect and log until stopped."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch import __version__
from emgtwitch.app.config import add_settings_arguments, chosen_settings, read_config
from emgtwitch.app.kernels import prepare_cache, warm_up
from emgtwitch.app.safety import SAFETY
from emgtwitch.errors import UsageError

if TYPE_CHECKING:
    from emgtwitch.detect.records import Stamped
    from emgtwitch.sources.live import OpenLink

READ_S = 0.25
PROGRESS_S = 1.0
WORN = ("muscle", "side", "placement")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument(
        "--source", default="auto", metavar="PORT", help="auto, a port, a pyserial URL, or sim[:SCENARIO[:SEED]]"
    )
    for name, text in (
        ("muscle", "worn on which muscle"),
        ("side", "left or right"),
        ("placement", "where on it, in words"),
    ):
        parser.add_argument(f"--{name}", action="append", metavar="TEXT", help=f"{text}; repeat for each channel")
    parser.add_argument("--rate", type=int, metavar="HZ", help="ask the board for 500, 1000, 2000 or 4000 Hz")
    parser.add_argument("--channels", type=int, metavar="N", help="ask the board for 1 to 4 channels")
    parser.add_argument("--oversampling", type=int, metavar="N", help="ask the board to sum 1, 4 or 8 conversions")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")
    add_settings_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM. Raises NoBoardError, CannotWriteError, UsageError."""
    from emgtwitch.store.folders import data_folder, make_data_folder
    from emgtwitch.store.lock import DataLock

    prepare_cache()
    config = read_config(args.config)
    settings = chosen_settings(args, config.get("detector", {}))
    folder = make_data_folder(data_folder(args.data))
    with DataLock(folder):
        stop = threading.Event()
        with _stopped_by_signals(stop):
            warm_up()
            session = _session(settings.as_dict(), _worn(args, config), time.time())
            _Daemon(args, folder, session, config.get("device", {}), stop).run()
    return 0


class _Daemon:
    """One session, from the first byte to the summary."""

    def __init__(
        self, args: argparse.Namespace, folder: Path, session: dict[str, Any], device: dict[str, Any], stop: Any
    ) -> None:
        from emgtwitch.app.show import Tally
        from emgtwitch.pipeline import Pipeline
        from emgtwitch.settings import Settings
        from emgtwitch.sources.live import LiveSource
        from emgtwitch.store.folders import SESSIONS_NAME, log_path
        from emgtwitch.store.keeper import Keeper
        from emgtwitch.store.log import LogWriter
        from emgtwitch.store.recording import SessionWriter
        from emgtwitch.store.storage import Storage

        self._args, self._session, self._stop = args, session, stop
        self._troubles: list[str] = []
        self._pipeline = Pipeline()
        self._tally = Tally(Settings.from_mapping(session["settings"]))
        self._source = LiveSource(
            _open_link(args.source),
            session,
            rate_Hz=args.rate or device.get("rate_Hz"),
            channels=args.channels or device.get("channels"),
            oversampling=args.oversampling or device.get("oversampling"),
            on_state=self._say,
        )
        log = LogWriter(log_path(folder))
        recording = folder / SESSIONS_NAME / session["recording_id"]
        log.begin(recording)
        self._writer = SessionWriter(recording, session)
        storage = Storage(
            log, self._writer, on_stored=self._show, on_unstored=self._show_unstored, on_trouble=self._trouble
        )
        self._keeper = Keeper(storage, on_trouble=self._trouble)
        self._folder = folder

    def run(self) -> None:
        from emgtwitch.store.channel import CommandServer

        server = CommandServer(self._folder, self._answer)
        if not self._args.json:
            print(SAFETY)
        self._say(f"recording to {self._folder}; Ctrl-C stops")
        try:
            self._acquire()
        finally:
            server.close()
            tail = self._source.close()
            outputs = [*self._pipeline.feed(tail), *self._pipeline.finish()]
            self._keeper.put(tail, outputs, self._pipeline.progress)
            self._keeper.close()
        self._summarise()

    def _acquire(self) -> None:
        """Read, decode and hand over, until told to stop. Nothing here waits for a disk."""
        reported_s = 0.0
        hello = None
        while not self._stop.is_set():
            data = self._source.read(READ_S)
            if self._source.hello is not hello and self._source.hello is not None:
                hello = self._source.hello
                self._writer.hello(hello.pack())
            outputs = self._pipeline.feed(data)
            now_s = time.monotonic()
            progress = None
            if now_s - reported_s >= PROGRESS_S:
                progress, reported_s = self._pipeline.progress, now_s
            if data or outputs or progress:
                self._keeper.put(data, outputs, progress)

    # What a person sees; these run on the storage thread

    def _show(self, outputs: Sequence[Stamped]) -> None:
        self._print(outputs, "")

    def _show_unstored(self, outputs: Sequence[Stamped]) -> None:
        self._print(outputs, "  NOT STORED")

    def _print(self, outputs: Sequence[Stamped], remark: str) -> None:
        from emgtwitch.app.show import json_line, line

        self._tally.add(outputs)
        for stamped in outputs:
            text = json_line(stamped.record) if self._args.json else line(stamped.record, _wall(stamped)) + remark
            if text is not None:
                print(text, flush=True)

    def _trouble(self, text: str) -> None:
        self._troubles = [*self._troubles[-9:], text]
        self._say(text)

    def _say(self, text: str) -> None:
        print(f"emgtwitch: {text}", file=sys.stderr, flush=True)

    def _summarise(self) -> None:
        from emgtwitch.app.show import sentence

        summary = self._tally.summary(self._pipeline.progress)
        print(json.dumps(summary) if self._args.json else sentence(summary), flush=True)

    # The socket; this runs on its thread

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        command = request.get("command")
        if command == "mark":
            self._source.note(str(request.get("kind", "mark")), request.get("detail") or {})
            return {"done": True}
        if command == "status":
            return self._status()
        raise UsageError(f"The daemon knows the commands mark and status, not {command!r}.")

    def _status(self) -> dict[str, Any]:
        progress, hello = self._pipeline.progress, self._source.hello
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "since_utc_ms": self._session["started_utc_ms"],
            "recording_id": self._session["recording_id"],
            "source": self._source.port,
            "connected": self._source.connected,
            "duration_s": progress.duration_s,
            "analysable_s": list(progress.analysable_s),
            "scans_seen": progress.scans_seen,
            "scans_lost": progress.scans_lost,
            "frames_rejected": progress.frames_rejected,
            "clock_ppm": progress.clock_ppm,
            "clock_ppm_uncertainty": progress.clock_ppm_uncertainty,
            "troubles": self._troubles,
        }
        if hello is not None:
            rate_Hz = hello.rate_num / hello.rate_den
            state |= {"device": f"{hello.device_id:016x}", "rate_Hz": rate_Hz, "channels": hello.channels}
        return state


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask for a clean end instead of breaking off in the middle of something."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _open_link(source: str) -> OpenLink:
    if source.partition(":")[0] == "sim":
        from emgtwitch.sources.sim import open_sim, parse_spec

        parse_spec(source)  # a wrong name is told before anything is opened
        return lambda: open_sim(source, started=False)
    from emgtwitch.sources.discover import Finder

    return Finder(source)


def _worn(args: argparse.Namespace, config: dict[str, Any]) -> list[dict[str, str]]:
    """What is worn where, a table for each channel; the command line wins over the configuration file."""
    told = config.get("worn", [])
    channels: list[dict[str, str]] = [dict(entry) for entry in (told if isinstance(told, list) else [told])]
    for name in WORN:
        for channel, text in enumerate(getattr(args, name) or []):
            channels += [{} for _ in range(channel + 1 - len(channels))]
            channels[channel][name] = text
    return channels


def _session(settings: dict[str, Any], worn: list[dict[str, str]], now_s: float) -> dict[str, Any]:
    """The object of the recording's Session note."""
    stamp = datetime.datetime.fromtimestamp(now_s, datetime.UTC).strftime("%Y%m%dT%H%M%S")
    return {
        "recording_id": f"{stamp}-{os.getpid()}",
        "segment": 0,
        "software": __version__,
        "settings": settings,
        "worn": worn,
        "zone": _zone(),
        "started_utc_ms": round(1000 * now_s),
    }


def _zone() -> str:
    """The IANA name of the zone, or an empty text where the system does not say it."""
    told = os.environ.get("TZ", "").removeprefix(":")
    if told and not told.startswith("/"):
        return told
    _, _, name = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    return name


def _wall(stamped: Stamped) -> str:
    """The wearer's clock then."""
    from emgtwitch.app.days import local_time

    if stamped.utc_ms is None or stamped.offset_s is None:
        return "--:--:--.---"
    return local_time(stamped.utc_ms, stamped.offset_s).time().isoformat("milliseconds")
