"""Prune, forget and backup killed at any disk operation: what is left is sound, and the same command completes it."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.prune import prune
from emgtwitch.app.verify import verify
from emgtwitch.errors import CannotWriteError
from emgtwitch.sources.recording import segments
from tests.app.kept import DAYS_LATER_MS, SECRET, rows, write_session

KILLS = 10
OPERATIONS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "sqlite3.connect"}
FORGET = ("forget", "--yes", "--from", "2024-06-01T14:02", "--to", "2024-06-01T14:20")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "a")
    write_session(folder, "b", seed=1)
    return folder


def operations(act: Callable[[], object], kill_at: int | None = None) -> int:
    """How many disk operations `act` takes, in a process of its own that is killed at the given one."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        done = [0]

        def count(*_: object) -> None:
            done[0] += 1
            if done[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def counted(function: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object) -> object:
                count()
                return function(*args)

            return call

        tell = os.write
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.write, os.fsync = counted(os.write), counted(os.fsync)  # type: ignore[assignment]
            sys.addaudithook(lambda name, _: count() if name in OPERATIONS else None)
            act()
            tell(write, json.dumps(done[0]).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        text = told.read()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) is (kill_at is not None)
    return int(text) if text else 0


def moments(act: Callable[[Path], object], made: Path, tmp_path: Path, seed: int) -> list[tuple[int, Path]]:
    """A fresh folder for each of KILLS seeded moments of `act`."""
    act(Path(shutil.copytree(made, tmp_path / "first")))  # imports what is imported when it is needed
    folder = Path(shutil.copytree(made, tmp_path / "counted"))
    total = operations(lambda: act(folder))
    assert total > 3 * KILLS
    chosen = sorted(random.Random(seed).sample(range(1, total + 1), KILLS))
    return [(moment, Path(shutil.copytree(made, tmp_path / f"killed{moment}"))) for moment in chosen]


def contents(folder: Path) -> dict[str, bytes]:
    """Segments by their names."""
    found = [path for home in sorted((folder / "sessions").iterdir()) for path in segments(home)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_killed_prune_leaves_each_segment_old_or_new(made: Path, tmp_path: Path) -> None:
    def act(folder: Path) -> object:
        return prune(folder, 5, 10.0, DAYS_LATER_MS)

    old, events = contents(made), rows(made, "event")
    whole = Path(shutil.copytree(made, tmp_path / "whole"))
    act(whole)
    new = contents(whole)
    assert new != old
    for moment, folder in moments(act, made, tmp_path, seed=1):
        operations(lambda folder=folder: act(folder), moment)  # type: ignore[misc]
        left = contents(folder)
        assert left.keys() == old.keys()
        assert all(left[name] in (old[name], new[name]) for name in left)
        assert verify(folder)["sound"] is True
        act(folder)
        assert contents(folder) == new
        assert not list(folder.rglob("*.new"))
        assert rows(folder, "event") == events


def test_a_killed_forget_is_completed_by_the_same_again(made: Path, tmp_path: Path) -> None:
    def act(folder: Path) -> object:
        return main([*FORGET, "--data", str(folder)])

    whole = Path(shutil.copytree(made, tmp_path / "whole"))
    act(whole)
    gone = SECRET + " a 1"
    for moment, folder in moments(act, made, tmp_path, seed=2):
        operations(lambda folder=folder: act(folder), moment)  # type: ignore[misc]
        assert verify(folder)["sound"] is True
        act(folder)
        assert contents(folder) == contents(whole)
        for table in ("event", "interval", "mark", "session"):
            assert rows(folder, table) == rows(whole, table)
        assert not [path for path in folder.rglob("*") if path.is_file() and gone.encode() in path.read_bytes()]


def test_a_killed_backup_says_so_and_is_completed_by_the_same_again(made: Path, tmp_path: Path) -> None:
    def act(folder: Path) -> object:
        return main(["backup", "--data", str(folder), str(folder) + ".copy"])

    for moment, folder in moments(act, made, tmp_path, seed=3):
        operations(lambda folder=folder: act(folder), moment)  # type: ignore[misc]
        copy = Path(f"{folder}.copy")
        if copy.exists():
            state = copy / "backup.json"
            complete = state.exists() and json.loads(state.read_text())["complete"]
            assert complete is False or contents(copy) == contents(made)
            assert complete or not state.exists() or verify(copy)["sound"] is False
        assert act(folder) == 0
        assert contents(copy) == contents(made)
        assert verify(copy)["findings"] == []
        assert rows(copy, "event") == rows(made, "event")


@pytest.mark.parametrize("after_writes", [0, 2, 9, 40])
def test_without_room_prune_and_forget_leave_whole_segments_and_say_what_to_do(
    after_writes: int, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, old = os.write, contents(made)
    acts: list[list[str]] = [["prune", "--days", "5", "--around", "10"], list(FORGET)]
    for n, words in enumerate(acts):
        folder, whole = (Path(shutil.copytree(made, tmp_path / f"{name}{n}")) for name in ("folder", "whole"))
        assert main([*words, "--data", str(whole)]) == 0
        left = [after_writes]

        def full(file: int, part: bytes, left: list[int] = left) -> int:
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1
            return write(file, part)

        with monkeypatch.context() as context:
            context.setattr(os, "write", full)
            assert main([*words, "--data", str(folder)]) == CannotWriteError.exit_code
        assert "ake room and do the same again" in capsys.readouterr().err
        new, found = contents(whole), contents(folder)
        assert all(found[name] in (old[name], new.get(name)) for name in found)
        assert verify(folder)["sound"] is True
        assert main([*words, "--data", str(folder)]) == 0
        assert contents(folder) == new
