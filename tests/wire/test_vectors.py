"""The shared vectors hold for the decoder and the encoder; the generated files agree with wire.toml."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.wire.decode import Decoded, Decoder, Frame, Run, WrongVersion
from emgtwitch.wire.encode import cobs, frame
from emgtwitch.wire.records import RECORDS

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "firmware/protocol/vectors.json").read_text())
STREAMS = pytest.mark.parametrize("vector", VECTORS["streams"], ids=lambda v: v["name"])
BY_NAME: dict[str, Any] = {record.__name__: record for record in RECORDS.values()}
SAMPLES = {"Samples": "counts", "ImportSamples": "values"}

Vector = dict[str, Any]
Flat = list[tuple[Any, ...]]


def channels_of(records: list[Vector]) -> Iterator[tuple[Vector, int]]:
    """Each expected record with the channels announced before it."""
    channels = 0
    for record in records:
        if record["type"] == "Board":
            channels = BY_NAME["Hello"].unpack(bytes.fromhex(record["fields"]["hello"])).channels
        channels = record["fields"].get("channels", channels)
        yield record, channels


def expected(vector: Vector) -> Flat:
    """One row a scan, (index, values), and one a record; so it does not matter where runs are cut."""
    out: Flat = []
    for record, channels in channels_of(vector["records"]):
        fields = record["fields"]
        if record["type"] not in SAMPLES:
            out.append((record["type"], record["seq"], fields))
            continue
        values = [None if v is None else float(v) for v in fields[SAMPLES[record["type"]]]]
        for k in range(len(values) // channels):
            out.append(("scan", (fields["index"] + k) % 2**32, tuple(values[k * channels : (k + 1) * channels])))
    return out


def plain(value: Any) -> Any:
    """A field as JSON holds it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def flat(decoded: list[Decoded]) -> Flat:
    """What `expected` gives, of what the decoder gave."""
    out: Flat = []
    for item in decoded:
        if isinstance(item, Run):
            for k, scan in enumerate(item.counts.tolist()):
                out.append(("scan", (item.index + k) % 2**32, tuple(plain(v) for v in scan)))
        elif isinstance(item, WrongVersion):
            out.append(("WrongVersion", None, {"wire_version": item.wire_version}))
        elif isinstance(item, Frame):
            record = item.record
            out.append((type(record).__name__, item.seq, {k: plain(getattr(record, k)) for k in record.__slots__}))
    return out


def check(vector: Vector, pieces: list[bytes]) -> None:
    decoder = Decoder()
    found = flat([item for piece in pieces for item in decoder.feed(piece)])
    assert found == expected(vector), vector["law"]
    assert {k: n for k, n in decoder.rejected.items() if n} == vector["rejected"], vector["law"]
    assert (decoder.seen, decoder.lost) == (vector["scans_seen"], vector["scans_lost"]), vector["law"]


@STREAMS
def test_a_decoder_makes_of_the_stream_what_the_vector_states(vector: Vector) -> None:
    check(vector, [bytes.fromhex(vector["bytes"])])


@STREAMS
@pytest.mark.parametrize("size", [1, 7])
def test_it_makes_the_same_of_it_in_pieces(vector: Vector, size: int) -> None:
    data = bytes.fromhex(vector["bytes"])
    check(vector, [data[i : i + size] for i in range(0, len(data), size)])


@STREAMS
def test_the_encoder_writes_the_bytes_of_every_record_that_the_vector_states(vector: Vector) -> None:
    data = bytes.fromhex(vector["bytes"])
    for record in vector["records"]:
        kind, fields = record["type"], dict(record["fields"])
        if kind in ("WrongVersion", "Import", "ImportSamples", "Session", "Note", "Change"):
            continue  # NaN and JSON have more than one spelling; decoding them is tested above
        if kind == "Board":
            fields["hello"] = bytes.fromhex(fields["hello"])
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        assert frame(BY_NAME[kind](**values), record["seq"]) in data


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda v: v["name"])
def test_the_encoder_stuffs_bytes_as_the_vector_states(vector: Vector) -> None:
    wire = bytes.fromhex(vector["bytes"])
    head = bytes((vector["type"], vector["seq"] & 0xFF, vector["seq"] >> 8)) + bytes.fromhex(vector["body"])
    unstuffed = head + crc_of(head)
    assert cobs(unstuffed) + b"\0" == wire


def crc_of(data: bytes) -> bytes:
    """CRC-16/CCITT-FALSE bit by bit, as the catalogue of parametrised CRC algorithms defines it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc.to_bytes(2, "little")


def test_the_vectors_reject_a_frame_for_every_reason() -> None:
    reasons = {reason for vector in VECTORS["streams"] for reason in vector["rejected"]}
    assert reasons == set(Decoder().rejected)


@pytest.mark.parametrize(
    "command", [["firmware/protocol/generate.py"], ["-m", "firmware.protocol.vectors"]], ids=["generate", "vectors"]
)
def test_generated_files_agree_with_their_source(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--check"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
