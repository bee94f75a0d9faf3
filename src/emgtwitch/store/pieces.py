"""A recording cut into pieces of about a second, for those who keep some of it and drop the rest.

A piece ends after a Clock note, which tells when the bytes before it had arrived, or after PIECE_BYTES. It ends where
a frame ends, so that leaving one out cuts no frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emgtwitch.wire.light import record, split
from emgtwitch.wire.records import Clock, Hello, Port

PIECE_BYTES = 1 << 14
BLOCK_BYTES = 1 << 20
_TOLD = (Clock.TYPE, Hello.TYPE, Port.TYPE)


class Piece(NamedTuple):
    """Bytes [start, stop) of the segment number `file` in the list that was given."""

    file: int
    start: int
    stop: int
    clock: Clock | None  # that it ends with
    edge: bool  # an epoch of the board begins or ends here: what follows is placed in time by it


def pieces(files: Sequence[Path]) -> Iterator[tuple[Piece, bytes]]:
    """Every piece with its bytes, in order; together they are all bytes of the files. Raises OSError."""
    epoch = None
    for number, path in enumerate(files):
        with path.open("rb") as file:
            start, rest, edge = 0, b"", False
            while block := file.read(BLOCK_BYTES):
                rest += block
                begun = at = 0
                while (zero := rest.find(b"\0", at)) >= 0:
                    chunk, at = rest[at : zero + 1], zero + 1
                    clock = None
                    if len(chunk) > 6 and chunk[1] in _TOLD:
                        for frame in split(chunk):
                            told = record(frame)
                            if isinstance(told, Hello):
                                now = (told.device_id, told.boot_count, told.run_count)
                                edge, epoch = edge or now != epoch, now
                            edge = edge or isinstance(told, Port)
                            clock = told if isinstance(told, Clock) else None
                    if clock is not None or at - begun >= PIECE_BYTES:
                        stop = start + at - begun
                        yield Piece(number, start, stop, clock, edge), rest[begun:at]
                        start, begun, edge = stop, at, False
                rest = rest[begun:]
            if rest:
                yield Piece(number, start, start + len(rest), None, edge), rest
