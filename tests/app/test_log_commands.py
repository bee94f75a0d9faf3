"""Laws of `events`, `status` and `mark`: light, honest in a pipe, and the same whether a daemon runs or not."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.mark import mark
from emgtwitch.app.status import NOT_RUNNING, NOT_WELL, gather
from emgtwitch.errors import CannotWriteError, UsageError
from emgtwitch.store.channel import CommandServer
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from tests.store.test_log import ANNOUNCED, HOUR_S, NOON_MS, OPENED, PROGRESS, stamped, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "log.sqlite3")
    return tmp_path


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_events_json_is_one_object_a_line_and_a_summary_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--data", str(folder), "--json", "--intervals", "--marks"]) == 0
    out = lines(capsys)
    assert [line["type"] for line in out] == ["event", "interval", "interval", "event", "mark", "summary"]
    assert out[0]["class"] == "twitch"
    assert out[0]["peak_uV"] == 40.0
    assert out[0]["utc_ms"] == NOON_MS + 1500
    assert out[3] | {"class": "spasm", "offset_s": 17.0, "duration_ms": 7000.0, "truncated": False} == out[3]
    assert out[5] == {
        "type": "summary",
        "duration_s": 20.0,
        "analysable_s": 19.55,
        "analysable_s_by_channel": [19.8, 19.3],
        "counts": {"twitch": 1, "contraction": 0, "spasm": 1},
        "trains": 0,
    }


def test_events_of_a_range_come_with_the_analysable_time_of_that_range(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = "2024-03-30T13:00:02"  # 2 s after the start, on the wearer's clock
    assert main(["events", "--data", str(folder), "--json", "--from", at, "--to", "2024-03-30"]) == 0
    event, summary = lines(capsys)
    assert event["class"] == "spasm"
    assert summary["duration_s"] == 18.0
    assert (summary["analysable_s_by_channel"], summary["analysable_s"]) == ([17.8, 17.3], 17.55)
    assert main(["events", "--data", str(folder), "--json", "--from", "2024-03-31"]) == 0
    (summary,) = lines(capsys)
    assert summary["duration_s"] == 0.0


def test_events_in_a_pipe_are_plain_aligned_lines_in_the_wearer_s_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["events", "--data", str(folder), "--class", "twitch"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["time", "class", "ch", "duration", "peak", "SNR", "dB", "train", "remarks"]
    assert out[1].split() == ["2024-03-30", "13:00:01.5", "twitch", "0", "50", "ms", "40.0", "uV", "9.0"]
    assert out[2].startswith("1 twitch, 0 contractions, 0 spasms; 0 trains. Analysable of 20.00 s: 19.80 s (channel 0)")
    assert len(out) == 3


def test_a_spasm_that_goes_on_is_listed_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LogWriter(tmp_path / "log.sqlite3") as log:
        log.write(stamped(OPENED, ANNOUNCED), PROGRESS)
        assert main(["events", "--data", str(tmp_path), "--json"]) == 0
        event = lines(capsys)[0]
        assert (event["class"], event["offset_s"], event["duration_ms"]) == ("spasm", None, None)
        assert main(["events", "--data", str(tmp_path)]) == 0
        assert "goes on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["events", "--data", "{}/missing"], 65, "There is no log at"),
        (["events", "--data", "{}", "--from", "noon"], 2, "'noon' is no time"),
        (["events", "--data", "{}", "--session", "x"], 2, "No recording's id begins with 'x'"),
        (["mark", "--data", "{}/log.sqlite3", "felt"], 73, "The data folder"),
        (["mark", "--data", "{}", " "], 2, "A mark needs a kind"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(
    folder: Path, arguments: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(folder) for argument in arguments]) == code
    out = capsys.readouterr()
    assert text in out.err
    assert out.out == ""


def test_drawing_without_a_recording_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["events", "--data", str(tmp_path), "--plot", str(tmp_path / "out.png")]
    with LogWriter(tmp_path / "log.sqlite3") as log:
        assert main(arguments) == 2
        assert "The log holds no recording to draw" in capsys.readouterr().err
        log.write(stamped(OPENED), PROGRESS)
    assert main(arguments) == 2
    assert "does not say where r1 was recorded" in capsys.readouterr().err


def test_a_log_that_is_none_is_said_by_every_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "log.sqlite3").write_bytes(b"once upon a time " * 999)
    for command in (["events"], ["status"], ["mark", "felt"]):
        assert main([*command, "--data", str(folder)]) == 65
        assert "is damaged" in capsys.readouterr().err


def test_a_mark_without_a_daemon_goes_into_the_log(tmp_path: Path) -> None:
    text = mark(tmp_path / "new", "coffee", "two cups", NOON_MS, HOUR_S)
    assert text == "Marked 'coffee' at 2024-03-30 13:00:00, in the log alone: nothing is recorded at present."
    with LogReader(tmp_path / "new" / "log.sqlite3") as log:
        (row,) = log.marks()
    assert (row["kind"], row["detail"], row["utc_ms"], row["session"]) == (
        "coffee",
        {"note": "two cups"},
        NOON_MS,
        None,
    )


def test_a_mark_with_a_daemon_goes_through_it(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []

    def daemon(request: dict[str, Any]) -> dict[str, Any]:
        heard.append(request)
        return {}

    server = CommandServer(tmp_path, daemon)
    text = mark(tmp_path, "coffee", None, NOON_MS, HOUR_S)
    server.close()
    assert text == "Marked 'coffee' at 2024-03-30 13:00:00, in the log and the running recording."
    assert heard == [{"command": "mark", "kind": "coffee", "detail": {}}]
    assert not (tmp_path / "log.sqlite3").exists()


def test_a_mark_never_writes_beside_another_writer(tmp_path: Path) -> None:
    with DataLock(tmp_path), pytest.raises(CannotWriteError, match=rf"\(process {os.getpid()}\)"):
        mark(tmp_path, "coffee", None, NOON_MS, HOUR_S)


def test_a_mark_fits_into_a_frame(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it may have 3000\. Shorten the note"):
        mark(tmp_path, "coffee", "€" * 600, NOON_MS, HOUR_S)


TODAY = datetime.datetime(2024, 3, 30, 20)


def test_status_without_a_daemon_tells_of_the_last_recording(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = gather(folder, TODAY)
    assert state["running"] is False
    assert state["today"] == {"twitch": 1, "contraction": 0, "spasm": 1}
    assert gather(folder, TODAY + datetime.timedelta(days=1))["today"]["twitch"] == 0
    assert (state["analysable_share"], state["clock_ppm"], state["scans_lost"]) == ([0.99, 0.965], 12.5, 200)
    assert main(["status", "--data", str(folder)]) == NOT_RUNNING
    out = capsys.readouterr().out
    assert "The daemon is not running" in out
    assert "clock     +12.5 ± 0.5 ppm" in out
    assert "lost      200 of 20000 scans (1 %), 3 frames rejected" in out


def test_status_of_an_empty_folder_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--data", str(tmp_path / "new"), "--json"]) == NOT_RUNNING
    assert lines(capsys) == [{"type": "status", "running": False, "data": str(tmp_path / "new")}]


def test_status_with_a_daemon_prefers_its_figures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = {"pid": 7, "recording_id": "r1", "since_utc_ms": NOON_MS, "duration_s": 40.0, "analysable_s": [20.0, 30.0]}
    live |= {"connected": False, "well": False, "well_since_utc_ms": NOON_MS, "well_since_offset_s": 7200}
    live |= {"troubles": ["The disk is full."]}
    server = CommandServer(folder, lambda request: live)
    state = gather(folder, TODAY)
    assert main(["status", "--data", str(folder)]) == NOT_WELL
    live |= {"connected": True, "hears": False}
    assert main(["status", "--data", str(folder)]) == NOT_WELL
    live |= {"hears": True, "contact": False}
    assert main(["status", "--data", str(folder)]) == NOT_WELL
    live["contact"] = True
    assert main(["status", "--data", str(folder)]) == NOT_WELL
    live["well"] = True
    assert main(["status", "--data", str(folder)]) == 0
    server.close()
    assert state["running"] is True
    assert state["analysable_share"] == [0.5, 0.75]
    out = capsys.readouterr().out
    assert "The daemon runs since 2024-03-30 13:00 (process 7); no board is connected at present." in out
    assert "trouble   The disk is full." in out
    # With the offset then valid, which is not that of the session's start.
    assert "No board since 2024-03-30 14:00: plug it in" in out
    assert "Nothing understandable comes from the board since 2024-03-30 14:00: check its cable" in out
    assert "No electrode has contact since 2024-03-30 14:00: press them on" in out
    assert "Not everything is stored since 2024-03-30 14:00: make room" in out
    assert "All is well since 2024-03-30 14:00.\n" in out


HEAVY = ("numpy", "scipy", "numba", "rich", "matplotlib", "h5py", "edfio", "serial", "emgtwitch.wire")
LIGHT = f"""
import sys
from emgtwitch.app.cli import main
code = main(sys.argv[1:])
print(code, *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("command", [["--help"], ["events"], ["status"], ["mark", "felt"]])
def test_reading_and_marking_start_light(folder: Path, command: list[str]) -> None:
    """By what they import; `python -m benchmarks.startup` has the milliseconds."""
    arguments = command if command == ["--help"] else [*command, "--data", str(folder)]
    out = subprocess.run([sys.executable, "-c", LIGHT, *arguments], capture_output=True, text=True, check=True)
    code, *heavy = out.stderr.split()
    assert code == ("3" if command == ["status"] else "0")
    assert heavy == []
