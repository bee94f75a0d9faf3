"""What `instructions.py` runs under valgrind: `python -m benchmarks.counted LIBRARY COUNTS.npy ROUTE ...`.

Each route works on n samples and then on 2 n, and each of these is counted by itself.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.material import FS_HZ, UV_PER_COUNT

Floats = npt.NDArray[np.float64]


def route(name: str) -> Callable[[Floats], object]:
    """The function of a whole signal; it imports only what it needs, since imports are slow under valgrind."""
    if name == "kernel":
        from benchmarks.material import detector

        return lambda counts: detector().feed(counts)
    if name == "C twin":
        from benchmarks.twin import Twin

        return lambda counts: Twin().run(counts)
    from benchmarks.peers import ScipyChain

    return lambda counts: ScipyChain(FS_HZ, UV_PER_COUNT).whole(counts)


def main() -> None:
    client = ctypes.CDLL(sys.argv[1])
    counts = np.load(sys.argv[2])
    n = len(counts) // 2
    for name in sys.argv[3:]:
        function = route(name)
        function(counts)  # loads what is to be loaded
        for part in (counts[:n], counts):
            client.begin()
            function(part)
            client.end()


if __name__ == "__main__":
    main()
