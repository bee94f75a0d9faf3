"""The board's guard on the host: compiled under sanitizers, fed with counts."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "firmware/emgtwitch/src"
RUNNER = Path(__file__).with_name("runner.c")
FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wconversion"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
QUIET, TWITCH_FOUND, SPASM = range(3)  # guard_output_t
STEP = np.dtype(
    [
        ("output", "u1"),
        ("guarded_s", "<u4"),
        ("twitches", "<u2"),
        ("contractions", "<u2"),
        ("spasms", "<u2"),
        ("longest_ms", "<u4"),
    ]
)
Steps = npt.NDArray[np.void]


def compiler() -> str:
    """gcc's path. Raises RuntimeError where there is none."""
    found = shutil.which("gcc")
    if found is None:
        raise RuntimeError("The guard's tests compile it with gcc, which is not here: apt-get install gcc libc6-dev.")
    return found


@lru_cache(maxsize=1)
def built() -> Path:
    """The runner, made afresh from the firmware's own file."""
    out = ROOT / "build/firmware/guard_runner"
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.with_name(f"{out.name}.{os.getpid()}")  # others may be running the last one
    sources = [str(RUNNER), str(SOURCES / "guard.c"), f"-I{SOURCES}"]
    done = subprocess.run([compiler(), *FLAGS, *SANITIZE, *sources, "-o", str(made)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The guard does not compile:\n{done.stderr}")
    return made.replace(out)


def run(counts: npt.ArrayLike) -> Steps:
    """What the board's guard says and has counted after each count."""
    data = np.asarray(counts, "<u2").tobytes()
    done = subprocess.run([built()], input=data, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"The guard stopped:\n{done.stderr.decode(errors='replace')}")
    return np.frombuffer(done.stdout, STEP)
