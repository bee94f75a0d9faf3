"""The streams of vectors.json: what a decoder must accept, reject, see and count as lost, stated by hand.

A frame of samples carries 16 scans unless it says otherwise; at most 121 fit a board's frame of one channel.
"""

from __future__ import annotations

import math
from typing import Any

from firmware.protocol.oracle import SPEC, Stream, body_of, frame, framed

WRAP = 1 << 32


def hello(**changes: Any) -> dict[str, Any]:
    """The fields of a Hello of a plain one-channel board."""
    fields = {
        "wire_version": 1,
        "firmware_major": 1,
        "firmware_minor": 2,
        "build": 0x89ABCDEF,
        "device_id": 0x1122334455667788,
        "rate_num": 1000,
        "rate_den": 1,
        "channels": 1,
        "bits": 10,
        "oversampling": 1,
        "reference_mV": 4987,
        "reference_uncertainty_mV": 12,
        "gain_milli": 1_000_000,
        "reset_cause": 2,
        "boot_count": 7,
        "run_count": 1,
        "flags": 1,
        "index": 0,
        "free_stack_bytes": 1024,
    }
    return {**fields, **changes}


def samples(index: int, overruns: int = 0, scans: int = 16, channels: int = 1) -> dict[str, Any]:
    """The fields of a Samples frame; its counts follow from the index, so that no two scans in a row are alike."""
    counts = [(37 * (index + i // channels) + 211 * (i % channels)) % 1024 for i in range(scans * channels)]
    return {"index": index % WRAP, "overruns": overruns, "counts": counts}


def mark(index: int) -> dict[str, Any]:
    return {"index": index, "kind": 1, "channel": 255}


def answer() -> dict[str, Any]:
    return {"request": 0x43, "request_seq": 3, "status": 0, "value": 1000}


def _opened(name: str, law: str, seq: int = 0, **changes: Any) -> Stream:
    return Stream(name, law).good("Hello", seq, **hello(**changes))


def _whole() -> list[Stream]:
    two = _opened("two_channels", "Counts are ordered scan by scan.", channels=2)
    late = Stream("joined_midstream", "What comes before a Hello is not taken: its channels are unknown.")
    late.bad("crc", frame("Samples", 3, **samples(128))[9:]).bad("unannounced", frame("Samples", 4, **samples(144)))
    ending = frame("Samples", 2, **samples(16))[:-1]
    wrong = framed(SPEC["Hello"]["id"], 0, bytes((2, 9, 9, 9)))
    other = Stream("other_version", "Of a Hello in another version nothing but the version is read.").silent(wrong)
    other.records.append({"type": "WrongVersion", "seq": None, "fields": {"wire_version": 2}})
    return [
        _opened("good", "Every frame of an undamaged stream is accepted.")
        .good("Samples", 1, **samples(0))
        .good("Samples", 2, **samples(16))
        .good("Mark", 3, **mark(32))
        .good("Answer", 4, **answer())
        .good("Samples", 5, **samples(32))
        .expect(seen=48, lost=0),
        two.good("Samples", 1, **samples(0, scans=8, channels=2))
        .good("Samples", 2, **samples(8, scans=8, channels=2))
        .expect(seen=16, lost=0),
        late.good("Hello", 5, **hello(index=160)).good("Samples", 6, **samples(160)).expect(seen=16, lost=0),
        _opened("empty_frames", "Zero bytes in a row are no frames.")
        .silent(bytes(3))
        .good("Samples", 1, **samples(0))
        .silent(bytes(1))
        .good("Samples", 2, **samples(16))
        .expect(seen=32, lost=0),
        _opened("longest_frame", "A board's frame holds up to 121 counts.")
        .good("Samples", 1, **samples(0, scans=121))
        .good("Samples", 2, **samples(121, scans=121))
        .expect(seen=242, lost=0),
        _opened("unfinished", "A frame without its zero byte is neither taken nor rejected.")
        .good("Samples", 1, **samples(0))
        .silent(ending)
        .expect(seen=16, lost=0),
        other.bad("unannounced", frame("Samples", 1, **samples(0))).expect(seen=0, lost=0),
    ]


def _damaged() -> list[Stream]:
    second, third = frame("Samples", 2, **samples(16)), frame("Samples", 3, **samples(32))
    flipped = second[:10] + bytes((second[10] ^ 0x10,)) + second[11:]
    low = next(i for i, byte in enumerate(second) if byte in (1, 2, 4, 8))  # one flipped bit makes it a zero byte
    cases = [
        ("bit_flip", "A frame with a flipped bit is rejected.", [flipped], 16),
        ("truncated", "A frame cut off before its zero byte is rejected.", [second[:17] + b"\0"], 16),
        ("dropped_byte", "A frame that lost a byte is rejected.", [second[:20] + second[21:]], 16),
        ("inserted_byte", "A frame with a byte too many is rejected.", [second[:20] + b"\x55" + second[20:]], 16),
        (
            "flip_to_zero",
            "A zero byte out of nowhere makes two bad frames.",
            [second[:low] + b"\0", second[low + 1 :]],
            16,
        ),
        ("garbage", "What is no frame is rejected and costs nothing else.", [b"\x80garbage\0", second], 16),
        (
            "merged_frames",
            "Two frames that lost the zero byte between them are one bad frame.",
            [second[:-1] + third],
            32,
        ),
        ("cut_into_next", "A frame that runs into the next takes it along.", [second[:15] + third], 32),
        ("overlong", "A frame longer than any may be is given up without being kept.", [b"\xff" * 4200 + b"\0"], 16),
    ]
    out = []
    for name, law, pieces, lost in cases:
        stream = _opened(name, law).good("Samples", 1, **samples(0))
        if name == "garbage":
            stream.bad("crc", pieces[0]).good("Samples", 2, **samples(16))
            out.append(stream.expect(seen=32, lost=0))
            continue
        for piece in pieces:
            stream.bad("overlong" if name == "overlong" else "crc", piece)
        after = 16 + lost
        out.append(stream.good("Samples", 2 + lost // 16, **samples(after)).expect(seen=32, lost=lost))
    return out


def _numbered() -> list[Stream]:
    first = frame("Samples", 1, **samples(0))
    second = frame("Samples", 2, **samples(16))
    return [
        _opened("wrapped_index", "The index goes on through 2**32.", index=WRAP - 32)
        .good("Samples", 1, **samples(WRAP - 32))
        .good("Samples", 2, **samples(WRAP - 16))
        .good("Samples", 3, **samples(WRAP))
        .expect(seen=48, lost=0),
        _opened("wrapped_index_in_gap", "A loss is counted across the wrap of the index.", index=WRAP - 24)
        .good("Samples", 1, **samples(WRAP - 24))
        .good("Samples", 3, **samples(WRAP + 8))
        .expect(seen=32, lost=16),
        _opened("gap", "Missing frames are missing scans.")
        .good("Samples", 1, **samples(0))
        .good("Samples", 5, **samples(64))
        .expect(seen=32, lost=48),
        _opened("gap_at_start", "Scans between the Hello and the first frame are counted.")
        .good("Samples", 3, **samples(32))
        .expect(seen=16, lost=32),
        _opened("wrapped_sequence", "The sequence goes on through 65536, with and without a loss.", seq=65533)
        .good("Samples", 65534, **samples(0))
        .good("Samples", 65535, **samples(16))
        .good("Samples", 0, **samples(32))
        .good("Samples", 1, **samples(48))
        .expect(seen=64, lost=0),
        _opened("wrapped_sequence_in_gap", "A loss is counted across the wrap of the sequence.", seq=65534)
        .good("Samples", 65535, **samples(0))
        .good("Samples", 2, **samples(48))
        .expect(seen=32, lost=32),
        _opened("repeated_frame", "A frame that comes twice counts once.")
        .good("Samples", 1, **samples(0))
        .bad("sequence", first)
        .good("Samples", 2, **samples(16))
        .expect(seen=32, lost=0),
        _opened("repeated_chunk", "Frames that come twice count once.")
        .good("Samples", 1, **samples(0))
        .good("Samples", 2, **samples(16))
        .bad("sequence", first)
        .bad("sequence", second)
        .good("Samples", 3, **samples(32))
        .expect(seen=48, lost=0),
        _opened("long_loss", "After a loss of over 1024 frames two that continue each other open the stream again.")
        .good("Samples", 1, **samples(0))
        .bad("sequence", frame("Samples", 1502, **samples(24000)))
        .good("Samples", 1503, **samples(24016))
        .expect(seen=32, lost=24000),
        _opened("loss_at_limit", "A loss of 1024 frames is an ordinary gap.")
        .good("Samples", 1, **samples(0))
        .good("Samples", 1026, **samples(16400))
        .expect(seen=32, lost=16384),
        _opened("lone_jump", "A frame far ahead that nothing continues changes nothing.")
        .good("Samples", 1, **samples(0))
        .bad("sequence", frame("Samples", 1502, **samples(24000)))
        .good("Samples", 2, **samples(16))
        .expect(seen=32, lost=0),
    ]


def _indexed() -> list[Stream]:
    def pair(name: str, law: str) -> Stream:
        return _opened(name, law).good("Samples", 1, **samples(0))

    return [
        pair("index_backwards", "The index never runs backwards.")
        .bad("index", frame("Samples", 2, **samples(8)))
        .good("Samples", 3, **samples(32))
        .expect(seen=32, lost=16),
        pair("index_jump", "Without a missing frame the index may not jump.")
        .bad("index", frame("Samples", 2, **samples(24)))
        .good("Samples", 3, **samples(32))
        .expect(seen=32, lost=16),
        pair("index_jump_at_limit", "One missing frame explains 121 scans.")
        .good("Samples", 3, **samples(137))
        .expect(seen=32, lost=121),
        pair("index_jump_over_limit", "One missing frame does not explain 122; a frame that continues it does.")
        .bad("index", frame("Samples", 3, **samples(138)))
        .good("Samples", 4, **samples(154))
        .expect(seen=32, lost=138),
        pair("overruns", "Scans that the board could not send are lost scans without a missing frame.")
        .good("Samples", 2, **samples(26, overruns=10))
        .good("Samples", 3, **samples(42, overruns=10))
        .expect(seen=48, lost=10),
        pair("overruns_unexplained", "More overruns than the index advanced cannot be.")
        .bad("index", frame("Samples", 2, **samples(16, overruns=5)))
        .good("Samples", 3, **samples(32))
        .expect(seen=32, lost=16),
        pair("overruns_in_gap", "Overruns add to what the missing frames can explain.")
        .good("Samples", 3, **samples(142, overruns=5))
        .expect(seen=32, lost=126),
        _opened(
            "wrapped_overruns",
            "Overruns count modulo 65536; of a run that was joined late they start anywhere.",
            index=100_000,
        )
        .good("Samples", 1, **samples(100_000, overruns=65530))
        .good("Samples", 2, **samples(100_026, overruns=4))
        .expect(seen=32, lost=10),
        pair("gap_before_hello", "A Hello after a loss does not hide it from the next samples.")
        .good("Hello", 3, **hello(index=32))
        .good("Samples", 4, **samples(32))
        .expect(seen=32, lost=16),
        pair("gap_before_mark", "A Mark after a loss does not hide it from the next samples.")
        .good("Mark", 3, **mark(32))
        .good("Samples", 4, **samples(32))
        .expect(seen=32, lost=16),
        pair("gap_before_answer", "An Answer after a loss does not hide it from the next samples.")
        .good("Answer", 3, **answer())
        .good("Samples", 4, **samples(32))
        .expect(seen=32, lost=16),
    ]


def _shaped() -> list[Stream]:
    ids = {name: record["id"] for name, record in SPEC.items()}
    short_hello = framed(ids["Hello"], 0, body_of("Hello", hello())[:-1])
    odd = framed(ids["Samples"], 1, body_of("Samples", samples(0)) + b"\1")
    none = framed(ids["Samples"], 1, body_of("Samples", samples(0, scans=0)))
    three = framed(ids["Samples"], 1, body_of("Samples", {"index": 0, "overruns": 0, "counts": [1, 2, 3]}))
    long_mark = framed(ids["Mark"], 1, body_of("Mark", mark(0)) + b"\1")
    return [
        Stream("hello_too_short", "A record of fixed size has that size.")
        .bad("length", short_hello)
        .good("Hello", 1, **hello())
        .good("Samples", 2, **samples(0))
        .expect(seen=16, lost=0),
        Stream("hello_without_channels", "A Hello that announces what cannot be is no Hello.")
        .bad("length", frame("Hello", 0, **hello(channels=0)))
        .bad("unannounced", frame("Samples", 1, **samples(0)))
        .expect(seen=0, lost=0),
        _opened("samples_odd_length", "Counts have two bytes.")
        .bad("length", odd)
        .good("Samples", 2, **samples(16))
        .expect(seen=16, lost=16),
        _opened("samples_empty", "A frame of samples holds at least one scan.")
        .bad("length", none)
        .good("Samples", 2, **samples(0))
        .expect(seen=16, lost=0),
        _opened("samples_half_a_scan", "A frame of samples holds whole scans.", channels=2)
        .bad("length", three)
        .good("Samples", 2, **samples(2, scans=8, channels=2))
        .expect(seen=8, lost=2),
        _opened("mark_too_long", "A record of fixed size has that size.")
        .bad("length", long_mark)
        .good("Samples", 2, **samples(0))
        .expect(seen=16, lost=0),
        _opened("unknown_type", "A type that wire.toml does not know is rejected, whatever its range.")
        .bad("type", framed(0x1E, 1, b"abc"))
        .bad("type", framed(0x9E, 9, b""))
        .bad("type", framed(0xF0, 2, b""))
        .good("Samples", 2, **samples(0))
        .expect(seen=16, lost=0),
    ]


def _epochs() -> list[Stream]:
    def ran(name: str, law: str, **changes: Any) -> Stream:
        stream = _opened(name, law, **changes)
        return stream.good("Samples", 1, **samples(0)).good("Samples", 2, **samples(16))

    def again(name: str, law: str, seq: int = 40000, start: dict[str, Any] | None = None, **changes: Any) -> Stream:
        stream = ran(name, law, **(start or {})).good("Hello", seq, **hello(**changes))
        return stream.good("Samples", seq + 1, **samples(0)).expect(seen=48, lost=0)

    return [
        ran("hello_repeated", "The Hello of every few seconds changes nothing.")
        .good("Hello", 3, **hello(index=32))
        .good("Samples", 4, **samples(32))
        .expect(seen=48, lost=0),
        ran("hello_twice", "A Hello that comes twice counts once.")
        .good("Hello", 3, **hello(index=32))
        .bad("sequence", frame("Hello", 3, **hello(index=32)))
        .good("Samples", 4, **samples(32))
        .expect(seen=48, lost=0),
        again("next_run", "A later run starts a new epoch, whatever its sequence.", run_count=2),
        again("next_boot", "A later boot starts a new epoch.", boot_count=8),
        again("wrapped_boot", "Boots count modulo 65536.", start={"boot_count": 65535}, boot_count=0),
        again("other_device", "Another device starts a new epoch.", device_id=5, boot_count=1),
        ran("earlier_run", "A Hello from an earlier run is an echo.", run_count=5)
        .bad("sequence", frame("Hello", 40000, **hello(run_count=4)))
        .good("Samples", 3, **samples(32))
        .expect(seen=48, lost=0),
    ]


def _host() -> list[Stream]:
    clock = {"boottime_ns": 10**15 + 7, "monotonic_ns": -1, "utc_ms": 1_700_000_000_000, "offset_s": -12600}
    session = {"json": {"recording": "r1", "segment": 0, "worn": [{"muscle": "biceps", "side": "left"}]}}
    spoilt = frame("Clock", 2, **clock)
    board = {"hello": body_of("Hello", hello(index=4800)).hex()}
    long_values = [math.pi * (i + 1) for i in range(120)]  # blocks of 254 bytes without a zero byte
    opening = {
        "rate_num": 2048,
        "rate_den": 1,
        "channels": 2,
        "in_uV": 1,
        "rails": [-3000.0, 3000.5, math.nan, math.nan],
    }
    return [
        Stream("notes", "The host's own frames stand anywhere and share no sequence with the board's.")
        .silent(b"\0")
        .good("Session", 0, **session)
        .good("Port", 1, opened=1, name="/dev/ttyUSB0 (é)")
        .good("Hello", 0, **hello())
        .good("Samples", 1, **samples(0))
        .silent(b"\0")
        .good("Clock", 1, **clock)
        .silent(b"\0")
        .bad("crc", spoilt[:5] + bytes((spoilt[5] ^ 1 or 2,)) + spoilt[6:])
        .good("Note", 9, json={"kind": "mark", "text": "ärm"})
        .good("Change", 10, json={"gain_milli": 2_000_000})
        .good("Samples", 2, **samples(16))
        .expect(seen=32, lost=0),
        Stream("note_into_cut_frame", "A note's own zero byte saves it from a frame that was cut off before it.")
        .good("Hello", 0, **hello())
        .bad("crc", frame("Samples", 1, **samples(0))[:20] + b"\0")
        .good("Clock", 1, **clock)
        .good("Samples", 2, **samples(16))
        .expect(seen=16, lost=16),
        Stream("segment_alone", "A segment's Board note announces what its samples are; what came before is not lost.")
        .good("Session", 0, **session)
        .good("Board", 1, **board)
        .good("Samples", 900, **samples(5000))
        .good("Samples", 901, **samples(5016))
        .expect(seen=32, lost=0),
        Stream("import", "Imported values come through bit for bit, in frames longer than a board's; NaN is a value.")
        .good("Import", 0, **opening)
        .good("ImportSamples", 1, index=0, values=[0.1, -2.5e-310, math.nan, 8388607.0])
        .good("ImportSamples", 2, index=2, values=long_values)
        .expect(seen=62, lost=0),
    ]


def streams() -> list[Stream]:
    """All streams, in the order of the file."""
    return [*_whole(), *_damaged(), *_numbered(), *_indexed(), *_shaped(), *_epochs(), *_host()]
