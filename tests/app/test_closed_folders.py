"""Laws of folders that are not ours to use: each command says so, and a copy needs no right to write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from tests.app.kept import OFFSET_S, START_MS, write_session
from tests.app.nursery import NOBODY, Nursery
from tests.store.processes import public_folder

__all__ = ["public_folder"]

COMMANDS = {
    "status": ["status"],
    "events": ["events"],
    "verify": ["verify"],
    "prune": ["prune", "--days", "1"],
    "forget": ["forget", "--yes", "--from", "2024-06-01", "--to", "2024-06-01"],
    "mark": ["mark", "felt"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "a")
    return folder


def open_to_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("closed", ["", "data", "data/sessions"])
def test_a_folder_of_another_user_is_said_and_nothing_there_changes(
    closed: str, made: Path, public_folder: Path, nursery: Nursery
) -> None:
    data = Path(shutil.copytree(made, public_folder / "data"))
    open_to_all(data)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    (public_folder / closed).chmod(0o700)
    backup = ["backup", str(public_folder / "copy")]
    for name, command in (COMMANDS | {"backup": backup}).items():
        run = nursery.run(*command, "--data", str(data), uid=NOBODY)
        readable = closed == "data/sessions" and name in ("status", "events")
        assert run.code in ((0, 3) if readable else (65, 73)), (name, run.said())
        assert "Traceback" not in run.said()
        assert readable or "Permission denied" in run.said() or "may not write" in run.said()
    (public_folder / closed).chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_what_may_only_be_read_can_be_copied(made: Path, public_folder: Path, nursery: Nursery) -> None:
    data = Path(shutil.copytree(made, public_folder / "data"))
    target = public_folder / "stick"
    target.mkdir()
    target.chmod(0o777)
    log = LogWriter(data / LOG_NAME)
    log.mark("felt", {"note": "still in the WAL"}, START_MS, OFFSET_S)
    open_to_all(data)
    for _ in range(2):
        run = nursery.run("backup", str(target / "copy"), "--data", str(data), uid=NOBODY)
        assert run.code == 0, run.said()
    log.close()
    for path in (data / "sessions/a").iterdir():
        assert (target / "copy/sessions/a" / path.name).read_bytes() == path.read_bytes()
    with LogReader(target / "copy" / LOG_NAME) as copy:
        assert "still in the WAL" in {mark["detail"].get("note") for mark in copy.marks()}


def test_a_segment_that_the_disk_does_not_give_costs_the_backup_no_other(
    made: Path, public_folder: Path, nursery: Nursery
) -> None:
    data = Path(shutil.copytree(made, public_folder / "data"))
    open_to_all(data)
    (data / "sessions/a/0001.emgw").chmod(0)
    public_folder.chmod(0o777)
    run = nursery.run("backup", str(public_folder / "copy"), "--data", str(data), uid=NOBODY)
    assert run.code == 65
    assert "0001.emgw (Permission denied). All else is copied." in run.said()
    copied = {path.name for path in (public_folder / "copy/sessions/a").iterdir()}
    assert copied == {path.name for path in (data / "sessions/a").iterdir()} - {"0001.emgw"}
    with LogReader(public_folder / "copy" / LOG_NAME) as log:
        assert log.events()
    (data / "sessions/a/0001.emgw").chmod(0o644)
    assert nursery.run("backup", str(public_folder / "copy"), "--data", str(data), uid=NOBODY).code == 0
