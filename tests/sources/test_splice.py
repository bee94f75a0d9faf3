"""The splicer: the board's bytes unchanged and in order, notes only between frames, clocks where they belong."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.sources.clocks import read_clocks
from emgtwitch.sources.splice import Splicer
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.light import MAX_ENCODED, frames
from emgtwitch.wire.records import Clock, Note, Port, Record, Samples, Session
from tests.sources.fake_board import clocks_at

BOARD: list[Record] = [Samples(16 * n, 0, tuple((37 * n + k) % 1024 for k in range(16))) for n in range(12)]
BYTES = b"".join(frame(r, n) for n, r in enumerate(BOARD))
MS = 1_000_000


def clock_note(now_ns: int, seq: int) -> bytes:
    now = clocks_at(now_ns)
    return note(Clock(now.boottime_ns, now.monotonic_ns, now.utc_ms, now.offset_s), seq)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


steps = st.lists(st.tuples(st.integers(0, len(BYTES)), st.integers(0, 2000 * MS)), max_size=40)


@given(data=st.binary(max_size=400) | st.just(BYTES), steps=steps)
def test_without_the_notes_the_stream_is_what_the_board_sent(data: bytes, steps: list[tuple[int, int]]) -> None:
    splicer, now_ns, seq, stream = Splicer(), 0, 0, b""
    for n, chunk in enumerate(cut(data, [c for c, _ in steps])):
        now_ns += steps[n % len(steps)][1] if steps else 0
        out = splicer.board(chunk, clocks_at(now_ns))
        if out.endswith(expected := clock_note(now_ns, seq)):
            out, seq = out.removesuffix(expected), seq + 1
        stream += out
    assert data.startswith(stream)
    assert stream + splicer.note(Port(0, "p")) == data + note(Port(0, "p"), seq)


@given(steps=steps)
def test_notes_stand_between_frames_and_clocks_after_what_had_arrived(steps: list[tuple[int, int]]) -> None:
    splicer, now_ns, stream, arrived = Splicer(), 0, b"", b""
    expected: list[Record] = []  # each frame at the chunk that completes it
    for n, chunk in enumerate(cut(BYTES, [c for c, _ in steps])):
        now_ns += 1 + (steps[n % len(steps)][1] if steps else 0)
        arrived += chunk
        out = splicer.board(chunk, clocks_at(now_ns)) + splicer.note(Note({"kind": "felt", "n": n}))
        stream += out
        expected += frames(arrived)[sum(isinstance(r, Samples) for r in expected) :]
        clocks = [r for r in frames(out) if isinstance(r, Clock)]
        assert [c.monotonic_ns for c in clocks] in ([], [now_ns])
        expected += [*clocks, Note({"kind": "felt", "n": n})]
    assert frames(stream) == expected
    assert [r for r in expected if isinstance(r, Samples)] == BOARD


def test_a_clock_comes_with_the_first_data_after_silence_and_each_second() -> None:
    splicer = Splicer()
    times_ms = [0, 30, 60, 559, 1060, 1090, *range(1120, 3300, 30)]
    marked = [t for t in times_ms if splicer.board(BYTES, clocks_at(t * MS)) != BYTES]
    assert marked == [0, 1060, 2080, 3100]


def test_a_suspend_is_a_silence() -> None:
    splicer = Splicer()
    awake = clocks_at(0)
    splicer.board(BYTES, awake)
    asleep = clocks_at(10 * MS)  # the monotonic clock has stood still for 600 ms
    resumed = type(asleep)(asleep.boottime_ns + 600 * MS, asleep.monotonic_ns, asleep.utc_ms + 200, asleep.offset_s)
    assert [type(r) for r in frames(splicer.board(BYTES, resumed))][-1] is Clock


def test_no_clock_before_a_frame_has_ended() -> None:
    splicer = Splicer()
    assert splicer.board(BYTES[:5], clocks_at(0)) == b""
    first = BYTES.index(0) + 1
    assert splicer.board(BYTES[5:first], clocks_at(7 * MS)) == BYTES[:first] + clock_note(7 * MS, 0)


def test_a_port_note_ends_the_unfinished_frame() -> None:
    splicer = Splicer()
    splicer.board(BYTES + BYTES[:10], clocks_at(0))
    stream = splicer.note(Port(0, "p")) + splicer.note(Port(1, "p")) + splicer.board(BYTES, clocks_at(MS))
    assert [r for r in frames(stream) if isinstance(r, Samples)] == BOARD
    assert isinstance(frames(stream)[-1], Clock)


@given(pieces=st.lists(st.integers(1, 3000), max_size=30))
def test_bytes_without_an_end_are_passed_on_and_not_hoarded(pieces: list[int]) -> None:
    splicer, sent, got = Splicer(), 0, b""
    for n, size in enumerate(pieces):
        sent += size
        got += splicer.board(b"\x55" * size, clocks_at(n))
        assert sent - len(got) <= MAX_ENCODED
    assert got == b"\x55" * len(got)


def test_notes_count_on_through_a_wrap() -> None:
    splicer = Splicer()
    seqs = [int.from_bytes(splicer.note(Session({}))[3:5], "little") for _ in range(65_540)]
    assert splicer.note(Note({"kind": "x"})) == note(Note({"kind": "x"}), 4)
    assert len(seqs) == 65_540


def test_the_system_clocks_agree() -> None:
    first, second = read_clocks(), read_clocks()
    assert second.boottime_ns >= first.boottime_ns
    assert second.monotonic_ns >= first.monotonic_ns
    assert first.boottime_ns >= first.monotonic_ns - 10**9  # it has also counted every suspend
    assert second.utc_ms > 1_600_000_000_000
    assert abs(first.offset_s) <= 14 * 3600


FORGED = [
    note(Session({"settings": {}}), 0),
    note(Note({"kind": "felt"}), 1),
    clock_note(10**12, 2),
    frame(Port(0, "x"), 3),
]


@given(places=st.lists(st.tuples(st.integers(0, len(BOARD)), st.sampled_from(FORGED)), max_size=8), steps=steps)
def test_what_a_board_sends_as_the_hosts_own_is_left_out(
    places: list[tuple[int, bytes]], steps: list[tuple[int, int]]
) -> None:
    sent = [frame(r, n) for n, r in enumerate(BOARD)]
    for at, forged in sorted(places, key=lambda place: -place[0]):
        sent.insert(at, forged)
    splicer, stream = Splicer(), b""
    for chunk in cut(b"".join(sent), [c for c, _ in steps]):
        stream += splicer.board(chunk, clocks_at(0))
    assert [r for r in frames(stream) if not isinstance(r, Clock)] == BOARD
    assert sum(isinstance(r, Clock) for r in frames(stream)) <= 1  # our own
    assert splicer.forged is bool(places)


@pytest.mark.parametrize("forged", FORGED)
def test_nor_is_one_that_only_the_end_of_a_connection_completes(forged: bytes) -> None:
    splicer = Splicer()
    out = splicer.board(forged.strip(b"\0"), clocks_at(0)) + splicer.note(Port(0, "p"))
    assert frames(out) == [Port(0, "p")]
