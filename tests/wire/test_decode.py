"""Laws of the decoder: it never raises, does not care about cuts, loses what is damaged and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.false_accepts import MODELS, Figures, measure
from emgtwitch.wire.decode import Decoder, Run, WrongVersion
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.records import Answer, Board, Clock, Import, ImportSamples, Mark, Note, Port, Session
from emgtwitch.wire.state import MAX_ENCODED
from tests.wire.oracle import HELLO, SCANS, Oracle, cut, decoded, hello, made, samples

# The same examples each time: one damaged frame in 65536 has a right CRC, and no law holds for it.
laws = settings(max_examples=150, deadline=None, derandomize=True)

FRAMES = [
    hello(0),
    hello(5, boot_count=2),
    hello(9, run_count=2, channels=2, index=160),
    hello(1, wire_version=2),
    hello(3, device_id=0, boot_count=0, run_count=0, channels=3),
    *samples(0, 1, 4),
    *samples(64, 5, 3, 2),
    *samples(32 * 1100, 2000, 3),
    *samples(0xFFFFFFF0, 0xFFFF, 2),
    frame(Import(1000, 1, 2, 1, (0.0, 1.0, float("nan"), 2.0)), 0),
    frame(ImportSamples(0, (1.0, float("nan"), float("inf"), -0.0)), 1),
    frame(Mark(40, 1, 255), 3),
    frame(Answer(0x41, 1, 0, 0), 6),
    note(Port(1, "ttyUSB0"), 0),
    note(Board(HELLO.pack()), 1),
    note(Board(replace(HELLO, wire_version=9, rate_den=0).pack()), 1),
    note(Clock(1, 2, 3, 4), 2),
    note(Note({"kind": "felt"}), 3),
    note(Session({"settings": {}}), 4),
    b"\xff" * 300 + b"\0",
    b"\xff" * 5000,
    b"\0\0",
]
STREAMS = st.lists(st.one_of(st.sampled_from(FRAMES), st.binary(max_size=80)), max_size=25).map(b"".join)
CUTS = st.lists(st.integers(0, 1 << 20), max_size=12)


@laws
@given(STREAMS, st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=6), CUTS)
def test_whatever_the_bytes_and_cuts_it_finds_what_a_naive_decoder_finds(
    data: bytes, errors: list[tuple[int, int]], cuts: list[int]
) -> None:
    damaged = bytearray(data)
    for place, value in errors if data else []:
        damaged[place % len(data)] = value
    oracle = Oracle().decode(bytes(damaged))
    found, (seen, lost, accepted, rejected) = decoded(cut(bytes(damaged), cuts))
    assert found == oracle.out
    assert (seen, lost, accepted) == (oracle.seen, oracle.lost, oracle.accepted)
    open_overlong = {key: n for key, n in rejected.items() if key != "overlong"}  # one may still be open at the end
    assert open_overlong == {key: n for key, n in oracle.rejected.items() if key != "overlong"}
    assert 0 <= rejected["overlong"] - oracle.rejected["overlong"] <= 1


@settings(laws, max_examples=30)
@given(STREAMS)
def test_byte_by_byte_it_finds_the_same(data: bytes) -> None:
    assert decoded([data[i : i + 1] for i in range(len(data))]) == decoded([data])


@settings(laws, max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=3000), st.integers(1, 255).map(lambda b: bytes([b]) * 6000)), max_size=8))
def test_it_keeps_no_more_than_the_longest_frame(pieces: list[bytes]) -> None:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
        assert decoder._rest.size <= MAX_ENCODED


def byte_errors(rng: random.Random, data: bytes) -> bytes:
    return bytes(rng.randrange(256) if rng.random() < 1e-3 else byte for byte in data)


def dropped_chunk(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(2000) :]


def repeated_chunk(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    stop = at + rng.randrange(2000)
    return data[:stop] + data[at:stop] + data[stop:]


def swapped_chunks(rng: random.Random, data: bytes) -> bytes:
    a, b, c = sorted(rng.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def inserted_garbage(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randrange(1, 300)) + data[at:]


Damage = Callable[[random.Random, bytes], bytes]
DAMAGES: list[Damage] = [byte_errors, dropped_chunk, repeated_chunk, swapped_chunks, inserted_garbage]


@settings(laws, max_examples=60)
@given(
    st.integers(0, 1 << 30),
    st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=4),
    st.sampled_from([(0, 1), (0xFFFFFF00, 0xFFF0)]),
    st.integers(1, 3),
)
def test_accepted_samples_are_those_made_and_the_others_are_counted(
    seed: int, damages: list[Damage], start: tuple[int, int], channels: int
) -> None:
    rng = random.Random(seed)
    index, seq = start
    head = hello(seq - 1, channels=channels, index=index)
    data = b"".join(samples(index, seq, 300, channels))
    for damage in damages:
        data = damage(rng, data)
    decoder = Decoder()
    runs = [item for item in decoder.feed(head + data) if isinstance(item, Run)]
    indices = np.concatenate([np.arange(run.index, run.index + len(run.counts)) for run in runs])
    counts = np.concatenate([run.counts for run in runs])
    assert np.array_equal(counts, made(indices, channels))
    assert np.all(np.diff(indices) > 0)
    assert decoder.seen == len(indices)
    assert decoder.seen + decoder.lost == indices[-1] + 1 - index


def test_at_one_wrong_byte_in_a_thousand_only_damaged_frames_are_lost() -> None:
    rng = random.Random(5)
    frames = samples(0, 1, 3000)
    sent = [byte_errors(rng, piece) for piece in frames]
    decoder = Decoder()
    decoder.feed(hello() + b"".join(sent))
    whole = sum(a == b for a, b in zip(frames, sent, strict=True))
    # A frame whose closing zero byte is damaged takes the next one along.
    joined = sum(a[-1:] != b[-1:] for a, b in zip(frames, sent, strict=True))
    assert whole - joined <= decoder.seen / SCANS <= whole
    assert decoder.seen + decoder.lost == 3000 * SCANS


@settings(laws, max_examples=60)
@given(st.integers(1, 150_000), st.integers(0, 20), st.booleans())
def test_after_an_outage_of_any_length_at_most_one_good_frame_is_lost(missing: int, seq: int, button: bool) -> None:
    before = samples(0, seq + 1, 10)
    after = samples((10 + missing) * SCANS, seq + 11 + missing, 3)
    if button:
        mark = frame(Mark((11 + missing) * SCANS, 1, 255), (seq + 12 + missing) & 0xFFFF)
        after = [after[0], mark, *samples((11 + missing) * SCANS, seq + 13 + missing, 2)]
    decoder = Decoder()
    decoder.feed(hello(seq) + b"".join(before + after))
    assert decoder.seen in ((13 * SCANS,) if missing <= 1024 else (12 * SCANS, 13 * SCANS))
    assert decoder.seen + decoder.lost == (13 + missing) * SCANS


@settings(laws, max_examples=40)
@given(st.integers(0, 90), st.integers(1, 40))
def test_a_chunk_that_comes_twice_contributes_nothing(at: int, length: int) -> None:
    frames = [hello(0), *samples(0, 1, 50), frame(Mark(800, 1, 255), 51), hello(52, index=800), *samples(800, 53, 50)]
    repeated = frames[: at + length] + frames[at : at + length] + frames[at + length :]
    assert decoded([b"".join(repeated)])[0] == decoded([b"".join(frames)])[0]


@settings(laws, max_examples=40)
@given(st.lists(st.integers(0, 30), max_size=6))
def test_notes_between_frames_disturb_nothing(places: list[int]) -> None:
    frames = [hello(0), *samples(0, 1, 30)]
    notes = [note(record, 0) for record in (Note({"kind": "felt"}), Clock(1, 2, 3, 4), Session({}), Port(1, "tty"))]
    mixed = list(frames)
    for n, place in enumerate(sorted(places, reverse=True)):
        mixed.insert(1 + place, notes[n % len(notes)])
    plain, with_notes = decoded([b"".join(frames)])[0], decoded([b"".join(mixed)])[0]
    assert [row for row in with_notes if row[0] in ("scan", 1)] == plain
    assert len(with_notes) == len(plain) + len(places)


@settings(laws, max_examples=60)
@given(st.integers(1, 1300))
def test_a_note_within_a_frame_costs_that_frame_and_is_heard(place: int) -> None:
    data = hello(0) + b"".join(samples(0, 1, 30))
    decoder = Decoder()
    found = decoder.feed(data[:place] + note(Note({"kind": "felt"}), 0) + data[place:])
    assert sum(not isinstance(item, Run) for item in found) == (2 if place >= len(hello(0)) - 1 else 1)
    assert decoder.seen in ((29 * SCANS, 30 * SCANS) if place >= len(hello(0)) - 1 else (0,))


def test_a_file_cut_anywhere_loses_at_most_its_last_frame() -> None:
    frames = [hello(0), note(Session({"a": 1}), 0), *samples(0, 1, 20, 2), note(Clock(1, 2, 3, 4), 1)]
    frames[0] = hello(0, channels=2)
    data = b"".join(frames)
    ends = np.cumsum([len(piece) for piece in frames])
    for at in range(len(data) + 1):
        decoder = Decoder()
        decoder.feed(data[:at])
        assert decoder.accepted == int(np.sum(ends <= at))
        assert sum(decoder.rejected.values()) == 0


def test_a_second_recording_may_follow_a_cut_anywhere() -> None:
    data = hello(0) + b"".join(samples(0, 1, 3))
    more = note(Session({}), 0) + hello(0, boot_count=2) + b"".join(samples(0, 1, 3))
    for at in range(len(hello(0)), len(data)):
        assert decoded([data[:at] + more])[0][-3 * SCANS :] == decoded([more])[0][-3 * SCANS :]


@pytest.mark.parametrize("later", [{"run_count": 2}, {"boot_count": 2, "run_count": 0}, {"device_id": 8}])
@settings(laws, max_examples=20)
@given(seq=st.integers(0, 0xFFFF))
def test_a_new_epoch_begins_whatever_its_sequence(later: dict[str, int], seq: int) -> None:
    data = hello(0) + b"".join(samples(0, 1, 5)) + hello(seq, **later) + b"".join(samples(0, seq + 1, 5))
    decoder = Decoder()
    found = decoder.feed(data)
    assert [item.index for item in found if isinstance(item, Run)] == [0, 0]
    assert (decoder.seen, decoder.lost) == (10 * SCANS, 0)


def test_a_board_exchanged_between_two_port_notes_may_count_its_boots_anew() -> None:
    old, new = hello(0, boot_count=9), hello(0, boot_count=1)
    stream = [old, *samples(0, 1, 2), new, *samples(0, 1, 2)]
    decoder = Decoder()
    decoder.feed(b"".join(stream))
    assert (decoder.seen, decoder.rejected["sequence"]) == (2 * SCANS, 3)
    decoder = Decoder()
    decoder.feed(b"".join([*stream[:3], note(Port(0, "tty"), 0), note(Port(1, "tty"), 1), *stream[3:]]))
    assert decoder.seen == 4 * SCANS


def test_another_wire_version_is_told_at_once_where_nothing_else_streams() -> None:
    assert Decoder().feed(hello(0, wire_version=3)) == [WrongVersion(3)]
    assert Decoder().feed(note(Board(replace(HELLO, wire_version=4).pack()), 0)) == [WrongVersion(4)]


def test_amid_good_samples_a_lone_hello_of_another_version_is_damage() -> None:
    other = hello(20, wire_version=3)
    stream = [hello(0), *samples(0, 1, 2), other, *samples(32, 3, 2), other]
    assert WrongVersion(3) not in Decoder().feed(b"".join(stream))
    assert Decoder().feed(b"".join([*stream, other]))[-1] == WrongVersion(3)
    reopened = Decoder().feed(b"".join([*stream[:3], note(Port(1, "tty"), 0), other]))
    assert reopened[-1] == WrongVersion(3)


def test_samples_of_a_board_and_of_a_file_are_not_taken_for_each_other() -> None:
    board = samples(0, 1, 2)
    imported = [frame(Import(1000, 1, 1, 1, (0.0, 1.0)), 0), frame(ImportSamples(0, (1.5, 2.5)), 1)]
    assert decoded([b"".join([imported[0], *board])])[1][0] == 0
    assert decoded([b"".join([hello(0), imported[1]])])[1][0] == 0
    assert decoded([b"".join(imported)])[1][0] == 2


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return {model: measure(model, 1 << 20, 10_000, seed=1) for model in MODELS}


@pytest.mark.parametrize("model", list(MODELS))
def test_of_damaged_frames_one_in_65536_has_a_right_crc(model: str, figures: dict[str, Figures]) -> None:
    found = figures[model]
    print(found)
    expected = found.frames / 65536
    assert abs(found.right_crc - expected) < 4 * expected**0.5


def test_of_garbage_with_a_right_crc_the_other_checks_leave_nearly_nothing(figures: dict[str, Figures]) -> None:
    assert figures["garbage"].passed_rest / figures["garbage"].tried_rest < 1 / 1000
    # Nothing but the CRC protects the counts themselves, three quarters of a frame.
    assert figures["bytes"].passed_rest / figures["bytes"].tried_rest < 0.5
