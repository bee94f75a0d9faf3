"""The live page in Chromium on a daemon with one channel at 2 kHz: weight, speed, lag, ten browsers, memory.

`python -m benchmarks.page [--quick] [--minutes N]`; memory is watched for N minutes (an hour: `make page-hour`).

The board is a process of its own behind a pty. Lag is what the page itself sees: the moment at which it draws an
event less the moment at which the sample was made that decided it, by the start and the rate that the daemon tells; it
holds the board's frame, the daemon's gathering of signal, the disk and the socket. Latency of acquisition is from the
board's write of a byte to the end of the pipeline's work on it, by the system's one monotonic clock.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from benchmarks.figures import Figure, machine_line, save
from benchmarks.processes import running
from emgtwitch.app.kernels import warm_up

STATIC = Path(__file__).parents[1] / "src" / "emgtwitch" / "app" / "page" / "static"
RATE_HZ, SPAN_S = 2000, 60
SIZE: ViewportSize = {"width": 1280, "height": 800}
LEAST_FPS, MOST_KB, MOST_FIRST_S, MOST_LAG_MS, MOST_GROWTH = 50.0, 150.0, 1.0, 150.0, 1.2
READERS = 8  # and one that never reads, and a Chromium: ten
PATIENCE_S = 90.0
STAMP = np.dtype([("at_s", "<f8"), ("bytes", "<i8")])
# A daemon that notes when the pipeline has done with how many of the port's bytes.
TIMED = """
import struct, sys, time
from emgtwitch.app import cli
from emgtwitch.pipeline import Pipeline
from emgtwitch.sources.serial_link import SerialLink
out, read, feed, total = open(sys.argv.pop(1), "ab", buffering=0), SerialLink.read, Pipeline.feed, 0
def counted(link, timeout_s):
    global total
    data = read(link, timeout_s)
    total += len(data)
    return data
def timed(pipeline, data):
    outputs = feed(pipeline, data)
    out.write(struct.pack("<dq", time.monotonic(), total))
    return outputs
SerialLink.read, Pipeline.feed = counted, timed
sys.exit(cli.main(sys.argv[1:]))
"""


class Bench:
    """Board, daemon and browser while they run."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.written, self.fed = folder / "written", folder / "fed"
        link = folder / "board"
        board = ["-m", "benchmarks.board", "demo", str(RATE_HZ), "1", str(link), str(self.written)]
        stack.enter_context(running([sys.executable, *board]))
        _until(link.is_symlink, "the board's pty")
        run = ["run", "--source", str(link), "--json", "--data", str(folder / "data"), "--port", "0"]
        words = [sys.executable, "-c", TIMED, str(self.fed), *run]
        self.daemon = stack.enter_context(running(words, stdout=os.open(folder / "said", os.O_WRONLY | os.O_CREAT)))
        _until(lambda: "the page is at" in (folder / "said").read_text(), "the page")
        self.url = (folder / "said").read_text().partition("the page is at ")[2].split()[0]
        playwright = stack.enter_context(sync_playwright())
        chromium = shutil.which("chromium")
        if chromium is None:
            raise RuntimeError("Chromium is missing: sudo apt install chromium.")
        words = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"]
        self.browser: Browser = playwright.chromium.launch(executable_path=chromium, args=words)
        stack.callback(self.browser.close)

    def state(self) -> dict[str, Any]:
        """What the daemon tells of itself."""
        with urlopen(f"{self.url}api/v1/state") as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    @contextlib.contextmanager
    def page(self, span_s: int = SPAN_S) -> Iterator[Page]:
        """Now, in a browser that has not been there yet."""
        context = self.browser.new_context(viewport=SIZE)
        context.add_init_script(f"localStorage.setItem('emgtwitch', JSON.stringify({{span: {span_s}}}))")
        page = context.new_page()
        page.goto(f"{self.url}#now")
        _until(lambda: bool(page.evaluate("window.emgFrames?.first_ms")), "the first picture")
        try:
            yield page
        finally:
            context.close()


def weight() -> Figure:
    """All that a browser can ask for, uncompressed."""
    total = sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file())
    return Figure("weight of the page", total / 1000, "kB", MOST_KB)


def first_picture(bench: Bench, loads: int) -> Figure:
    """From the navigation to the first frame with signal in it, the worst of some."""
    times_s = []
    for _ in range(loads):
        with bench.page() as page:
            times_s.append(page.evaluate("window.emgFrames.first_ms") / 1000)
    return Figure(f"first picture with signal, worst of {loads}", max(times_s), "s", MOST_FIRST_S)


def frames_and_lag(bench: Bench, duration_s: int) -> list[Figure]:
    """Frames a second with a minute on the screen, and how late events are drawn."""
    with bench.page() as page:
        page.wait_for_timeout(3000)  # until the minute before has been fetched
        rates = []
        for _ in range(duration_s):
            page.wait_for_timeout(1000)
            rates.append(page.evaluate("window.emgFrames.fps"))
        lags_ms = page.evaluate("window.emgFrames.lags_ms")
    middle, late = np.percentile(lags_ms, (50, 95))
    what = f"1 channel at {RATE_HZ / 1000:g} kHz, {SPAN_S} s on screen"
    slow = 1 / np.percentile(rates, 5)
    return [
        Figure(f"time of a frame, {what}, median second", 1000 / statistics.median(rates), "ms", 1000 / LEAST_FPS),
        Figure(f"time of a frame, {what}, slowest 5 % of the seconds", 1000 * float(slow), "ms", 1000 / LEAST_FPS),
        Figure(f"from the deciding sample to the picture, median of {len(lags_ms)} events", float(middle), "ms"),
        Figure("from the deciding sample to the picture, 95 %", float(late), "ms", MOST_LAG_MS),
    ]


