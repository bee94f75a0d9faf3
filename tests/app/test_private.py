"""Whatever a command makes is its owner's alone, even where the umask would have let everybody in."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Clock, Session
from tests.app.nursery import ROOT, Nursery

DAY_MS = 1_700_000_000_000
OUTPUTS = (
    ("run", "--source", "sim:demo:1", "--port", "0", "--data", "home/ran"),
    ("replay", "a.emgw", "--log", "home/data/log.sqlite3"),
    ("events", "--session", "last", "--plot", "events.png", "--data", "home/data"),
    *(("export", "--format", form, "-o", f"out/{form}", "--data", "home/data") for form in ("csv", "jsonl", "bids")),
    ("report", "--from", "2023-11-14", "--to", "2023-11-14", "-o", "r.html", "--data", "home/data"),
    ("mark", "felt", "--data", "home/marked"),
    ("backup", "copies/one", "--data", "home/data"),
)


@pytest.mark.slow
def test_nothing_that_a_command_makes_is_open_to_others(tmp_path: Path) -> None:
    made = {"mains_Hz": 50.0}
    data = note(Session({"recording_id": "r", "settings": made, "worn": [], "started_utc_ms": DAY_MS}), 0)
    for piece in recorded(SCENARIOS["demo"], 1, 20.0):
        data += note(Clock(10**12, 10**12, DAY_MS, 0), 0) + piece
    (tmp_path / "a.emgw").write_bytes(data)
    (tmp_path / "home/data").mkdir(mode=0o700, parents=True)
    before = set(tmp_path.rglob("*"))
    environ = os.environ | {"MPLCONFIGDIR": "matplotlib", "PYTHONPATH": str(ROOT)}
    for command in OUTPUTS:
        patience = ["timeout", "--preserve-status", "-s", "INT", "8"] if command[0] == "run" else []
        done = subprocess.run(
            [*patience, sys.executable, "-m", "emgtwitch.app.cli", *command],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environ,
            umask=0,
        )
        assert done.returncode == 0, (command, done.stderr)
    new = set(tmp_path.rglob("*")) - before
    assert {path.suffix for path in new} >= {".emgw", ".sqlite3", ".lock", ".png", ".csv", ".jsonl", ".tsv", ".html"}
    assert [str(path) for path in new if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_command_leaves_the_umask_of_who_calls_it() -> None:
    before = os.umask(0o022)
    try:
        assert main(["--version"]) == 0
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_a_data_folder_that_others_may_write_is_said(tmp_path: Path, nursery: Nursery) -> None:
    tmp_path.chmod(0o777)
    run = nursery.run("run", "--source", tmp_path / "none", "--data", tmp_path)
    assert f"other users may write to {tmp_path} and replace what is recorded there: chmod go-w" in run.said()
    tmp_path.chmod(0o755)
    assert "other users" not in nursery.run("run", "--source", tmp_path / "none", "--data", tmp_path).said()
