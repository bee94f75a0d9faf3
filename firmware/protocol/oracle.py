"""Frames by the oracles: wire.toml, the `cobs` package and `binascii`, never this project's own encoders."""

from __future__ import annotations

import binascii
import json
import math
import struct
from dataclasses import dataclass, field
from typing import Any

from cobs import cobs

from firmware.protocol.generate import FIXED, TAIL, load

SPEC = {record["name"]: record for record in load()["record"]}


def body_of(name: str, fields: dict[str, Any]) -> bytes:
    """The body of a record, packed as wire.toml lays it out."""
    out = b""
    for spec in SPEC[name]["fields"]:
        kind, value = spec["type"], fields[spec["name"]]
        if kind in FIXED:
            out += struct.pack("<" + FIXED[kind][0], value)
        elif kind == "json":
            out += json.dumps(value, ensure_ascii=False).encode()
        elif kind == "text":
            out += value.encode()
        elif kind == "bytes":
            out += bytes.fromhex(value)
        else:
            out += struct.pack(f"<{len(value)}{TAIL[kind][0]}", *value)
    if set(fields) != {spec["name"] for spec in SPEC[name]["fields"]}:
        raise SystemExit(f"{name}: fields {sorted(fields)} are not those of wire.toml")
    return out


def framed(type_id: int, seq: int, body: bytes) -> bytes:
    """A frame with its closing zero byte."""
    raw = struct.pack("<BH", type_id, seq) + body
    encoded: bytes = cobs.encode(raw + struct.pack("<H", binascii.crc_hqx(raw, 0xFFFF)))
    return encoded + b"\0"


def frame(name: str, seq: int, /, **fields: Any) -> bytes:
    """The frame of a record."""
    return framed(SPEC[name]["id"], seq, body_of(name, fields))


def is_whole(piece: bytes) -> bool:
    """Whether the bytes between two zero bytes are a frame whose CRC is right, by the oracles."""
    try:
        raw: bytes = cobs.decode(piece)
    except cobs.DecodeError:
        return False
    return len(raw) >= 5 and binascii.crc_hqx(raw[:-2], 0xFFFF) == int.from_bytes(raw[-2:], "little")


def _plain(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return [_plain(v) for v in value] if isinstance(value, list) else value


@dataclass
class Stream:
    """A byte stream under construction, and what a decoder must make of it."""

    name: str
    law: str
    data: bytearray = field(default_factory=bytearray)
    records: list[dict[str, Any]] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    lost: int = 0

    def good(self, name: str, seq: int, /, **fields: Any) -> Stream:
        """A frame that must be accepted."""
        self.data += frame(name, seq, **fields)
        plain = {k: _plain(v) for k, v in fields.items()}
        self.records.append({"type": name, "seq": seq, "fields": plain})
        return self

    def bad(self, reason: str, data: bytes) -> Stream:
        """Bytes that must be rejected once, for `reason`."""
        self.data += data
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        return self

    def silent(self, data: bytes) -> Stream:
        """Bytes of which nothing must be said."""
        self.data += data
        return self

    def expect(self, seen: int, lost: int) -> Stream:
        """Scans that must be counted in the whole stream."""
        self.seen, self.lost = seen, lost
        return self

    def as_json(self) -> dict[str, Any]:
        pieces = [piece for piece in bytes(self.data).split(b"\0")[:-1] if piece]
        damaged = sum(not is_whole(piece) for piece in pieces)
        stated = self.rejected.get("crc", 0) + self.rejected.get("overlong", 0)
        if damaged != stated:
            raise SystemExit(f"{self.name}: the oracles find {damaged} damaged frames, stated are {stated}")
        return {
            "name": self.name,
            "law": self.law,
            "bytes": self.data.hex(),
            "records": self.records,
            "rejected": self.rejected,
            "scans_seen": self.seen,
            "scans_lost": self.lost,
        }
