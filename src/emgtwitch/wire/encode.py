"""Records to frames: for what the host sends or notes (numba-free) and, in `encode_samples`, for whole signals."""

from __future__ import annotations

import binascii

from emgtwitch.wire.records import MAX_FRAME, Record


def cobs(data: bytes) -> bytes:
    """`data` without zero bytes, undelimited (consistent overhead byte stuffing, Cheshire and Baker 1999)."""
    out = bytearray()
    pieces = data.split(b"\0")
    for n, piece in enumerate(pieces):
        while len(piece) >= 254:
            out += b"\xff" + piece[:254]
            piece = piece[254:]
            if not piece and n == len(pieces) - 1:
                return bytes(out)
        out.append(len(piece) + 1)
        out += piece
    return bytes(out)


def frame(record: Record, seq: int) -> bytes:
    """The frame of `record`, its closing zero byte included. Raises ValueError if it is longer than MAX_FRAME."""
    raw = bytes((record.TYPE, seq & 0xFF, seq >> 8 & 0xFF)) + record.pack()
    raw += binascii.crc_hqx(raw, 0xFFFF).to_bytes(2, "little")
    if len(raw) > MAX_FRAME:
        raise ValueError(f"A {type(record).__name__} frame of {len(raw)} bytes is longer than the {MAX_FRAME} allowed.")
    return cobs(raw) + b"\0"


def note(record: Record, seq: int) -> bytes:
    """The frame of a host record with a zero byte of its own before it, since a cut can leave no boundary."""
    return b"\0" + frame(record, seq)
