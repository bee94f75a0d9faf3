"""`python -m tests.fuzz`: every target, and the table of what was seen.

    --seconds N   for each (600)
    --jobs N      targets at a time (2)
    --docs        the table also into docs/reliability/fuzzing.md
    TARGET ...    only these

What breaks the law lies in build/fuzz/TARGET afterwards; such an input belongs into tests/fuzz/crashes/TARGET.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz.report import Seen, table, write_docs
from tests.fuzz.targets import MODULES

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/fuzz"
FIRMWARE = "firmware"
FIRMWARE_PROGRAM = ROOT / "build/firmware/fuzz_requests"  # by `make fuzz`
FIRMWARE_SEEDS = ROOT / "build/firmware/seeds"  # of the shared vectors
FIRMWARE_CORPUS = ROOT / "firmware/test/corpus"
MOST_BYTES = "-max_len=1024"
MOST_DEATHS = 5  # of one target, by a crash that Python does not survive


def main() -> int:
    """Returns 1 where something broke the law."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"only these, of {', '.join([*MODULES, FIRMWARE])}"
    )
    parser.add_argument("--seconds", type=int, default=600, metavar="N", help="for each target (600)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="targets at a time (2)")
    parser.add_argument("--docs", action="store_true", help="write docs/reliability/fuzzing.md")
    args = parser.parse_args()
    if unknown := set(args.targets) - {*MODULES, FIRMWARE}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    wanted = args.targets or [*MODULES, *([FIRMWARE] if FIRMWARE_PROGRAM.exists() else [])]
    rows = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for row in pool.map(partial(fuzzed, seconds=args.seconds), wanted):
            rows.append(row)
            print(row.row(), flush=True)
    print(table(rows))
    if args.docs:
        write_docs(rows, args.seconds)
    return int(any(row.broken for row in rows))


def fuzzed(name: str, seconds: int) -> Seen:
    """One target for so long, begun again where its process dies."""
    folder = BUILD / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / "seen.json").unlink(missing_ok=True)
    seen, end_s = Seen(name), time.monotonic() + seconds
    deaths = 0
    while (left := round(end_s - time.monotonic())) > 0 and deaths <= MOST_DEATHS:
        status = _run(_command(name, left, folder), seen, begun_s=end_s - seconds, whole_s=seconds)
        seen.take(folder / "seen.json")
        if status:
            deaths += 1
            seen.died(status)
    return seen


def _command(name: str, seconds: int, folder: Path) -> list[str]:
    if name != FIRMWARE:
        return [sys.executable, "-m", "tests.fuzz.one", name, "fuzz", str(seconds), str(folder)]
    options = [f"-max_total_time={seconds}", MOST_BYTES, f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    return [str(FIRMWARE_PROGRAM), *options, *map(str, (folder / "corpus", FIRMWARE_CORPUS, FIRMWARE_SEEDS))]


def _run(command: list[str], seen: Seen, begun_s: float, whole_s: float) -> int:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", cwd=ROOT) as process:
        assert process.stderr is not None
        with (BUILD / seen.name / "log").open("a") as log:
            for line in process.stderr:
                log.write(line)
                seen.hear(line, (time.monotonic() - begun_s) / whole_s)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
