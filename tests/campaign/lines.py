"""Faults of the line and the board: unplugged, exchanged, reset, noisy."""

from __future__ import annotations

import random
import time
from pathlib import Path

from emgtwitch.sources.recording import read_blocks
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Clock, Hello, Port, Samples
from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError, boottime_s, sessions
from tests.campaign.running import running
from tests.campaign.table import Row

SPOILED = 1e-3  # share of the line's bytes that are changed
NAMES = ("ttyUSB0", "ttyUSB1", "ttyACM0", "rfcomm0")


def unplugs(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The port vanishes at random moments and comes back, each time as another pty under another name."""
    draw, pulled_s, names = random.Random(seed), [], []
    with running(nursery, folder, "unplugs", seed=seed, finds=True) as one:
        names.append(one.board.path.name)
        for _ in range(count):
            before = one.child.said().count("streams")
            time.sleep(draw.uniform(0.05, 0.8))
            pulled_s.append(boottime_s())
            one.board.unplug()
            time.sleep(draw.uniform(0.0, 0.3))
            names.append(draw.choice([name for name in NAMES if name != names[-1]]))
            one.board.path = one.board.path.with_name(names[-1])
            one.board.plug()
            one.until_said("streams", before + 1)
        one.more_events()
    (recording,) = sessions(one.folder)
    data = b"".join(bytes(block) for block in read_blocks(recording))
    lost_s, opened = _losses(data, pulled_s), _opened(data)
    if len(lost_s) != count or opened != names:
        raise LawBrokenError(f"plugged in as {names}; the recording tells of {len(lost_s)} unplugs and of {opened}")
    return Row.of_losses("unplug and return under another name", count, lost_s, "goes on by itself each time")


def _opened(data: bytes) -> list[str]:
    """The names of the ports that were opened in a recording, in their order."""
    return [Path(found.name).name for found in frames(data, (Port.TYPE,)) if isinstance(found, Port) and found.opened]


def _losses(data: bytes, pulled_s: list[float]) -> list[float]:
    """For each unplug, how much signal before it is missing in a recording."""
    out: list[float] = []
    last_s, since, rate_Hz = 0.0, 0, 1000.0
    for found in frames(data, (Clock.TYPE, Hello.TYPE, Samples.TYPE, Port.TYPE)):
        if isinstance(found, Clock):
            last_s, since = found.boottime_ns / 1e9, 0
        elif isinstance(found, Hello):
            rate_Hz = found.rate_num / found.rate_den
        elif isinstance(found, Samples):
            since += len(found.counts)
        elif isinstance(found, Port) and not found.opened and len(out) < len(pulled_s):
            out.append(pulled_s[len(out)] - last_s - since / rate_Hz)
    return out


def other_boards(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """Another board is plugged in instead."""
    with running(nursery, folder, "others", seed=seed) as one:
        for number in range(count):
            one.board.unplug()
            one.board.plug(seed + 1 + number)
            one.until_said("another board", number + 1)
            one.more_events()
    return Row("another board in its place", count, "said, recorded with its own identity, detection goes on")


def resets(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The board resets amid its run."""
    with running(nursery, folder, "resets", seed=seed) as one:
        for _ in range(count):
            one.more_events()
            one.board.reset()
            one.more_events(2)
    gaps = len(one.intervals("gap"))
    if gaps < count:
        raise LawBrokenError(f"{count} resets, and the log has {gaps} gaps")
    return Row("reset of the board", count, "started again by itself; a gap in the log each time")


def garbage(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """Most bytes of the line are changed for a while: hardly a frame comes through."""
    draw = random.Random(seed)
    with running(nursery, folder, "garbage", seed=seed) as one:
        for number in range(count):
            one.until("all is well", lambda: one.status()["well"])
            one.board.spoiled = 1.0
            one.until("that it is not", lambda: not one.status()["well"])
            told = one.status()
            if not told["connected"] or told["hears"]:
                raise LawBrokenError(f"the status blames something else: {told}")
            one.until_said("not understood", number + 1)
            time.sleep(draw.uniform(0.0, 3.0))
            one.board.spoiled = 0.0
            one.more_events(2)
            one.until_said("understood again", number + 1)
    return Row("nothing but garbage", count, "the status says so; goes on by itself")


def noise(nursery: Nursery, folder: Path, seconds: float, seed: int) -> Row:
    """One byte in a thousand is changed on the line."""
    with running(nursery, folder, "noise", seed=seed) as one:
        one.board.spoiled = SPOILED
        time.sleep(seconds)
        one.board.spoiled = 0.0
        one.more_events(2)
        seen = one.status()
    if not seen["frames_rejected"] or not seen["scans_lost"]:
        raise LawBrokenError(f"a spoiled line of which nothing was noticed: {seen}")
    share = seen["scans_lost"] / (seen["scans_lost"] + seen["scans_seen"])
    text = (
        f"{seen['frames_rejected']} frames rejected, {100 * share:.0f} % of the scans lost and said so; none repaired"
    )
    return Row(f"{seconds:g} s with 1e-3 of the bytes changed", 1, text)
