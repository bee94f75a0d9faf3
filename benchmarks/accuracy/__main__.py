"""How accurate the detector is: `python -m benchmarks.accuracy [--only GROUP] [--detector NAME] [--short | --long]
[--tuning] [--docs]`.

Prints what is asked for, what is seen with its 95 % interval, and whether that is enough; with `--detector all` the
peers beside it. Writes JSON to benchmarks/results/accuracy and plots to build/accuracy. The recordings are held-out
ones unless --tuning.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.accuracy import detectors, groups, keep
from benchmarks.accuracy.detectors import OURS
from benchmarks.accuracy.document import write
from benchmarks.accuracy.draw import draw
from benchmarks.accuracy.halves import as_text, halves
from benchmarks.accuracy.report import comparison, judgement
from benchmarks.accuracy.run import run

ALL = "all"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=groups.names(), metavar="GROUP", help="groups: %(choices)s")
    parser.add_argument("--detector", nargs="+", choices=[*detectors.DETECTORS, ALL], default=[OURS])
    parser.add_argument("--short", action="store_true", help="few recordings of each group: under 40 s")
    parser.add_argument("--long", action="store_true", help="with the 24 hours of confounders")
    parser.add_argument("--tuning", action="store_true", help="the recordings to tune on, not the held-out ones")
    parser.add_argument("--docs", action="store_true", help="write docs/accuracy.md from what is kept; runs nothing")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    told = parser.parse_args()
    file = keep.path(not told.tuning, told.short)
    if told.docs:
        print(write(keep.load(file)))
        return 0
    began_s = time.monotonic()
    names = list(detectors.DETECTORS) if ALL in told.detector else told.detector
    if gone := detectors.missing(names):
        print(f"Left out: {', '.join(gone)}. They are not installed; `make peers` installs them.")
    names = [name for name in names if name not in gone]
    chosen = told.only or groups.names(told.long)
    outcomes, left_out = run(chosen, names, not told.tuning, told.short, told.jobs)
    if left_out:
        print(left_out)
    # What is asked for is asked of ours: a peer's rows are printed only where it was named.
    for name in [OURS] if ALL in told.detector else names:
        print(f"\n{name}, {'tuning' if told.tuning else 'held-out'} recordings")
        print(judgement(outcomes[name]))
    print()
    print(comparison(outcomes))
    kept = keep.keep(outcomes, file)
    if len(names) > 1 and (rows := halves({name: kept["detectors"].get(name, {}) for name in names})):
        print()
        print(as_text([row for row in rows if row.group in chosen]))
    plots = draw(kept, Path("build/accuracy"))
    print(f"\n{file}, {', '.join(map(str, plots))}")
    print(f"({time.monotonic() - began_s:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
