"""The guard in Python: the rule that stands in guard.h, naively, in plain integers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

QUIET, TWITCH_FOUND, SPASM = range(3)
TOP = 65535


@dataclass
class Event:
    """What is open: its age, its pieces, and what tells it from mains and from slow artefacts."""

    age_ms: int = 0
    pause_ms: int = 0
    piece_ms: int = 0
    longest_piece_ms: int = 0
    peak: int = 0
    quickness: int = 0
    told: bool = False
    steady: list[int] = field(default_factory=list)  # envelopes since the last pause, at most 256
    means: list[int] = field(default_factory=list)  # of the blocks of this second, in sixteenths
    seconds: list[int] = field(default_factory=list)  # of this minute

    @property
    def duration_ms(self) -> int:
        return max(self.age_ms - self.pause_ms - 12, 1)


class Twin:
    """Takes count after count; the counts of the period are its attributes."""

    def __init__(self) -> None:
        self.guarded_s = self.twitches = self.contractions = self.spasms = self.longest_ms = 0
        self.taken = 0
        self.event: Event | None = None
        self.filter: list[int] | None = None  # x', s', s'', y', y'', r'
        self.envelope = 0
        self.floor = self.crest = 148
        self.block: list[int] = []
        self.learnt = 0
        self.leave_out = 0
        self.wait_ms = 0
        self.rail_ms = 0

    def push(self, count: int) -> int:
        count = min(count, 1023)
        self.taken += 1
        self.guarded_s = self.taken // 1000
        if self._railed(count):
            return QUIET
        size, step = self._band(count)
        self.envelope += min(size, 8191) - (self.envelope >> 3)
        self.block.append(self.envelope)
        if len(self.block) == 64:
            self._end_block(sum(self.block) // 64)
            self.block.clear()
        if self.event is not None:
            return self._follow(self.event, min(size, 8191), step)
        if self.wait_ms:
            self.wait_ms -= 1
        elif self.learnt == 32 and self.envelope > self.crest - (self.crest >> 2):
            self.event = Event()
        return QUIET

    def _railed(self, count: int) -> bool:
        if self.filter is None:
            self._start_filter(count)
        if 0 < count < 1023:
            if self.rail_ms >= 12:
                self._start_filter(count)
                self.wait_ms = 300
            self.rail_ms = 0
            return False
        self.rail_ms += 1
        if self.rail_ms == 12:
            self.envelope = 0
            self._drop()
        return self.rail_ms >= 12

    def _start_filter(self, count: int) -> None:
        self.filter = [count, 4 * count, 4 * count, 0, 0, 0]

    def _band(self, count: int) -> tuple[int, int]:
        """|y| and |y - y'|."""
        assert self.filter is not None
        x1, s1, s2, y1, y2, r = self.filter
        s = 3 * count + x1
        total = 29981 * (s - 2 * s1 + s2) + 29863 * y1 - 13716 * y2 + r
        y, r = divmod(total, 1 << 14)
        assert abs(y) <= 8300
        assert abs(total) < 1 << 31
        self.filter = [count, s, s1, y, y1, r]
        return abs(y), abs(y - y1)

    def _set_floor(self, floor: int) -> None:
        self.floor = max(min(floor, TOP), 148)
        self.crest = min(max(self.crest, self.floor), 2 * self.floor)

    def _end_block(self, mean: int) -> None:
        if self.event is not None:
            self.event.peak -= self.event.peak >> 5
            self._follow_tone(self.event, mean)
        elif self.leave_out:
            self.leave_out -= 1
        else:
            self._learn(min(4 * mean, TOP))

    def _learn(self, m: int) -> None:
        f = m if self.learnt == 0 else self.floor
        step = f >> (3 if self.learnt < 16 else 4 if self.learnt < 32 else 5)
        if m > f:
            f = min(f + step, TOP)
        elif m < f >> 1:
            f -= f >> 3
        elif m < f:
            f -= 2 * step
        self.learnt = min(self.learnt + 1, 32)
        rise = self.crest >> 7
        self.crest = min(self.crest + 7 * rise, TOP) if m > self.crest else self.crest - rise
        self._set_floor(f)

    def _follow_tone(self, event: Event, mean: int) -> None:
        event.means.append(mean // 16)
        if len(event.means) == 16:
            event.seconds.append(sum(event.means))
            event.means.clear()
        if len(event.seconds) == 64:
            self._set_floor(4 * min(event.seconds))
            event.seconds.clear()

    def _drop(self) -> None:
        self.event = None
        self.leave_out = 2

    def _follow(self, event: Event, size: int, step: int) -> int:
        event.age_ms += 1
        if event.age_ms <= 250:
            event.quickness += 9 * step - 4 * size
        event.peak = max(event.peak, self.envelope)
        edge = max(event.peak >> 3, (self.floor >> 2) + (self.floor >> 3))
        if event.pause_ms:
            edge += edge >> 1
        if self.envelope > edge:
            if self._even(event):
                self._drop()
                return QUIET
            event.piece_ms = 1 if event.pause_ms else event.piece_ms + 1
            event.pause_ms = 0
            event.longest_piece_ms = max(event.longest_piece_ms, event.piece_ms)
        else:
            event.pause_ms += 1
            event.steady.clear()
            if event.pause_ms > min(max(event.longest_piece_ms // 2, 20), 300):
                return self._close(event)
        if event.duration_ms >= 2000 and not event.told:
            event.told = True
            self.spasms = min(self.spasms + 1, TOP)
        if not event.told:
            return QUIET
        self.longest_ms = max(self.longest_ms, event.duration_ms)
        return SPASM

    def _even(self, event: Event) -> bool:
        event.steady.append(self.envelope)
        if len(event.steady) < 256:
            return False
        low, high = min(event.steady), max(event.steady)
        event.steady.clear()
        if high >> 2 > (low >> 1) + (low >> 3):
            return False
        self._set_floor(4 * ((low >> 1) + (high >> 1)))
        return True

    def _close(self, event: Event) -> int:
        self._drop()
        lasted_ms = event.duration_ms
        if event.told or (lasted_ms < 250 and event.quickness < 0):
            return QUIET
        self.longest_ms = max(self.longest_ms, lasted_ms)
        if lasted_ms >= 150:
            self.contractions = min(self.contractions + 1, TOP)
            return QUIET
        self.twitches = min(self.twitches + 1, TOP)
        return TWITCH_FOUND


def run(counts: Iterable[int]) -> list[tuple[int, int, int, int, int, int]]:
    """Output, guarded_s, twitches, contractions, spasms and longest_ms after each count."""
    twin = Twin()
    out = []
    for count in counts:
        output = twin.push(int(count))
        out.append((output, twin.guarded_s, twin.twitches, twin.contractions, twin.spasms, twin.longest_ms))
    return out
