"""Laws of backup: a copy that every command reads, never behind its log, and whole or recognisably not."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.keeping import keeping_lock
from emgtwitch.app.prune import prune
from emgtwitch.app.verify import verify
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError
from emgtwitch.store import backup as copying
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter
from tests.app.kept import DAYS_LATER_MS, OFFSET_S, START_MS, rows, write_session


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "a")
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def back_up(data: Path, target: Path) -> int:
    return main(["backup", str(target), "--data", str(data)])


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("sessions/*/*"))}


def test_the_copy_is_the_recordings_and_a_log_with_the_same_rows(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "usb" / "copy"
    with DataLock(data), LogWriter(data / LOG_NAME) as log:  # a daemon has both open
        log.mark("felt", {"note": "still in the WAL"}, START_MS, OFFSET_S)
        assert back_up(data, target) == 0
        for table in ("session", "event", "interval", "mark"):
            assert rows(target, table) == rows(data, table)
    assert files(target) == files(data)
    assert verify(target)["findings"] == []
    assert main(["events", "--data", str(target)]) == 0
    for path in [target, *target.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("grain_ns", [10_000_000, 2_000_000_000])
def test_a_stick_that_keeps_less_of_a_time_is_not_written_again(
    data: Path, tmp_path: Path, grain_ns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def shift(folder: Path, by_ns: Callable[[int], int]) -> None:
        for path in folder.glob("sessions/*/*"):
            now_ns = path.stat().st_mtime_ns
            os.utime(path, ns=(now_ns, now_ns + by_ns(now_ns)))

    assert back_up(data, tmp_path / "copy") == 0
    shift(tmp_path / "copy", lambda ns: -(ns % grain_ns))
    capsys.readouterr()
    assert back_up(data, tmp_path / "copy") == 0
    assert ": 0 bytes of signal copied" in capsys.readouterr().out
    shift(data, lambda ns: grain_ns)
    assert back_up(data, tmp_path / "copy") == 0
    assert ", 0 bytes was there" in capsys.readouterr().out


def test_the_copied_recordings_are_never_behind_the_copied_log(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that begins, and one that grows, while the log is being copied."""
    copy_log = copying._copy_log

    def meanwhile(log: Path, fresh: Path) -> str:
        damage = copy_log(log, fresh)
        write_session(data, "b", START_MS + 86_400_000)
        return damage

    monkeypatch.setattr(copying, "_copy_log", meanwhile)
    assert back_up(data, tmp_path / "copy") == 0
    found = verify(tmp_path / "copy")
    assert found["sound"] is True
    assert [told["recording_id"] for told in found["recordings"]] == ["a", "b"]
    assert [row["recording_id"] for row in rows(tmp_path / "copy", "session")] == ["a"]


def test_only_what_is_new_is_copied(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "copy"
    assert back_up(data, target) == 0
    before = {p: p.stat().st_ino for p in target.glob("sessions/*/*")}
    write_session(data, "b", START_MS + 86_400_000)
    assert back_up(data, target) == 0
    assert files(target) == files(data)
    assert {p: p.stat().st_ino for p in before} == before
    capsys.readouterr()
    assert back_up(data, target) == 0
    assert "0 bytes of signal copied" in capsys.readouterr().out


def test_what_was_pruned_or_forgotten_is_so_in_the_next_backup(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    write_session(data, "b", START_MS + 86_400_000)
    assert back_up(data, target) == 0
    prune(data, 5, 10.0, DAYS_LATER_MS)
    assert main(["forget", "--yes", "--data", str(data), "--from", "2024-06-01", "--to", "2024-06-01"]) == 0
    assert back_up(data, target) == 0
    assert files(target) == files(data)
    assert not (target / "sessions" / "a").exists()


def test_a_new_data_folder_does_not_take_the_backup_of_a_lost_one_along(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy"
    assert back_up(data, target) == 0
    kept = files(target)
    shutil.rmtree(data)
    data.mkdir()
    write_session(data, "new", START_MS + 86_400_000, seed=2)
    assert back_up(data, target) == UsageError.exit_code
    assert "No recording of the backup" in capsys.readouterr().err
    assert files(target) == kept
    assert len(rows(target, "session")) == 1
    assert verify(target)["findings"] == []


@pytest.mark.parametrize("damage", ["empty", "torn", "short", "no log"])
def test_a_damaged_log_does_not_take_the_place_of_a_sound_copy(
    damage: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, log = tmp_path / "copy", data / LOG_NAME
    assert back_up(data, target) == 0
    whole, events = log.read_bytes(), rows(target, "event")
    torn = whole[:8192] + b"\x5a" * 4096 * 4 + whole[8192 + 4096 * 4 :]
    log.write_bytes({"empty": b"", "torn": torn, "short": whole[:40000], "no log": b"once upon a time " * 999}[damage])
    shutil.copytree(data / "sessions" / "a", data / "sessions" / "b")
    assert back_up(data, target) == UnreadableInputError.exit_code
    assert "if any, stays as it was" in capsys.readouterr().err
    assert rows(target, "event") == events
    assert files(target) == files(data)
    log.write_bytes(whole)
    assert back_up(data, target) == 0


def test_beside_a_pruning_it_says_to_wait(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with keeping_lock(data):
        assert back_up(data, tmp_path / "copy") == CannotWriteError.exit_code
    err = capsys.readouterr().err
    assert "prunes, forgets or backs up in" in err
    assert "Do the same again when it has ended." in err


def test_other_targets_are_refused_and_left_alone(data: Path, tmp_path: Path) -> None:
    holiday = tmp_path / "holiday"
    holiday.mkdir()
    (holiday / "picture.jpg").write_bytes(b"sun")
    other = tmp_path / "other"
    other_data = tmp_path / "other data"
    shutil.copytree(data, other_data)
    assert back_up(other_data, other) == 0
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for target in (holiday, holiday / "picture.jpg", other, data, data / "copy", data.parent, loop):
        assert back_up(data, target) == UsageError.exit_code
    assert [p.name for p in holiday.iterdir()] == ["picture.jpg"]
    assert not (data / "copy").exists()


@pytest.mark.parametrize("after_writes", [0, 1, 3, 6])
def test_without_room_it_is_incomplete_and_says_so_until_it_is_done(
    after_writes: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy"
    write = os.write
    left = [after_writes]

    def full(file: int, part: bytes) -> int:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        return write(file, part)

    with monkeypatch.context() as context:
        context.setattr(os, "write", full)
        assert back_up(data, target) == CannotWriteError.exit_code
    assert "Make room" in capsys.readouterr().err
    for path in target.glob("sessions/*/*.emgw"):  # whole under its name, or not there
        assert path.read_bytes() == (data / path.relative_to(target)).read_bytes()
    if (target / "backup.json").exists():
        assert json.loads((target / "backup.json").read_text())["complete"] is False
        assert verify(target)["sound"] is False
    assert back_up(data, target) == 0
    assert files(target) == files(data)
    assert verify(target)["findings"] == []