def ten_browsers(bench: Bench, pairs: int, duration_s: float) -> list[Figure]:
    """Latency of acquisition with ten browsers, one of them stalled, beside none; turn about."""
    alone, beside = [], []
    lost = bench.state()["scans_lost"]
    for _ in range(pairs):
        alone.append(_stretch(duration_s))
        with _crowd(bench):
            time.sleep(2.0)  # until all have what they want first
            beside.append(_stretch(duration_s))
    lost = bench.state()["scans_lost"] - lost
    at_s, latency_s = _latencies(np.fromfile(bench.written, STAMP), np.fromfile(bench.fed, STAMP))
    late = [
        [1000 * float(np.percentile(latency_s[(at_s >= a) & (at_s < b)], 99)) for a, b in part]
        for part in (alone, beside)
    ]
    ratio = statistics.median(b / a for a, b in zip(*late, strict=True))
    return [
        Figure("acquisition without a browser, 99 %, median of the turns", statistics.median(late[0]), "ms"),
        Figure("acquisition with ten browsers, 99 %, median of the turns", statistics.median(late[1]), "ms"),
        Figure("acquisition with ten browsers / without, 99 %", ratio, "x", MOST_GROWTH),
        Figure("lost with ten browsers", lost, "scans", 1),
    ]


def memory(bench: Bench, minutes: int) -> list[Figure]:
    """What browser and daemon hold with the page open, now and `minutes` later; a line of each minute is printed."""
    rows: list[tuple[float, ...]] = []
    with bench.page() as page:
        session = page.context.new_cdp_session(page)
        for minute in range(minutes + 1):
            row = (_heap_MB(session), *_holds(bench.daemon.pid))
            rows.append(row)
            told = "page {:.2f} MB, daemon {:.1f} MB, {:.0f} threads, {:.0f} files".format(*row)
            print(f"  minute {minute}: {told}", flush=True)
            if minute < minutes:
                page.wait_for_timeout(60_000)
    settled = rows[len(rows) // 3 :]  # five minutes of signal fill the page's memory first, and the daemon's
    growth = [statistics.median(last) - statistics.median(first) for first, last in zip(*_ends(settled), strict=True)]
    return [
        Figure(f"memory of the page after {minutes} min", rows[-1][0], "MB"),
        Figure("its growth over the last two thirds", growth[0], "MB", 1.0),
        Figure(f"memory of the daemon after {minutes} min", rows[-1][1], "MB"),
        Figure("its growth over the last two thirds", growth[1], "MB", 3.0),
        Figure("threads more", growth[2], "", 0.5),
        Figure("open files more", growth[3], "", 0.5),
    ]


def _ends(rows: list[tuple[float, ...]]) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """The columns of the first and of the last fifth."""
    n = max(1, len(rows) // 5)
    return list(zip(*rows[:n], strict=True)), list(zip(*rows[-n:], strict=True))


def _stretch(duration_s: float) -> tuple[float, float]:
    began_s = time.monotonic()
    time.sleep(duration_s)
    return began_s, time.monotonic()


@contextlib.contextmanager
def _crowd(bench: Bench) -> Iterator[None]:
    """Eight that read, one that has stopped reading, one Chromium."""
    address = f"{bench.url.replace('http', 'ws')}api/v1/live"
    with contextlib.ExitStack() as stack:
        readers = []
        for number in range(READERS + 1):
            socket = stack.enter_context(connect(address, max_queue=4))
            if number:  # the first is left alone
                readers.append(threading.Thread(target=_read, args=(socket,)))
                readers[-1].start()
        stack.enter_context(bench.page())
        yield
    for reader in readers:
        reader.join()


def _read(socket: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        for _ in socket:
            pass


def _latencies(
    written: npt.NDArray[Any], fed: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """When each write was made, and how long until its last byte had been through the pipeline."""
    at = np.searchsorted(fed["bytes"], written["bytes"])
    seen = at < len(fed)
    return written["at_s"][seen], fed["at_s"][at[seen]] - written["at_s"][seen]


def _heap_MB(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _holds(pid: int) -> tuple[float, int, int]:
    """Resident MB, threads and open files of a process."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(told["VmRSS"].split()[0]) / 1000, int(told["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {PATIENCE_S} s for {what}.")
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of each")
    parser.add_argument("--minutes", type=int, default=6, help="for which memory is watched")
    parser.add_argument("--only-memory", action="store_true", help="nothing else")
    asked = parser.parse_args()
    print(machine_line())
    warm_up()  # so that the daemon does not compile
    figures: list[Figure] = []

    def tell(*found: Figure) -> None:
        for figure in found:
            print(figure, flush=True)
        figures.extend(found)

    with contextlib.ExitStack() as stack:
        bench = Bench(stack)
        if not asked.only_memory:
            tell(weight())
            tell(first_picture(bench, 2 if asked.quick else 10))
            _until(lambda: asked.quick or bench.state()["duration_s"] > SPAN_S, f"{SPAN_S} s of signal")
            tell(*frames_and_lag(bench, 10 if asked.quick else 120))
            tell(*ten_browsers(bench, *(1, 3.0) if asked.quick else (4, 20.0)))
        if not asked.quick:
            tell(*memory(bench, asked.minutes))
    save("page_memory" if asked.only_memory else "page", figures, quick=asked.quick)


if __name__ == "__main__":
    main()
