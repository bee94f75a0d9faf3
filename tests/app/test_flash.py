"""`emgtwitch flash`: which file, which port, what is refused, and a flash for real on the virtual board."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emgtwitch.app import flash
from emgtwitch.errors import NoBoardError, UnreadableInputError, UsageError
from emgtwitch.sources.bootloader import BOOTLOADERS
from emgtwitch.sources.link import PortBusyError
from emgtwitch.store.channel import CommandServer
from tests.sources.fake_board import FakeBoard

HEX = ":0400000001020304F2\n:00000001FF\n"


def arguments(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    flash.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.hex"
    path.write_text(HEX)
    return path


@pytest.fixture
def port(tmp_path: Path) -> Path:
    path = tmp_path / "dev" / "ttyUSB0"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.mark.parametrize("gain", ["0", "-3", "1e9", "nan"])
def test_a_gain_that_no_amplifier_has_is_refused_before_anything_is_done(gain: str, file: Path, port: Path) -> None:
    with pytest.raises(UsageError, match="1 to 100000 are"):
        flash.main(arguments("--source", port, "--hex", file, "--dry-run", "--gain", gain))


# The file


def test_the_size_is_where_the_highest_byte_ends(file: Path) -> None:
    assert flash.firmware_bytes(file) == 4
    file.write_text(":0401000001020304F1\n:0400000001020304F2\n:00000001FF")
    assert flash.firmware_bytes(file) == 0x104


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its end is missing"),
        (":0400000001020304F2\n", "its end is missing"),
        (":0400000001020304F3\n:00000001FF", "line 1 is damaged"),
        (":0400000001020304F2\nELF\n", "line 2 is damaged"),
        (":00000001FF\n:0400000001020304F2", "line 2 is damaged"),
        (":00000001FF", "it has 0 bytes, 1 to 32256 would be right"),
        (":047E00000102030474\n:00000001FF", "it has 32260 bytes"),  # over the bootloader
    ],
)
def test_a_file_that_would_do_harm_is_refused(file: Path, text: str, why: str) -> None:
    file.write_text(text)
    with pytest.raises(UnreadableInputError, match=why):
        flash.main(arguments("--hex", file, "--source", "/dev/null"))


def test_a_file_that_is_not_there_or_no_text_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"No such file.*--hex"):
        flash.firmware_bytes(tmp_path / "none.hex")
    file.write_bytes(b"\x7fELF\xff")
    with pytest.raises(UnreadableInputError, match="it is no text"):
        flash.firmware_bytes(file)


# The port


def test_the_only_port_is_the_boards(port: Path) -> None:
    assert flash.choose_port("auto", port.parent, touch=False) == str(port)
    with pytest.raises(NoBoardError, match="No serial port is there"):
        flash.choose_port("auto", port.parent.parent, touch=False)


def test_a_named_port_must_be_there(port: Path) -> None:
    assert flash.choose_port(str(port), Path("/"), touch=True) == str(port)
    for source in ("sim", str(port.parent / "ttyUSB7")):
        with pytest.raises(NoBoardError, match="There is no port"):
            flash.choose_port(source, port.parent, touch=True)


def test_of_several_ports_the_one_with_a_board_is_taken(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "ttyUSB0", mute=True), FakeBoard(tmp_path / "ttyUSB1"):
        assert flash.choose_port("auto", tmp_path, touch=True) == str(tmp_path / "ttyUSB1")
        with pytest.raises(UsageError, match=r"several ports: .*ttyUSB0.*ttyUSB1.* --source"):
            flash.choose_port("auto", tmp_path, touch=False)


@contextmanager
def daemon(folder: Path, **status: object) -> Iterator[None]:
    server = CommandServer(folder, lambda request: {"pid": 77, **status})
    try:
        yield
    finally:
        server.close()


@pytest.mark.parametrize(
    ("source", "connected", "refused"),
    [("ttyUSB0", True, True), ("ttyUSB1", True, False), ("ttyUSB1", False, True), ("sim:demo", False, False)],
)
def test_a_port_that_a_daemon_uses_or_may_take_is_refused(
    port: Path, tmp_path: Path, source: str, connected: bool, refused: bool
) -> None:
    named = source if ":" in source else str(port.parent / source)
    with daemon(tmp_path, source=named, connected=connected):
        if not refused:
            flash.refuse_if_held(str(port), tmp_path)
            return
        with pytest.raises(PortBusyError, match=r"daemon \(process 77\) uses .*ttyUSB0\. Stop it first"):
            flash.refuse_if_held(str(port), tmp_path)


# What is run


def test_a_dry_run_says_what_would_be_done_and_needs_no_avrdude(
    file: Path, port: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ("--dry-run", "--hex", file, "--data", tmp_path)
    assert flash.main(arguments(*words), port.parent) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == list(BOOTLOADERS)
    assert lines[0].endswith(f"avrdude -q -c arduino -p atmega328p -P {port} -b 115200 -D -U flash:w:{file}:i")
    assert flash.main(arguments(*words, "--bootloader", "old"), port.parent) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "-b 57600" in line


def test_without_avrdude_it_says_how_to_get_it(
    file: Path, port: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBoardError, match=r"not installed\. sudo apt install avrdude"):
        flash.main(arguments("--hex", file), port.parent)


def test_firmware_that_reaches_into_the_old_bootloader_is_not_written(port: Path, file: Path, tmp_path: Path) -> None:
    file.write_text(":0478000001020304 7A\n:00000001FF".replace(" ", ""))
    with pytest.raises(UnreadableInputError, match="below the bootloader old there are 30720"):
        flash.main(arguments("--hex", file, "--bootloader", "old", "--data", tmp_path), port.parent)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'avrdude: stk500_recv(): not in sync: error 7' >&2; exit 1", "not in sync: error 7"),
        ("exit 3", "it ended with 3"),
    ],
)
def test_what_avrdude_says_is_passed_on(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(NoBoardError, match=f"could not write the firmware: .*{why}.*try again"):
        flash.write(["sh", "-c", script])


def test_a_board_that_stays_silent_afterwards_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash, "HELLO_S", 0.5)
    with (
        FakeBoard(tmp_path / "ttyUSB0", mute=True) as board,
        pytest.raises(NoBoardError, match=r"written and verified, but no board says Hello"),
    ):
        flash.greeting(str(board.path))
    with (
        FakeBoard(tmp_path / "ttyUSB0", wire_version=9) as board,
        pytest.raises(NoBoardError, match=r"speaks wire version 9"),
    ):
        flash.greeting(str(board.path))


def test_a_board_that_answers_is_told_with_its_firmware(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "ttyUSB0") as board:
        assert "firmware 1.2" in flash.greeting(str(board.path))
