"""Laws of the encoder: what it writes is COBS and CRC as others know them, and reads back bit for bit."""

from __future__ import annotations

import binascii

import numpy as np
import pytest
from cobs import cobs as peer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emgtwitch.wire import records  # a class named Test... in this module would be taken for tests
from emgtwitch.wire.bulk import encode_samples, encode_values
from emgtwitch.wire.decode import Decoder, Frame, Run
from emgtwitch.wire.encode import cobs, frame, note
from emgtwitch.wire.records import (
    MAX_BOARD_FRAME,
    MAX_FRAME,
    Answer,
    AskHello,
    Change,
    Clock,
    Import,
    ImportSamples,
    Mark,
    Note,
    Port,
    Record,
    ResetCounters,
    Samples,
    Session,
    SetRate,
    Start,
    Stop,
    WriteIdentity,
)
from tests.wire.oracle import HELLO, hello

laws = settings(max_examples=100, deadline=None, derandomize=True)
U8, U16, U32, U64 = (st.integers(0, 2**n - 1) for n in (8, 16, 32, 64))
I64, I32 = (st.integers(-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (64, 32))
BODIES = st.one_of(st.binary(max_size=600), st.integers(250, 260).map(lambda n: b"\7" * n))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
OBJECTS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.booleans(), st.none()), max_size=4)


@laws
@given(BODIES)
@example(b"")
@example(b"\0")
@example(b"\1" * 253)
@example(b"\1" * 254)
@example(b"\1" * 255)
@example(b"\1" * 254 + b"\0")
@example(b"\0" + b"\1" * 254)
@example(b"\1" * 508)
@example(b"\1" * 254 + b"\0" + b"\1" * 254)
def test_stuffing_is_that_of_another_implementation(data: bytes) -> None:
    assert cobs(data) == peer.encode(data)


@laws
@given(
    st.one_of(
        st.builds(AskHello),
        st.builds(Start),
        st.builds(Stop),
        st.builds(ResetCounters),
        st.builds(SetRate, U16, U8, U8),
        st.builds(records.TestSignal, U8),
        st.builds(WriteIdentity, U64, U32),
        st.builds(Session, OBJECTS),
        st.builds(Clock, I64, I64, I64, I32),
        st.builds(Note, OBJECTS),
        st.builds(Change, OBJECTS),
        st.builds(Port, st.integers(0, 1), TEXTS),
    ),
    U16,
)
def test_any_record_reads_back_as_it_was(record: Record, seq: int) -> None:
    assert Decoder().feed(note(record, seq)) == [Frame(record, seq)]


@laws
@given(U16, U8, U16, U8, U32)
def test_what_a_board_says_beside_samples_reads_back_as_it_was(
    seq: int, request: int, request_seq: int, status: int, value: int
) -> None:
    said: list[Record] = [Answer(request, request_seq, status, value), Mark(0, status, request)]
    data = hello(seq) + b"".join(frame(record, (seq + 1 + n) & 0xFFFF) for n, record in enumerate(said))
    found = Decoder().feed(data)
    assert [item.record for item in found if isinstance(item, Frame)] == [HELLO, *said]


