"""`python -m tests.campaign [--kills N] [--only WORD] [--docs]`: every fault in its long form, and a table of it.

A fault that ends otherwise than documented is printed as such, and the exit code is 1. `--docs` writes the table into
docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from emgtwitch.app.kernels import prepare_kernels, warm_up
from tests.campaign.faults import faults, injected
from tests.campaign.table import keep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=1000, metavar="N", help="and as many unplugs; the rest in proportion"
    )
    parser.add_argument("--only", default="", metavar="WORD", help="only faults with this in their names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", action="store_true", help="also write the table into docs/reliability.md")
    parser.add_argument(
        "--jobs", type=int, default=3, metavar="N", help="faults at a time; they mostly wait (%(default)s)"
    )
    args = parser.parse_args()
    prepare_kernels()
    warm_up()  # once, instead of in each process
    chosen = [one.name for one in faults(args.kills) if args.only in one.name]
    table = ["| fault | times | seen |", "|---|---|---|"]
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        for line in pool.map(injected, chosen, repeat(args.kills), range(args.seed, args.seed + len(chosen))):
            print(line, flush=True)
            table.append(line)
    if args.docs:
        keep("campaign", table)
    return 1 if any("BROKEN" in line for line in table) else 0


if __name__ == "__main__":
    sys.exit(main())
