"""What each dependency costs: megabytes installed, alone and with all it brings, and the CPU time of its import.

`python -m benchmarks.import_cost [--quick]` prints the table of docs/adr/0001-dependencies.md. A row's import time is
the median over fresh processes, with the caches of the file system warm.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure, machine_line, save

# distribution -> the module that emgtwitch imports of it
MODULES = {
    "numpy": "numpy",
    "scipy": "scipy.io",
    "numba": "numba",
    "pyserial": "serial",
    "rich": "rich.console",
    "msgspec": "msgspec",
    "starlette": "starlette.applications",
    "uvicorn": "uvicorn",
    "websockets": "websockets.server",
    "edfio": "edfio",
    "matplotlib": "matplotlib.figure",
    "h5py": "h5py",
    "pylsl": "pylsl",
    "paho-mqtt": "paho.mqtt.client",
    "pyarrow": "pyarrow.parquet",
}
TIMED = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"


def import_ms(module: str, runs: int) -> float:
    """CPU time in ms, of all threads, that importing `module` takes in a fresh process."""
    command = [sys.executable, "-c", TIMED.format(module)]
    times = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(runs + 1)]
    return 1000 * statistics.median(times[1:])


def closure(name: str) -> set[str]:
    """The distribution and all that it needs here, extras apart."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            requires = importlib.metadata.distribution(current).requires or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or Python version
        if current in found:
            continue
        found.add(current)
        waiting += [match[0] for text in requires if "extra ==" not in text and (match := re.match(r"[\w.-]+", text))]
    return found


def megabytes(names: set[str]) -> float:
    """Size of the installed files of these distributions, without the bytecode that Python adds."""
    files = [
        Path(str(file.locate()))
        for name in names
        for file in importlib.metadata.files(name) or []
        if file.suffix != ".pyc"
    ]
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each import once")
    quick = parser.parse_args().quick
    print(machine_line())
    figures = []
    print("| package | MB | MB with what it needs | import, CPU ms |\n|---|---|---|---|")
    for name, module in MODULES.items():
        alone_MB, all_MB, ms = megabytes({name}), megabytes(closure(name)), import_ms(module, 1 if quick else 9)
        figures += [
            Figure(f"{name}, alone", alone_MB, "MB"),
            Figure(f"{name}, with what it needs", all_MB, "MB"),
            Figure(f"import {module}", ms, "ms of CPU"),
        ]
        print(f"| {name} | {alone_MB:.1f} | {all_MB:.1f} | {ms:.0f} |", flush=True)
    save("import_cost", figures, quick=quick)


if __name__ == "__main__":
    main()
