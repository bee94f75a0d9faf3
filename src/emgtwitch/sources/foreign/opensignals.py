"""HDF5 of OpenSignals (biosignalsplux, BITalino): one group a device, its channels under `raw`."""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.contents import UNKNOWN_RAILS, Block, Column, Contents
from emgtwitch.sources.foreign.placing import SequenceGaps, split

_BATCH_SCANS = 1 << 16
_HEAP_BYTES = 16  # of the head of a heap, and of each object in it
_MOST_PACKED, _UNPACKED_BYTES = 50, 1 << 20
_ATTRIBUTE_MEMORY = 128 << 20  # bytes, for reading a few letters or numbers, and for what other threads do meanwhile
_limiting = threading.Lock()  # the limit is the process's, and files are read by several threads
# what h5py raises on damaged files, depending on where it trips
DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
)


def open_hdf5(path: Path) -> Any:
    """The file opened by h5py. Raises UnreadableInputError where h5py is missing or the file is damaged."""
    try:
        import h5py
    except ImportError:
        raise UnreadableInputError(f"Reading {path.name} needs h5py: pip install 'emgtwitch[hdf5]'.") from None
    try:
        _refuse_endless_heaps(path)
        return h5py.File(path, "r")
    except DAMAGE as error:
        raise UnreadableInputError(f"{path.name} is cut short or damaged: {error}.") from error


def _refuse_endless_heaps(path: Path) -> None:
    """Raises ValueError where a heap of texts claims a hole of no bytes: HDF5's library would walk over it for ever.

    The walk is the library's, see "Level 1E - Global Heap" of the file format's specification.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin, end = -1, 0
        while (begin := data.find(b"GCOL\x01\0\0\0", begin + 1)) >= 0:
            if begin < end:
                raise ValueError(f"heaps within each other at {begin}")
            at, end = begin + _HEAP_BYTES, begin + int.from_bytes(data[begin + 8 : begin + 16], "little")
            while at + _HEAP_BYTES <= min(end, len(data)):
                index, _, size = struct.unpack_from("<H6sQ", data, at)
                if not index and not size:
                    raise ValueError(f"a hole of no bytes at {at}")
                at += size if not index else _HEAP_BYTES + -(-size // 8) * 8


def holds_numbers(data: Any) -> bool:
    """Whether the values of a data set have a fixed size: of anything else the library believes sizes in the file."""
    return data.dtype.kind in "biuf"


def refuse_promises(data: Any, path: Path) -> None:
    """A data set that is empty space, or unpacks to far more than the file holds, was made so: no recording is.

    Raises UnreadableInputError.
    """
    stored, said = path.stat().st_size, int(np.prod(data.shape, dtype=np.float64) * data.dtype.itemsize)
    if said > _UNPACKED_BYTES + _MOST_PACKED * stored:
        raise UnreadableInputError(f"{path.name} is damaged: {data.name} promises {said} bytes, the file has {stored}.")


def load(path: Path) -> Contents:
    """The channels of every device in the file, as counts of the converter. Raises UnreadableInputError."""
    with open_hdf5(path) as file:
        try:
            groups = [file[name] for name in file if hasattr(file[name], "keys")]  # `in` would read a data set through
            devices = [group for group in groups if "raw" in group and "sampling rate" in group.attrs]
            found = [entry for device in devices for entry in _channels(device, path, alone=len(devices) == 1)]
        except DAMAGE as error:
            raise UnreadableInputError(f"{path.name} is damaged or of an unknown layout: {error}.") from error
    if not found:
        raise UnreadableInputError(
            f"{path.name} is HDF5 but not of OpenSignals: no group in it has `raw` channels and a sampling rate. "
            "Export it as CSV or EDF."
        )
    columns = tuple(column for column, _ in found)
    return Contents(columns, lambda used: _blocks(path, [found[k][1] for k in used]))


def _channels(device: Any, path: Path, alone: bool) -> Iterator[tuple[Column, str]]:
    """Columns and the paths of their data sets, in the order of the channel numbers."""
    rate = Fraction(repr(float(attribute(device, "sampling rate"))))
    bits = np.ravel(attribute(device, "resolution", [])).tolist()
    names = sorted((n for n in device["raw"] if n.startswith("channel_")), key=lambda n: int(n.split("_")[1]))
    for k, name in enumerate(names):
        data = device["raw"][name]
        refuse_promises(data, path)
        label = _text(attribute(data, "label", name))
        # BITalino lists its sequence and digital lines before the channels
        own = bits[k - len(names)] if len(bits) >= len(names) else None
        yield (
            Column(
                label if alone else f"{device.name.strip('/')}/{label}",
                rate,
                rails=(0.0, 2.0**own - 1) if own else UNKNOWN_RAILS,
                aliases=(_text(attribute(data, "sensor", "")), name, label),
                group="" if alone else device.name.strip("/"),
            ),
            data.name,
        )


def attribute(node: Any, name: str, otherwise: Any = None) -> Any:
    """The value of an attribute of a group or a data set."""
    with _little_memory():
        return node.attrs.get(name, otherwise)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextlib.contextmanager
def _little_memory() -> Iterator[None]:
    """For so long this process gets only _ATTRIBUTE_MEMORY more. HDF5's library takes as much as the length of a text
    claims, up to 4 GB, before it looks whether the text is there; refused, it raises an error. Linux alone tells how
    much is taken already; elsewhere such a file takes seconds.
    """
    try:
        import resource

        taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError):
        yield
        return
    with _limiting:
        limits = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = taken + _ATTRIBUTE_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most if soft == resource.RLIM_INFINITY else min(soft, most), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limits)


def _blocks(path: Path, names: Sequence[str]) -> Iterator[Block]:
    """Chunks of the data sets; where the sequence number jumps, scans were lost and the index jumps with it."""
    with open_hdf5(path) as file:
        gaps = SequenceGaps()
        try:
            data = [file[name] for name in names]
            sequence = data[0].parent.get("nSeq")
            rows = data if sequence is None else [*data, sequence]
            sound = all(getattr(row, "shape", ()) and holds_numbers(row) for row in rows)
        except DAMAGE as error:
            raise UnreadableInputError(f"{path.name} is damaged: {error}.") from error
        if not sound:
            raise UnreadableInputError(f"{path.name} is damaged: a channel or the sequence is no row of numbers.")
        scans = min(len(d) for d in data)
        index = 0
        for at in range(0, scans, _BATCH_SCANS):
            end = min(scans, at + _BATCH_SCANS)
            try:
                values = np.stack([np.asarray(d[at:end], dtype=np.float64).reshape(end - at) for d in data], axis=-1)
                lost = np.zeros(end - at, dtype=np.int64)
                if sequence is not None and len(sequence) >= scans:
                    lost = gaps.lost(np.asarray(sequence[at:end], dtype=np.float64).reshape(end - at))
            except DAMAGE as error:
                raise UnreadableInputError(f"{path.name} is damaged at scan {at}: {error}.") from error
            yield from split(values, lost, index)
            index += end - at + int(lost.sum())
