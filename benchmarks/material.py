"""What the benchmarks work on: the simulated wearer's counts at 1 kHz, and recordings of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from emgtwitch.detect.detector import Detector
from emgtwitch.settings import Settings
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import WIRE_VERSION, Hello

FS_HZ = 1000
PIECE_S = 600
BLOCK_BYTES = 1 << 18  # as replay reads
HELLO = Hello(WIRE_VERSION, 0, 0, 0, 1, FS_HZ, 1, 1, 10, 1, 5000, 50, 1_000_000, 0, 1, 1, 1, 0, 0)
UV_PER_COUNT = SCENARIOS["demo"].device.uV_per_count


@functools.cache
def wearer_counts(duration_s: int, scenario: str = "demo") -> npt.NDArray[np.uint16]:
    """Counts (scans, 1) of one channel; do not write into them."""
    made = SCENARIOS[scenario]
    assert made.fs_Hz == FS_HZ
    return np.ascontiguousarray(Wearer(made, 1).render(duration_s * FS_HZ)[:, :1])


def stream(counts: npt.NDArray[np.uint16]) -> bytes:
    """The bytes in which a board would have sent these counts."""
    return frame(HELLO, 0) + encode_samples(counts, 0, 1)[0]


def blocks(data: bytes, size: int = BLOCK_BYTES) -> Iterator[memoryview]:
    """The data in pieces."""
    return (memoryview(data)[at : at + size] for at in range(0, len(data), size))


def pieces(duration_s: int, scenario: str, shift_s: int = 0) -> Iterator[npt.NDArray[np.uint16]]:
    """`duration_s` of the wearer, 10 minutes over and over that begin `shift_s` later: counts (scans, 1)."""
    counts = np.roll(wearer_counts(min(duration_s, PIECE_S), scenario), -shift_s * FS_HZ, axis=0)
    for left in range(duration_s * FS_HZ, 0, -len(counts)):
        yield counts[:left]


def write_recording(path: Path, duration_s: int, scenario: str, shift_s: int = 0) -> int:
    """Write `pieces` to `path` as a board would have sent them; returns the number of samples."""
    seq, index = 1, 0
    with path.open("wb") as file:
        file.write(frame(HELLO, 0))
        for piece in pieces(duration_s, scenario, shift_s):
            data, seq = encode_samples(piece, index, seq)
            file.write(data)
            index += len(piece)
        _settle(file)
    return index


def write_bare(path: Path, duration_s: int, scenario: str) -> None:
    """Write `pieces` to `path` as nothing but 16-bit numbers."""
    with path.open("wb") as file:
        for piece in pieces(duration_s, scenario):
            file.write(piece.astype("<i2").tobytes())
        _settle(file)


def _settle(file: BinaryIO) -> None:
    """Onto the disk now, so that the system does not write it while something is measured."""
    file.flush()
    os.fsync(file.fileno())


def detector() -> Detector:
    """A cold detector for these counts, with the default settings."""
    return Detector(Settings(), float(FS_HZ), UV_PER_COUNT, (0.0, 1023.0))
