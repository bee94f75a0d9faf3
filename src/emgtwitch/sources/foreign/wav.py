"""WAV (RIFF and RF64), read in chunks: integers as they are, not scaled to 1.

Read here because the wave module of Python 3.11 knows neither floats nor the extensible header, and scipy's reader
shifts 24 bits into 32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.contents import UNKNOWN_RAILS, Block, Column, Contents

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OPEN_ENDED = 0xFFFFFFFF  # length, as is 0, that a recorder writes when it cannot seek back
_BATCH_SCANS = 1 << 16


@dataclass(frozen=True, slots=True)
class _Layout:
    path: Path
    kind: int  # _PCM or _FLOAT
    channels: int
    width: int  # bytes of a sample
    start: int  # byte of the first scan
    scans: int


def load(path: Path) -> Contents:
    """The channels of a WAV file, labelled by their number. Raises UnreadableInputError, also where it is cut short."""
    with path.open("rb") as file:
        try:
            layout, rate = _layout(path, file)
        except struct.error:
            raise UnreadableInputError(f"{path.name} is cut short in its header.") from None
    if layout.kind == _FLOAT:
        rails = UNKNOWN_RAILS
    elif layout.width == 1:  # the only unsigned width
        rails = 0.0, 255.0
    else:
        rails = -(2.0 ** (8 * layout.width - 1)), 2.0 ** (8 * layout.width - 1) - 1
    columns = tuple(Column(f"ch{k}", Fraction(rate), rails=rails) for k in range(layout.channels))
    return Contents(columns, lambda used: _blocks(layout, used))


def _layout(path: Path, file: BinaryIO) -> tuple[_Layout, int]:
    size = path.stat().st_size
    long_data = 0
    form: tuple[int, int, int, int, int] | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"ds64":
            long_data = struct.unpack("<QQ", file.read(16))[1]
        elif name == b"fmt ":
            kind, channels, rate, _, scan_bytes, bits = struct.unpack("<HHIIHH", file.read(16))
            if kind == _EXTENSIBLE:
                kind = struct.unpack("<HHIH", file.read(10))[3]
            form = kind, channels, rate, scan_bytes, bits
        elif name == b"data":
            if form is None:
                break
            if length in (0, _OPEN_ENDED):
                length = long_data or size - at - 8
            return _checked(path, form, at + 8, length, size), form[2]
        at += 8 + length + length % 2
    raise UnreadableInputError(f"{path.name} is cut short or damaged: it has no {'data' if form else 'format'} chunk.")


def _checked(path: Path, form: tuple[int, int, int, int, int], start: int, length: int, size: int) -> _Layout:
    kind, channels, _, scan_bytes, bits = form
    width = (bits + 7) // 8
    if (kind, width) not in ((_PCM, 1), (_PCM, 2), (_PCM, 3), (_PCM, 4), (_FLOAT, 4), (_FLOAT, 8)) or not channels:
        raise UnreadableInputError(
            f"{path.name} holds samples of kind {kind} with {bits} bits in {channels} channels. Whole numbers of 8, "
            "16, 24 and 32 bits and floats of 32 and 64 can be read: convert it to one of these."
        )
    if scan_bytes != width * channels:
        raise UnreadableInputError(f"{path.name} is damaged: {channels} x {width} bytes in a scan of {scan_bytes}.")
    if start + length > size:
        raise UnreadableInputError(
            f"{path.name} is cut short: {size - start} of its {length} bytes of samples are there. "
            "Copy it again from where it was recorded."
        )
    return _Layout(path, kind, channels, width, start, length // scan_bytes)


def _blocks(layout: _Layout, used: Sequence[int]) -> Iterator[Block]:
    scan_bytes = layout.channels * layout.width
    with layout.path.open("rb") as file:
        file.seek(layout.start)
        for at in range(0, layout.scans, _BATCH_SCANS):
            raw = file.read(min(_BATCH_SCANS, layout.scans - at) * scan_bytes)
            values = _values(np.frombuffer(raw, dtype=np.uint8), layout).reshape(-1, layout.channels)
            yield Block(at, values[:, list(used)])


def _values(raw: npt.NDArray[np.uint8], layout: _Layout) -> npt.NDArray[np.float64]:
    if layout.kind == _PCM and layout.width == 3:
        wide = np.zeros((raw.size // 3, 4), dtype=np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        return (wide.view("<i4")[:, 0] >> 8).astype(np.float64)
    letter = "f" if layout.kind == _FLOAT else "u" if layout.width == 1 else "i"
    return raw.view(f"<{letter}{layout.width}").astype(np.float64)
