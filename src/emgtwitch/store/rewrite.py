"""Segments written anew without some of their samples.

Rules. The new segment is written beside the old one, fsynced, and renamed over it: whenever the program dies, either
the old or the new one is there, whole and under the segment's name. What an interrupted rewrite leaves has a suffix of
its own that no reader takes for a segment, and the next one removes it. Every frame that stays keeps its bytes.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from emgtwitch.store.pieces import PIECE_BYTES, Piece
from emgtwitch.store.sync import sync_path
from emgtwitch.wire.encode import frame
from emgtwitch.wire.light import record, split
from emgtwitch.wire.records import Guard, ImportSamples, Mark, Note, Samples

NEW = ".new"


class Fate(Enum):
    """What becomes of a piece."""

    KEEP = "keep"
    DROP = "drop"  # samples and what is no sound frame go
    FORGET = "forget"  # so do the wearer's notes, the board's marks and what it found on its own
    BLANK = "blank"  # as FORGET, but samples become zeros: they place what follows in time


_GOES = {
    Fate.DROP: {Samples.TYPE, ImportSamples.TYPE},
    Fate.FORGET: {Samples.TYPE, ImportSamples.TYPE, Note.TYPE, Mark.TYPE, Guard.TYPE},
    Fate.BLANK: {ImportSamples.TYPE, Note.TYPE, Mark.TYPE, Guard.TYPE},
}


def left(data: bytes, fate: Fate, forgotten: set[bytes]) -> bytes:
    """What stays of a piece. `forgotten` collects what the board will say again, and said so it goes later, too."""
    if fate is Fate.KEEP and not forgotten:
        return data
    out = bytearray()
    *chunks, tail = data.split(b"\0")
    for chunk in chunks:
        found = split(chunk + b"\0")
        if not found:
            if fate is Fate.KEEP:
                out += chunk + b"\0"
            continue
        told = found[0]
        if told.type == Guard.TYPE and fate in (Fate.FORGET, Fate.BLANK):
            forgotten.add(told.body)
        if told.type in _GOES.get(fate, ()) or (told.type == Guard.TYPE and told.body in forgotten):
            continue
        if fate is Fate.BLANK and told.type == Samples.TYPE:
            samples = record(told)
            if isinstance(samples, Samples):
                blank = Samples(samples.index, samples.overruns, (0,) * len(samples.counts))
                out += frame(blank, told.seq)
            continue
        out += chunk + b"\0"
    return bytes(out + tail if fate is Fate.KEEP else out)


def rewrite(path: Path, fates: Iterable[tuple[Piece, Fate]], forgotten: set[bytes]) -> int:
    """Write the segment at `path` anew; returns how many bytes shorter it is. Raises OSError, and then it is as it was.

    `fates` are those of all pieces of this segment, in order. A segment that stays as it is is not written.
    """
    fresh = path.with_name(path.name + NEW)
    before = path.stat()
    try:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for part in _parts(path, fates, forgotten):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(file, rest) :]
            os.fsync(file)
            after = os.fstat(file)
        finally:
            os.close(file)
        if after.st_size == before.st_size and filecmp.cmp(fresh, path, shallow=False):
            fresh.unlink()
            return 0
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    sync_path(path.parent)
    return before.st_size - after.st_size


def clear_leftovers(sessions: Path) -> None:
    """Remove what interrupted rewrites left in the folder of sessions; it may hold samples. Raises OSError."""
    for path in sessions.glob(f"*/*{NEW}"):
        path.unlink()


def remove_recording(folder: Path) -> None:
    """Delete a session's folder, the first segment last, so that what is left of it can be read. Raises OSError."""
    for path in sorted(folder.iterdir(), reverse=True):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.rmdir()
    sync_path(folder.parent)


def _parts(path: Path, fates: Iterable[tuple[Piece, Fate]], forgotten: set[bytes]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for piece, fate in fates:
            file.seek(piece.start)
            rest, missing = b"", piece.stop - piece.start
            while block := file.read(min(missing, PIECE_BYTES)):
                missing -= len(block)
                whole, zero, rest = (rest + block).rpartition(b"\0")
                yield left(whole + zero, fate, forgotten)
            yield left(rest, fate, forgotten)
