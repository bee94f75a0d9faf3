"""`emgtwitch ports`: each port once, what answers there, and an exit code for scripts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.app import ports
from emgtwitch.errors import NoBoardError
from tests.sources.fake_board import FakeBoard


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "ttyUSB0", mute=True) as board:
        yield board


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    ports.add_arguments(parser)
    return parser.parse_args([*words, "--seconds", "1.0"])


def test_the_board_is_told_from_the_port_that_does_not_answer(
    tmp_path: Path, silent: FakeBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeBoard(tmp_path / "ttyUSB1"):
        assert ports.main(arguments(), tmp_path) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["port", str(silent.path), str(tmp_path / "ttyUSB1")]
    assert lines[1][1].startswith("no answer")
    assert " ".join(lines[2][1].split()) == "board 000000000000e316, firmware 1.2, 1000 Hz, 1 ch"


def test_json_is_one_object_a_line(tmp_path: Path, silent: FakeBoard, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeBoard(tmp_path / "ttyUSB1"):
        ports.main(arguments("--json"), tmp_path)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["type"], row["state"]) for row in rows] == [("port", "silent"), ("port", "board")]
    assert "no board says Hello" in rows[0]["text"]
    assert rows[1] | {"device": "", "description": ""} == {
        "type": "port",
        "port": str(tmp_path / "ttyUSB1"),
        "device": "",
        "description": "",
        "state": "board",
        "device_id": "000000000000e316",
        "firmware": "1.2",
        "wire_version": 1,
        "rate_Hz": 1000.0,
        "channels": 1,
        "gain": 1000.0,
    }


def test_without_probing_no_port_is_opened(
    tmp_path: Path, silent: FakeBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    silent.mute = False
    assert ports.main(arguments("--no-probe"), tmp_path) == 0
    assert "not asked" in capsys.readouterr().out
    assert silent.requests == []


def test_no_board_is_69_after_the_list(tmp_path: Path, silent: FakeBoard, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoBoardError, match=r"No board answers\. emgtwitch doctor"):
        ports.main(arguments(), tmp_path)
    assert str(silent.path) in capsys.readouterr().out


def test_no_port_says_to_plug_in(tmp_path: Path) -> None:
    with pytest.raises(NoBoardError, match=r"No serial port is there\. Plug the board in"):
        ports.main(arguments(), tmp_path)


def test_another_wire_version_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeBoard(tmp_path / "ttyUSB0", wire_version=3), pytest.raises(NoBoardError, match="No board answers"):
        ports.main(arguments(), tmp_path)
    assert "wire version 3; this program reads version 1" in capsys.readouterr().out
