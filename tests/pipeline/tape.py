"""A recording written by hand: a made-up board's frames and the host's notes, with every loss where a test wants it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from emgtwitch.detect.records import Event, Interval, Output, Progress, Stamped
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.wire.bulk import encode_samples, encode_values
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.records import WIRE_VERSION, Board, Change, Clock, Hello, Import, Note, Port, Session
from emgtwitch.wire.records import Mark as BoardMark

Floats = npt.NDArray[np.float64]
T = TypeVar("T")

RATE_HZ = 1000
MIDDLE = 32768
HELLO = Hello(WIRE_VERSION, 0, 0, 0, 7, RATE_HZ, 1, 1, 16, 1, 5000, 0, 1000000, 1, 1, 1, 1, 0, 0)
BOOT_NS, UTC_MS, OFFSET_S = 5_000_000_000_000, 1_790_000_000_000, 7200


def muscle(
    seconds: float, bursts: Iterable[tuple[float, float]] = (), seed: int = 0, rate_Hz: int = RATE_HZ
) -> npt.NDArray[np.uint16]:
    """Counts (scans,) of quiet noise with bursts (onset, duration) of a hundred times its amplitude."""
    n = round(seconds * rate_Hz)
    rng = np.random.default_rng(seed)
    white = rng.normal(size=n + 1)
    loud = np.full(n, 30.0)
    for onset_s, duration_s in bursts:
        loud[round(onset_s * rate_Hz) : round((onset_s + duration_s) * rate_Hz)] = 3000.0
    return np.clip(np.rint(MIDDLE + loud * np.diff(white)), 1, 65534).astype(np.uint16)


def in_uV(counts: npt.NDArray[np.uint16]) -> Floats:
    """The same signal as a foreign file would have it."""
    return 0.1 * counts.astype(np.float64)


class Tape:
    """Bytes as they come from the splicer. `at_s` is the host's time since the tape began."""

    def __init__(self, channels: int = 1, rate_Hz: int = RATE_HZ) -> None:
        self.data = bytearray()
        self.channels, self.rate_Hz = channels, rate_Hz
        self.index = self.seq = self.notes = 0
        self.at_s = 0.0
        self.boot = self.run = 1
        self.utc_step_ms = 0
        self.asleep_s = 0.0
        self.offset_s = OFFSET_S

    def hello(self, **fields: int) -> Tape:
        told = replace(HELLO, channels=self.channels, rate_num=self.rate_Hz, boot_count=self.boot, run_count=self.run)
        self.data += frame(replace(told, **({"index": self.index & 0xFFFFFFFF} | fields)), self.seq)
        self.seq = (self.seq + 1) & 0xFFFF
        return self

    def samples(self, counts: npt.NDArray[np.uint16]) -> Tape:
        """The next scans (scans,) or (scans, channels); one channel is copied to all."""
        scans = np.repeat(counts[:, None], self.channels, axis=1) if counts.ndim == 1 else counts
        piece, self.seq = encode_samples(scans, self.index & 0xFFFFFFFF, self.seq, 0, 16)
        self.data += piece
        self.index += len(scans)
        self.at_s += len(scans) / self.rate_Hz
        return self

    def lose(self, scans: int) -> Tape:
        """So many scans are made and do not arrive."""
        self.seq = (self.seq - -scans // 16) & 0xFFFF
        self.index += scans
        self.at_s += scans / self.rate_Hz
        return self

    def restart(self, seconds: float = 0.0) -> Tape:
        """The board begins anew after so many seconds: reset counters, a later boot."""
        self.at_s += seconds
        self.boot += 1
        self.index = self.seq = 0
        return self

    def clock(self, late_s: float = 0.0) -> Tape:
        boot_s = self.at_s + late_s
        self.data += note(
            Clock(
                BOOT_NS + round(1e9 * boot_s),
                BOOT_NS + round(1e9 * (boot_s - self.asleep_s)),
                UTC_MS + round(1e3 * boot_s) + self.utc_step_ms,
                self.offset_s,
            ),
            self._note(),
        )
        return self

    def mark(self, kind: int, channel: int = 255, ahead: int = 0) -> Tape:
        self.data += frame(BoardMark((self.index + ahead) & 0xFFFFFFFF, kind, channel), self.seq)
        self.seq = (self.seq + 1) & 0xFFFF
        return self

    def note(self, kind: str, **detail: Any) -> Tape:
        self.data += note(Note({"kind": kind, **detail}), self._note())
        return self

    def session(self, **told: Any) -> Tape:
        self.data += note(Session(told), self._note())
        return self

    def change(self, **settings: Any) -> Tape:
        self.data += note(Change({"settings": settings}), self._note())
        return self

    def port(self, opened: int) -> Tape:
        self.data += note(Port(opened, "tty"), self._note())
        return self

    def board(self) -> Tape:
        self.data += note(Board(replace(HELLO, channels=self.channels, boot_count=self.boot).pack()), self._note())
        return self

    def _note(self) -> int:
        self.notes += 1
        return self.notes - 1 & 0xFFFF


def imported(values: Floats, rate_Hz: int = RATE_HZ, rails: tuple[float, float] = (np.nan, np.nan)) -> bytes:
    """Values (scans, channels) in uV as an imported recording."""
    return frame(Import(rate_Hz, 1, values.shape[1], 1, rails * values.shape[1]), 0) + encode_values(values, 0, 1)[0]


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


def run(
    data: bytes | bytearray | Tape, cuts: Iterable[int] = (), settings: Settings | None = None
) -> tuple[list[Stamped], Progress]:
    """All that comes out of a recording that comes in pieces."""
    pipeline = Pipeline(settings)
    whole = bytes(data.data if isinstance(data, Tape) else data)
    out = [stamped for piece in pieces(whole, cuts) for stamped in pipeline.feed(piece)]
    return [*out, *pipeline.finish()], pipeline.progress


def records(data: bytes | bytearray | Tape, settings: Settings | None = None) -> list[Output]:
    return [stamped.record for stamped in run(data, settings=settings)[0]]


def of(kind: type[T], found: Iterable[object]) -> list[T]:
    return [record for record in found if isinstance(record, kind)]


def events(found: Iterable[Output], channel: int = 0) -> list[Event]:
    return [event for event in of(Event, found) if event.channel == channel]


def intervals(found: Iterable[Output], kind: str) -> list[Interval]:
    return [interval for interval in of(Interval, found) if interval.kind == kind]


# In seconds of what arrives: some across a loss, a spasm between two.
BURSTS = (
    *((3.3, 0.05), (4.0, 0.5), (5.5, 0.3), (7.2, 0.03), (8.5, 0.2), (9.8, 0.08), (11.4, 2.1)),
    *((13.63, 0.2), (15.5, 0.02), (16.2, 0.3), (16.7, 0.1), (19.0, 0.05), (20.1, 0.2)),
)


def eventful(seed: int = 0, channels: int = 2) -> Tape:
    """Ten sorts of trouble in half a minute: gaps short and long, an electrode off, notes, a change, a reset."""
    rng = random.Random(seed)
    signal = np.stack([muscle(21.0, BURSTS, seed=seed + k) for k in range(channels)], axis=1)
    tape = Tape(channels).session(recording_id="r", settings=Settings().as_dict()).port(1).hello().clock()
    at = 0

    def go(scans: int) -> None:
        nonlocal at
        while scans > 0:
            step = min(scans, rng.randrange(200, 900))
            tape.samples(signal[at : at + step]).clock(rng.choice([0.0, 0.001, 0.016]))
            at, scans = at + step, scans - step

    go(4100)
    tape.lose(48)
    go(1500)
    tape.note("felt", note="calf").lose(400)
    go(2111)
    tape.mark(1).mark(2, channels - 1, -5)
    go(1717)
    tape.mark(3, channels - 1, 3)
    go(903)
    tape.hello().change(twitch_max_ms=100.0)
    go(3333)
    tape.port(0).note("unplugged").restart(2.5).port(1).hello().mark(1)
    tape.samples(signal[at : at + 100]).note("back").clock()
    at += 100
    go(3001)
    tape.mark(2, 0).restart(1.0).hello().clock()
    go(3500)
    return tape
