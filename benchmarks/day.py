"""How long `emgtwitch replay --log` takes for a day, and how its memory grows with the length of the file.

The recording is 10 minutes of the simulated wearer over and over, as the board would have sent them.
`python -m benchmarks.day [--quick] [--scenario NAME]`; --quick: an hour instead of a day.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import write_recording
from benchmarks.processes import EMGTWITCH, run
from emgtwitch.wearer.scenario import SCENARIOS

LIMIT_S = 5.0
LIMIT_MB = 250.0
HOUR_S = 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="an hour instead of a day")
    parser.add_argument("--scenario", default="demo", choices=list(SCENARIOS), help="which wearer")
    args = parser.parse_args()
    print(machine_line())
    hours = [1] if args.quick else [6, 24]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.emgw"
        for number in hours:
            write_recording(path, number * HOUR_S, args.scenario)
            costs = [
                run([*EMGTWITCH, "replay", path, "--json", "--log", Path(folder) / f"{number}-{n}.sqlite3"])
                for n in range(1 if args.quick else 3)
            ]
            best = min(costs, key=lambda cost: cost.wall_s)
            name = f"replay of {number} h of {args.scenario}"
            for figure in (
                Figure(name, best.wall_s, "s", LIMIT_S),
                Figure(f"{name}, CPU", best.cpu_s, "s"),
                Figure(f"{name}, memory", max(cost.peak_MB for cost in costs), "MB", LIMIT_MB),
            ):
                print(figure, flush=True)
                figures.append(figure)
    save("day" if args.scenario == "demo" else f"day_{args.scenario}", figures, quick=args.quick)


if __name__ == "__main__":
    main()
