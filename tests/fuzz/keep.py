"""`python -m tests.fuzz.keep`: what fuzzing begins with and `make test` runs, anew into tests/fuzz/corpus.

Of each target the seeds, and beside them, named by a digest, the fewest inputs of what the fuzzers have grown
(build/fuzz/TARGET/corpus and what was kept before) that reach an edge which the smaller ones do not. Of the firmware's,
whose seeds are made from the shared vectors, the grown ones alone, into firmware/test/corpus; `make fuzz` builds it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.fuzz.__main__ import (
    BUILD,
    FIRMWARE,
    FIRMWARE_CORPUS,
    FIRMWARE_PROGRAM,
    FIRMWARE_SEEDS,
    MOST_BYTES,
    ROOT,
)
from tests.fuzz.law import Target
from tests.fuzz.targets import MODULES, target

DIGEST = 12  # digits of a name


def main() -> None:
    """Of every target."""
    for name in MODULES:
        chosen = target(name)
        kept = dict(chosen.seeds())
        chosen.corpus.mkdir(parents=True, exist_ok=True)
        for seed, data in kept.items():
            (chosen.corpus / seed).write_bytes(data)
        grown = covering(chosen, [chosen.corpus / seed for seed in kept])
        print(f"{name}: {len(kept)} seeds, {len(grown)} grown of {sum(map(len, grown.values()))} bytes", flush=True)
        shutil.rmtree(chosen.corpus)
        chosen.corpus.mkdir()
        for digest, data in (kept | grown).items():
            (chosen.corpus / digest).write_bytes(data)
    if FIRMWARE_PROGRAM.exists():
        keep_firmware()


def covering(chosen: Target, seeds: Sequence[Path]) -> dict[str, bytes]:
    """By their digests, the inputs besides the seeds that together reach every edge that is reached by any."""
    grown = [path for place in (chosen.corpus, BUILD / chosen.name / "corpus") for path in place.glob("*")]
    more = sorted({path for path in grown if path not in seeds}, key=lambda path: (path.stat().st_size, path.name))
    listed = [*seeds, *more]
    with tempfile.TemporaryDirectory() as place:
        control = Path(place) / "control"
        control.write_text("\n".join([str(len(listed)), "0", *map(str, listed), ""]))
        command = [sys.executable, "-m", "tests.fuzz.one", chosen.name, "cover", str(control)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise SystemExit(f"{chosen.name}: {done.stderr[-2000:]}")
        told = [line.split() for line in control.read_text().splitlines()[2 + len(listed) :]]
    reached = [listed[int(words[1])] for words in told if words[:1] == ["COV"] and len(words) > 2]
    return by_digest(path for path in reached if path not in seeds)


def keep_firmware() -> None:
    """Of the board's parser, by libFuzzer's own means."""
    grown = [place for place in (FIRMWARE_CORPUS, BUILD / FIRMWARE / "corpus") if place.exists()]
    with tempfile.TemporaryDirectory() as place:
        merged = Path(shutil.copytree(FIRMWARE_SEEDS, Path(place) / "merged"))
        by_edges = ("-merge=1", "-use_counters=0", MOST_BYTES)
        subprocess.run([FIRMWARE_PROGRAM, *by_edges, merged, *grown], check=True, capture_output=True)
        new = by_digest(path for path in merged.iterdir() if not (FIRMWARE_SEEDS / path.name).exists())
    print(f"{FIRMWARE}: {len(new)} grown of {sum(map(len, new.values()))} bytes", flush=True)
    shutil.rmtree(FIRMWARE_CORPUS, ignore_errors=True)
    FIRMWARE_CORPUS.mkdir()
    for digest, data in new.items():
        (FIRMWARE_CORPUS / digest).write_bytes(data)


def by_digest(paths: Iterable[Path]) -> dict[str, bytes]:
    """What stands in files, by names of their own."""
    return {hashlib.sha256(data).hexdigest()[:DIGEST]: data for data in (path.read_bytes() for path in paths)}


if __name__ == "__main__":
    main()
