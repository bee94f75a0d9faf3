"""Discovery: which ports there are, which board answers, and finding it again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.discover import TRIES, Finder, candidates, probe
from emgtwitch.sources.serial_link import SerialLink
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Hello
from tests.sources.fake_board import FakeBoard

QUICK_S = 1.0
SHORT_S = 0.25


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "ttyUSB1") as board:
        yield board


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "ttyUSB0", mute=True) as board:
        yield board


def test_a_port_is_listed_once_under_its_stable_name(tmp_path: Path, board: FakeBoard, silent: FakeBoard) -> None:
    stable = tmp_path / "serial/by-id/usb-1a86_USB_Serial-if00-port0"
    stable.parent.mkdir(parents=True)
    stable.symlink_to(board.path)
    (tmp_path / "ttyACM7").symlink_to(tmp_path / "gone")
    found = candidates(tmp_path)
    assert [c.port for c in found] == [str(stable), str(silent.path)]
    assert [c.device for c in found] == [os.path.realpath(board.path), os.path.realpath(silent.path)]
    assert found[0].description == "usb-1a86_USB_Serial-if00-port0"


def test_the_ports_of_this_machine_can_be_listed() -> None:
    assert all(c.port.startswith("/dev/") for c in candidates())


def test_the_board_that_answers_is_told_from_the_silent_port(board: FakeBoard, silent: FakeBoard) -> None:
    results = probe([str(silent.path), str(board.path)], QUICK_S, first=False)
    assert [r.state for r in results] == ["silent", "board"]
    assert "no board says Hello" in results[0].text
    assert results[1].hello == board.hello()
    assert results[0].link is None
    assert results[1].link is not None
    results[1].link.close()


def test_what_the_probe_has_read_stays_in_the_stream(board: FakeBoard) -> None:
    (result,) = probe([str(board.path)], 5.0)
    assert result.link is not None
    data = result.link.read(0.0)
    result.link.close()
    assert board.sent.startswith(data)
    assert isinstance(frames(data)[0], Hello)


def test_another_wire_version_is_told_and_not_used(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "ttyUSB0", wire_version=2):
        (result,) = probe([str(tmp_path / "ttyUSB0")], 5.0)
        assert (result.state, result.link) == ("version", None)
        with pytest.raises(
            NoBoardError, match=r"No board answers.*speaks wire version 2; this program reads version 1"
        ):
            Finder(dev=tmp_path, timeout_s=5.0)()


def test_a_busy_port_is_told(board: FakeBoard) -> None:
    (first,) = probe([str(board.path)], 5.0)
    (second,) = probe([str(board.path)], QUICK_S)
    assert first.link is not None
    first.link.close()
    assert second.state == "busy"
    assert "is in use by" in second.text


def test_an_unplug_during_the_probe_is_told(tmp_path: Path) -> None:
    board = FakeBoard(tmp_path / "ttyUSB0", mute=True)
    board.plug()
    name = os.path.realpath(board.path)

    class Unplugging:
        name = "p"
        hurry = False

        def read(self, timeout_s: float) -> bytes:
            board.unplug()
            return link.read(timeout_s)

        def write(self, data: bytes) -> None:
            link.write(data)

        def close(self) -> None:
            link.close()

    link = SerialLink(name)
    (result,) = probe([name], 5.0, open_port=lambda port, baud: Unplugging())
    assert result.state == "lost"
    assert f"{name} was lost" in result.text


def test_without_any_port_the_advice_is_to_plug_in(tmp_path: Path) -> None:
    with pytest.raises(NoBoardError, match=r"No serial port is there\. Plug the board in.*--source sim needs no board"):
        Finder(dev=tmp_path)()


def test_a_port_asked_in_vain_is_left_alone_until_it_is_plugged_in_again(tmp_path: Path, silent: FakeBoard) -> None:
    finder = Finder(dev=tmp_path, timeout_s=SHORT_S)
    for _ in range(TRIES):
        with pytest.raises(NoBoardError, match="No board answers"):
            finder()
    assert finder() is None
    silent.unplug()
    assert finder() is None
    silent.mute, finder._timeout_s = False, QUICK_S
    silent.plug()
    link = finder()
    assert link is not None
    assert link.name == str(silent.path)
    link.close()


def test_a_board_that_is_slow_once_under_another_name_is_asked_again(tmp_path: Path, board: FakeBoard) -> None:
    finder = Finder(dev=tmp_path, timeout_s=QUICK_S)
    link = finder()
    assert link is not None
    link.close()
    board.unplug()
    board.path, board.mute, finder._timeout_s = tmp_path / "ttyUSB7", True, SHORT_S
    board.plug()
    with pytest.raises(NoBoardError, match="no board says Hello"):
        finder()
    board.mute, finder._timeout_s = False, QUICK_S
    link = finder()
    assert link is not None
    assert link.name == str(board.path)
    link.close()


def test_the_board_that_was_there_is_asked_for_ever(tmp_path: Path, board: FakeBoard) -> None:
    finder = Finder(dev=tmp_path, timeout_s=QUICK_S)
    link = finder()
    assert link is not None
    link.close()
    board.mute = True  # slow to boot
    with pytest.raises(NoBoardError, match="no board says Hello"):
        finder()
    board.mute = False
    link = finder()
    assert link is not None
    link.close()


def test_a_named_port_is_opened_again_when_it_is_back(board: FakeBoard) -> None:
    finder = Finder(str(board.path))
    link = finder()
    assert link is not None
    link.close()
    board.unplug()
    assert finder() is None
    board.plug()
    link = finder()
    assert link is not None
    link.close()
