"""Faults of the computer: clocks, a stopped or starved process, memory, a second daemon, a stuck browser."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from emgtwitch.app.page.live import MOST_CLIENTS
from emgtwitch.store.folders import log_path
from emgtwitch.store.log_reader import LogReader, Selection
from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError
from tests.campaign.running import Running, live_channel, running
from tests.campaign.table import Row

HOUR_NS = 3600 * 10**9
ZONE = "Europe/Berlin"
SUMMER_TIME = {  # when it changes there, and the offsets before and after
    "autumn": (1792890000, 7200, 3600),  # 2026-10-25T01:00Z
    "spring": (1806195600, 3600, 7200),  # 2027-03-28T01:00Z
}
CLOCK_NOTES_S = 1.0  # apart; they tell the offset
STUCK_S = 10.0
ROOM_BYTES = 48 << 20  # that a browser which never reads may cost


def steps(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The wall clock is set an hour forward and back."""
    with running(nursery, folder, "steps", seed=seed) as one:
        for number in range(count):
            one.set("clock", f"{HOUR_NS if number % 2 == 0 else 0} 0")
            one.until("the step's interval", partial(_told, one, "clock_step", number + 1))
        one.more_events(2)
    told = one.intervals("clock_step")
    if len(told) != count:
        raise LawBrokenError(f"{count} steps of the clock, and the log tells of {len(told)}")
    return Row("wall clock set an hour forward and back", count, "logged; times on the sample clock go on")


def summer_time(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The clocks go back an hour, and in spring forward, while a daemon runs; the machine's own clock, UTC, goes on."""
    for number in range(count):
        with contextlib.ExitStack() as both:
            found = []
            for name, change in SUMMER_TIME.items():
                ahead_ns = (change[0] - 8) * 10**9 - time.time_ns()  # an event comes before, on a busy machine, too
                daemon = running(nursery, folder, f"{name}{number}", seed=seed, zone=ZONE, ahead_ns=ahead_ns)
                found.append((both.enter_context(daemon), *change))
            for one, _, before_s, after_s in found:
                one.until("both offsets", partial(_has_offsets, one, {before_s, after_s}))
                one.more_events(4)
        for one, at_s, before_s, after_s in found:
            rows = [row for row in _events(one) if abs(row["utc_ms"] / 1000 - at_s) > CLOCK_NOTES_S]
            wrong = [row for row in rows if row["utc_offset_s"] != (before_s, after_s)[row["utc_ms"] > 1000 * at_s]]
            if wrong or one.intervals("clock_step"):
                raise LawBrokenError(f"steps {one.intervals('clock_step')}, events with another time's offset: {wrong}")
    seen = "each event with the offset valid then, to a second; no step of the clock"
    return Row("end and beginning of summer time", 2 * count, seen)


def _told(one: Running, kind: str, times: int) -> bool:
    """Whether so many of such intervals were printed."""
    return sum(f'"kind": "{kind}"' in line for line in one.child.of_type("interval")) >= times


def _events(one: Running) -> list[dict[str, Any]]:
    with LogReader(log_path(one.folder)) as log:
        return list(log.events(Selection()))


def _has_offsets(one: Running, offsets_s: set[int]) -> bool:
    """Whether the log has events of summer and of winter time."""
    return {event["utc_offset_s"] for event in _events(one)} >= offsets_s


def suspends(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The computer sleeps for an hour: the process stands, both clocks are ahead when it wakes."""
    with running(nursery, folder, "suspends", seed=seed) as one:
        for number in range(count):
            one.child.send(signal.SIGSTOP)
            time.sleep(0.5)
            ahead = (number + 1) * HOUR_NS
            one.set("clock", f"{ahead} {ahead}")
            one.child.send(signal.SIGCONT)
            one.until("the suspend's interval", partial(_told, one, "suspend", number + 1))
        one.more_events(2)
    told = one.intervals("suspend")
    if len(told) != count:
        raise LawBrokenError(f"{count} suspends, and the log tells of {len(told)}")
    return Row("suspend for an hour", count, "logged; goes on by itself")


def stops(nursery: Nursery, folder: Path, seconds: float, seed: int) -> Row:
    """The process stands: what comes meanwhile waits in the line, and what does not fit there is a gap."""
    with running(nursery, folder, "stops", seed=seed) as one:
        one.child.send(signal.SIGSTOP)
        time.sleep(seconds)
        one.child.send(signal.SIGCONT)
        one.more_events(4)
        seen = one.status()
    lost = bool(seen["scans_lost"])
    if lost != bool(one.intervals("gap")):
        raise LawBrokenError(f"{seen['scans_lost']} scans lost, and the log's gaps are {one.intervals('gap')}")
    return Row(
        f"the daemon stands for {seconds:g} s (SIGSTOP)", 1, "a gap; goes on" if lost else "nothing lost; goes on"
    )


def second_daemons(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """A second daemon on the same folder."""
    with running(nursery, folder, "second", seed=seed) as one:
        for _ in range(count):
            other = nursery.run("run", "--source", "sim", "--json", "--no-page", "--data", one.folder)
            if other.code != 73 or "Another emgtwitch" not in other.said():
                raise LawBrokenError(f"the second daemon ended with {other.code}: {other.said()}")
            one.more_events()
    return Row("a second daemon", count, "refused with the first one's process; the first goes on")


def starvation(nursery: Nursery, folder: Path, seconds: float, seed: int) -> Row:
    """Four busy processes, and the daemon behind them all."""
    with running(nursery, folder, "starved", seed=seed) as one:
        for thread in os.listdir(f"/proc/{one.child.pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), 19)
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
        try:
            time.sleep(seconds)
            one.more_events(1, 120.0)
        finally:
            for other in others:
                other.kill()
                other.wait()
        lost = one.status()["scans_lost"]
    return Row(
        f"{seconds:g} s of starvation", 1, f"shown late, nothing shown is missing; {lost} scans lost, said as a gap"
    )


def stuck_browsers(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """As many browsers as the page takes open the live channel and never read."""
    count = min(count, MOST_CLIENTS)
    with running(nursery, folder, "stuck", "--port", "8791", seed=seed) as one:
        port = one.port()
        sockets = []
        before = _resident_bytes(one)
        for _ in range(count):
            stuck = live_channel(port)
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sockets.append(stuck)
        time.sleep(STUCK_S)
        grown = _resident_bytes(one) - before
        one.more_events(2)
        for stuck in sockets:
            stuck.close()
        if grown > ROOM_BYTES or one.status()["scans_lost"]:
            raise LawBrokenError(f"stuck browsers cost {grown >> 20} MB and {one.status()['scans_lost']} scans")
    return Row("browsers that never read", count, f"no signal lost, {max(grown, 0) >> 20} MB")


def _resident_bytes(one: Running) -> int:
    return int(Path(f"/proc/{one.child.pid}/statm").read_text().split()[1]) * resource.getpagesize()
