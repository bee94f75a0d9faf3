"""What other commands may do while a daemon holds the data folder."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.app.cli import main
from emgtwitch.store.channel import ask
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.wire.records import Note, Session
from tests.app.nursery import Nursery
from tests.app.outputs import has_events, records, replayed, session
from tests.sources.fake_board import wait_for


@pytest.fixture(scope="module")
def data(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("data")
    child = nursery.start(
        *("run", "--source", "sim:demo:2", "--json", "--data", data),
        *("--muscle", "gastrocnemius", "--side", "left", "--placement", "belly", "--preset", "myoclonus"),
    )
    child.wait_for(has_events)
    yield data
    assert child.end(signal.SIGINT) == 0


def test_a_mark_lands_in_the_log_and_the_recording(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mark", "--data", str(data), "felt", "--note", "left calf"]) == 0
    assert "in the log and the running recording" in capsys.readouterr().out

    def marks() -> list[tuple[str, dict[str, Any]]]:
        with LogReader(data / "log.sqlite3") as log:
            return [(m["kind"], m["detail"]) for m in log.marks(Selection())]

    wait_for(lambda: bool(marks()))
    assert marks() == [("felt", {"note": "left calf"})]
    assert [r.json for r in records(data) if isinstance(r, Note)] == [{"kind": "felt", "note": "left calf"}]


def test_status_tells_what_lives(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wait_for(lambda: (ask(data, {"command": "status"}) or {}).get("scans_seen", 0) > 0)
    assert main(["status", "--json", "--data", str(data)]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["running"] is True
    assert state["connected"] is True
    assert state["source"] == "sim:demo:2"
    assert (state["rate_Hz"], state["channels"], state["troubles"]) == (1000.0, 1, [])
    assert state["scans_seen"] > 0
    assert state["scans_lost"] == state["frames_rejected"] == 0
    assert {"pid", "since_utc_ms", "recording_id", "device", "duration_s", "analysable_s", "clock_ppm"} <= set(state)


def test_what_is_worn_and_the_settings_are_in_the_recording(data: Path) -> None:
    told = records(data)[0]
    assert isinstance(told, Session)
    worn = {"muscle": "gastrocnemius", "side": "left", "placement": "belly"}
    assert told.json["worn"] == [worn]
    assert told.json["settings"]["preset"] == "myoclonus"


def test_a_second_daemon_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--source", "sim", "--data", str(data)]) == 73
    out = capsys.readouterr()
    assert "Another emgtwitch (process" in out.err
    assert "another folder with --data" in out.err
    assert out.out == ""


def test_a_replay_into_its_log_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = data / "link.sqlite3"
    link.symlink_to(data / "log.sqlite3")
    for log in (data / "log.sqlite3", link):
        assert main(["replay", str(session(data)), "--log", str(log)]) == 73
        assert "Another emgtwitch (process" in capsys.readouterr().err


def test_a_running_recording_can_be_replayed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(capsys, session(data))[-1]["duration_s"] > 0


def test_the_folder_can_be_checked_and_copied_while_it_is_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):  # the second and third go on from the one before
        assert main(["verify", "--data", str(data)]) == 0
        assert main(["backup", str(tmp_path / "copy"), "--data", str(data)]) == 0
        assert main(["verify", "--data", str(tmp_path / "copy")]) == 0
    assert main(["prune", "--days", "0", "--data", str(data)]) == 0
    assert "0 sessions" in capsys.readouterr().out
    assert main(["forget", "--from", "today", "--to", "today", "--yes", "--data", str(data)]) == 73
    assert "Stop it first" in capsys.readouterr().err