@laws
@given(st.data(), st.integers(1, 8), U32, U16, U16)
def test_samples_read_back_whatever_the_frame_length(
    data: st.DataObject, channels: int, index: int, seq: int, overruns: int
) -> None:
    per_frame = data.draw(st.integers(1, 121 // channels))
    n = data.draw(st.integers(0, 3 * per_frame))
    seed = data.draw(st.integers(0, 1 << 20))
    rng = np.random.default_rng(seed)
    counts = rng.choice(np.array([0, 1, 255, 256, 65535], dtype=np.uint16), (n, channels))
    stream, after = encode_samples(counts, index, seq, overruns, per_frame)
    pieces = stream.split(b"\0")[:-1]
    assert len(pieces) == -(-n // per_frame) == (after - seq) & 0xFFFF
    for k, piece in enumerate(pieces):
        part = counts[k * per_frame : (k + 1) * per_frame].reshape(-1).tolist()
        record = Samples((index + k * per_frame) & 0xFFFFFFFF, overruns, tuple(part))
        assert piece + b"\0" == frame(record, (seq + k) & 0xFFFF)
        raw = peer.decode(piece)
        assert len(raw) <= MAX_BOARD_FRAME
        assert binascii.crc_hqx(raw[:-2], 0xFFFF) == int.from_bytes(raw[-2:], "little")
    decoder = Decoder()
    head = hello((seq - 1) & 0xFFFF, channels=channels, index=index)
    runs = [item for item in decoder.feed(head + stream) if isinstance(item, Run)]
    assert np.array_equal(np.concatenate([run.counts for run in runs] or [np.empty((0, channels))]), counts)
    assert sum(decoder.rejected.values()) == 0 or overruns  # more overruns than scans missing cannot be


@pytest.mark.parametrize("scans", range(118, 122))
def test_frames_at_the_edge_of_a_block_of_254_bytes_read_back(scans: int) -> None:
    counts = np.full((2 * scans, 1), 0x0101, dtype=np.uint16)
    stream, _ = encode_samples(counts, 0x01010101, 0x0101, 0x0101, scans)
    decoder = Decoder()
    runs = [item for item in decoder.feed(hello(0x0100, index=0x01010101) + stream) if isinstance(item, Run)]
    assert [(run.index, len(run.counts)) for run in runs] == [(0x01010101, 2 * scans)]


def test_a_frame_that_no_board_may_send_is_refused() -> None:
    with pytest.raises(ValueError, match="122 scans of 1 channels do not fit a frame of 254 bytes"):
        encode_samples(np.zeros((122, 1), dtype=np.uint16), 0, 0, 0, 122)
    with pytest.raises(ValueError, match="longer than the 4096 allowed"):
        frame(Note({"kind": "x" * MAX_FRAME}), 0)


@laws
@given(st.integers(1, 64), st.integers(0, 1500), st.integers(0, 1 << 30), U16, st.integers(0, 1 << 20))
def test_imported_values_read_back_bit_for_bit(channels: int, n: int, index: int, seq: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n //= channels
    values = rng.integers(0, 1 << 64, (n, channels), dtype=np.uint64).view(np.float64)  # with every kind of NaN
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, np.finfo(float).max])
    values = np.where(rng.random(values.shape) < 0.3, rng.choice(special, values.shape), values)
    values.view(np.uint64)[rng.random(values.shape) < 0.1] = 0x7FF00000DEADBEEF  # a signalling NaN with a payload
    stream, after = encode_values(values, index, seq)
    opening = Import(1000, 1, channels, 1, (0.0, 1.0) * channels)
    decoder = Decoder()
    found = decoder.feed(frame(opening, (seq - 1) & 0xFFFF) + stream)
    runs = [item for item in found if isinstance(item, Run)]
    assert (after - seq) & 0xFFFF == decoder.accepted - 1
    got = np.concatenate([run.counts for run in runs] or [np.empty((0, channels))])
    assert np.array_equal(got.view(np.uint64), values.view(np.uint64))
    for piece in stream.split(b"\0")[:-1]:
        assert len(peer.decode(piece)) <= MAX_FRAME


@laws
@given(st.lists(st.tuples(st.integers(1, 1200), st.integers(0, 100_000)), min_size=1, max_size=12))
def test_a_hole_of_an_imported_file_costs_nothing_of_what_comes_after(blocks: list[tuple[int, int]]) -> None:
    """Foreign files tell their holes by the index, without a missing frame."""
    stream = frame(Import(1000, 1, 1, 1, (0.0, 1.0)), 0)
    index, seq, told = 0, 1, []
    for n, hole in blocks:
        data, seq = encode_values(np.arange(index, index + n, dtype=np.float64)[:, None], index, seq)
        stream += data
        told += list(range(index, index + n))
        index += n + hole
    decoder = Decoder()
    runs = [item for item in decoder.feed(stream) if isinstance(item, Run)]
    assert np.concatenate([run.counts[:, 0] for run in runs]).tolist() == told
    assert [run.index for run in runs] == [run.counts[0, 0] for run in runs]
    assert decoder.seen + decoder.lost == index - blocks[-1][1]


@laws
@given(U32, st.lists(st.floats(), max_size=20).map(tuple), U16)
def test_one_frame_of_imported_values_equals_the_bulk_encoders(index: int, values: tuple[float, ...], seq: int) -> None:
    bulk, _ = encode_values(np.array(values)[:, None], index, seq)
    assert bulk == (frame(ImportSamples(index, values), seq) if values else b"")
