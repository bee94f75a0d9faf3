"""Laws of verify: what a crash leaves is sound, what a disk loses is damage, and nothing is changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.verify import verify
from emgtwitch.errors import UnreadableInputError
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.lock import DataLock
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import WIRE_VERSION, Board, Session
from tests.app.kept import hello, write_session


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "a")
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def damages(data: Path) -> list[str]:
    return [finding["what"] for finding in verify(data)["findings"] if finding["damaged"]]


def test_a_sound_folder_is_sound_and_stays_as_it_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file()}
    with DataLock(data):
        assert main(["verify", "--data", str(data)]) == 0
    assert "all is sound" in capsys.readouterr().out
    assert {p: p.read_bytes() for p in before} == before
    assert main(["verify", "--json", "--data", str(data)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["type"], found["sound"], found["sessions"], found["log_version"]) == ("verify", True, 1, 2)
    (told,) = found["recordings"]
    assert (told["recording_id"], told["frames_rejected"], told["pruned"]) == ("a", 0, False)
    assert told["scans_seen"] == 480_000


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_a_last_frame_that_a_crash_cut_is_no_damage(cut: int, tmp_path: Path) -> None:
    home = write_session(tmp_path, "c", end=False)
    last = max(home.iterdir())
    data = last.read_bytes()
    last.write_bytes(data[:-cut])
    found = verify(tmp_path)
    assert found["sound"] is True
    assert [finding["what"] for finding in found["findings"]] == [f"{last.name} ends within a frame."]


def test_flipped_bits_are_damage(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "sessions" / "a" / "0002.emgw"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    assert main(["verify", "--data", str(data)]) == UnreadableInputError.exit_code
    out = capsys.readouterr().out
    assert "DAMAGED  a: " in out
    assert "backup" in out


def test_a_lost_tail_is_damage(data: Path) -> None:
    last = max((data / "sessions" / "a").iterdir())
    last.write_bytes(last.read_bytes()[:-20_000])
    assert any("lacks" in what for what in damages(data))


def test_a_missing_segment_is_damage(data: Path) -> None:
    (data / "sessions" / "a" / "0001.emgw").unlink()
    assert any(what == "A segment before 0002.emgw is missing." for what in damages(data))


def test_a_missing_first_segment_is_damage(data: Path) -> None:
    (data / "sessions" / "a" / "0000.emgw").unlink()
    assert any(what == "A segment before 0001.emgw is missing." for what in damages(data))


def test_a_missing_recording_is_damage_and_one_without_rows_is_not(data: Path) -> None:
    (data / "sessions" / "a").rename(data / "sessions" / "b")
    found = verify(data)
    assert [(f["where"], f["damaged"]) for f in found["findings"]] == [("a", True), ("b", False)]


def test_a_segment_without_its_notes_is_damage(data: Path) -> None:
    path = data / "sessions" / "a" / "0001.emgw"
    path.write_bytes(path.read_bytes()[1000:])
    assert "0001.emgw has no note of its session." in damages(data)


def test_a_damaged_log_is_told_and_the_recordings_are_still_checked(data: Path) -> None:
    path = data / LOG_NAME
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\x5a" * 4096 * 3
    path.write_bytes(content)
    found = verify(data)
    assert found["sound"] is False
    assert "log" in {finding["where"] for finding in found["findings"]}
    assert [told["recording_id"] for told in found["recordings"]] == ["a"]


def test_rows_that_belong_to_nothing_are_damage(data: Path) -> None:
    db = sqlite3.connect(data / LOG_NAME)
    with db:
        db.execute("UPDATE event SET session = 77 WHERE id = (SELECT min(id) FROM event)")
    db.close()
    assert any("belongs to a session that is not there" in what for what in damages(data))


def test_a_log_of_a_newer_version_is_refused_and_not_called_damaged(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = sqlite3.connect(data / LOG_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    assert main(["verify", "--data", str(data)]) == UnreadableInputError.exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert "has version 99; this program reads up to 2. Update emgtwitch." in err


def test_a_recording_of_a_newer_wire_version_is_refused_and_not_called_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "sessions" / "a"
    home.mkdir(parents=True)
    board = note(Board(bytes([WIRE_VERSION + 1]) + hello(1)[1:]), 0)
    (home / "0000.emgw").write_bytes(note(Session({"recording_id": "a", "segment": 0}), 0) + board)
    assert main(["verify", "--data", str(tmp_path)]) == UnreadableInputError.exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert "0000.emgw spoke wire version 2; this program reads 1 and cannot tell" in err


def test_a_folder_that_is_not_there_is_no_sound_one(tmp_path: Path) -> None:
    assert main(["verify", "--data", str(tmp_path / "none")]) == UnreadableInputError.exit_code
