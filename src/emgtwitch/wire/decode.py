"""Bytes to records: the one decoder for board, recording, simulated wearer and imported file.

Invariant: whatever the bytes, and however they are cut, nothing raises, memory stays bounded, and every scan of an
announced run is either in exactly one Run or in the gap between two. `judge` has the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.wire.deframe import decode
from emgtwitch.wire.records import RECORDS, WIRE_VERSION, Record
from emgtwitch.wire.state import BOARD, HELLO, ITEM, ITEMS, MAX_ENCODED, REASONS, SAMPLES, STATE


@dataclass(frozen=True, slots=True)
class Run:
    """Scans without a hole: counts (scans, channels) as float64, the first with `index` in its epoch."""

    index: int
    counts: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """Any other frame that was accepted."""

    record: Record
    seq: int


@dataclass(frozen=True, slots=True)
class WrongVersion:
    """A Hello in another version of this protocol: its samples cannot be read."""

    wire_version: int


Decoded = Run | Frame | WrongVersion


class Decoder:
    """Decodes one stream, which may be a whole session of segments. Sans-IO; keeps at most MAX_ENCODED bytes."""

    def __init__(self) -> None:
        self._state = np.zeros(1, dtype=STATE)
        self._state["pending_seq"] = -1
        self._rest = np.empty(0, dtype=np.uint8)
        self._items = np.zeros(ITEMS, dtype=ITEM)
        self._raw = np.zeros(MAX_ENCODED, dtype=np.uint8)

    @property
    def seen(self) -> int:
        """Scans accepted, over all epochs."""
        return int(self._state["seen"][0])

    @property
    def lost(self) -> int:
        """Scans that the board's index says were made between those accepted."""
        return int(self._state["lost"][0])

    @property
    def accepted(self) -> int:
        """Frames accepted, of any type."""
        return int(self._state["accepted"][0])

    @property
    def rejected(self) -> dict[str, int]:
        """Frames rejected, by the first reason found."""
        return dict(zip(REASONS, (int(n) for n in self._state["rejected"][0]), strict=True))

    def feed(self, data: bytes | bytearray | memoryview) -> list[Decoded]:
        """Return everything that `data` completes; keep the unfinished rest."""
        fresh = np.frombuffer(data, dtype=np.uint8)
        buffer = np.concatenate((self._rest, fresh)) if self._rest.size else np.array(fresh)
        zeros = np.flatnonzero(buffer == 0)
        values = np.empty(buffer.size // 2 + 1)
        payload = np.empty(buffer.size + 1, dtype=np.uint8)
        out: list[Decoded] = []
        position = 0
        while True:
            position, found = decode(buffer, zeros, position, self._state, self._items, values, payload, self._raw)
            out += [_decoded(item, values, payload) for item in self._items[:found].tolist()]
            if found < ITEMS:
                break
            values = np.empty(buffer.size // 2 + 1)
            payload = np.empty(buffer.size + 1, dtype=np.uint8)
        self._rest = buffer[position:].copy()
        return out


def _decoded(item: tuple[Any, ...], values: npt.NDArray[np.float64], payload: npt.NDArray[np.uint8]) -> Decoded:
    kind, seq, start, size, index, channels = item
    if kind == SAMPLES:
        return Run(index, values[start : start + size * channels].reshape(size, channels))
    body = payload[start : start + size].tobytes()
    if kind in (HELLO, BOARD) and body and body[0] != WIRE_VERSION:
        return WrongVersion(body[0])
    return Frame(RECORDS[kind].unpack(body), seq)
