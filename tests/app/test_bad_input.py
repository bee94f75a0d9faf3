"""Bad input is said: what was seen, what is allowed, what to do, by the documented exit code and no traceback."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.sources.sim import recorded
from emgtwitch.store.channel import ask
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Hello, Session
from tests.app.nursery import NOBODY, ROOT, Nursery
from tests.app.outputs import has_events, replayed, session
from tests.sources.fake_board import FakeBoard, wait_for
from tests.sources.foreign.makers import make_edf, noise
from tests.store.processes import DROP_RIGHTS, public_folder

__all__ = ["public_folder"]


def hello(**changes: int) -> Hello:
    (first, *_) = recorded(SCENARIOS["quiet"], 0, 0.0)
    (told,) = frames(first)
    assert isinstance(told, Hello)
    return replace(told, **changes)


def numbers(*special: float) -> str:
    draw = random.Random(1)
    values = [draw.gauss(0.0, 5.0) for _ in range(5000)]
    for k, value in enumerate(special):
        values[1000 + 500 * k] = value
    return "\n".join(map(repr, values))


def edf(path: Path) -> None:
    make_edf(path, noise(4000, 1))
    path.write_bytes(path.read_bytes()[:100])


def folder(path: Path) -> None:
    path.mkdir()


def bytes_of(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


# name, what makes it, further options, exit code, what the message contains
BAD_FILES: list[tuple[str, Callable[[Path], object] | None, list[str], int, str]] = [
    ("missing.txt", None, [], 65, "does not exist"),
    ("missing.emgw", None, [], 65, "There is no recording at"),
    ("empty.txt", bytes_of(b""), [], 65, "is empty"),
    ("empty.emgw", bytes_of(b""), [], 65, "is empty: nothing was written to it"),
    ("folder", folder, [], 65, "is a folder"),
    ("folder.emgw", folder, [], 65, "Name a session's folder"),
    ("random.bin", bytes_of(random.Random(0).randbytes(9000)), [], 65, "Formats that can be read: emgtwitch (.emgw)"),
    ("random.emgw", bytes_of(random.Random(0).randbytes(9000)), [], 65, "Is it an emgtwitch recording?"),
    ("words.txt", bytes_of(b"a tale\nof words\n"), ["--fs", "1000"], 65, "'a tale' where numbers were expected"),
    ("late.txt", bytes_of(b"1\n2\nthree\n4\n" * 99), ["--fs", "1000"], 65, "line 3"),
    ("numbers.txt", bytes_of(b"1\n2\n" * 999), [], 65, "--fs HZ"),
    ("slow.txt", bytes_of(b"1\n2\n" * 999), ["--fs", "50"], 2, "200 to 20000 Hz can be analysed"),
    ("never.txt", bytes_of(b"1\n2\n" * 999), ["--fs", "-1"], 65, "Give a positive one"),
    ("unit.txt", bytes_of(b"1\n2\n" * 999), ["--fs", "1000", "--units", "furlong"], 65, "Allowed are uV, mV"),
    ("which.txt", bytes_of(b"1\n2\n" * 999), ["--fs", "1000", "--channel", "7"], 65, "has no channel '7'"),
    ("speed.txt", bytes_of(b"1\n2\n" * 999), ["--speed", "0"], 2, "it must be a number greater than 0"),
    ("cut.edf", edf, [], 65, "cut.edf"),
    ("version.emgw", bytes_of(frame(hello(wire_version=2), 0)), [], 65, "wire version 2; this program reads 1"),
]


@pytest.mark.parametrize(("name", "make", "options", "code", "text"), BAD_FILES, ids=[case[0] for case in BAD_FILES])
def test_a_file_that_cannot_be_read_is_said(
    name: str,
    make: Callable[[Path], object] | None,
    options: list[str],
    code: int,
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if make is not None:
        make(path)
    assert main(["replay", "--json", str(path), *options]) == code
    out = capsys.readouterr()
    assert text in out.err
    assert out.err.startswith("emgtwitch: ")
    assert out.out == ""


@pytest.mark.parametrize("option", ["--fs", "--units", "--channel"])
def test_options_of_foreign_files_are_refused_for_a_recording(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.emgw"
    path.write_bytes(b"".join(recorded(SCENARIOS["quiet"], 0, 1.0)))
    assert main(["replay", str(path), option, "1"]) == 2
    assert f"{option} is for foreign files; the recording {path} says it itself." in capsys.readouterr().err


def test_values_that_are_no_numbers_are_gaps_in_time_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "holes.txt"
    path.write_text(numbers(math.nan, math.inf, -math.inf))
    out = replayed(capsys, path, "--fs", "1000", "--units", "uV")
    assert out[-1]["duration_s"] == 5.0
    assert [(o["onset_s"], o["cause"]) for o in out if o.get("kind") == "gap"] == [
        (1.0, "missing"),
        (1.5, "missing"),
        (2.0, "missing"),
    ]


def test_a_file_cut_anywhere_loses_only_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = b"".join(recorded(SCENARIOS["demo"], 1, 6.0))
    path = tmp_path / "cut.emgw"
    for n in random.Random(3).sample(range(3000, len(whole)), 12):
        path.write_bytes(whole[:n])
        assert replayed(capsys, path)[-1]["scans_seen"] >= 16 * (whole[:n].count(b"\0") - 4)


def test_a_run_that_heard_only_hello_replays_to_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.emgw"
    path.write_bytes(note(Session({"recording_id": "r"}), 0) + frame(hello(), 0))
    assert main(["replay", "--json", str(path)]) == 0
    out = capsys.readouterr()
    assert "ends before its first sample" in out.err
    assert json.loads(out.out)["duration_s"] == 0.0


# The daemon's surroundings


def test_a_port_that_is_not_there_is_no_board(tmp_path: Path, nursery: Nursery) -> None:
    run = nursery.run("run", "--source", tmp_path / "ttyUSB9", "--data", tmp_path / "data")
    assert run.code == 69
    assert f"There is no port {tmp_path / 'ttyUSB9'}. Plug the board in" in run.said()
    assert not (tmp_path / "data" / "sessions").exists()


def test_a_port_without_permission_names_the_remedy(public_folder: Path, nursery: Nursery) -> None:
    public_folder.chmod(0o777)
    with FakeBoard(public_folder / "ttyB") as board:
        device = os.path.realpath(board.path)
        os.chmod(device, 0o600)
        run = nursery.run("run", "--source", board.path, "--data", public_folder / "data", uid=NOBODY)
    assert run.code == 69
    assert f"No permission to open {board.path}" in run.said()
    assert "sudo" in run.said()


@pytest.mark.slow
def test_a_silent_port_is_no_board(tmp_path: Path, nursery: Nursery) -> None:
    with FakeBoard(tmp_path / "ttyB", mute=True) as board:
        run = nursery.run("run", "--source", board.path, "--data", tmp_path / "data")
    assert run.code == 69
    assert "no board says Hello there" in run.said()


def test_a_board_of_another_wire_version_says_which_firmware_to_load(tmp_path: Path, nursery: Nursery) -> None:
    with FakeBoard(tmp_path / "ttyB", wire_version=2) as board:
        run = nursery.run("run", "--source", board.path, "--data", tmp_path / "data")
    assert run.code == 69
    assert "speaks wire version 2; this program reads version 1." in run.said()
    assert not (tmp_path / "data" / "sessions").exists()


def test_a_data_folder_that_may_not_be_written_is_said(public_folder: Path, nursery: Nursery) -> None:
    for data in (public_folder, public_folder / "new"):
        run = nursery.run("run", "--source", "sim", "--data", data, uid=NOBODY)
        assert run.code == 73
        assert "Choose one that you may write with --data or EMGTWITCH_DATA." in run.said()


def corrupt(path: Path) -> None:
    path.write_bytes(b"once upon a time " * 999)


def torn(path: Path) -> None:
    LogWriter(path).close()
    data = bytearray(path.read_bytes())
    data[4096:8192] = bytes(random.Random(1).randbytes(4096))
    path.write_bytes(data)


def newer(path: Path) -> None:
    LogWriter(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()


LOGS = [
    (corrupt, "is damaged"),
    (torn, "is damaged"),
    (newer, "has version 99; this program reads up to"),
    (foreign, "database of another program"),
]


@pytest.mark.parametrize(("spoil", "text"), LOGS, ids=[spoil.__name__ for spoil, _ in LOGS])
def test_a_log_that_cannot_be_used_is_said_and_left_as_it_is(
    spoil: Callable[[Path], None], text: str, tmp_path: Path, nursery: Nursery
) -> None:
    log = tmp_path / "log.sqlite3"
    spoil(log)
    before = log.read_bytes()
    run = nursery.run("run", "--source", "sim", "--data", tmp_path)
    assert run.code == 65
    assert text in run.said()
    assert log.read_bytes() == before
    assert not (tmp_path / "sessions").exists()
    recording = tmp_path / "a.emgw"
    recording.write_bytes(b"".join(recorded(SCENARIOS["demo"], 1, 1.0)))
    assert main(["replay", str(recording), "--log", str(log)]) == 65


def test_a_cache_folder_that_cannot_be_written_is_said_and_the_kernels_work(public_folder: Path) -> None:
    script = DROP_RIGHTS + (
        "import os, sys, numpy as np\n"
        "from emgtwitch.app.kernels import prepare_kernels\n"
        f"os.environ |= {{'HOME': {str(public_folder)!r}, 'XDG_CACHE_HOME': ''}}\n"
        "os.environ.pop('NUMBA_CACHE_DIR', None)\n"
        "import numba\n"
        "numba.njit('f8(f8)')(lambda x: x + 1)\n"  # whatever the compiler imports late
        "drop_rights()\n"
        "prepare_kernels()\n"
        "numba.config.reload_config()\n"
        "from emgtwitch.wire.crc import crc16\n"
        "print(crc16(np.array(bytearray(b'123456789')), 0, 9))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 0x29B1  # the check value of CRC-16/CCITT-FALSE
    assert f"the cache folder {public_folder}/.cache/emgtwitch/kernels/" in done.stderr
    assert "Set XDG_CACHE_HOME to a folder that you may write" in done.stderr


def test_a_vanished_reader_ends_a_listing_quietly(tmp_path: Path) -> None:
    path = tmp_path / "a.emgw"
    path.write_bytes(b"".join(recorded(SCENARIOS["twitches"], 1, 30.0)))
    for arguments in (f"replay --json {path} | head -1", "--help | true", f"replay {path} >/dev/full"):
        command = f"set -o pipefail; {sys.executable} -m emgtwitch.app.cli {arguments}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=60)
        assert done.returncode == (73 if "full" in arguments else 0)
        assert ("cannot be written: No space left on device" in done.stderr) is ("full" in arguments)
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr


def test_a_session_whose_disk_refuses_from_the_start_is_still_heard(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "sessions").write_text("a file where a folder should be")
    live = nursery.start("run", "--source", "sim:demo:2", "--json", "--data", data)
    live.wait_for(has_events)
    wait_for(lambda: bool((ask(data, {"command": "status"}) or {}).get("troubles")))
    assert live.end(signal.SIGINT) == 0
    assert "cannot be written" in live.said()
    assert "Detection and the log go on." in live.said()
    with LogReader(data / "log.sqlite3") as log:
        assert [s["state"] for s in log.sessions()] == ["closed"]
    (data / "sessions").unlink()
    again = nursery.start("run", "--source", "sim:demo:2", "--json", "--data", data)
    again.wait_for(has_events)
    assert again.end(signal.SIGINT) == 0
    assert replayed(capsys, session(data))[-1]["counts"] == again.lines()[-1]["counts"]
