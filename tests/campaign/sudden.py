"""Sudden ends: kill -9 at any moment, and power cuts replayed from a log of every write."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emgtwitch.wearer.scenario import SCENARIOS
from tests.app.nursery import Child, Nursery
from tests.campaign.board import BUSY, PtyBoard
from tests.campaign.laws import LawBrokenError, boottime_s, check_shown, check_sound, missing_s, sessions
from tests.campaign.table import Row

OLD_LOG = Path(__file__).parents[1] / "store/logs/v1.sql"
RUNS_IN_A_FOLDER = 8
SEGMENT_BYTES = 6000  # two seconds of signal: a rotation is often under way
CHANGE = struct.Struct("<QQIHc")
BLOCK = 512  # what a disk writes whole


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


@dataclass
class Disk:
    """Files as a disk has them: what is safe, and what it may or may not have written yet."""

    safe: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, list[tuple[bytes, int, bytes]]] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)  # syncs: how many of the pending changes each is sure to cover
    shown: bytes = b""
    now_ns: int = 0

    def take(self, now_ns: int, kind: bytes, name: str, offset: int, data: bytes) -> None:
        """One change, in order."""
        self.now_ns = now_ns
        if kind == b"o":
            self.shown += data
        elif kind in (b"c", b"w", b"t"):
            self.pending.setdefault(name, []).append((kind, offset, data))
        elif kind == b"b":
            self.begun[name] = len(self.pending.get(name, []))
        elif kind == b"s":
            changes = self.pending.pop(name, [])
            covered = self.begun.pop(name, 0)
            self.safe[name] = self.applied(name, changes[:covered])
            if changes[covered:]:
                self.pending[name] = changes[covered:]
        elif kind == b"u":  # a name that is gone may come back after a cut; SQLite and we must cope with either
            self.safe.pop(name, None)
            self.pending.pop(name, None)
            self.begun.pop(name, None)

    def applied(self, name: str, changes: list[tuple[bytes, int, bytes]]) -> bytes:
        """The file after `changes`."""
        content = bytearray(self.safe.get(name, b""))
        for kind, offset, data in changes:
            if kind == b"t":
                del content[offset:]
                content.extend(bytes(offset - len(content)))
            elif kind == b"w":
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
        return bytes(content)

    def cut(self, draw: random.Random) -> dict[str, bytes]:
        """What is found after a power cut: of what is pending each file has a part, the last of it maybe torn."""
        found = dict(self.safe)
        for name, changes in self.pending.items():
            kept = changes[: draw.randint(0, len(changes))]
            if kept and kept[-1][0] == b"w" and draw.random() < 0.5:
                kind, offset, data = kept[-1]
                kept[-1] = (kind, offset, data[: draw.randrange(0, len(data) + BLOCK, BLOCK)])
            if kept or name in found:
                found[name] = self.applied(name, kept)
        return found


def changes(log: Path) -> Iterator[tuple[int, bytes, str, int, bytes]]:
    """The records of the write log of disk.c."""
    data, at = log.read_bytes(), 0
    while at < len(data):
        now_ns, offset, size, name_size, kind = CHANGE.unpack_from(data, at)
        at += CHANGE.size
        name = data[at : at + name_size].decode()
        at += name_size
        yield now_ns, kind, name, offset, data[at : at + size]
        at += size


def power_cuts(nursery: Nursery, folder: Path, seconds: float, seed: int, every: int) -> Row:
    """A run whose every write is logged; the power fails after each `every`th of them, with torn writes."""
    draw, log, data = random.Random(seed), folder / "writes", folder / "power"
    data.mkdir()
    with PtyBoard(folder / "tty", seed) as board:
        environ = {"CAMPAIGN_ROOT": str(data), "CAMPAIGN_LOG": str(log)}
        arguments = ("run", "--source", board.path, "--json", "--no-page", "--data", data)
        child = nursery.start(*arguments, environ=environ, segment_bytes=4 * SEGMENT_BYTES)
        time.sleep(seconds)
        child.end(signal.SIGTERM)
    disk, cuts, shown, lost_s = Disk(), 0, 0, []
    for number, change in enumerate(changes(log)):
        disk.take(*change)
        if number % every or change[1] == b"o":
            continue
        image = folder / "image"
        shutil.rmtree(image, ignore_errors=True)
        for name, content in disk.cut(draw).items():
            if name.endswith(("-shm", ".lock")):  # of the running machine; both are made anew
                continue
            path = image / Path(name).relative_to(data)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        cuts += 1
        if not image.exists():
            continue
        shown += check_shown(Child.parse(disk.shown.decode()), image)
        check_sound(image)
        if sessions(image) and (lost := missing_s(sessions(image)[-1], disk.now_ns / 1e9)) is not None:
            lost_s.append(lost)
    return Row.of_losses("power cut, torn writes", cuts, lost_s, f"{shown} events shown before it, all in the log")
