"""A live source over a pty: connects, sets the board up, notes what happens, survives an unplug and a reset."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError, UsageError
from emgtwitch.sources.discover import Finder
from emgtwitch.sources.link import Link
from emgtwitch.sources.live import LiveSource
from emgtwitch.wire.decode import Decoder
from emgtwitch.wire.encode import note
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import (
    AskHello,
    Change,
    Clock,
    Hello,
    Note,
    Port,
    Record,
    Samples,
    Session,
    SetRate,
    Start,
    Stop,
)
from tests.sources.fake_board import FakeBoard, SteppingClocks, collect, kinds, wait_for


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "emgtwitch0") as board:
        yield board


def live(board: FakeBoard, **options: object) -> LiveSource:
    arguments = {"retry_s": 0.02, **options}
    return LiveSource(Finder(str(board.path)), {"id": "r1"}, **arguments)  # type: ignore[arg-type]


def samples(records: list[Record], at_least: int = 3) -> bool:
    return sum(isinstance(r, Samples) for r in records) >= at_least


def test_a_stream_begins_with_session_port_and_hello_and_is_started(board: FakeBoard) -> None:
    source = live(board)
    records = frames(collect(source.read, samples))
    assert records[:2] == [Session({"id": "r1"}), Port(1, str(board.path))]
    assert isinstance(records[2], Hello)
    assert any(isinstance(r, Clock) for r in records)
    assert source.connected
    source.close()
    wait_for(lambda: not board.streaming)


def test_the_boards_bytes_are_in_the_stream_as_they_came(board: FakeBoard) -> None:
    source = live(board)
    stream = collect(source.read, lambda records: samples(records, 40))
    source.close()
    for seq, found in enumerate(r for r in frames(stream) if isinstance(r, (Session, Port, Clock))):
        assert stream.count(note(found, seq)) == 1
        stream = stream.replace(note(found, seq), b"")
    assert len(stream) > 1000
    assert board.sent.startswith(stream)


def test_rate_and_channels_are_set_where_they_differ(board: FakeBoard) -> None:
    source = live(board, rate_Hz=2000, channels=2)
    stream = collect(source.read, samples)
    source.close()
    assert SetRate(2000, 2, 1) in board.requests
    assert (board.rate_Hz, board.channels) == (2000, 2)
    hello = [r for r in frames(stream) if isinstance(r, Hello)][-1]
    assert (hello.rate_num, hello.channels, hello.flags) == (2000, 2, 1)


def test_a_streaming_board_is_neither_set_nor_started_nor_stopped(board: FakeBoard) -> None:
    board.streaming = True
    source = live(board, rate_Hz=1000)
    collect(source.read, lambda records: samples(records) and source.connected)
    source.close()
    assert not [r for r in board.requests if isinstance(r, (SetRate, Start, Stop))]


def test_a_running_board_hears_from_us_every_10_s_and_says_hello(board: FakeBoard) -> None:
    clocks = SteppingClocks(5 * 10**8)
    source = live(board, clocks=clocks)
    stream = collect(source.read, lambda records: source.connected)
    began_ns = clocks.now_ns
    asked = board.requests.count(AskHello())
    stream = collect(source.read, lambda records: board.requests.count(AskHello()) >= asked + 3)
    assert 25 < (clocks.now_ns - began_ns) / 1e9 < 40
    stream += collect(source.read, lambda records: any(isinstance(r, Hello) for r in records))
    assert source.connected
    source.close()
    assert [r for r in board.requests if isinstance(r, Start)] == [Start()]


def test_a_refused_rate_is_the_users_matter(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "b", refuse=3) as board:
        source = live(board, rate_Hz=4000)
        with pytest.raises(UsageError, match="do not fit through the serial line"):
            collect(source.read, samples)
        source.close()


def test_another_wire_version_ends_the_session_at_once(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "b", wire_version=7) as board, pytest.raises(NoBoardError, match="speaks wire version 7"):
        collect(live(board).read, samples)


def test_a_port_where_nobody_says_hello_is_no_board(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "b", mute=True) as board:
        source = live(board, clocks=SteppingClocks(10**9))
        with pytest.raises(NoBoardError, match=r"b is open, but no board says Hello.*emgtwitch ports"):
            collect(source.read, samples)


def test_nothing_to_open_is_no_board() -> None:
    with pytest.raises(NoBoardError, match=r"No board was found\. Plug it in"):
        LiveSource(lambda: None, {}).read(0.0)


def test_an_absent_port_is_no_board(tmp_path: Path) -> None:
    with pytest.raises(NoBoardError, match="There is no port"):
        LiveSource(Finder(str(tmp_path / "ttyUSB9")), {}).read(0.0)


def test_the_session_goes_on_after_an_unplug(board: FakeBoard) -> None:
    told: list[str] = []
    source = live(board, on_state=told.append, rate_Hz=2000)
    stream = collect(source.read, samples)
    board.unplug()
    stream += collect(source.read, lambda records: Port(0, str(board.path)) in records)
    assert not source.connected
    board.plug()
    stream += collect(source.read, samples)
    source.close()
    records = frames(stream)
    ports = [r for r in records if isinstance(r, Port)]
    assert [p.opened for p in ports] == [1, 0, 1]
    after = records[records.index(ports[1]) :]
    assert kinds(after)[:3] == ["Port", "Hello", "Clock"]
    boots = [r.boot_count for r in after if isinstance(r, Hello)]
    assert set(boots) == {2}
    assert board.rate_Hz == 2000  # the new boot had forgotten it
    assert [t for t in told if t.endswith("waiting for the board to come back")]
    assert told[-1].endswith("streams")


def test_a_board_found_by_discovery_is_found_again_under_another_name(tmp_path: Path) -> None:
    board = FakeBoard(tmp_path / "ttyUSB0")
    board.plug()
    source = LiveSource(Finder(dev=tmp_path, timeout_s=1.0), {}, retry_s=0.02)
    stream = collect(source.read, samples)
    board.unplug()
    board.path = tmp_path / "ttyUSB1"
    board.plug()
    stream += collect(source.read, samples)
    stream += source.close()
    board.unplug()
    assert [(p.opened, Path(p.name).name) for p in frames(stream) if isinstance(p, Port)] == [
        (1, "ttyUSB0"),
        (0, "ttyUSB0"),
        (1, "ttyUSB1"),
    ]


def test_memory_that_lacked_while_the_board_was_looked_for_does_not_end_the_search(board: FakeBoard) -> None:
    told: list[str] = []
    find, refusals = Finder(str(board.path)), [None, RuntimeError("can't start new thread"), MemoryError()]

    def scarce() -> Link | None:
        if refusals and (refusal := refusals.pop(0)) is not None:
            raise refusal
        return find()

    source = LiveSource(scarce, {}, retry_s=0.02, on_state=told.append)
    collect(source.read, samples)
    board.unplug()
    board.plug()
    collect(source.read, lambda records: any(isinstance(r, Port) and r.opened for r in records))
    source.close()
    assert not refusals
    assert "MemoryError" in told


def test_another_board_on_the_port_is_told(board: FakeBoard) -> None:
    told: list[str] = []
    amiss: list[str] = []
    source = live(board, on_state=told.append, on_trouble=amiss.append)
    collect(source.read, samples)
    board.unplug()
    board.device_id = 0xABCD
    board.plug()
    collect(source.read, samples)
    source.close()
    assert amiss[0].endswith("waiting for the board to come back")
    assert amiss[-1] == f"another board answers at {board.path}: 000000000000abcd"
    assert told[-1].endswith("streams")


def test_a_board_that_resets_is_started_again(board: FakeBoard) -> None:
    source = live(board)
    collect(source.read, samples)
    board.reset()
    stream = collect(source.read, lambda records: any(isinstance(r, Hello) and r.boot_count == 2 for r in records))
    stream += collect(source.read, samples)
    source.close()
    assert not [r for r in frames(stream) if isinstance(r, Port)]
    assert sum(isinstance(r, Start) for r in board.requests) == 2


def test_the_decoder_finds_nothing_damaged_through_an_unplug_and_a_reset(board: FakeBoard) -> None:
    source = live(board, channels=2)
    stream = collect(source.read, samples)
    board.unplug()
    stream += collect(source.read, lambda records: Port(0, str(board.path)) in records)
    board.plug()
    stream += collect(source.read, samples)
    source.note("felt")
    board.reset()
    stream += collect(source.read, lambda r: any(isinstance(x, Hello) and x.boot_count == 3 for x in r))
    stream += collect(source.read, samples)
    source.close()
    decoder = Decoder()
    decoder.feed(stream)
    # A frame that the unplug cut in two is the only one that may be missing.
    assert sum(decoder.rejected.values()) <= 1
    assert decoder.lost == 0
    assert decoder.seen == sum(len(r.counts) // 2 for r in frames(stream) if isinstance(r, Samples))


def test_marks_and_changes_from_other_threads_reach_the_stream_between_frames(board: FakeBoard) -> None:
    source = live(board)
    stream = collect(source.read, samples)
    others = [threading.Thread(target=source.note, args=("felt", {"n": n})) for n in range(20)]
    for other in others:
        other.start()
    source.change({"gain_milli": 5})
    stream += collect(source.read, lambda r: sum(isinstance(x, Note) for x in r) == 20 and samples(r))
    source.close()
    records = frames(stream)
    assert sorted(r.json["n"] for r in records if isinstance(r, Note)) == list(range(20))
    assert Change({"gain_milli": 5}) in records
    indexes = [r.index for r in records if isinstance(r, Samples)]
    assert indexes == [16 * n for n in range(len(indexes))]


def test_marks_are_kept_while_the_board_is_away(board: FakeBoard) -> None:
    source = live(board)
    collect(source.read, samples)
    board.unplug()
    collect(source.read, lambda records: bool(records) and isinstance(records[-1], Port))
    source.note("felt")
    assert Note({"kind": "felt"}) in frames(collect(source.read, lambda records: bool(records)))
    source.close()
    assert source.read(0.0) == b""


def test_a_link_found_after_closing_is_given_back(board: FakeBoard) -> None:
    source = live(board)
    collect(source.read, samples)
    board.unplug()
    collect(source.read, lambda records: Port(0, str(board.path)) in records)
    source.read(0.0)
    source.close()
    board.plug()
    again = live(board)
    assert samples(frames(collect(again.read, samples)))
    again.close()
