"""The light frame reader against the encoder and against damage."""

from __future__ import annotations

import binascii

from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.wire.encode import cobs, frame
from emgtwitch.wire.light import MAX_ENCODED, Frame, Reader, frames, split, uncobs
from emgtwitch.wire.records import MAX_FRAME, Answer, AskHello, Clock, Note, Port, Record, Samples, Session

RECORDS: list[Record] = [
    AskHello(),
    Samples(7, 3, tuple(range(100))),
    Answer(0x43, 5, 0, 1000),
    Session({"text": "ä" * 300}),
    Clock(1, 2, 3, -3600),
    Port(1, "/dev/ttyACM0"),
    Samples(0, 0, (0,) * 120),
]
STREAM = b"".join(frame(r, 1000 * n) for n, r in enumerate(RECORDS))


@given(data=st.binary(max_size=1200) | st.just(b"\x01" * 254) | st.just(bytes(600)))
def test_uncobs_undoes_cobs(data: bytes) -> None:
    assert uncobs(cobs(data)) == data


def test_every_record_comes_back_with_its_sequence_number() -> None:
    assert frames(STREAM) == RECORDS
    assert [f.seq for f in split(STREAM)] == [1000 * n for n in range(len(RECORDS))]


def test_only_the_types_asked_for() -> None:
    assert frames(STREAM, {Answer.TYPE}) == [Answer(0x43, 5, 0, 1000)]


@given(sizes=st.lists(st.integers(1, 400)))
def test_the_reader_does_not_depend_on_the_pieces(sizes: list[int]) -> None:
    reader, at = Reader(), 0
    found: list[Frame] = []
    for size in [*sizes, len(STREAM)]:
        found += reader.feed(STREAM[at : at + size])
        at += size
    assert found == split(STREAM)


@given(data=st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    assert isinstance(frames(data + b"\0"), list)
    assert isinstance(Reader().feed(data), list)


@given(at=st.integers(0, len(STREAM) - 1), flip=st.integers(1, 255))
def test_a_damaged_byte_costs_the_frames_it_touches_and_no_other(at: int, flip: int) -> None:
    damaged = STREAM[:at] + bytes([STREAM[at] ^ flip]) + STREAM[at + 1 :]
    intact = [r for r in RECORDS if r in frames(damaged)]
    assert len(RECORDS) - 2 <= len(intact) < len(RECORDS)
    assert frames(damaged) == intact


def test_a_body_of_the_wrong_length_is_a_frame_but_no_record() -> None:
    raw = bytes((Answer.TYPE, 9, 0)) + Answer(0x43, 5, 0, 1000).pack() + b"more"
    data = cobs(raw + binascii.crc_hqx(raw, 0xFFFF).to_bytes(2, "little")) + b"\0"
    assert split(data) == [Frame(Answer.TYPE, 9, raw[3:])]
    assert frames(data) == []


def test_the_reader_hoards_nothing_and_finds_what_follows_noise() -> None:
    reader = Reader()
    for _ in range(50):
        assert reader.feed(b"\x55" * 997) == []
    assert len(reader._tail) <= MAX_ENCODED + 1
    assert reader.feed(b"\0" + STREAM) == split(STREAM)


def test_the_longest_frame_is_read() -> None:
    longest = Note({"kind": "x" * (MAX_FRAME - 5 - len('{"kind":""}'))})
    assert frames(frame(longest, 0)) == [longest]
