"""Faults of the computer: clocks, a stopped or starved process, memory, a second daemon, a stuck browser."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from emgtwitch.app.page.live import MOST_CLIENTS
from emgtwitch.store.folders import log_path
from emgtwitch.store.log_reader import LogReader, Selection
from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError
from tests.campaign.running import Running, live_channel, running
from tests.campaign.table import Row

HOUR_NS = 3600 * 10**9
AUTUMN_NS = 1792890000 * 10**9  # 2026-10-25T01:00Z: summer time ends in the European Union
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


def summer_time_ends(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The clocks go back an hour while the daemon runs; the machine's own clock, UTC, goes on."""
    for number in range(count):
        ahead_ns = AUTUMN_NS - 8 * 10**9 - time.time_ns()  # an event comes before, also where others use the machine
        with running(nursery, folder, f"autumn{number}", seed=seed, zone="Europe/Berlin", ahead_ns=ahead_ns) as one:
            one.until("winter", partial(_both_offsets, one))
            one.more_events()
        if one.intervals("clock_step"):
            raise LawBrokenError(f"the end of summer time is no step of the clock: {one.intervals('clock_step')}")
    return Row("end of summer time", count, "each event with the offset then valid; no step of the clock")


def _told(one: Running, kind: str, times: int) -> bool:
    """Whether so many of such intervals were printed."""
    return sum(f'"kind": "{kind}"' in line for line in one.child.of_type("interval")) >= times


def _both_offsets(one: Running) -> bool:
    """Whether the log has events of summer and of winter time."""
    with LogReader(log_path(one.folder)) as log:
        return {event["utc_offset_s"] for event in log.events(Selection())} >= {7200, 3600}


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
