"""Instructions a sample, counted by callgrind: the figure that noise of the machine does not touch.

`python -m benchmarks.instructions [--quick]`. The difference between 2 n samples and n, over n, so what a call costs
falls out. Valgrind knows no AVX-512: where the processor has it, kernel and twin are compiled without for this.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np

from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import FS_HZ, wearer_counts
from benchmarks.processes import run

CLIENT = Path(__file__).parent / "speed" / "client.c"
ROUTES = ("kernel", "C twin", "scipy chain")
DURATION_S = 40
WIDE = "avx512"
TOTAL = re.compile(r"^summary: (\d+)$", re.MULTILINE)


def processor() -> dict[str, str]:
    """What numba and gcc shall compile for: this processor, as far as valgrind knows it.

    Said outright, since under valgrind the processor gives itself out for another and the cached kernels would not fit.
    """
    features = llvm.get_host_cpu_features()
    wide = [name for name, present in features.items() if present and name.startswith(WIDE)]
    features.update(dict.fromkeys(wide, False))
    told = {"NUMBA_CPU_NAME": llvm.get_host_cpu_name(), "NUMBA_CPU_FEATURES": features.flatten()}
    return told | ({"CFLAGS": "-mno-avx512f"} if wide else {})


def counted(routes: tuple[str, ...], duration_s: int) -> list[Figure]:
    """Instructions a sample of quiet signal, of each route. Raises RuntimeError where valgrind cannot run them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, counts = folder / "client.so", folder / "counts.npy"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, CLIENT], check=True)
        np.save(counts, wearer_counts(duration_s, "quiet")[:, 0].astype(np.float64))
        words = [sys.executable, "-m", "benchmarks.counted", str(library), str(counts), *routes]
        run(words, processor())  # so that no kernel is compiled under valgrind
        out = f"--callgrind-out-file={folder / 'count'}"
        valgrind = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", out, *words]
        done = subprocess.run(valgrind, env={**os.environ, **processor()}, capture_output=True, text=True)
        kept = [folder / f"count.{n + 1}" for n in range(2 * len(routes))]
        if done.returncode or not kept[-1].exists():
            raise RuntimeError(f"valgrind ended with {done.returncode}: {done.stderr[-2000:]}")
        totals = [int(TOTAL.findall(path.read_text())[-1]) for path in kept]
    samples = duration_s * FS_HZ // 2
    return [
        Figure(f"instructions of the {name}", (totals[2 * k + 1] - totals[2 * k]) / samples, "a sample")
        for k, name in enumerate(routes)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the kernel and its twin only")
    quick = parser.parse_args().quick
    print(machine_line())
    figures = counted(ROUTES[:2], 10) if quick else counted(ROUTES, DURATION_S)
    for figure in figures:
        print(figure)
    save("instructions", figures, quick=quick)


if __name__ == "__main__":
    main()
