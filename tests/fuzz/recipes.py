"""HDF5 files made by h5py from any bytes: each byte decides on the next group, data set, attribute or link."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np

_MOST_WRITTEN = 500  # along each side; a shape may promise far more
RECIPE = 0x52  # a file of HDF5 begins otherwise
NAMES = ("raw", "nSeq", "channel_1", "channel_2", "channel_x", "EMG", "fs", "unit", "a", "00:07")
ATTRIBUTES = ("sampling rate", "resolution", "label", "sensor", "MATLAB_class")
VALUES: tuple[Any, ...] = (1000, -1, 0, float("nan"), 1e308, 2**40, "EMG", b"char", b"uV", [16, 16], [], "x", [[1.0]])
TYPES = ("u1", "i2", "u2", "f4", "f8", "u8", "S4", "c16", "?", "i8")


def hdf5(data: bytes, path: Path) -> None:
    """Write what `data` asks for, or `data` itself where it is no recipe."""
    if data[:1] != bytes((RECIPE,)):
        path.write_bytes(data)
        return
    steps = [data[at : at + 6] for at in range(2, len(data) - 5, 6)][:60]
    with h5py.File(path, "w", libver="latest" if data[1:2] > b"\x7f" else "earliest") as file:
        groups: list[Any] = [file]
        for kind, where, name, kept, low, high in steps:
            group = groups[where % len(groups)]
            if isinstance(group, h5py.Dataset) and kind % 5 != 2:
                continue
            with contextlib.suppress(ValueError, TypeError, RuntimeError, OSError, KeyError, OverflowError):
                _step(
                    group, groups, kind % 5, NAMES[name % len(NAMES)], kept, struct.unpack("<H", bytes((low, high)))[0]
                )
    if data[1:2] == b"\x01":
        with path.open("r+b") as written:
            written.write(b"MATLAB 7.3")


def _step(group: Any, groups: list[Any], kind: int, name: str, kept: int, number: int) -> None:
    if kind == 0:
        groups.append(group.create_group(name))
    elif kind == 1:
        shape = ((number,), (number, 1), (number, kept % 5), (), (1, number), (number << 16,))[kept % 6]
        code = TYPES[kept % len(TYPES)]
        if kept & 0x40:  # promised, never written
            made = group.create_dataset(name, shape, code, **({"chunks": True, "compression": "gzip"} if shape else {}))
        else:
            made = group.create_dataset(name, data=np.zeros([min(n, _MOST_WRITTEN) for n in shape], code))
        groups.append(made)
    elif kind == 2:
        group.attrs[ATTRIBUTES[kept % len(ATTRIBUTES)]] = VALUES[number % len(VALUES)]
    elif kind == 3:
        group[name] = groups[number % len(groups)]  # a second name, perhaps of a group around it
    else:
        group[name] = (h5py.SoftLink("/" + name), h5py.ExternalLink("/nowhere.h5", "/"), h5py.SoftLink("/raw"))[
            kept % 3
        ]
