"""Bytes to records without numpy or numba: for the few frames that a handshake, `ports` and `doctor` look at.

The decoder proper is `emgtwitch.wire.decode`; this one knows nothing of sequence or index, and never raises on bytes.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection
from typing import NamedTuple

from emgtwitch.wire.records import BODY_SIZES, MAX_FRAME, RECORDS, Record

MAX_ENCODED = MAX_FRAME + MAX_FRAME // 254 + 1  # bytes that COBS makes of the longest frame, closing zero apart


class Frame(NamedTuple):
    """A frame whose CRC is right; its length need not fit its type (a board of another wire version)."""

    type: int
    seq: int
    body: bytes


def uncobs(data: bytes) -> bytes | None:
    """What COBS made `data` of (no delimiter in it), or None where it could not have."""
    out = bytearray()
    at, size = 0, len(data)
    while at < size:
        code = data[at]
        end = at + code
        if code == 0 or end > size:
            return None
        out += data[at + 1 : end]
        at = end
        if code < 255 and at < size:
            out.append(0)
    return bytes(out)


def split(data: bytes, types: Collection[int] | None = None) -> list[Frame]:
    """The frames in `data` with a right CRC, of the given types only; what follows the last zero byte is ignored."""
    found = []
    for piece in data.split(b"\0")[:-1]:
        if not 6 <= len(piece) <= MAX_ENCODED or (types is not None and piece[1] not in types):
            continue  # a type is never 0, so that COBS leaves it in the second byte
        raw = uncobs(piece)
        if raw is None or len(raw) < 5 or binascii.crc_hqx(raw[:-2], 0xFFFF) != int.from_bytes(raw[-2:], "little"):
            continue
        found.append(Frame(raw[0], int.from_bytes(raw[1:3], "little"), raw[3:-2]))
    return found


def record(frame: Frame) -> Record | None:
    """The record in `frame`, or None if its type is unknown or its length is not that type's."""
    if frame.type not in BODY_SIZES:
        return None
    fixed, item = BODY_SIZES[frame.type]
    rest = len(frame.body) - fixed
    if rest < 0 or (rest % item if item else rest):
        return None
    return RECORDS[frame.type].unpack(frame.body)


def frames(data: bytes, types: Collection[int] | None = None) -> list[Record]:
    """The records in `data`, of the given types only; damaged frames and an unfinished last one are left out."""
    return [found for frame in split(data, types) if (found := record(frame)) is not None]


class Reader:
    """Frames out of a stream that comes in pieces; holds at most MAX_ENCODED bytes."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return every frame that `data` completes."""
        whole, zero, tail = (self._tail + data).rpartition(b"\0")
        self._tail = tail[-MAX_ENCODED - 1 :]  # one byte too many, so that an overlong frame stays one
        return split(whole + zero)
