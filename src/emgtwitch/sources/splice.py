"""Makes the one byte stream that decoder and recording both get: the board's bytes with the host's notes in it.

Sans-IO. Rules: the board's bytes leave in their order, unchanged and once; a note stands only where a frame of the
board has ended; a Clock note follows directly after the frames that were complete when the clocks were read. Only the
host writes notes: a frame of the board's that is one is left out, but for its zero byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from emgtwitch.wire.encode import note
from emgtwitch.wire.light import MAX_ENCODED, split
from emgtwitch.wire.records import NOTE_RANGE, Clock, Port, Record

SILENCE_NS = 500_000_000  # a pause after which the next data gets a Clock of its own; reads come each 0.1 s
_NOTES = range(NOTE_RANGE[0], NOTE_RANGE[1] + 1)
EVERY_NS = 1_000_000_000  # the longest time without one while data come


@dataclass(frozen=True, slots=True)
class Clocks:
    """The host's clocks, all read at one moment."""

    boottime_ns: int  # goes on during a suspend
    monotonic_ns: int  # does not
    utc_ms: int
    offset_s: int  # local time minus UTC then


class Splicer:
    """One session's stream; its notes share one sequence counter."""

    def __init__(self) -> None:
        self._tail = b""
        self._seq = 0
        self._clock_due = True
        self._heard_ns = 0  # CLOCK_BOOTTIME of the last data, so that a suspend counts as silence
        self._marked_ns = 0
        self.forged = False  # whether the board has sent notes

    def board(self, data: bytes, now: Clocks) -> bytes:
        """Return what `data` completes, then a Clock note if one is due; `now` is when its last byte arrived.

        Keeps the unfinished frame, at most MAX_ENCODED bytes: more than that is no frame and leaves as it came.
        """
        if not data:
            return b""
        if now.boottime_ns - self._heard_ns >= SILENCE_NS or now.boottime_ns - self._marked_ns >= EVERY_NS:
            self._clock_due = True
        self._heard_ns = now.boottime_ns
        whole, zero, self._tail = (self._tail + data).rpartition(b"\0")
        out = self._own(whole) + zero
        if out and self._clock_due:
            # Not before a frame has ended: a mark after frames that came with an earlier chunk would be late.
            self._clock_due = False
            self._marked_ns = now.boottime_ns
            out += self._note(Clock(now.boottime_ns, now.monotonic_ns, now.utc_ms, now.offset_s))
        if len(self._tail) > MAX_ENCODED:
            out, self._tail = out + self._tail, b""
        return out

    def note(self, record: Record) -> bytes:
        """The bytes that put `record` into the stream now.

        A Port note also ends the unfinished frame before it, which would else be joined to the next connection's bytes.
        """
        if not isinstance(record, Port):
            return self._note(record)
        rest, self._tail, self._clock_due = self._tail, b"", True
        return self._own(rest) + self._note(record)

    def _own(self, data: bytes) -> bytes:
        """`data`, in which a piece is a board's whole frame, without notes."""
        pieces = data.split(b"\0")
        own = [b"" if len(piece) > 1 and piece[1] in _NOTES and split(piece + b"\0") else piece for piece in pieces]
        self.forged = self.forged or own != pieces
        return b"\0".join(own)

    def _note(self, record: Record) -> bytes:
        seq, self._seq = self._seq, (self._seq + 1) & 0xFFFF
        return note(record, seq)
