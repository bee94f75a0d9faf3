"""Faults of the disk, through the C library: full, read-only, broken, slow."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from pathlib import Path

from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError, replayed, sessions
from tests.campaign.running import running
from tests.campaign.table import Row

WORDS = {"ENOSPC": "disk full", "EROFS": "disk read-only", "EIO": "input/output error"}
PORT = 8794
SLOW_S = 10  # as in disk.c


def refusals(word: str, nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """Every change of a file fails for a while: detection goes on, the person is told, recording resumes by itself."""
    draw = random.Random(seed)
    with running(nursery, folder, word, "--port", str(PORT), seed=seed) as one:
        page = f"http://127.0.0.1:{one.port()}/api/v1/state"
        for number in range(count):
            one.set("fault", word)
            one.until_said("cannot be written", number + 1)
            one.more_events(2)
            with urllib.request.urlopen(page, timeout=10) as answer:
                shown = json.load(answer)
            if shown["well"] or not shown["troubles"] or not one.status()["troubles"]:
                raise LawBrokenError(f"status or page say nothing of it: {shown}")
            time.sleep(draw.uniform(0.0, 1.0))
            one.set("fault", "none")
            one.until_said("is written again", 2 * (number + 1))
            one.more_events()
    replay = replayed(sessions(one.folder)[-1])
    gap = any(line["type"] == "interval" and line["kind"] == "gap" for line in replay)
    if not gap:
        raise LawBrokenError("the recording lacks signal and its replay tells of no gap")
    seen = (
        "detection and page go on, it is told, in the log once it can be written; the recording has a gap and goes on"
    )
    return Row(WORDS[word], count, seen)


def slow(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """Each fsync takes ten seconds for a while: nothing waits for it but what is shown."""
    with running(nursery, folder, "slow", seed=seed) as one:
        for number in range(count):
            one.set("fault", "slow")
            time.sleep(SLOW_S + 2)
            if not number:  # late, but during the fault: recording, log and folders take a sync each
                one.more_events(1, patience_s=9 * SLOW_S)
            before = one.status()
            one.set("fault", "none")
            one.more_events(2)
        after = one.status()
    if after["scans_lost"] or after["scans_seen"] <= before["scans_seen"]:
        raise LawBrokenError(f"a slow disk cost signal: {after}")
    return Row("disk stalls of 10 s", count, "no signal lost, events shown once they are stored")
