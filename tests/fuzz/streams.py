"""Wire bytes: any at all, and frames that are sent well whatever stands in them.

By chance alone no CRC would be right. So an input is, by its first byte, either the bytes themselves or a list of
(type, length in two bytes, body), each of which is framed with the sequence number it should have.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace

from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import cobs
from emgtwitch.wire.light import split
from emgtwitch.wire.records import (
    MAX_FRAME,
    Board,
    Change,
    Clock,
    Counters,
    Guard,
    Hello,
    Import,
    ImportSamples,
    Mark,
    Note,
    Port,
    Record,
    Session,
)

RAW, FRAMED = 0, 1
_HOST = 0x80  # records from here on are the host's, outside the board's count
_DAY_MS = 1_700_000_000_000
WORDS = (b'{"kind":"', b'"settings":{', b'"recording_id":"', b'"worn":[', b"\\u0000", b"1e999", b"NaN", b"-1", b"null")


def stream(data: bytes) -> bytes:
    """The wire bytes that an input stands for."""
    if not data or data[0] % 2 == RAW:
        return data[1:]
    out, board_seq, host_seq = bytearray(), 0, 0
    for kind, body in _listed(data[1:]):
        seq = host_seq if kind >= _HOST else board_seq
        raw = bytes((kind,)) + struct.pack("<H", seq & 0xFFFF) + body
        raw += binascii.crc_hqx(raw, 0xFFFF).to_bytes(2, "little")
        out += cobs(raw) + b"\0"
        host_seq, board_seq = host_seq + (kind >= _HOST), board_seq + (kind < _HOST)
    return bytes(out)


def _listed(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(data):
        kind, size = struct.unpack_from("<BH", data, at)
        size = min(size, MAX_FRAME)
        yield kind, data[at + 3 : at + 3 + size]
        at += 3 + size


def listed(records: Iterable[tuple[int, bytes]]) -> bytes:
    """An input that is framed: type and body of each frame."""
    return bytes((FRAMED,)) + b"".join(struct.pack("<BH", kind, len(body)) + body for kind, body in records)


def seeds() -> dict[str, bytes]:
    """A stream of each kind: a board's, with all a host and a board can say; an interrupted one; an import's."""
    told = b"".join(recorded(SCENARIOS["demo"], 1, 0.6))
    board = [(frame.type, frame.body) for frame in split(told)]
    hello = next(Hello.unpack(body) for kind, body in board if kind == Hello.TYPE)
    before: list[Record] = [
        Session({"recording_id": "r", "settings": {"mains_Hz": 50.0}, "worn": [{"muscle": "calf"}], "zone": "UTC"}),
        Port(1, "ttyUSB0"),
        Board(hello.pack()),
        Clock(10**12, 10**12, _DAY_MS, 3600),
    ]
    between: list[Record] = [
        Clock(10**12 + 10**9, 10**12, _DAY_MS + 5000, 3600),
        Note({"kind": "felt", "note": "now"}),
        Change({"settings": {"on_uV": 5.0}}),
        Mark(100, 2, 0),
        Mark(120, 1, 255),
        Counters(1, 2, 3, 4, 5),
        Guard(1, 3600, 3, 2, 1, 2500),
    ]
    half = len(board) // 2
    whole = [*_bodies(before), *board[:half], *_bodies(between), *board[half:]]
    again = [*_bodies([Port(0, "ttyUSB0"), Port(1, "ttyUSB1"), replace(hello, run_count=hello.run_count + 1)])]
    opening = Import(1000, 1, 2, 1, (-100.0, 100.0, -100.0, 100.0))
    imported: list[Record] = [opening, *(ImportSamples(k, (1.0, -2.0, 99.0, float("nan"))) for k in range(0, 8, 2))]
    return {
        "raw": bytes((RAW,)) + told[:2000],
        "whole": listed(whole),
        "interrupted": listed([*whole, *again, *board[1:half]]),
        "imported": listed(_bodies([*before[:1], *imported, ImportSamples(10_000, (0.0,) * 20)])),
    }


def _bodies(records: Iterable[Record]) -> list[tuple[int, bytes]]:
    return [(record.TYPE, record.pack()) for record in records]
