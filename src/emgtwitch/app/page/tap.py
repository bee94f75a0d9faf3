"""The live signal of the last five minutes in memory, for those who look.

One thread writes, any may read, and neither waits: the arrays are rings, the count of what is written is published
after the samples, and a reader is given nothing that the writer may be overwriting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.app.page.survey import GRID_S, Columns, Floats, Survey
from emgtwitch.detect.detector import Detector
from emgtwitch.pipeline import Pipeline

KEPT_S = 300.0
SLACK_S = 15.0  # of the ring that readers leave to the writer
COLUMN_S = 0.005  # of envelope and thresholds, and of what is sent live
ENVELOPE_S = 0.032
PIECE_S = 10.0  # of what is summed up at once
HOP_S = 0.032  # of the detector: filtered samples come so much later than raw ones


@dataclass(frozen=True, slots=True)
class Condition:
    """What one channel's detector says of its input."""

    name: str  # good, settling, rail, flat, lead_off, absent
    floor_uV: float
    mains_uV: float


class Track:
    """One channel's rings."""

    def __init__(self, samples: int, columns: int) -> None:
        self.raw = np.full(samples, np.nan, np.float32)
        self.filtered = np.full(samples, np.nan, np.float32)
        self.envelope = np.full(columns, np.nan, np.float32)
        self.on = np.full(columns, np.nan, np.float32)
        self.off = np.full(columns, np.nan, np.float32)
        self.surveyed = 0  # session sample to which the survey goes
        self.detector: Detector | None = None
        self.count = 0  # filtered by it, as of the last look
        self.index = 0  # its session sample then
        self.columns_done = 0


class Epoch:
    """Rings of one rate, and where they stand in the session."""

    def __init__(self, rate_Hz: float, channels: int, unit_uV: float | None, sample: int, at_s: float) -> None:
        self.rate_Hz = rate_Hz
        self.scale = 1.0 if unit_uV is None else unit_uV
        self.in_uV = unit_uV is not None
        self.column = max(1, round(COLUMN_S * rate_Hz))  # samples in one
        self.columns = math.ceil((KEPT_S + SLACK_S) * rate_Hz / self.column)
        self.samples = self.columns * self.column
        self.origin_sample, self.origin_s = sample, at_s
        self.tracks = [Track(self.samples, self.columns) for _ in range(channels)]
        self.first = sample  # nothing before it
        self.end = sample  # session sample expected next
        self.ready = sample  # what is before it is filtered, if it can be

    def seconds(self, sample: int) -> float:
        """Session time of a session sample."""
        return self.origin_s + (sample - self.origin_sample) / self.rate_Hz

    def sample(self, at_s: float) -> int:
        """Session sample at a session time, rounded down."""
        return math.floor((at_s - self.origin_s) * self.rate_Hz + 1e-6) + self.origin_sample

    @property
    def kept_from(self) -> int:
        """The oldest session sample that may be read."""
        return max(self.first, self.end - round(KEPT_S * self.rate_Hz))


