"""All benchmarks one after the other, then one table and a plot: `python -m benchmarks [--quick]`.

--quick: whether each runs at all; what it measures says little. It fails if one of them fails, never for a figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import machine_line, results_folder
from benchmarks.growth import draw
from benchmarks.table import table
from emgtwitch.app.kernels import warm_up

SCRIPTS = (
    "ratios",
    "startup",
    "daemon",
    "latency",
    "page",
    "calibration",
    "study",
    "instructions",
    "day",
    "day --scenario quiet",
    "growth",
    "import_cost",
    "false_accepts",
)
QUICK = ("--benchmark-min-rounds=1", "--benchmark-max-time=0.02")


def run(command: list[str], quiet: bool) -> tuple[int, str]:
    """Run a part to its end; returns its exit code and, if `quiet`, what it printed."""
    began_s = time.monotonic()
    out, err = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, None)
    done = subprocess.run([sys.executable, "-m", *command], text=True, stdout=out, stderr=err)
    return done.returncode, f"{done.stdout or ''}({time.monotonic() - began_s:.0f} s)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything, two parts at a time")
    quick = parser.parse_args().quick
    print(machine_line())
    folder = results_folder(quick)
    folder.mkdir(parents=True, exist_ok=True)
    pytest = ["pytest", "benchmarks/speed", "-q", "--benchmark-columns=min,median,iqr,rounds", "--benchmark-sort=name"]
    commands = [[*pytest, f"--benchmark-json={folder / 'speed.json'}", *(QUICK if quick else ())]]
    commands += [[*f"benchmarks.{script}".split(), *(["--quick"] if quick else [])] for script in SCRIPTS]
    warm_up()  # so that no two parts compile the same
    with ThreadPoolExecutor(2 if quick else 1) as pool:
        waiting = [pool.submit(run, command, quick) for command in commands]
        for command, done in zip(commands, waiting, strict=True):
            print(f"\n{command[0]}", flush=True)
            code, text = done.result()
            print(text, flush=True)
            if code:
                pool.shutdown(cancel_futures=True)
                return code
    print(table(folder))
    kept = json.loads((folder / "growth.json").read_text())
    print(f"\nHow cost grows: {draw(kept['measured'], folder / 'growth.png')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
