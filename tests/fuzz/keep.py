"""`python -m tests.fuzz.keep`: what fuzzing begins with and `make test` runs, anew into tests/fuzz/corpus.

Of each target the seeds, and beside them, named by a digest, the fewest inputs of what the fuzzers have grown
(build/fuzz/TARGET/corpus and what was kept before) that reach an edge which the smaller ones do not.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.__main__ import BUILD, ROOT
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
    new = [path.read_bytes() for path in reached if path not in seeds]
    return {hashlib.sha256(data).hexdigest()[:DIGEST]: data for data in new}


if __name__ == "__main__":
    main()
