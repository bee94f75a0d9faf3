"""Faults of the disk, through the C library: full, read-only, broken, slow."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import log_path
from tests.app.nursery import Child, Nursery
from tests.campaign.board import PtyBoard
from tests.campaign.laws import LawBrokenError, check_shown, check_sound, replayed, sessions
from tests.campaign.running import running
from tests.campaign.sudden import OLD_LOG
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


def bad_starts(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The disk takes nothing at a start: in an empty folder, with an old log to migrate, after a crash, after a run."""
    ended = 0
    for number in range(count):
        control = folder / f"starts{number}"
        (control / "data").mkdir(parents=True)
        with PtyBoard(control / "tty", seed) as board:
            before = number % 4
            if before == 1:
                with closing(sqlite3.connect(log_path(control / "data"))) as log:
                    log.executescript(OLD_LOG.read_text())
            elif before:
                _until_events(_started(nursery, control, board)).end(signal.SIGKILL if before == 2 else signal.SIGINT)
            (control / "fault").write_text(list(WORDS)[number // 4 % len(WORDS)])
            child = _started(nursery, control, board)
            child.wait_for(lambda child: child.ended.is_set() or len(child.of_type("event")) > 1)
            (control / "fault").write_text("none")
            if child.ended.is_set():
                ended += 1
                if child.end() != CannotWriteError.exit_code or "cannot be" not in child.said():
                    raise LawBrokenError(f"it ended with {child.code}: {child.said()}")
            else:
                child.wait_for(lambda child: "written again" in child.said())
                child.end(signal.SIGINT)
                check_shown(child.lines(), control / "data")
            following = _until_events(_started(nursery, control, board))
            following.end(signal.SIGINT)
        check_shown(following.lines(), control / "data")
        check_sound(control / "data")
    ends = f"ends and says so ({ended} times)" if ended else ""
    lives = f"detection goes on, it is stored later ({count - ended})" if ended < count else ""
    return Row(
        "disk full, read-only or broken at a start",
        count,
        f"{' or '.join(one for one in (lives, ends) if one)}; nothing damaged",
    )


def bad_ends(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The disk takes nothing any more, and the daemon is stopped."""
    for number in range(count):
        control = folder / f"ends{number}"
        (control / "data").mkdir(parents=True)
        with PtyBoard(control / "tty", seed) as board:
            child = _until_events(_started(nursery, control, board))
            stored = child.lines()
            (control / "fault").write_text(list(WORDS)[number % len(WORDS)])
            child.wait_for(lambda child: "cannot be written" in child.said())
            _until_events(child, len(child.of_type("event")) + 2)
            child.end(signal.SIGINT)
            (control / "fault").write_text("none")
            if "outputs are not in the log" not in child.said():
                raise LawBrokenError(f"what the disk did not take is not told: {child.said()}")
            following = _until_events(_started(nursery, control, board))
            following.end(signal.SIGINT)
        check_shown([*stored, *following.lines()], control / "data")
        check_sound(control / "data")
    return Row(
        "disk full, read-only or broken at the end",
        count,
        "says how much is not stored; nothing damaged, the next run goes on",
    )


def _started(nursery: Nursery, control: Path, board: PtyBoard) -> Child:
    environ = {"CAMPAIGN_ROOT": str(control / "data"), "CAMPAIGN_FAULT": str(control / "fault")}
    arguments = ("run", "--source", board.path, "--json", "--no-page", "--data", control / "data")
    return nursery.start(*arguments, environ=environ)


def _until_events(child: Child, count: int = 1) -> Child:
    child.wait_for(lambda child: len(child.of_type("event")) >= count)
    return child
