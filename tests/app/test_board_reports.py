"""What the board reports about itself reaches the wearer: on the screen, in the log, in `status` and in a replay."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.app.board_words import ERRORS, errors_text, report_text
from emgtwitch.app.cli import main
from emgtwitch.app.daemon import Daemon
from emgtwitch.detect.records import Mark
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import SimLink
from emgtwitch.store.log_reader import LogReader
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.records import Counters, Guard
from tests.app.nursery import Nursery
from tests.app.outputs import replayed, session
from tests.sources.fake_board import FakeBoard

WATCH = Guard(period=4, guarded_s=12_000, twitches=12, contractions=0, spasms=1, longest_ms=2500)
ERRED = Counters(line_errors=2, rejected_requests=0, missed_triggers=0, lost_scans=1, watchdog_resets=3)
SENTENCE = (
    "While no computer was connected the board watched for 3 h 20 min: "
    "12 twitches, 0 contractions, 1 spasm, the longest of 2.50 s."
)


def marks(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [o for o in objects if o["type"] == "mark"]


def test_a_watch_and_errors_are_shown_logged_and_the_same_in_a_replay(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with FakeBoard(tmp_path / "ttyB") as board:
        board.reports = [Counters(0, 0, 0, 0, 0), WATCH]
        live = nursery.start("run", "--source", board.path, "--data", data)
        live.wait_for(lambda live: SENTENCE in live.out.read_text())
        board.reports = [ERRED, WATCH]
        board.reset()
        live.wait_for(lambda live: "The board reports errors" in live.out.read_text())
        assert main(["status", "--data", str(data)]) == 0
        errors = "2 garbled bytes, 1 scan lost, 3 restarts by the watchdog"
        assert f"  errors    of the board since its power-up: {errors}\n" in capsys.readouterr().out
        assert main(["status", "--data", str(data), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["board_errors"]["watchdog_resets"] == 3
        assert live.end(signal.SIGINT) == 0
    assert live.out.read_text().count(SENTENCE) == 1
    again = marks(replayed(capsys, session(data)))
    assert [mark["kind"] for mark in again] == ["guard", "board_errors"]
    assert again[0]["guarded_s"] == 12_000
    assert main(["events", "--marks", "--json", "--data", str(data)]) == 0
    logged = marks([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    for mark in logged:
        del mark["utc_ms"], mark["utc_offset_s"]
    assert sorted(logged, key=str) == sorted(again, key=str)  # this board's time goes by leaps: none orders its marks
    assert main(["events", "--marks", "--data", str(data)]) == 0
    assert SENTENCE in capsys.readouterr().out


def test_a_watch_that_an_earlier_run_told_of_is_not_told_again(nursery: Nursery, tmp_path: Path) -> None:
    """The board repeats its last watch until there is another; a program reading JSON gets all that is logged."""
    data = tmp_path / "data"
    later = replace(WATCH, period=5)
    with FakeBoard(tmp_path / "ttyB") as board:
        for reports, told in (([WATCH], True), ([WATCH], False), ([later], True)):
            board.reports = [*reports, Counters(0, 0, 0, 0, 0)]
            live = nursery.start("run", "--source", board.path, "--data", data)
            live.wait_for(lambda live: " at 1000 Hz" in live.out.read_text())
            nursery.run("mark", "end", "--data", data)
            live.wait_for(lambda live: "mark: end" in live.out.read_text())
            assert live.end(signal.SIGINT) == 0
            assert (SENTENCE in live.out.read_text()) == told


def test_errors_are_counted_in_words_and_none_are_no_words() -> None:
    assert errors_text(dict.fromkeys(ERRORS, 0)) == errors_text({}) == ""
    assert errors_text(dict.fromkeys(ERRORS, 1)) == (
        "1 garbled byte, 1 rejected request, 1 late conversion, 1 scan lost, 1 restart by the watchdog"
    )
    assert errors_text({"missed_triggers": 2, "lost_scans": 2}) == "2 late conversions, 2 scans lost"


def test_every_counter_of_the_wire_has_words() -> None:
    assert set(ERRORS) == set(asdict(ERRED))


def test_a_mark_of_the_wearer_by_the_same_name_is_the_wearers() -> None:
    assert report_text("guard", "host", {}) == report_text("button", "board", {}) == ""
    assert report_text("guard", "board", dict.fromkeys(asdict(WATCH), 0)).endswith("0 spasms.")


def test_a_flood_of_watches_reads_the_log_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    class Counted(LogReader):
        def __init__(self, path: Path) -> None:
            opened.append(path)
            super().__init__(path)

    monkeypatch.setattr("emgtwitch.app.daemon.LogReader", Counted)
    link = SimLink(SCENARIOS["quiet"], started=False)
    session = {"recording_id": "r", "settings": Settings().as_dict(), "worn": [], "started_utc_ms": 0}
    daemon = Daemon(lambda: link, tmp_path, session, {}, threading.Event())
    try:
        for n in range(100):
            assert not daemon._told_before(Mark("guard", None, 0.0, "board", 0, {"twitches": n}))
    finally:
        daemon._keeper.close()
        daemon._printer.close()
    assert len(opened) == 1
