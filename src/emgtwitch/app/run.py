"""`emgtwitch run`: acquire, record, detect and log until stopped."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from emgtwitch import __version__
from emgtwitch.app.config import DEVICE, WORN, add_settings_arguments, chosen_settings, read_config
from emgtwitch.app.kernels import prepare_kernels, warm_up
from emgtwitch.app.page.server import HOST, PORT
from emgtwitch.app.printer import WARNING, complain

if TYPE_CHECKING:
    from emgtwitch.settings import Settings
    from emgtwitch.sources.live import OpenLink

GATHER_S = 0.1  # signal handled at a time: at a third of it, three times the wake-ups take twice the CPU time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument(
        "--source", default="auto", metavar="PORT", help="auto, a port, a pyserial URL, or sim[:SCENARIO[:SEED]]"
    )
    for name, text in zip(WORN, ("worn on which muscle", "left or right", "where on it, in words"), strict=True):
        parser.add_argument(f"--{name}", action="append", metavar="TEXT", help=f"{text}; repeat for each channel")
    for option, key, text in (
        ("--rate", "rate_Hz", "scans a second to ask the board for"),
        ("--channels", "channels", "channels to ask the board for"),
        ("--oversampling", "oversampling", "conversions that the board is asked to sum into a sample"),
    ):
        parser.add_argument(option, dest=key, type=int, choices=DEVICE[key], help=f"{text}; else as it is set")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")
    add_page_arguments(parser)
    parser.add_argument("--no-page", action="store_true", help="serve no page")
    parser.add_argument("--lsl", action="store_true", help="also send signal and events to the Lab Streaming Layer")
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="also send state and events to this MQTT broker")
    parser.add_argument(
        "--inhibit-sleep", action="store_true", help="the computer does not sleep while a board streams"
    )
    add_settings_arguments(parser)


def add_page_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the page is served."""
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help="of the page; the next one if it is taken")
    parser.add_argument(
        "--host", default=HOST, metavar="ADDRESS", help="of the page; beyond this computer it asks for a token"
    )


def main(args: argparse.Namespace) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP. Raises NoBoardError, CannotWriteError, UnreadableInputError, UsageError."""
    from emgtwitch.app.unattended.memory import return_what_is_freed
    from emgtwitch.store.folders import data_folder, make_data_folder, others_may_write
    from emgtwitch.store.lock import DataLock

    return_what_is_freed()
    config = read_config(args.config)
    settings = chosen_settings(args, config.get("detector", {}))
    device = {key: value for key in DEVICE if (value := getattr(args, key) or config.get("device", {}).get(key))}
    folder = make_data_folder(data_folder(args.data))
    if others_may_write(folder):
        say = f"emgtwitch: other users may write to {folder} and replace what is recorded there: chmod go-w {folder}"
        complain(say, WARNING)
    stop = threading.Event()
    with DataLock(folder), on_signals(stop.set):
        nothing = _nothing(settings, args.json)
        with on_signals(lambda: _leave(nothing)):  # compiling may take half a minute: do not wait for it
            prepare_kernels()
            open_link = _open_link(args.source)
            warm_up()
        from emgtwitch.app.daemon import Daemon
        from emgtwitch.app.out.mqtt import Broker

        session = _session(settings.as_dict(), _worn(args, config), time.time())
        page = None if args.no_page else (args.host, args.port)
        broker = Broker.asked(args.mqtt, config.get("mqtt", {}), os.environ)
        daemon = Daemon(
            open_link,
            folder,
            session,
            device,
            stop,
            args.json,
            page,
            config,
            lsl=args.lsl,
            broker=broker,
            inhibit_sleep=args.inhibit_sleep,
        )
        daemon.run()
        print(daemon.summary())
    return 0


def _leave(last_line: str) -> None:
    """End at once: an exception would come up inside the compiler, which swallows some."""
    print(last_line, flush=True)
    os._exit(0)


@contextlib.contextmanager
def on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal do `act` instead of breaking off in the middle of something."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signals.append(signal.SIGHUP)
    before = [signal.signal(number, lambda *_: act()) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _nothing(settings: Settings, as_json: bool) -> str:
    """The last line of a run that was stopped before it began."""
    from emgtwitch.app.show import Tally, summary_line
    from emgtwitch.detect.records import Progress

    return summary_line(Tally(settings), Progress(0.0, (), 0, 0, 0, None, None), as_json)


def _open_link(source: str) -> OpenLink:
    """What opens the link. Raises UsageError, before anything is opened, where there is no such simulated wearer."""
    if source.partition(":")[0] == "sim":
        from emgtwitch.sources.sim import open_sim, parse_spec

        parse_spec(source)
        return lambda: open_sim(source, started=False)
    from emgtwitch.sources.discover import Finder

    return Finder(source, gather_s=GATHER_S)


def _worn(args: argparse.Namespace, config: Mapping[str, Any]) -> list[dict[str, str]]:
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
