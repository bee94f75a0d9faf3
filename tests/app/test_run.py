"""Laws of the daemon as its wearer meets it: live and replay agree, an unplug is a gap, and nothing shown is lost."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.store.channel import ask
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import Clock, Record, Samples
from tests.app.nursery import ROOT, Child, Nursery
from tests.app.outputs import canonical, has_events, records, replayed, session
from tests.sources.fake_board import FakeBoard, wait_for

KILLS = 20
AT_ONCE = 5
STORING_S, WORST_STORING_S = 0.25, 2.0  # of five daemons at once on one disk, which others use, too
BOOT_S = 0.3  # of a board without a bootloader
STARTED = re.compile(
    r"emgtwitch: recording to \S+; Ctrl-C stops\nemgtwitch: sim:quiet is open\n(.*streams\n)?(.*page is .*\n)*"
)


class DamagedBoard(FakeBoard):
    """A board in true time on a bad line, worn by the simulated wearer: bytes change, frames vanish and come twice."""

    def __init__(self, path: Path, seed: int = 1, damage: float = 0.02) -> None:
        counts = Wearer(SCENARIOS["demo"], seed).render(18_000)[:, 0].tolist()
        super().__init__(path, signal=lambda index: int(counts[index % len(counts)]))
        self._random, self._damage = random.Random(seed), damage

    def _boot(self) -> None:
        time.sleep(BOOT_S)
        super()._boot()

    def _send(self, what: Record) -> None:
        if isinstance(what, Samples):
            if what.index == 0:
                self._began_s = time.monotonic()
            time.sleep(max(0.0, self._began_s + what.index / self.rate_Hz - time.monotonic()))
        chance = self._random.random() / self._damage
        if chance < 1 and self.streaming:
            data = bytearray(frame(what, self.seq))
            at = self._random.randrange(len(data))
            data[at] ^= self._random.randrange(1, 256)
            garbage = self._random.randbytes(self._random.randrange(300))
            self.seq = (self.seq + 1) & 0xFFFF
            os.write(self._master, (bytes(data), b"", 2 * bytes(data), garbage + bytes(data))[int(4 * chance)])
        else:
            super()._send(what)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[DamagedBoard]:
    board = DamagedBoard(tmp_path / "ttyBoard")
    with board:
        yield board


@pytest.mark.slow
def test_a_session_through_damage_an_unplug_and_a_reset_is_what_its_replay_finds(
    nursery: Nursery, board: DamagedBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    live = nursery.start("run", "--source", board.path, "--json", "--data", data)
    live.wait_for(lambda live: has_events(live, 3))
    board.unplug()
    wait_for(lambda: (ask(data, {"command": "status"}) or {}).get("connected") is False)
    assert main(["status", "--data", str(data)]) == 1
    assert "no board is connected at present" in capsys.readouterr().out
    board.plug()
    replugged_s = time.monotonic()
    wait_for(lambda: (ask(data, {"command": "status"}) or {}).get("connected") is True)
    assert time.monotonic() - replugged_s < 2.0
    live.wait_for(lambda live: any('"cause": "unplugged"' in line for line in live.of_type("interval")))
    before = len(live.of_type("event"))
    live.wait_for(lambda live: has_events(live, before + 3))
    board.reset()
    live.wait_for(lambda live: any('"cause": "reset"' in line for line in live.of_type("interval")))
    assert live.end(signal.SIGINT) == 0
    lines = live.lines()
    again = replayed(capsys, session(data))
    assert canonical(lines) == canonical(again)
    summary = lines[-1]
    assert {key: again[-1][key] for key in summary} == summary
    assert summary["type"] == "summary"
    assert summary["frames_rejected"] > 0
    assert summary["scans_lost"] > 0
    (gap,) = (o for o in lines if o.get("cause") == "unplugged")
    assert gap["kind"] == "gap"
    assert 0 < gap["offset_s"] - gap["onset_s"] < 5.0
    with LogReader(data / "log.sqlite3") as log:
        assert [i["cause"] for i in log.intervals(Selection()) if i["cause"] == "unplugged"] == ["unplugged"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_ends_with_its_summary_and_is_what_its_replay_finds(
    nursery: Nursery, number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = nursery.start("run", "--source", "sim:twitches:4", "--json", "--data", tmp_path)
    live.wait_for(has_events)
    assert live.end(number) == 0
    again = replayed(capsys, session(tmp_path))
    assert canonical(live.lines()) == canonical(again) != []
    assert [o["type"] for o in live.lines()].count("summary") == 1
    assert {key: again[-1][key] for key in live.lines()[-1]} == live.lines()[-1]
    with LogReader(tmp_path / "log.sqlite3") as log:
        assert [s["state"] for s in log.sessions()] == ["closed"]


def test_a_run_from_the_shell_prints_words_and_ends_when_its_reader_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emgtwitch.app.cli", "run", "--source", "sim", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith("Not a medical device.")
        while "uV a count" not in run.stdout.readline():
            pass
        run.stdout.close()
        said = run.stderr.read()
        assert (run.wait(30), "Traceback" in said) == (0, False)
    with LogReader(tmp_path / "log.sqlite3") as log:
        assert [s["state"] for s in log.sessions()] == ["closed"]


@pytest.mark.slow
def test_whatever_was_shown_before_a_kill_is_in_the_log_and_the_next_start_needs_no_repair(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(20)
    folders = [tmp_path / str(n) for n in range(KILLS)]
    children: list[Child] = []
    killed_utc_ms = []
    for batch in range(0, KILLS, AT_ONCE):
        moments_s = sorted(time.monotonic() + draw.uniform(0.5, 5.0) for _ in range(AT_ONCE))
        for n, folder in enumerate(folders[batch : batch + AT_ONCE], start=batch):
            children.append(nursery.start("run", "--source", f"sim:demo:{n}", "--json", "--data", folder))
        for child, moment_s in zip(children[batch:], moments_s, strict=True):
            time.sleep(max(0.0, moment_s - time.monotonic()))  # no wait for anything: the moment is what is drawn
            killed_utc_ms.append(round(time.time() * 1000))
            assert child.end(signal.SIGKILL) == -signal.SIGKILL
    shown = 0
    lost_s = []
    for n, (folder, child) in enumerate(zip(folders, children, strict=True)):
        events = [o for o in child.lines() if o["type"] == "event"]
        shown += len(events)
        if not (folder / "sessions").exists():
            assert not events
            continue
        capsys.readouterr()
        assert main(["events", "--json", "--data", str(folder)]) == 0
        logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for event in events:
            assert any({key: row.get(key) for key in event} == event for row in logged), event
        again = replayed(capsys, session(folder))
        assert canonical(events) == [line for line in canonical(again) if line in canonical(events)]
        first_utc_ms = min(r.utc_ms for r in records(folder) if isinstance(r, Clock))
        lived_s = (killed_utc_ms[n] - first_utc_ms) / 1000
        lost_s.append(lived_s - again[-1]["duration_s"])
    assert shown > KILLS / 2
    assert statistics.median(lost_s) < 1.0 + STORING_S
    assert max(lost_s) < 1.0 + WORST_STORING_S
    after = [nursery.start("run", "--source", "sim:quiet", "--json", "--data", folder) for folder in folders]
    for folder, child in zip(folders, after, strict=True):
        child.wait_for(lambda child: bool(child.of_type("interval")) or "streams" in child.said())
        assert child.end(signal.SIGINT) == 0
        assert STARTED.fullmatch(child.said()), child.said()
        with LogReader(folder / "log.sqlite3") as log:
            assert "open" not in [s["state"] for s in log.sessions()]


@pytest.mark.slow
def test_a_full_disk_stops_neither_detection_nor_the_session_and_is_said(
    nursery: Nursery, board: DamagedBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    live = nursery.start("run", "--source", board.path, "--json", "--data", data)
    live.wait_for(has_events)
    wait_for(lambda: (session(data) / "0000.emgw").stat().st_size > 8_000)
    no_limit = resource.prlimit(live.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(live.pid, resource.RLIMIT_FSIZE, (8_000, no_limit[1]))
    live.wait_for(lambda live: "Detection and the log go on" in live.said())
    before = len(live.of_type("event"))
    live.wait_for(lambda live: has_events(live, before + 2))
    assert "Events are still shown, but not stored until it can be" in live.said()
    assert "0000.emgw" not in live.said()
    status = ask(data, {"command": "status"})
    assert status is not None
    assert any("cannot be written" in text for text in status["troubles"])
    resource.prlimit(live.pid, resource.RLIMIT_FSIZE, no_limit)
    live.wait_for(lambda live: "is written again; it lacks" in live.said())
    live.wait_for(lambda live: "The log is written again" in live.said())
    assert live.end(signal.SIGINT) == 0
    capsys.readouterr()
    assert main(["events", "--json", "--data", str(data)]) == 0
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [o for o in live.lines() if o["type"] == "event"]
    assert sum(not event.pop("stored", True) for event in events) >= 2
    assert [{key: row[key] for key in events[0]} for row in logged[:-1]] == sorted(events, key=lambda e: e["onset_s"])
    assert replayed(capsys, session(data))[-1]["scans_lost"] > live.lines()[-1]["scans_lost"]
