"""A flash for real: avrdude, through a pty, into the bootloaders that Unos and Nanos have, run by the virtual board."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.app import flash
from emgtwitch.app.board_checks import test_signal as signal_check
from emgtwitch.app.case import Case
from emgtwitch.errors import NoBoardError
from emgtwitch.sources.bootloader import BOOTLOADERS, find_bootloader
from emgtwitch.wire.records import DEFAULT_BAUD
from firmware.sim.harness import ROOT, LiveBoard, build

BOOTLOADER_FILES = {
    "optiboot": ROOT / "build/firmware/optiboot.hex",
    "old": Path("/usr/share/arduino/hardware/arduino/avr/bootloaders/atmega/ATmegaBOOT_168_atmega328.hex"),
}
FRESH = ROOT / "build/firmware/emgtwitch.hex"


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    build()


@pytest.fixture
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveBoard]:
    """A chip with nothing but the bootloader that the test's parameter names."""
    options = ["--bootloader", str(BOOTLOADER_FILES[request.param])]
    with LiveBoard(tmp_path, tmp_path / "tty", elf=None, options=options) as board:
        yield board


def arguments(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    flash.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_the_firmware_in_the_package_is_that_of_the_sources() -> None:
    """If not: cp build/firmware/emgtwitch.hex src/emgtwitch/firmware/"""
    assert flash.FIRMWARE.read_bytes() == FRESH.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("blank", "name"), [(name, name) for name in BOOTLOADERS], indirect=["blank"])
def test_a_blank_board_is_flashed_and_then_works(
    blank: LiveBoard, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pty carries every speed, so the bootloader is named here: asking finds the first of the table."""
    words = ("--source", blank.link, "--bootloader", name, "--data", tmp_path)
    for _ in range(2):  # blank, and over firmware that runs
        assert flash.main(arguments(*words)) == 0
    out = capsys.readouterr().out
    assert f"through {name} at {BOOTLOADERS[name].baud} baud" in out
    assert out.count("Written and verified.") == out.count("The board runs: board ") == 2
    (found,) = signal_check(Case(source=str(blank.link), seconds=1.0, test_signal=True))
    assert (found.state, found.text.endswith("every one as agreed")) == ("ok", True), found


@pytest.mark.slow
def test_the_gain_is_told_once_and_kept(tmp_path: Path) -> None:
    with LiveBoard(tmp_path, tmp_path / "tty") as board:
        port = str(board.link)
        assert "gain unknown" in flash.greeting(port)
        flash.write_gain(port, DEFAULT_BAUD, 1005.5)
        first = flash.greeting(port)
        assert "gain 1005.5" in first
        flash.write_gain(port, DEFAULT_BAUD, 810.0)
        assert flash.greeting(port) == first.replace("gain 1005.5", "gain 810"), "the identity stays"


@pytest.mark.slow
@pytest.mark.parametrize("blank", ["optiboot"], indirect=True)
def test_a_blank_board_has_a_bootloader_that_answers_and_no_hello(
    blank: LiveBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_bootloader(str(blank.link)) is BOOTLOADERS["optiboot"]
    monkeypatch.setattr(flash, "HELLO_S", 2.0)
    with pytest.raises(NoBoardError, match="no board says Hello"):
        flash.greeting(str(blank.link))
