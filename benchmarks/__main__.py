"""All benchmarks one after the other, then one table and a plot: `python -m benchmarks [--quick]`.

--quick: whether each runs at all; what it measures says little. It fails if one of them fails, never for a figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from benchmarks.figures import machine_line, results_folder
from benchmarks.growth import draw
from benchmarks.table import table

SCRIPTS = (
    "ratios",
    "startup",
    "daemon",
    "latency",
    "instructions",
    "day",
    "growth",
    "import_cost",
    "false_accepts",
)
QUICK = ("--benchmark-min-rounds=1", "--benchmark-max-time=0.02")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything")
    quick = parser.parse_args().quick
    print(machine_line())
    folder = results_folder(quick)
    folder.mkdir(parents=True, exist_ok=True)
    pytest = ["pytest", "benchmarks/speed", "-q", "--benchmark-columns=min,median,iqr,rounds", "--benchmark-sort=name"]
    commands = [[*pytest, f"--benchmark-json={folder / 'speed.json'}", *(QUICK if quick else ())]]
    commands += [[f"benchmarks.{script}", *(["--quick"] if quick else [])] for script in SCRIPTS]
    for command in commands:
        print(f"\n{command[0]}", flush=True)
        began_s = time.monotonic()
        if code := subprocess.run([sys.executable, "-m", *command]).returncode:
            return code
        print(f"({time.monotonic() - began_s:.0f} s)")
    print(table(folder))
    kept = json.loads((folder / "growth.json").read_text())
    print(f"\nHow cost grows: {draw(kept['measured'], folder / 'growth.png')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
