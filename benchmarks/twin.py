"""The C twin of the detector's filter, envelopes and thresholds: the limit for its kernel. Built by gcc when needed."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.material import FS_HZ, UV_PER_COUNT
from emgtwitch.detect.detector import parameters
from emgtwitch.detect.state import HOP_TICKS, LANES
from emgtwitch.settings import Settings

Floats = npt.NDArray[np.float64]
SOURCE = Path(__file__).parent / "speed" / "twin.c"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fPIC", "-Wall", "-Werror")


@functools.cache
def _library() -> ctypes.CDLL:
    """The twin for this processor, CFLAGS last. Raises CalledProcessError or FileNotFoundError without gcc."""
    told = os.environ.get("CFLAGS", "").split()
    with tempfile.TemporaryDirectory() as folder:
        made, path = Path(folder) / "twin.o", Path(folder) / "twin.so"
        subprocess.run(["gcc", *FLAGS, *told, "-c", "-o", made, SOURCE], check=True)
        # Not linked with -ffast-math: loading it would round denormal numbers to zero in the whole process.
        subprocess.run(["gcc", "-shared", "-o", path, made, "-lm"], check=True)
        library = ctypes.CDLL(str(path))
    for function in (library.run, library.run_lanes):
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long]
        function.restype = ctypes.c_long
    library.floor_of.argtypes, library.floor_of.restype = [ctypes.c_void_p], ctypes.c_double
    library.state_size.restype = library.design_size.restype = ctypes.c_size_t
    return library


class Twin:
    """A cold twin with the default settings, at 1 kHz; of several recordings, where `recordings` is 8."""

    def __init__(self, recordings: int = 1) -> None:
        library = _library()
        p = parameters(Settings(), float(FS_HZ), UV_PER_COUNT, (0.0, 1023.0))[0]
        turns = np.outer(p["lane_Hz"] * p["lane_order"] / FS_HZ, np.arange(HOP_TICKS * int(p["tick"]) + 1))
        tables = np.array([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]) * (p["lane_order"] > 0)[:, np.newaxis]
        assert tables.shape == (2, LANES, 33)
        single = [p["scale"], 2 * p["mu"], p["rail_low"], p["rail_high"], p["floor_gain"]]
        parts = [p["main"].ravel(), p["low"], p["high"], tables.ravel(), p["threshold"], single]
        self._design = np.ascontiguousarray(np.concatenate(parts))
        assert self._design.nbytes == library.design_size()
        self._state = np.zeros(recordings * library.state_size(), dtype=np.uint8)

    def run(self, counts: Floats) -> int:
        """In how many hops something would have begun; a rest of less than a hop is dropped."""
        return int(_library().run(self._state.ctypes.data, self._design.ctypes.data, counts.ctypes.data, len(counts)))

    def run_lanes(self, counts: Floats) -> int:
        """The same of eight recordings side by side, `counts` (n, 8): what lanes could gain."""
        return int(
            _library().run_lanes(self._state.ctypes.data, self._design.ctypes.data, counts.ctypes.data, len(counts))
        )

    def floor_uV(self, counts: Floats) -> float:
        """RMS of the quiet signal after these counts."""
        self.run(counts)
        return math.sqrt(_library().floor_of(self._state.ctypes.data))