class Tap:
    """Takes what the pipeline sees: `counts` is its `on_counts`, `look` comes after each feed, on the same thread."""

    def __init__(self) -> None:
        self.epoch: Epoch | None = None
        self.conditions: tuple[Condition, ...] = ()
        self.surveys: list[Survey] = []
        self._surveyed_unit: bool | None = None
        self._runs: list[tuple[int, npt.NDArray[np.float64]]] = []

    def counts(self, first: int, counts: npt.NDArray[np.float64]) -> None:
        """A run of scans (n, channels), the first of them session sample `first`; `look` takes it."""
        self._runs.append((first, counts))

    def look(self, pipeline: Pipeline) -> None:
        """Take the runs since the last look and what the detectors of `pipeline` have filtered of them."""
        runs, self._runs = self._runs, []
        for first, counts in runs:
            self._take_run(first, counts, pipeline)
        epoch = self.epoch
        if epoch is None:
            return
        conditions = []
        lag = 0
        for channel, track in zip(pipeline.channels, epoch.tracks, strict=False):
            detector = channel.detector
            if detector is None:
                conditions.append(Condition("absent", 0.0, 0.0))
                continue
            _take(epoch, track, detector)
            lag = max(lag, detector.delay + round(HOP_S * epoch.rate_Hz))
            name = "lead_off" if channel.electrode_off else detector.condition
            conditions.append(Condition(name, detector.floor_uV, detector.mains_uV))
        ready = max(epoch.ready, epoch.end - lag)
        for track in epoch.tracks:
            _envelope(epoch, track, ready)
        epoch.ready = ready
        self._survey(epoch)
        self.conditions = tuple(conditions)

    def _survey(self, epoch: Epoch) -> None:
        """Add to the surveys what is whole by now."""
        size = round(GRID_S / COLUMN_S) * epoch.column
        if self._surveyed_unit != epoch.in_uV:  # one survey has one unit
            self.surveys, self._surveyed_unit = [], epoch.in_uV
        self.surveys += [Survey() for _ in range(len(epoch.tracks) - len(self.surveys))]
        for channel, track in enumerate(epoch.tracks):
            start = max(track.surveyed, epoch.kept_from)
            whole = (epoch.ready - start) // size
            for at, end in _pieces(start, start + whole * size, round(PIECE_S / GRID_S) * size):
                if (columns := self.read(channel, at, end, size)) is None:
                    break
                self.surveys[channel].add(columns)
                track.surveyed = end

    def survey(self, channel: int, from_s: float, to_s: float, points: int) -> Columns | None:
        """As `read`, of all of the session, in multiples of a survey's columns; None where that is too coarse."""
        return self.surveys[channel].read(from_s, to_s, points) if channel < len(self.surveys) else None

    def _take_run(self, first: int, counts: npt.NDArray[np.float64], pipeline: Pipeline) -> None:
        at_s, rate_Hz, unit_uV = pipeline.seconds(first), pipeline.rate_Hz, pipeline.uV_per_count
        epoch = self.epoch
        if epoch is None or not _continues(epoch, rate_Hz, counts.shape[1], unit_uV, epoch.seconds(first) - at_s):
            epoch = Epoch(rate_Hz, counts.shape[1], unit_uV, first, at_s)
        end = first + len(counts)
        _clear(epoch, epoch.end, end)
        kept = counts[-epoch.samples :]
        at = np.arange(end - len(kept), end) % epoch.samples
        for k, track in enumerate(epoch.tracks):
            track.raw[at] = kept[:, k] * epoch.scale
        epoch.end = end
        self.epoch = epoch

    def read(self, channel: int, start: int, stop: int, per_column: int) -> Columns | None:
        """Session samples start to stop in columns of `per_column` samples; None where memory does not reach.

        Samples that are not there are NaN. A reader that was overtaken by the writer gets None, too.
        """
        epoch = self.epoch
        if epoch is None or channel >= len(epoch.tracks) or start < epoch.kept_from or stop <= start:
            return None
        track = epoch.tracks[channel]
        per_column = max(1, per_column)
        n = -(-(stop - start) // per_column)
        at = np.arange(start, start + n * per_column)
        slots = at % epoch.samples
        beyond = at >= epoch.end
        raw, filtered = track.raw[slots], track.filtered[slots]
        raw[beyond] = filtered[at >= epoch.ready] = np.nan
        least, most = min_max(raw, per_column)
        low, high = min_max(filtered, per_column)
        grid = np.arange(n) * per_column + start
        slow = [_grid(epoch, ring, grid, per_column) for ring in (track.envelope, track.on, track.off)]
        if start < epoch.end - epoch.samples:
            return None
        return Columns(epoch.seconds(start), per_column / epoch.rate_Hz, least, most, low, high, *slow)


def min_max(values: Floats, per_column: int) -> tuple[Floats, Floats]:
    """Least and greatest of each `per_column` values, whose number is a multiple of it; NaN of a column without any."""
    rows = values.reshape(-1, per_column)
    return np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)


