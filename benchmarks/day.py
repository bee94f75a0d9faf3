"""A day at 1 kHz through `emgtwitch replay --log`: its time, its memory, and a scipy program for the same samples.

The recording is 10 minutes of the simulated wearer over and over, as the board would have sent them. The other program
(`chunked_scipy.py`) finds the same numbers in a bare file, and only filters and thresholds them. Both are processes
from start to end, alternated. Then eight recordings of a day, each beginning elsewhere, by one command.
`python -m benchmarks.day [--quick] [--scenario NAME]`; --quick: an hour instead of a day, and two recordings.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from benchmarks import chunked_scipy
from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import FS_HZ, UV_PER_COUNT, write_bare, write_recording
from benchmarks.paired import Comparison, compare
from benchmarks.processes import EMGTWITCH, Cost, run
from emgtwitch.app.kernels import warm_up
from emgtwitch.wearer.scenario import SCENARIOS

LIMIT_S = 3.0
LIMIT_MB = 220.0
LIMIT_EIGHT_S = 12.0
LEAST = 1.5
HOUR_S = 3600
RECORDINGS = 8


def beside_scipy(folder: Path, hours: int, scenario: str, rounds: int) -> tuple[Comparison, list[Figure]]:
    """The replay of one recording against the other program, and what the replay cost."""
    recording, bare = folder / "recording.emgw", folder / "bare.i16"
    write_recording(recording, hours * HOUR_S, scenario)
    write_bare(bare, hours * HOUR_S, scenario)
    logs = (folder / f"{hours}-{n}.sqlite3" for n in itertools.count())
    costs: list[Cost] = []
    program: list[str | Path] = [sys.executable, chunked_scipy.__file__, bare, str(FS_HZ), str(UV_PER_COUNT)]
    name = f"replay of {hours} h of {scenario}"
    ratio = compare(
        f"{name} / chunked scipy program",
        lambda: costs.append(run([*EMGTWITCH, "replay", recording, "--json", "--log", next(logs)])),
        lambda: run(program),
        rounds=rounds,
        least=LEAST,
        warm=False,
    )
    return ratio, [
        Figure(name, ratio.new_s, "s", LIMIT_S),
        Figure(f"{name}, CPU", min(cost.cpu_s for cost in costs), "s"),
        Figure(f"{name}, memory", max(cost.peak_MB for cost in costs), "MB", LIMIT_MB),
    ]


def several(folder: Path, hours: int, scenario: str, recordings: int) -> list[Figure]:
    """As many recordings by one command."""
    paths = [folder / f"{n}.emgw" for n in range(recordings)]
    for n, path in enumerate(paths):
        write_recording(path, hours * HOUR_S, scenario, shift_s=7 * n)
    cost = run([*EMGTWITCH, "replay", *paths, "--json", "--log", folder / "several.sqlite3"])
    name = f"replay of {recordings} recordings of {hours} h of {scenario}"
    return [
        Figure(name, cost.wall_s, "s", LIMIT_EIGHT_S),
        Figure(f"{name}, cores busy", cost.cpu_s / cost.wall_s, "cores"),
        Figure(f"{name}, memory", cost.peak_MB, "MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="an hour instead of a day, and two recordings")
    parser.add_argument("--scenario", default="demo", choices=list(SCENARIOS), help="which wearer")
    args = parser.parse_args()
    print(machine_line())
    warm_up()  # so that no replay compiles
    hours, rounds, recordings = (1, 2, 2) if args.quick else (24, 4, RECORDINGS)
    with tempfile.TemporaryDirectory() as name:
        ratio, figures = beside_scipy(Path(name), hours, args.scenario, rounds)
        figures += several(Path(name), hours, args.scenario, recordings)
    found: list[Figure | Comparison] = [ratio, *figures]
    for one in found:
        print(one)
    save("day" if args.scenario == "demo" else f"day_{args.scenario}", found, quick=args.quick)


if __name__ == "__main__":
    main()
