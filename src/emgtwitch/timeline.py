"""The session's time: seconds from its first sample, through gaps and through every new start of the board.

Within an epoch of the board it is index / rate. From one epoch to the next the host's clock bridges the hole.
"""

from __future__ import annotations

from emgtwitch.clock import DeviceClock
from emgtwitch.detect.records import IntervalKind, Output, Stamped
from emgtwitch.wire.records import Clock
from emgtwitch.wire.sample_format import SampleFormat

CLOCK_STEP_S = 1.0
SUSPEND_S = 1.0
LATEST_UTC_MS = 1 << 42  # the year 2109; with this and the next no clock mark can break a calendar
LARGEST_OFFSET_S = 86399
LATEST_BOOTTIME_NS = 1 << 60


class Timeline:
    """Places scans, seconds and the host's clock marks of one session. `next` is the session sample expected next."""

    def __init__(self) -> None:
        self.next = 0
        self.running = False  # in an epoch whose first sample has been placed
        self.clock = DeviceClock()
        self._form: SampleFormat | None = None
        self._origin_sample = 0  # session sample and second at which the epoch's samples begin, or the last one ended
        self._origin_s = 0.0
        self._index_to_sample = 0
        self._heard: Clock | None = None  # the newest mark
        self._heard_idle: Clock | None = None  # the newest mark that came between two epochs

    @property
    def now_s(self) -> float:
        """Session time of the sample expected next; between two epochs, when the last one ended."""
        return self.seconds(self.next) if self.running else self._origin_s

    def seconds(self, sample: int, channel: int = 0) -> float:
        """Session time of a sample of this epoch; where channels are sampled in turn, k of n comes k/n later."""
        assert self._form is not None
        later = channel / self._form.channels if self._form.in_turn else 0.0
        return self._origin_s + (sample - self._origin_sample + later) / self._form.rate_Hz

    def sample(self, index: int) -> int:
        """Session sample of the scan `index`, as the decoder unwrapped it."""
        return index + self._index_to_sample

    def sample_near(self, index32: int) -> int:
        """Session sample of the scan nearest to now whose index is `index32` modulo 2**32."""
        away = index32 - (self.next - self._index_to_sample)
        return self.next + ((away + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def begin_epoch(self, form: SampleFormat, first: int, after: int, mark: Clock | None) -> None:
        """Place the scan `first` of a new epoch: at 0 in the first one, else after the hole that the host measured.

        `mark` came when the scan `after` was the next to come. Without it the newest mark since the last epoch takes
        its place, and without any mark the hole counts as 0 s long.
        """
        begun_s = 0.0
        if mark is None:
            mark = self._heard_idle
        else:
            begun_s = (after - first) / form.rate_Hz
        ended_ns = self.clock.boottime_ns(self._origin_s) if self._form is not None else None
        if mark is not None and ended_ns is not None:
            hole_s = (mark.boottime_ns - ended_ns) / 1e9 - begun_s
            hole = max(0, round(hole_s * form.rate_Hz))
            self.next += hole
            self._origin_s += hole / form.rate_Hz
        self.clock.restart()
        self._form = form
        self._origin_sample = self.next
        self._index_to_sample = self.next - first
        self.running = True
        if mark is not None:
            self.clock.add(self._origin_s + begun_s, mark)

    def end_epoch(self) -> None:
        """The board was reset or started anew: where its next sample lies is not known yet."""
        self._origin_s, self._origin_sample = self.now_s, self.next
        self._heard_idle = None
        self.running = False

    def hear(self, mark: Clock) -> list[tuple[IntervalKind, float]]:
        """Take a clock mark; return what the host's clocks did since the last one, with its seconds."""
        plausible = 0 <= mark.utc_ms < LATEST_UTC_MS and 0 <= mark.boottime_ns < LATEST_BOOTTIME_NS
        if not plausible or abs(mark.offset_s) > LARGEST_OFFSET_S:
            return []
        before, self._heard = self._heard, mark
        if self.running:
            self.clock.add(self.now_s, mark)
        else:
            self._heard_idle = mark
        if before is None:
            return []
        boot_s = (mark.boottime_ns - before.boottime_ns) / 1e9
        asleep_s = boot_s - (mark.monotonic_ns - before.monotonic_ns) / 1e9
        stepped_s = (mark.utc_ms - before.utc_ms) / 1e3 - boot_s
        remarks: list[tuple[IntervalKind, float]] = []
        if abs(asleep_s) > SUSPEND_S:
            remarks.append(("suspend", asleep_s))
        if abs(stepped_s) > CLOCK_STEP_S:
            remarks.append(("clock_step", stepped_s))
        return remarks

    def stamp(self, record: Output, at_s: float) -> Stamped:
        """The record with the wall-clock time of `at_s`."""
        utc_ms = self.clock.utc_ms(at_s)
        if utc_ms is None and self._heard is not None:  # before the first sample
            return Stamped(record, self._heard.utc_ms, self._heard.offset_s)
        return Stamped(record, utc_ms, self.clock.offset_s)