def _continues(epoch: Epoch, rate_Hz: float, channels: int, unit_uV: float | None, moved_s: float) -> bool:
    same = (rate_Hz, channels, unit_uV) == (epoch.rate_Hz, len(epoch.tracks), epoch.scale if epoch.in_uV else None)
    return same and abs(moved_s) < 0.5 / rate_Hz


def _clear(epoch: Epoch, start: int, stop: int) -> None:
    """Nothing is known of session samples start to stop yet."""
    at = _slots(start, stop, epoch.samples)
    columns = _slots(start // epoch.column, -(-stop // epoch.column), epoch.columns)
    for track in epoch.tracks:
        for ring, parts in ((track.raw, at), (track.filtered, at), (track.envelope, columns)):
            for part in parts:
                ring[part] = np.nan


def _pieces(start: int, stop: int, most: int) -> Iterator[tuple[int, int]]:
    """Start to stop in pieces: after a stall minutes come at once, and at once they would take megabytes."""
    return ((at, min(at + most, stop)) for at in range(start, stop, most))


def _slots(start: int, stop: int, size: int) -> tuple[slice, ...]:
    """Where start to stop lie in a ring of so many places: as slices, since a list of a long gap's takes megabytes."""
    if stop - start >= size:
        return (slice(0, size),)
    first, last = start % size, stop % size
    return (slice(first, last),) if first <= last else (slice(first, size), slice(0, last))


def _take(epoch: Epoch, track: Track, detector: Detector) -> None:
    """Put the detector's new samples where they belong: two stretches if there was a hole between."""
    count, index, whole = detector.filtered_count, detector.settled, detector.whole_since
    goes_on = track.detector is detector and count >= track.count
    since = track.count if goes_on else 0
    if goes_on and whole > since:  # before the hole
        _place(epoch, track, track.index - detector.delay, detector.filtered(since, whole))
    news = detector.filtered(max(since, whole), count)
    _place(epoch, track, index - len(news) - detector.delay, news)
    track.detector, track.count, track.index = detector, count, index
    for now in _slots(track.columns_done, epoch.end // epoch.column + 1, epoch.columns):
        track.on[now], track.off[now] = detector.on_uV, detector.off_uV


def _place(epoch: Epoch, track: Track, first: int, values: npt.NDArray[np.float64]) -> None:
    skip = max(0, epoch.first - first)
    at = np.arange(first + skip, first + len(values)) % epoch.samples
    track.filtered[at] = values[skip:]


def _envelope(epoch: Epoch, track: Track, ready: int) -> None:
    """RMS over ENVELOPE_S of the columns that are filtered by now."""
    m, width = epoch.column, max(1, round(ENVELOPE_S * epoch.rate_Hz / epoch.column))
    start, stop = max(track.columns_done, epoch.first // m + width), ready // m
    start = max(start, stop - epoch.columns + width)
    if stop <= start:
        return
    for begin, end in _pieces(start, stop, max(1, round(PIECE_S * epoch.rate_Hz / m))):
        at = np.arange((begin - width + 1) * m, end * m) % epoch.samples
        energy = np.mean(track.filtered[at].reshape(-1, m) ** 2, axis=1)
        track.envelope[np.arange(begin, end) % epoch.columns] = np.sqrt(
            np.convolve(energy, np.full(width, 1 / width), mode="valid")
        )
    track.columns_done = stop


def _grid(epoch: Epoch, ring: Floats, first: npt.NDArray[np.int64], per_column: int) -> Floats:
    """The most of a ring of columns in each stretch of `per_column` samples that begins at `first`."""
    parts = max(1, per_column // epoch.column)
    at = (first[:, None] // epoch.column + np.arange(parts)) % epoch.columns
    most: Floats = np.fmax.reduce(ring[at], axis=1)
    return most
