"""How long an event takes from the electrode to its line: block period, hold, filter delay and compute, each measured.

`python -m benchmarks.latency [--quick]`. Compute is the pipeline's time for one block as the daemon hands it over. Hold
is from the true end of a simulated event to the sample that decided it. From a pty on, the daemon itself is timed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import subprocess
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import FS_HZ, UV_PER_COUNT, blocks, stream, wearer_counts
from benchmarks.processes import EMGTWITCH, running
from emgtwitch.app.kernels import warm_up
from emgtwitch.app.run import GATHER_S
from emgtwitch.detect.detector import parameters
from emgtwitch.detect.records import Event
from emgtwitch.detect.state import HOP_TICKS
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import open_sim
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import events_until

LIMIT_US = 200.0  # of compute, 99th percentile
NEAR_S = 0.02  # a true event within this of the found one is the same
SCENARIO = "demo"


def compute(duration_s: int, block_ms: int) -> list[Figure]:
    """From a block's bytes to its decisions, over many blocks."""
    data = stream(wearer_counts(duration_s, SCENARIO))
    pipeline, times_us = Pipeline(), []
    for block in blocks(data, round(len(data) / duration_s * block_ms / 1000)):
        began_s = time.perf_counter()
        pipeline.feed(block)
        times_us.append(1e6 * (time.perf_counter() - began_s))
    name = f"compute for a block of {block_ms} ms"
    middle, late = np.percentile(times_us[1:], (50, 99))  # the first makes the detector
    return [Figure(f"{name}, median", middle, "us"), Figure(f"{name}, 99 %", late, "us", LIMIT_US)]


def hold(duration_s: int) -> list[Figure]:
    """From the end of an event to its decision: what the settings say, and what simulated events show."""
    p = parameters(Settings(), float(FS_HZ), UV_PER_COUNT, (0.0, 1023.0))[0]
    to_ms = 1000 / FS_HZ
    figures = [
        Figure("filter delay, by design", to_ms * int(p["delay"]), "ms"),
        Figure("hold of a twitch, as set", to_ms * int(p["hold"]), "ms"),
        Figure("hold of a longer event, as set", to_ms * int(p["merge_max"]), "ms"),
        Figure("decisions come once in, by design", to_ms * HOP_TICKS * int(p["tick"]), "ms"),
    ]
    pipeline = Pipeline()
    outputs = pipeline.feed(stream(wearer_counts(duration_s, SCENARIO)))
    truth = events_until(SCENARIOS[SCENARIO], 1, duration_s)
    after: dict[str, list[float]] = {"twitch": [], "longer event": []}
    for event in (stamped.record for stamped in outputs):
        if isinstance(event, Event) and not event.truncated and not event.on_tone:
            near = [
                true.offset_s
                for true in truth
                if not true.on_tone
                and true.onset_s - NEAR_S < event.offset_s
                and event.onset_s < true.offset_s + NEAR_S
            ]
            if len(near) == 1 and abs(near[0] - event.offset_s) < NEAR_S:
                kind = "twitch" if event.event_class == "twitch" else "longer event"
                after[kind].append(1000 * (event.decided_sample / FS_HZ - near[0]))
    for kind, times_ms in after.items():
        middle, late = np.percentile(times_ms, (50, 95))
        name = f"from the true end of a {kind} to its decision"
        figures += [Figure(f"{name}, median of {len(times_ms)}", middle, "ms"), Figure(f"{name}, 95 %", late, "ms")]
    return figures


def to_line(duration_s: float) -> list[Figure]:
    """From bytes at a pty to lines of the daemon, in real time."""
    sent: list[tuple[float, bytes]] = []
    lines: list[tuple[float, dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        near, far = os.openpty()
        stack.callback(os.close, near)
        stack.callback(os.close, far)
        tty.setraw(far)
        command = [*EMGTWITCH, "run", "--source", os.ttyname(far), "--json", "--data", str(Path(name) / "data")]
        daemon = stack.enter_context(running(command, stdout=subprocess.PIPE))
        reader = threading.Thread(target=lambda: lines.extend(_events(daemon)))
        reader.start()
        _play(near, sent, duration_s)
        daemon.terminate()
        while reader.is_alive():  # it may still have to say something to its board, which nobody must wait for
            if select.select([near], [], [], 0.1)[0]:
                os.read(near, 4096)
    decided, ended = _arrivals(sent)
    known = [(at_s, (line["channel"], line["onset_s"])) for at_s, line in lines if not line["truncated"]]
    pairs = [(1000 * (at_s - decided[key]), 1000 * (at_s - ended[key])) for at_s, key in known if key in decided]
    if len(pairs) < 2:
        raise RuntimeError(f"Of {len(lines)} events of the daemon, {len(pairs)} are those of its bytes; 2 are needed.")
    figures = [Figure("the daemon gathers signal for, as set", 1000 * GATHER_S, "ms")]
    for name, column in (("the bytes that decide an event", 0), ("an event's last byte", 1)):
        middle, late = np.percentile([pair[column] for pair in pairs], (50, 95))
        figures += [
            Figure(f"from {name} to its line, median of {len(pairs)}", middle, "ms"),
            Figure(f"from {name} to its line, 95 %", late, "ms"),
        ]
    return figures


def _play(near: int, sent: list[tuple[float, bytes]], duration_s: float) -> None:
    """A board at the pty, for so long; `sent` is told what went out and when it had."""
    link, began_s = open_sim(f"sim:{SCENARIO}:1", started=False), time.monotonic()
    while time.monotonic() - began_s < duration_s:
        if select.select([near], [], [], 0)[0]:
            link.write(os.read(near, 4096))
        if data := link.read(0.02):
            os.write(near, data)
            sent.append((time.monotonic(), data))


def _events(daemon: subprocess.Popen[str]) -> Iterator[tuple[float, dict[str, Any]]]:
    assert daemon.stdout is not None
    for line in daemon.stdout:
        at_s = time.monotonic()
        if line.startswith("{") and (told := json.loads(line))["type"] == "event":
            yield at_s, told


def _arrivals(sent: list[tuple[float, bytes]]) -> tuple[dict[tuple[int, float], float], dict[tuple[int, float], float]]:
    """Of each event, by channel and onset: when the bytes that decide it had come, and those of its last sample."""
    pipeline = Pipeline()
    scans, times = [], []
    decided: dict[tuple[int, float], float] = {}
    last: dict[tuple[int, float], float] = {}
    for at_s, data in sent:
        outputs = pipeline.feed(data)
        scans.append(pipeline.progress.scans_seen)
        times.append(at_s)
        for event in (stamped.record for stamped in outputs):
            if isinstance(event, Event):
                key = event.channel, round(event.onset_s, 6)
                decided[key] = at_s
                last[key] = times[int(np.searchsorted(scans, round(event.offset_s * FS_HZ)))]
    return decided, last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little signal")
    quick = parser.parse_args().quick
    print(machine_line())
    warm_up()  # so that nothing below compiles
    long_s = 60 if quick else 600
    figures = [*compute(long_s, 100), *compute(long_s, 20), *hold(long_s), *to_line(9.0 if quick else 60.0)]
    for figure in figures:
        print(figure)
    save("latency", figures, quick=quick)


if __name__ == "__main__":
    main()
