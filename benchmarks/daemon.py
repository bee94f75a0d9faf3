"""How much of a core `emgtwitch run` takes at 1 kHz, by thread: a board in another process, in real time, over a pty.

`python -m benchmarks.daemon [--quick] [--scenario NAME ...]`. Recording, log and fsync included.
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
from benchmarks.processes import cpu_s_by_thread, running
from emgtwitch.app.kernels import warm_up
from emgtwitch.store.channel import ask
from emgtwitch.wearer.scenario import SCENARIOS

LIMIT_PERCENT = 1.0
WARM_UP_SCANS = 3000
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


def shares(scenario: str, duration_s: float) -> list[Figure]:
    """Percent of a core, of the whole daemon and of each of its threads, and what it lost."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        port, data = Path(name) / "board", Path(name) / "data"
        stack.enter_context(running([sys.executable, "-m", "benchmarks.board", scenario, str(port)]))
        _until(port.is_symlink, "the board's pty")
        command = [sys.executable, "-c", NAMED, "run", "--source", str(port), "--json", "--data", str(data)]
        daemon = stack.enter_context(running(command))
        _until(lambda: _told(data)["scans_seen"] >= WARM_UP_SCANS, "the first seconds of signal")
        before, began_s = cpu_s_by_thread(daemon.pid), time.monotonic()
        time.sleep(duration_s)
        after, ended_s = cpu_s_by_thread(daemon.pid), time.monotonic()
        told = _told(data)
    if before.keys() != after.keys():
        raise RuntimeError(f"The daemon's threads changed from {sorted(before)} to {sorted(after)}.")
    spent = {thread: 100 * (after[thread] - before[thread]) / (ended_s - began_s) for thread in after}
    names = {thread: "main" if thread.startswith("python") else thread for thread in spent}
    return [
        Figure(f"daemon, {scenario}", sum(spent.values()), "% of a core", LIMIT_PERCENT),
        *(Figure(f"daemon, {scenario}: thread {names[t]}", spent[t], "% of a core") for t in sorted(spent)),
        Figure(f"daemon, {scenario}: lost", told["scans_lost"], "scans", 1),
    ]


def _told(data: Path) -> dict[str, int]:
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
    parser.add_argument("--quick", action="store_true", help="5 s of one wearer instead of 20 s of two")
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), help="which wearers; else demo and quiet")
    args = parser.parse_args()
    print(machine_line())
    warm_up()  # so that the daemon does not compile
    figures = []
    for scenario in args.scenario or (["demo"] if args.quick else ["demo", "quiet"]):
        for figure in shares(scenario, 5.0 if args.quick else 20.0):
            print(figure, flush=True)
            figures.append(figure)
    save("daemon", figures, quick=args.quick)


if __name__ == "__main__":
    main()
