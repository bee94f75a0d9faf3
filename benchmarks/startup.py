"""What the start of each command costs: CPU ms in fresh processes, the best of several, kernels cached before.

`python -m benchmarks.startup [--quick]`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import write_recording
from benchmarks.processes import EMGTWITCH, PATIENCE_S, cpu_s_by_thread, run, running
from emgtwitch.app.kernels import warm_up
from emgtwitch.app.status import NOT_RUNNING
from emgtwitch.store.channel import ask

HELP_MS = 120.0
LIGHT_MS = 150.0  # what a person who asks may be made to wait
READY_MS = 1500.0
DECODED = "until its first sample is decoded"


def light_and_replay(folder: Path, runs: int) -> list[Figure]:
    """The commands that end by themselves; the log holds a minute of events."""
    recording, tiny = folder / "minute.emgw", folder / "tiny.emgw"
    write_recording(recording, 60, "demo")
    write_recording(tiny, 2, "demo")
    run([*EMGTWITCH, "replay", recording, "--json", "--log", folder / "log.sqlite3"])
    commands: dict[str, tuple[list[str], float | None]] = {
        "--help": (["--help"], HELP_MS),
        "events": (["events"], LIGHT_MS),
        "status": (["status"], LIGHT_MS),
        "replay of 2 s": (["replay", str(tiny)], None),
    }
    figures = []
    for name, (words, limit_ms) in commands.items():
        well = NOT_RUNNING if name == "status" else 0
        costs = [run([*EMGTWITCH, *words], {"EMGTWITCH_DATA": str(folder)}, well) for _ in range(runs)]
        figures.append(Figure(f"start: {name}", 1000 * min(c.cpu_s for c in costs), "ms of CPU", limit_ms))
        print(figures[-1], flush=True)
    return figures


def daemon_start(folder: Path) -> dict[str, float]:
    """CPU ms and wall s of one `run --source sim` until it has decoded a sample, and until it shows its first event."""
    command = [*EMGTWITCH, "run", "--source", "sim:demo:1", "--json", "--data", str(folder)]
    began = time.perf_counter()
    marks: dict[str, float] = {}

    def mark(when: str) -> None:
        marks[f"{when}, ms of CPU"] = 1000 * sum(cpu_s_by_thread(process.pid).values())
        marks[f"{when}, s"] = time.perf_counter() - began

    with running(command, stdout=subprocess.PIPE) as process, _bounded(process):
        assert process.stdout is not None
        while not (folder.exists() and (ask(folder, {"command": "status"}) or {}).get("scans_seen")):
            if process.poll() is not None:
                raise RuntimeError(f"run ended with {process.returncode} before its first sample.")
            time.sleep(0.02)
        mark(DECODED)
        for line in process.stdout:
            if line.startswith("{") and json.loads(line)["type"] == "event":
                mark("until the first event")
                return marks
    raise RuntimeError(f"run showed no event within {PATIENCE_S} s.")


@contextlib.contextmanager
def _bounded(process: subprocess.Popen[str]) -> Iterator[None]:
    """Who waits for a line of the process inside waits no longer than PATIENCE_S."""
    timer = threading.Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each once")
    quick = parser.parse_args().quick
    print(machine_line())
    warm_up()  # so that nothing below compiles
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = light_and_replay(folder, 1 if quick else 9)
        starts = [daemon_start(folder / f"data{n}") for n in range(1 if quick else 3)]
    for key in starts[0]:
        when, _, unit = key.partition(", ")
        limit = READY_MS if when == DECODED and unit == "ms of CPU" else None
        figure = Figure(f"start: run {when}", min(start[key] for start in starts), unit, limit)
        print(figure)
        figures.append(figure)
    save("startup", figures, quick=quick)


if __name__ == "__main__":
    main()
