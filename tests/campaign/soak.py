"""`python -m tests.campaign.soak [--days 7] [--speed 20] [--docs]`: days on end, hastened; nothing held may grow.

All clocks of the daemon run `speed` times as fast (disk.c), and so does its board: it records, detects, logs and serves
a page that somebody looks at, as in life. Memory, file handles, threads and how far it lags behind the board are
sampled and plotted. Exits 1 where the last day is not as the first.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from emgtwitch.store.channel import ask
from tests.app.nursery import Child, Nursery
from tests.campaign.board import PtyBoard
from tests.campaign.faults import build_disk
from tests.campaign.laws import check_shown
from tests.campaign.running import live_channel, page_port
from tests.campaign.table import DOCS, keep

BUILD = Path(__file__).parents[2] / "build"
SEEN = BUILD / "soak.csv"
DAY_S = 86400.0
EVERY_S = 2.0  # of real time
WARM_DAYS = 0.1  # caches fill, the page's memory, too
GROWN, LAGGED = 1.02, 1.2  # how much more the last part may be


@dataclass(frozen=True, slots=True)
class Sample:
    """`lag_s` is real time: how long ago the board made what the daemon has handled last."""

    day: float
    memory_MB: float
    handles: int
    threads: int
    lag_s: float


@contextlib.contextmanager
def looked_at(port: int) -> Iterator[None]:
    """Somebody has the page open: the live channel is read as fast as it comes."""
    browser = live_channel(port)

    def read() -> None:
        with contextlib.suppress(OSError):
            while browser.recv(65536):
                pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    yield
    browser.shutdown(socket.SHUT_RDWR)
    thread.join()
    browser.close()


def sampled(child: Child, folder: Path, board: PtyBoard, speed: float, began_s: float) -> Sample:
    """The daemon now."""
    process = Path(f"/proc/{child.pid}")
    made = board.made
    answer = ask(folder, {"command": "status"}, timeout_s=60.0)
    assert answer is not None, child.said()
    pages = int((process / "statm").read_text().split()[1])
    lag_s = (made - answer["scans_seen"] - answer["scans_lost"]) / answer["rate_Hz"] / speed
    return Sample(
        day=(time.monotonic() - began_s) * speed / DAY_S,
        memory_MB=pages * resource.getpagesize() / 1e6,
        handles=len(os.listdir(process / "fd")),
        threads=len(os.listdir(process / "task")),
        lag_s=max(lag_s, 0.0),
    )


def soak(days: float, speed: float, spoiled: float) -> tuple[list[Sample], str]:
    """Run for so many of the daemon's days, a share of the line's bytes changed; samples, and what came through.

    The samples are also written to SEEN as they come, for who looks on.
    """
    samples: list[Sample] = []
    SEEN.parent.mkdir(exist_ok=True)
    with SEEN.open("w", buffering=1) as seen, tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        nursery, data = Nursery(place, build_disk(place)), place / "data"
        with PtyBoard(place / "tty", speed=speed) as board:
            arguments = ("run", "--source", board.path, "--json", "--data", data, "--port", "0")
            child = nursery.start(*arguments, environ={"CAMPAIGN_SPEED": str(speed)})
            child.wait_for(lambda child: "the page is at" in child.said(), timeout_s=300.0)
            port = page_port(child)
            board.spoiled = spoiled
            began_s = time.monotonic()
            with looked_at(port):
                while not samples or samples[-1].day < days:
                    time.sleep(EVERY_S)
                    samples.append(sampled(child, data, board, speed, began_s))
                    print(*astuple(samples[-1]), sep=",", file=seen)
            heard = ask(data, {"command": "status"}, timeout_s=60.0)
            assert heard is not None, child.said()
            assert child.end(signal.SIGINT) == 0, child.said()
        shown = check_shown(child.lines(), data)
        nursery.close()
    lost = heard["scans_lost"] / max(heard["scans_seen"] + heard["scans_lost"], 1)
    return samples, f"{100 * lost:.1f} % of the scans lost on the line; {shown} events shown, all in the log"


def compared(samples: list[Sample]) -> tuple[list[str], bool]:
    """The first day (or a quarter, if there are fewer) beside the last, and whether it stayed flat."""
    settled = [one for one in samples if one.day >= WARM_DAYS]
    span = min(1.0, (settled[-1].day - settled[0].day) / 4)
    first = [one for one in settled if one.day < settled[0].day + span]
    last = [one for one in settled if one.day > settled[-1].day - span]
    out, flat = [f"| | first {span:.2f} days | last {span:.2f} days |", "|---|---|---|"], True
    for name, unit, of, most in (
        ("memory_MB", "memory, MB, median", statistics.median, GROWN),
        ("handles", "file handles, most", max, 1.0),
        ("threads", "threads, most", max, 1.0),
        ("lag_s", "behind the board, s, 99 %", lambda v: statistics.quantiles(v, n=100)[98], LAGGED),
    ):
        before, after = (float(of([getattr(one, name) for one in part])) for part in (first, last))
        flat &= after <= before * most
        out.append(f"| {unit} | {before:.4g} | {after:.4g} |")
    return out, flat


def draw(samples: list[Sample], path: Path) -> None:
    """All four against the days."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    rows = figure.subplots(4, 1, sharex=True)
    days = [one.day for one in samples]
    for axes, name in zip(rows, ("memory_MB", "handles", "threads", "lag_s"), strict=True):
        values = [getattr(one, name) for one in samples]
        axes.plot(days, values, color="black", linewidth=0.8)
        axes.set_ylabel(name)
        axes.set_ylim(0, 1.2 * max(values))
        axes.grid(True, color="0.88")
    rows[-1].set_xlabel("days of the daemon's clocks")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--spoiled", type=float, default=0.0, metavar="SHARE", help="of the line's bytes, as 1e-3")
    parser.add_argument("--docs", action="store_true", help="keep table and plot in docs/reliability.md")
    args = parser.parse_args()
    if args.days < 2 * WARM_DAYS:
        parser.error(f"--days {args.days:g} is too short to compare; {2 * WARM_DAYS:g} or more.")
    samples, through = soak(args.days, args.speed, args.spoiled)
    table, flat = compared(samples)
    line = f", {args.spoiled:g} of the line's bytes changed" if args.spoiled else ""
    told = f"{samples[-1].day:.2f} days at {args.speed:g} times their speed{line}; {through}:"
    print("\n".join((told, "", *table)))
    name = "soak-spoiled" if args.spoiled else "soak"
    draw(samples, (DOCS.with_suffix("") if args.docs else BUILD) / f"{name}.png")
    if args.docs:
        keep(name, (told, "", *table))
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
