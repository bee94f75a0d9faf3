"""How long `emgtwitch replay --log` takes for a day, and how its memory grows with the length of the file.

The recording is 10 minutes of the simulated wearer over and over, as the board would have sent them.
`python -m benchmarks.day [--quick] [--scenario NAME]`; --quick: an hour instead of a day.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.paired import save
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import WIRE_VERSION, Hello

PIECE_S = 600


def write_recording(path: Path, duration_s: int, scenario: str) -> int:
    """Write `duration_s` at 1 kHz to `path`; returns the number of samples."""
    made = SCENARIOS[scenario]
    counts = Wearer(made, 1).render(int(PIECE_S * made.fs_Hz))[:, :1]
    hello = Hello(WIRE_VERSION, 0, 0, 0, 1, round(made.fs_Hz), 1, 1, 10, 1, 5000, 50, 1_000_000, 0, 1, 1, 1, 0, 0)
    total = int(duration_s * made.fs_Hz)
    with path.open("wb") as file:
        file.write(frame(hello, 0))
        seq, index = 1, 0
        while index < total:
            piece = counts[: total - index]
            data, seq = encode_samples(np.ascontiguousarray(piece), index, seq)
            file.write(data)
            index += len(piece)
    return total


def replay(path: Path, log: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak resident MB of one `emgtwitch replay --json --log`."""
    command = [sys.executable, "-m", "emgtwitch.app.cli", "replay", str(path), "--json", "--log", str(log)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"replay ended with {process.returncode}")
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scenario", default="demo", choices=list(SCENARIOS))
    args = parser.parse_args()
    long_s = 3600 if args.quick else 86400
    figures: dict[str, object] = {"scenario": args.scenario}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.emgw"
        for name, duration_s in (("warm-up", 600), ("quarter", long_s // 4), ("whole", long_s)):
            samples = write_recording(path, duration_s, args.scenario)
            runs = [replay(path, Path(folder) / f"{name}{n}.sqlite3") for n in range(1 if name == "warm-up" else 3)]
            wall_s, cpu_s, peak_MB = min(runs)
            print(
                f"{name}: {samples / 1e6:.2f} million samples, {path.stat().st_size / 1e6:.0f} MB: "
                f"{wall_s:.2f} s, {cpu_s:.2f} s of CPU, {peak_MB:.0f} MB resident at the most"
            )
            figures[name] = {"samples": samples, "wall_s": wall_s, "cpu_s": cpu_s, "peak_MB": peak_MB}
    save("day", figures)


if __name__ == "__main__":
    main()
