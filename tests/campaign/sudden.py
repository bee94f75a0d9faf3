"""Sudden ends: kill -9 at any moment."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

from emgtwitch.wearer.scenario import SCENARIOS
from tests.app.nursery import Child, Nursery
from tests.campaign.board import BUSY, PtyBoard
from tests.campaign.laws import LawBrokenError, boottime_s, check_shown, check_sound, missing_s, sessions
from tests.campaign.table import Row

OLD_LOG = Path(__file__).parents[1] / "store/logs/v1.sql"
RUNS_IN_A_FOLDER = 8
SEGMENT_BYTES = 6000  # two seconds of signal: a rotation is often under way


def kills(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """kill -9 at random moments: start, running, rotation, migration. Nothing shown may be missing.

    Every other folder's board is quiet: without events nothing is stored before its time.
    """
    draw, shown, lost_s = random.Random(seed), 0, []
    for batch in range(0, count, RUNS_IN_A_FOLDER):
        quiet = batch // RUNS_IN_A_FOLDER % 2 == 1
        data = folder / f"kills{batch}"
        data.mkdir()
        if draw.random() < 0.5:
            with sqlite3.connect(data / "log.sqlite3") as log:
                log.executescript(OLD_LOG.read_text())
        with PtyBoard(folder / "tty", seed, SCENARIOS["quiet"] if quiet else BUSY) as board:
            for _ in range(min(RUNS_IN_A_FOLDER, count - batch)):
                before = len(sessions(data))
                arguments = ("run", "--source", board.path, "--json", "--no-page", "--data", data)
                child = nursery.start(*arguments, segment_bytes=SEGMENT_BYTES if draw.random() < 0.5 else 0)
                time.sleep(draw.uniform(0.0, 3.5))
                died_s = _killed(child)
                shown += check_shown(child.lines(), data)
                if len(sessions(data)) > before and (lost := missing_s(sessions(data)[-1], died_s)) is not None:
                    lost_s.append(lost)
        check_sound(data)
        shutil.rmtree(data)
    return Row.of_losses("kill -9, the board goes on", count, lost_s, f"{shown} events shown, all in the log")


def stalled_kills(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """kill -9 while each fsync takes ten seconds: what was written is the system's, and comes through."""
    draw, shown, lost_s = random.Random(seed), 0, []
    for number in range(count):
        data, fault = folder / f"stalled{number}", folder / "fault"
        data.mkdir()
        fault.unlink(missing_ok=True)
        environ = {"CAMPAIGN_ROOT": str(data), "CAMPAIGN_FAULT": str(fault)}
        with PtyBoard(folder / "tty", seed) as board:
            arguments = ("run", "--source", board.path, "--json", "--no-page", "--data", data)
            child = nursery.start(*arguments, environ=environ, segment_bytes=SEGMENT_BYTES)
            child.wait_for(lambda child: bool(child.of_type("event")))
            fault.write_text("slow")
            time.sleep(draw.uniform(0.0, 8.0))
            died_s = _killed(child)
        shown += check_shown(child.lines(), data)
        lost = missing_s(sessions(data)[-1], died_s)
        if lost is None:
            raise LawBrokenError(f"an event was shown, and the recording in {data} is empty")
        lost_s.append(lost)
        check_sound(data)
        shutil.rmtree(data)
    return Row.of_losses("kill -9 while the disk stalls", count, lost_s, f"{shown} events shown, all in the log")


def _killed(child: Child) -> float:
    """When, by the clock since boot."""
    died_s = boottime_s()
    child.end(signal.SIGKILL)
    return died_s
