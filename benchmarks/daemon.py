"""How much of a core and of memory `emgtwitch run` takes: a board in another process, in real time, over a pty.

`python -m benchmarks.daemon [--quick]`. Recording, log and fsync included. By thread at 1 kHz.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, machine_line, save
from benchmarks.processes import cpu_s_by_thread, peak_MB, running
from emgtwitch.app.kernels import warm_up
from emgtwitch.store.channel import ask

LIMIT_PERCENT = {(1000, 1): 0.5, (4000, 1): 1.0, (2000, 4): 2.0}  # of a core, by rate in Hz and channels
LIMIT_MB = 220.0
WARM_UP_S = 3
PATIENCE_S = 60.0
# The system learns the threads' names, which Python tells it only from 3.14 on.
NAMED = """
import sys, threading
run = threading.Thread.run
def named(thread):
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as file:
        file.write(thread.name[:15])
    run(thread)
threading.Thread.run = named
from emgtwitch.app.cli import main
sys.exit(main(sys.argv[1:]))
"""


def shares(scenario: str, rate_Hz: int, channels: int, duration_s: float) -> list[Figure]:
    """Percent of a core, of the whole daemon and of each of its threads, its memory, and what it lost."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        port, data = Path(name) / "board", Path(name) / "data"
        stack.enter_context(running([sys.executable, "-m", "benchmarks.board", scenario, str(port)]))
        _until(port.is_symlink, "the board's pty")
        asked = ["--rate", str(rate_Hz), "--channels", str(channels)]
        run = ["run", "--source", str(port), "--json", "--data", str(data)]
        daemon = stack.enter_context(running([sys.executable, "-c", NAMED, *run, *asked]))
        _until(lambda: _told(data)["scans_seen"] >= WARM_UP_S * rate_Hz, "the first seconds of signal")
        before, began_s = cpu_s_by_thread(daemon.pid), time.monotonic()
        time.sleep(duration_s)
        after, ended_s = cpu_s_by_thread(daemon.pid), time.monotonic()
        memory_MB = peak_MB(daemon.pid)
        told = _told(data)
    if before.keys() != after.keys():
        raise RuntimeError(f"The daemon's threads changed from {sorted(before)} to {sorted(after)}.")
    if (told["rate_Hz"], told["channels"]) != (rate_Hz, channels):
        raise RuntimeError(
            f"The daemon reads {told['rate_Hz']} Hz x {told['channels']}, not {rate_Hz} Hz x {channels}."
        )
    spent = {thread: 100 * (after[thread] - before[thread]) / (ended_s - began_s) for thread in after}
    names = {thread: "main" if thread.startswith("python") else thread for thread in spent}
    what = f"daemon, {scenario}, {rate_Hz / 1000:g} kHz x {channels}"
    threads = spent if (rate_Hz, channels) == (1000, 1) else {}
    return [
        Figure(what, sum(spent.values()), "% of a core", LIMIT_PERCENT[rate_Hz, channels]),
        *(Figure(f"{what}: thread {names[t]}", spent[t], "% of a core") for t in sorted(threads)),
        Figure(f"{what}: memory", memory_MB, "MB", LIMIT_MB),
        Figure(f"{what}: lost", told["scans_lost"], "scans", 1),
    ]


def _told(data: Path) -> dict[str, float]:
    """What the daemon tells of how much it has heard."""
    return {"scans_seen": 0, "scans_lost": 0, **((data.exists() and ask(data, {"command": "status"})) or {})}


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {PATIENCE_S} s for {what}.")
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 s of one wearer at 1 kHz instead of 20 s of each")
    quick = parser.parse_args().quick
    print(machine_line())
    warm_up()  # so that the daemon does not compile
    cases = [("demo", 1000, 1)] if quick else [("quiet", 1000, 1), *(("demo", *form) for form in LIMIT_PERCENT)]
    figures = []
    for case in cases:
        for figure in shares(*case, 3.0 if quick else 20.0):
            print(figure, flush=True)
            figures.append(figure)
    save("daemon", figures, quick=quick)


if __name__ == "__main__":
    main()
