"""Faults while signal is dropped: pruning killed at any moment, and the daemon's own pruning while it listens."""

from __future__ import annotations

import random
import shutil
import signal
import time
from functools import partial
from pathlib import Path

from tests.app.kept import write_session
from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError, check_sound, logged, sessions
from tests.campaign.running import running
from tests.campaign.table import Row

OPTIONS = ("prune", "--days", "5", "--around", "20", "--data")
SPEED = 60.0  # the daemon's first pruning is ten minutes after its start
PATIENCE_S = 120.0


def prune_kills(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """kill -9 at random moments of a pruning: nothing is damaged, and the next one completes it."""
    draw = random.Random(seed)
    made, asked = folder / "made", folder / "asked"
    made.mkdir()
    for number in range(2):
        write_session(made, f"session{number}", seed=seed + 2 * number)
    shutil.copytree(made, asked)
    began_s = time.monotonic()
    command(nursery, *OPTIONS, asked)
    whole_s = time.monotonic() - began_s
    wanted, events = signal_of(asked), logged(made)
    for number in range(count):
        data = folder / f"killed{number}"
        shutil.copytree(made, data)
        child = nursery.start(*OPTIONS, data)
        time.sleep(draw.uniform(0.0, whole_s))
        child.end(signal.SIGKILL)
        check_sound(data)
        command(nursery, "verify", "--data", data)
        command(nursery, *OPTIONS, data)
        if signal_of(data) != wanted or logged(data) != events:
            raise LawBrokenError(f"a pruning that was killed and done again has left something else in {data}")
        shutil.rmtree(data)
    return Row("kill -9 of prune", count, "nothing damaged; the next one completes it, to the same bytes")


def daily_pruning(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """`[keep]` in the configuration: old signal goes by itself while the daemon listens."""
    config = folder / "config.toml"
    config.write_text("[keep]\nsignal_days = 5\naround_event_s = 2\n")
    for number in range(count):
        name = f"daily{number}"
        data = folder / name / "data"
        data.mkdir(parents=True)
        old = write_session(data, "20240601T120000-1", seed=seed + number)
        before = _size(old)
        with running(nursery, folder, name, "--no-page", "--config", config, seed=seed, speed=SPEED) as one:
            one.until("the pruning", partial(_smaller, old, before), PATIENCE_S)
            one.more_events(2)
    return Row("pruning by itself while it listens", count, "old signal goes, detection goes on")


def command(nursery: Nursery, *arguments: str | Path, environ: dict[str, str] | None = None) -> None:
    """Do it. Raises LawBrokenError where it does not end with 0."""
    child = nursery.run(*arguments, environ=environ)
    if child.code:
        raise LawBrokenError(f"{arguments[0]} ended with {child.code}: {child.out.read_text()} {child.said()}")


def signal_of(data: Path) -> dict[str, bytes]:
    """What lies in the recordings, by its name."""
    return {f"{one.name}/{path.name}": path.read_bytes() for one in sessions(data) for path in one.iterdir()}


def _size(recording: Path) -> int:
    return sum(path.stat().st_size for path in recording.glob("*.emgw"))


def _smaller(recording: Path, before: int) -> bool:
    return _size(recording) < 0.9 * before
