"""Vectors of what the board's C builds (frames) and reads (requests)."""

from __future__ import annotations

from typing import Any

from firmware.protocol.oracle import SPEC, body_of, frame, framed
from firmware.protocol.streams import answer, hello, mark, samples


def _frame(name: str, type_id: int, seq: int, body: bytes) -> dict[str, Any]:
    wire = framed(type_id, seq, body)
    return {"name": name, "type": type_id, "seq": seq, "body": body.hex(), "bytes": wire.hex()}


def frames() -> list[dict[str, Any]]:
    """Type, sequence and body, and the bytes that they must become."""
    records = [("Hello", hello()), ("Samples", samples(0)), ("Mark", mark(16)), ("Answer", answer())]
    out = [_frame(f"frame_{name}", SPEC[name]["id"], 513, body_of(name, fields)) for name, fields in records]
    out.append(_frame("frame_empty_body", 0x41, 65535, b""))
    out.append(_frame("frame_all_zero_body", 0x02, 0, bytes(249)))
    out.append(_frame("frame_longest_without_zero", 0x02, 0x0101, bytes(1 + i % 255 for i in range(249))))
    return out


def _request(name: str, data: bytes, accepted: list[tuple[int, int, bytes]], unknown: int, rejected: int) -> Any:
    requests = [{"type": t, "seq": s, "body": b.hex()} for t, s, b in accepted]
    return {"name": name, "bytes": data.hex(), "accepted": requests, "unknown": unknown, "rejected": rejected}


def requests() -> list[dict[str, Any]]:
    """Bytes from the host, the requests that the board must find in them, and how many frames it must turn down."""
    identity = {"device_id": 0x0102030405060708, "gain_milli": 1_000_000}
    start, set_id, set_body = frame("Start", 2), SPEC["WriteIdentity"]["id"], body_of("WriteIdentity", identity)
    setup = {"rate_Hz": 1000, "channels": 2, "oversampling": 4}
    all_requests: list[tuple[str, dict[str, Any]]] = [
        ("AskHello", {}),
        ("Start", {}),
        ("Stop", {}),
        ("SetRate", setup),
        ("TestSignal", {"on": 0}),
        ("WriteIdentity", identity),
        ("ResetCounters", {}),
    ]
    found = [(SPEC[name]["id"], i, body_of(name, fields)) for i, (name, fields) in enumerate(all_requests)]
    ready = [(SPEC["Start"]["id"], 2, b"")]
    flipped = bytes((start[0], start[1] ^ 0x20)) + start[2:]
    long_run = bytes([255]) + bytes([7]) * 300 + b"\0"
    return [
        _request("request_each", b"".join(framed(*f) for f in found), found, 0, 0),
        _request("request_after_empty_frames", b"\0\0" + start + b"\0", ready, 0, 0),
        _request("request_bit_flip", flipped + start, ready, 0, 1),
        _request("request_cut_off", frame("SetRate", 1, **setup)[:5] + b"\0" + start, ready, 0, 1),
        _request("request_dropped_byte", start[:2] + start[3:] + start, ready, 0, 1),
        _request("request_merged_frames", start[:-1] + start + start, ready, 0, 1),
        _request("request_overlong", long_run + start, ready, 0, 1),
        _request("request_longest_and_one_more", framed(set_id, 1, set_body + b"\1") + start, ready, 0, 1),
        _request("request_too_short", framed(set_id, 1, set_body[:-1]) + start, ready, 0, 1),
        _request("request_unknown_type", framed(0x5E, 9, b"") + start, ready, 1, 0),
        _request("request_crc_of_nothing", framed(0x41, 0, b"")[:3] + b"\0" + start, ready, 0, 1),
    ]
