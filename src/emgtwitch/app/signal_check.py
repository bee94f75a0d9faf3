"""What a few seconds of a board's stream tell: clock error, noise, mains, rails. Plain Python: `doctor` starts light.

Sans-IO and without a clock: scans and arrival times in, figures out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from emgtwitch.wire.records import Hello, Samples

WINDOW_S = 0.2  # whole periods of 50 and of 60 Hz
ARRIVAL_S = 1e-3  # what USB's schedule leaves uncertain of when bytes arrive


@dataclass(frozen=True, slots=True)
class Rate:
    """The board's clock against the host's; positive: the board's is fast."""

    ppm: float
    uncertainty_ppm: float  # two standard errors, or what USB leaves uncertain if that is more


@dataclass(frozen=True, slots=True)
class Quality:
    """One channel. Amplitudes are RMS, in the unit of the scale given."""

    noise: float  # of the quietest quarter of the time, mains taken off
    mains: float  # the stronger of both, median over time
    mains_Hz: int
    railed: float  # share of the samples at the lowest or highest count
    flat: bool  # it never moves


@dataclass(slots=True)
class Heard:
    """Collects a run: what came, and when. A reset or a new run begins anew."""

    hello: Hello | None = None
    counts: list[int] = field(default_factory=list)  # interleaved as on the wire
    arrivals: list[tuple[int, float]] = field(default_factory=list)  # scans made, host time in s
    lost: int = 0  # scans made and not received
    _next: int | None = None

    def add(self, record: Hello | Samples, at_s: float) -> None:
        """Take a record that had arrived at `at_s`."""
        if isinstance(record, Hello):
            known = self.hello
            if known is not None and (known.boot_count, known.run_count) != (record.boot_count, record.run_count):
                self._restart()
            self.hello = record
            return
        if self.hello is None or not self.hello.channels:
            return
        scans = len(record.counts) // self.hello.channels
        ahead = 0 if self._next is None else (record.index - self._next) & 0xFFFFFFFF
        if ahead >= 1 << 31:
            self._restart()
            ahead = 0
        self.lost += ahead
        self.counts += record.counts[: scans * self.hello.channels]
        made = (self.arrivals[-1][0] if self.arrivals else 0) + ahead + scans
        self.arrivals.append((made, at_s))
        self._next = (record.index + scans) & 0xFFFFFFFF

    def _restart(self) -> None:
        self.counts, self.arrivals, self.lost, self._next = [], [], 0, None

    @property
    def rate_Hz(self) -> float:
        """As the board says; 0 if it says nothing sensible."""
        return self.hello.rate_num / self.hello.rate_den if self.hello and self.hello.rate_den else 0.0

    @property
    def uV_per_count(self) -> float | None:
        """None where the board's gain is unknown."""
        if self.hello is None or not self.hello.gain_milli:
            return None
        return self.hello.reference_mV * 1e6 / (1 << min(self.hello.bits, 63)) / self.hello.gain_milli

    def channel(self, number: int) -> list[int]:
        """The counts of one channel."""
        return self.counts[number :: self.hello.channels] if self.hello else []


def clock_error(arrivals: Sequence[tuple[int, float]], rate_Hz: float, skip_s: float = 0.3) -> Rate | None:
    """Least squares through (scans made, arrival in s), late bunches left out; None under half a second of data.

    The first `skip_s` are left out: what had piled up before the first read arrives all at once.
    """
    if not arrivals or rate_Hz <= 0:
        return None
    last_of_read = {at_s: made for made, at_s in arrivals if at_s >= arrivals[0][1] + skip_s}
    points = [(at_s - arrivals[0][1], made / rate_Hz) for at_s, made in last_of_read.items()]
    if len(points) < 20 or points[-1][0] - points[0][0] < 0.5:
        return None
    slope, start = _line(points)
    residuals = [y - slope * x - start for x, y in points]
    middle = median(residuals)
    spread = 1.4826 * median(abs(r - middle) for r in residuals)
    kept = [p for p, r in zip(points, residuals, strict=True) if abs(r - middle) <= 3 * spread + 1e-9]
    slope, start = _line(kept)
    x_mean = sum(x for x, _ in kept) / len(kept)
    scatter = sum((x - x_mean) ** 2 for x, _ in kept)
    noise = sum((y - slope * x - start) ** 2 for x, y in kept) / max(len(kept) - 2, 1)
    error = max(2 * math.sqrt(noise / scatter), ARRIVAL_S / (kept[-1][0] - kept[0][0]))
    return Rate(1e6 * (slope - 1), 1e6 * error)


def quality(counts: Sequence[int], rate_Hz: float, bits: int, scale: float = 1.0) -> Quality | None:
    """Figures of one channel, in counts times `scale`; None if there is less than one window."""
    size = round(WINDOW_S * rate_Hz)
    if size < 10 or len(counts) < size:
        return None
    windows = [_detrended(counts[n : n + size]) for n in range(0, len(counts) - size + 1, size)]
    power = {f_Hz: [_tone_power(w, f_Hz / rate_Hz) for w in windows] for f_Hz in (50, 60)}
    mains_Hz = max(power, key=lambda f_Hz: median(power[f_Hz]))
    rest = [
        math.sqrt(max(sum(x * x for x in w) / size - tone, 0.0))
        for w, tone in zip(windows, power[mains_Hz], strict=True)
    ]
    top = (1 << min(bits, 63)) - 1
    return Quality(
        noise=scale * (quantiles(rest, n=4)[0] if len(rest) > 1 else rest[0]),
        mains=scale * math.sqrt(median(power[mains_Hz])),
        mains_Hz=mains_Hz,
        railed=sum(count in (0, top) for count in counts) / len(counts),
        flat=min(counts) == max(counts),
    )


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and intercept of the least-squares line."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)
    return slope, y_mean - slope * x_mean


def _detrended(window: Sequence[int]) -> list[float]:
    """`window` less its straight line: what drifts is the electrode, not noise."""
    slope, start = _line([(float(n), float(x)) for n, x in enumerate(window)])
    return [x - slope * n - start for n, x in enumerate(window)]


def _tone_power(window: Sequence[float], cycles_per_sample: float) -> float:
    """Mean square of the tone in `window` (Goertzel 1958)."""
    turn = 2 * math.cos(2 * math.pi * cycles_per_sample)
    before = last = 0.0
    for x in window:
        before, last = last, x + turn * last - before
    return 2 * (last * last + before * before - turn * last * before) / len(window) ** 2
