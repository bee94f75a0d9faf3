"""Power cuts, replayed from a log of every write, and what a disk may have of these."""

from __future__ import annotations

import random
import shutil
import signal
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.app.nursery import Child, Nursery
from tests.campaign.board import PtyBoard
from tests.campaign.laws import check_shown, check_sound, missing_s, sessions
from tests.campaign.table import Row

SEGMENT_BYTES = 24000  # eight seconds of signal
CHANGE = struct.Struct("<QQIHc")
BLOCK = 512  # what a disk writes whole
ANEW = ("-shm", ".lock")  # of the running machine: made anew by the next one

Change = tuple[int, bytes, str, int, bytes]


@dataclass
class File:
    """What is safe of a file or folder, and the changes of which the disk may have any part.

    A folder's changes are of the names in it: (kind, name, new name, what it names).
    """

    is_folder: bool = False
    safe: bytes = b""
    pending: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    names: dict[str, File] = field(default_factory=dict)  # safe ones
    named: list[tuple[bytes, str, str, File]] = field(default_factory=list)  # pending
    begun: int = 0  # how many of the pending changes the sync that goes on is sure to cover

    def synced(self) -> None:
        """What a sync covered is safe."""
        if self.is_folder:
            self.names = _named(self.names, self.named[: self.begun])
            del self.named[: self.begun]
        else:
            self.safe = _written(self.safe, self.pending[: self.begun])
            del self.pending[: self.begun]
        self.begun = 0

    def cut(self, draw: random.Random) -> bytes:
        """What of a file is found after a power cut: of what is pending any blocks, and any length in between."""
        share = draw.choice((0.0, 0.5, 1.0, draw.random()))
        kept = []
        for kind, offset, data in self.pending:
            if kind == b"t":
                if draw.random() < share:
                    kept.append((kind, offset, data))
                continue
            if draw.random() < share:  # the length without the data
                kept.append((b"l", offset + len(data), b""))
            start = offset
            while start < offset + len(data):
                stop = min(start - start % BLOCK + BLOCK, offset + len(data))
                if draw.random() < share:
                    kept.append((b"w", start, data[start - offset : stop - offset]))
                start = stop
        return _written(self.safe, kept)

    def cut_names(self, draw: random.Random) -> dict[str, File]:
        """Which names of a folder are found: of the pending changes the first ones, as a journal has it, or any."""
        if draw.random() < 0.5:
            kept = self.named[: draw.randint(0, len(self.named))]
        else:
            kept = [one for one in self.named if draw.random() < 0.5]
        return _named(self.names, kept)


class Disk:
    """The files below `root` as a disk has them, which begins with what is there, all of it safe.

    As POSIX promises: a file's sync makes its bytes safe, and its folder's sync its name; neither does the other.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.shown, self.now_ns = root, b"", 0
        self._top = _as_it_is(root)
        self._known = {str(root): self._top}  # by name, as the running system has them
        for path in root.rglob("*"):
            self._known[str(path)] = self._known[str(path.parent)].names[path.name]

    def take(self, now_ns: int, kind: bytes, name: str, offset: int, data: bytes) -> None:
        """One change, in order."""
        self.now_ns = now_ns
        if kind == b"o":
            self.shown += data
        elif kind == b"u" and name not in self._known:
            return  # a socket's name
        elif kind in b"cmur":
            self._name(kind, name, data.decode() if kind == b"r" else name)
        elif name.endswith(" (deleted)"):
            return
        elif kind in b"wt":
            self._known[name].pending.append((kind, offset, data))
        elif kind == b"b":
            file = self._known[name]
            file.begun = len(file.named if file.is_folder else file.pending)
        elif kind in b"sd":
            self._known[name].synced()

    def _name(self, kind: bytes, name: str, to: str) -> None:
        folder, _, base = name.rpartition("/")
        assert folder == to.rpartition("/")[0], f"{name} was moved to another folder: the model has no such thing"
        file = File(is_folder=kind == b"m") if kind in b"cm" else self._known.pop(name)
        if kind != b"u":
            self._known[to] = file
        self._known[folder].named.append((kind, base, to.rpartition("/")[2], file))

    def cut(self, draw: random.Random) -> dict[str, bytes | None]:
        """What is found after a power cut, by its path below the root; folders are None."""
        found: dict[str, bytes | None] = {}
        folders = [("", self._top)]
        while folders:
            path, folder = folders.pop()
            for name, file in sorted(folder.cut_names(draw).items()):
                found[path + name] = None if file.is_folder else file.cut(draw)
                if file.is_folder:
                    folders.append((f"{path}{name}/", file))
        return found

    def restart(self, draw: random.Random, place: Path) -> None:
        """Make `place` what the next start of the machine finds."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, content in self.cut(draw).items():
            path = place / name
            if content is None:
                path.mkdir(parents=True)
            elif not name.endswith(ANEW):
                path.write_bytes(content)


def _as_it_is(path: Path) -> File:
    if not path.is_dir():
        return File(safe=path.read_bytes())
    return File(is_folder=True, names={one.name: _as_it_is(one) for one in path.iterdir()})


def _named(names: dict[str, File], changes: list[tuple[bytes, str, str, File]]) -> dict[str, File]:
    out = dict(names)
    for kind, name, to, file in changes:
        if kind in b"ur" and out.get(name) is file:
            del out[name]
        if kind != b"u":
            out[to] = file
    return out


def _written(content: bytes, changes: list[tuple[bytes, int, bytes]]) -> bytes:
    out = bytearray(content)
    for kind, offset, data in changes:
        if kind == b"t":
            del out[offset:]
        out.extend(bytes(max(0, offset - len(out))))
        out[offset : offset + len(data)] = data
    return bytes(out)


def changes(log: Path) -> Iterator[Change]:
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
    """A run whose every write is logged; the power fails after each `every`th of them.

    Whatever was shown must be in the log and in the recording.
    """
    draw, log, home = random.Random(seed), folder / "writes", folder / "power"
    home.mkdir()
    disk, data = Disk(home), home / "data"
    with PtyBoard(folder / "tty", seed) as board:
        environ = {"CAMPAIGN_ROOT": str(home), "CAMPAIGN_LOG": str(log)}
        arguments = ("run", "--source", board.path, "--json", "--no-page", "--data", data)
        child = nursery.start(*arguments, environ=environ, segment_bytes=SEGMENT_BYTES)
        time.sleep(seconds)
        child.end(signal.SIGTERM)
    cuts, shown, lost_s = 0, 0, []
    place = folder / "image"
    image = place / "data"
    for number, change in enumerate(changes(log)):
        disk.take(*change)
        if number % every or change[1] == b"o":
            continue
        cuts += 1
        disk.restart(draw, place)
        image.mkdir(exist_ok=True)
        lines = Child.parse(disk.shown.decode())
        shown += check_shown(lines, image)
        check_sound(image, lines)
        if sessions(image) and (lost := missing_s(sessions(image)[-1], disk.now_ns / 1e9)) is not None:
            lost_s.append(lost)
    seen = f"{shown} events shown before it, all in log and recording"
    return Row.of_losses("power cut, torn writes, unsynced names", cuts, lost_s, seen)
