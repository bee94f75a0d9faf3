"""Laws of pieces and of what is left of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.store import pieces as cutting
from emgtwitch.store.pieces import Piece, pieces
from emgtwitch.store.rewrite import NEW, Fate, clear_leftovers, left, rewrite
from emgtwitch.store.span import Span
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Clock, Guard, Mark, Note, Port, Record, Samples, Session

GUARD = Guard(1, 60, 2, 1, 0, 900)
RECORDS: list[Record] = [
    Session({"recording_id": "r"}),
    Samples(0, 0, (511, 512, 0)),
    Note({"kind": "felt"}),
    GUARD,
    Mark(3, 1, 255),
    Port(1, "sim"),
    Clock(1, 1, 1000, 0),
]
STREAM = b"".join(note(record, n) if record.TYPE >= 0x80 else frame(record, n) for n, record in enumerate(RECORDS))
CUT = b"\x09cut off"


def kinds(data: bytes) -> list[type]:
    return [type(record) for record in frames(data)]


@given(data=st.lists(st.one_of(st.binary(max_size=60), st.just(STREAM)), max_size=8).map(b"".join), at=st.floats(0, 1))
def test_the_pieces_are_all_bytes_of_all_files_in_order(data: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / "0000.emgw", Path(name) / "0001.emgw"]
        parts = [data[: round(at * len(data))], data[round(at * len(data)) :]]
        for path, part in zip(files, parts, strict=True):
            path.write_bytes(part)
        found = list(pieces(files))
        assert b"".join(told for _, told in found) == data
        for number, part in enumerate(parts):
            own = [(piece, told) for piece, told in found if piece.file == number]
            assert all(part[piece.start : piece.stop] == told for piece, told in own)
            assert all(told.endswith(b"\0") for _, told in own[:-1])


def test_pieces_do_not_depend_on_how_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "0000.emgw"
    path.write_bytes((STREAM + CUT) * 50)
    whole = list(pieces([path]))
    assert sum(piece.clock is not None for piece, _ in whole) == 50
    for block_bytes in (1, 7, 100):
        monkeypatch.setattr(cutting, "BLOCK_BYTES", block_bytes)
        assert list(pieces([path])) == whole


@given(begin=st.sampled_from([b"", STREAM]), garbage=st.binary(max_size=40))
def test_what_is_kept_is_kept_to_the_byte(begin: bytes, garbage: bytes) -> None:
    data = begin + garbage
    assert left(data, Fate.KEEP, set()) == data
    other = Guard(9, 9, 9, 9, 9, 9).pack()
    assert left(data, Fate.KEEP, {other}) == data


def test_a_dropped_piece_loses_samples_and_what_cannot_be_read() -> None:
    assert kinds(left(STREAM, Fate.DROP, set())) == [Session, Note, Guard, Mark, Port, Clock]
    assert left(STREAM[:-3] + CUT + b"\0", Fate.DROP, set()).count(b"cut off") == 0


def test_a_forgotten_piece_loses_what_was_told_and_what_the_board_found() -> None:
    said: set[bytes] = set()
    assert kinds(left(STREAM, Fate.FORGET, said)) == [Session, Port, Clock]
    later = left(STREAM, Fate.KEEP, said)  # the board repeats its report for as long as it has no newer one
    assert kinds(later) == [kind for kind in kinds(STREAM) if kind is not Guard]


def test_a_blanked_piece_keeps_its_scans_without_their_values() -> None:
    blank = frames(left(STREAM, Fate.BLANK, set()))
    assert [r for r in blank if isinstance(r, Samples)] == [Samples(0, 0, (0, 0, 0))]
    assert [type(r) for r in blank] == [Session, Samples, Port, Clock]


@given(fate=st.sampled_from(Fate))
def test_doing_it_twice_is_doing_it_once(fate: Fate) -> None:
    once = left(STREAM + CUT, fate, set())
    assert left(once, fate, set()) == once


def test_a_segment_that_stays_as_it_is_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "s" / "0000.emgw"
    path.parent.mkdir()
    path.write_bytes(STREAM)
    inode = path.stat().st_ino
    piece = Piece(0, 0, len(STREAM), None, False)
    assert rewrite(path, [(piece, Fate.KEEP)], set()) == 0
    assert path.stat().st_ino == inode
    assert rewrite(path, [(piece, Fate.DROP)], set()) > 0
    assert [p.name for p in path.parent.iterdir()] == ["0000.emgw"]
    path.with_name(path.name + NEW).write_bytes(STREAM)
    clear_leftovers(tmp_path)
    assert [p.name for p in path.parent.iterdir()] == ["0000.emgw"]


@given(
    start=st.integers(0, 10**7),
    length=st.integers(1, 10**7),
    first=st.integers(-(10**7), 2 * 10**7),
    more=st.integers(0, 10**7),
    offset_s=st.integers(-50_000, 50_000),
)
def test_a_span_meets_what_overlaps_it(start: int, length: int, first: int, more: int, offset_s: int) -> None:
    last = first + more
    for local in (0, 1):
        shift = 1000 * offset_s * local
        span = Span(start, start + length, not local, not local)
        assert span.meets(first, last, offset_s) == (first + shift < start + length and last + shift >= start)
