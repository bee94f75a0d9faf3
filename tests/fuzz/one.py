"""One target under atheris, in a process of its own.

`python -m tests.fuzz.one TARGET fuzz SECONDS FOLDER`: libFuzzer's lines go to standard error; what breaks the law is
kept in FOLDER, and the fuzzing goes on. FOLDER/seen.json tells of it, of the slowest input and of the memory.

`python -m tests.fuzz.one TARGET cover CONTROL`: takes the inputs that CONTROL lists, in their order, and adds to it
which edges each is the first to reach (the inner step of libFuzzer's merge; its outer one cannot start Python again).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

if TYPE_CHECKING:
    from tests.fuzz.law import Law

# numba compiles these; with counters in them it could not
COMPILED = [
    f"emgtwitch.{name}"
    for name in (
        *("detect.detector", "detect.events", "detect.floor", "detect.heart", "detect.jit", "detect.kernel"),
        *("detect.ladder", "detect.mains", "detect.noise", "detect.pieces", "detect.shape", "detect.tone"),
        *("detect.vector", "detect.state", "dsp.design", "wire.bulk", "wire.crc", "wire.deframe", "wire.judge"),
    )
]
INTERPRETED = ("decoder",)  # before anything is imported


def prepared(name: str) -> Law:
    """The law over a target whose modules count the edges that are reached."""
    interpreted = name in INTERPRETED
    if interpreted:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    # for as long as the process lives: loaders of formats are imported when they are needed
    atheris.instrument_imports(include=["emgtwitch"], exclude=[] if interpreted else COMPILED).__enter__()
    from tests.fuzz.law import Law
    from tests.fuzz.targets import target

    law = Law(target(name))
    assert law.target.interpreted is interpreted
    kept = [path.read_bytes() for path in sorted(law.target.corpus.iterdir())]
    law.begin(kept * 2)
    return law


def cover(name: str, control: Path) -> None:
    """Say which edges the listed inputs reach; does not return."""
    from tests.fuzz.law import MOST_BYTES

    law = prepared(name)

    def one_input(data: bytes) -> None:
        law.breach(data)

    options = ["-merge_inner=1", f"-merge_control_file={control}", f"-max_len={MOST_BYTES}"]
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Fuzz for so long; does not return."""
    from tests.fuzz.law import MOST_BYTES

    law = prepared(name)
    found: Counter[str] = Counter()
    folder.mkdir(parents=True, exist_ok=True)
    grown = folder / "corpus"
    grown.mkdir(exist_ok=True)
    words = folder / "words"
    words.write_text("".join('"' + "".join(map("\\x{:02x}".format, word)) + '"\n' for word in law.target.words))
    told = (0.0, 0)  # what was written down last

    def one_input(data: bytes) -> None:
        nonlocal told
        broken = law.breach(data)
        if broken is not None:
            key = broken if " at " not in broken else broken.partition(":")[0] + broken.rpartition(" at")[2]
            found[key] += 1
            if found[key] == 1:
                (folder / f"broken-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
                print(f"BROKEN {broken}", file=sys.stderr, flush=True)
        now = (law.slowest_s, law.most_bytes)
        if broken is not None or now > told:
            told = now
            (folder / "slowest").write_bytes(law.slowest)
            seen = {"most_bytes": now[1], "slowest_s": now[0], "slowest_bytes": len(law.slowest)}
            (folder / "seen.json").write_text(json.dumps(seen | {"broken": dict(found)}))

    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-timeout=60", f"-artifact_prefix={folder}/"]
    options += ["-rss_limit_mb=4096", "-print_final_stats=1", *([f"-dict={words}"] if law.target.words else [])]
    atheris.Setup([sys.argv[0], *options, str(grown), str(law.target.corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[2] == "cover":
        cover(sys.argv[1], Path(sys.argv[3]))
    else:
        fuzz(sys.argv[1], int(sys.argv[3]), Path(sys.argv[4]))
