"""For notebooks: recordings and plain arrays in, signal and events as numpy arrays out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.log_rows import Row, event_json, interval_json
from emgtwitch.app.opened import Reading
from emgtwitch.detect.records import Event, Interval, Mark, Opened, Stamped
from emgtwitch.errors import UnreadableInputError, UsageError
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.foreign.as_wire import wire_bytes
from emgtwitch.sources.foreign.contents import UNKNOWN_RAILS, Block, Foreign
from emgtwitch.store.folders import LOG_NAME, log_path
from emgtwitch.store.log_reader import LogReader, Selection

EVENT = np.dtype(
    [
        ("class", "U11"),
        ("channel", "i4"),
        ("onset_s", "f8"),
        ("offset_s", "f8"),
        ("duration_ms", "f8"),
        ("peak", "f8"),
        ("rms", "f8"),
        ("snr_dB", "f8"),
        ("in_uV", "?"),
        ("on_tone", "?"),
        ("truncated", "?"),
        ("utc", "M8[ms]"),
    ]
)
INTERVAL = np.dtype(
    [("kind", "U10"), ("channel", "i4"), ("onset_s", "f8"), ("offset_s", "f8"), ("cause", "U12"), ("utc", "M8[ms]")]
)
BLOCK_BYTES = 1 << 18
ARRAY_SCANS = 1 << 16

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Segment:
    """Contiguous signal: `counts` (scans, channels) as the converter gave them, from the session time `from_s` on."""

    from_s: float
    rate_Hz: float
    counts: Floats
    uV_per_count: float | None  # None: gain unknown

    @property
    def to_s(self) -> float:
        """Session time after the last scan."""
        return self.from_s + len(self.counts) / self.rate_Hz

    @property
    def values(self) -> Floats:
        """(scans, channels) in uV, or in counts where the gain is unknown."""
        return self.counts if self.uV_per_count is None else self.counts * np.float32(self.uV_per_count)

    def cut(self, from_s: float, to_s: float) -> Segment:
        """What of it lies in [from_s, to_s)."""
        first, last = (
            round((min(max(at_s, self.from_s), self.to_s) - self.from_s) * self.rate_Hz) for at_s in (from_s, to_s)
        )
        return replace(self, from_s=self.from_s + first / self.rate_Hz, counts=self.counts[first:last])


@dataclass(frozen=True)
class Recording:
    """A recording that was read whole: signal, and what the detector found in it.

    `event_rows`, `interval_rows` and `mark_rows` are the objects of the command line, with `utc_ms` and
    `utc_offset_s`; `events` and `intervals` the same as structured arrays of EVENT and INTERVAL.
    """

    name: str
    segments: tuple[Segment, ...]
    event_rows: tuple[Row, ...]
    interval_rows: tuple[Row, ...]
    mark_rows: tuple[Row, ...]
    duration_s: float
    analysable_s: tuple[float, ...]  # per channel
    settings: Settings
    worn: tuple[dict[str, str], ...]
    device: str
    zone: str | None
    started_utc_ms: int | None
    utc_offset_s: int | None

    @property
    def channels(self) -> int:
        """How many there are."""
        return int(self.segments[0].counts.shape[1])

    @property
    def rate_Hz(self) -> float:
        """Scans a second. Raises UsageError where it changed: see `segments`."""
        rates = {segment.rate_Hz for segment in self.segments}
        if len(rates) > 1:
            shown = ", ".join(f"{rate:g}" for rate in sorted(rates))
            raise UsageError(f"The rate of {self.name} changes: {shown} Hz. Use its segments, one by one.")
        return rates.pop()

    @property
    def unit(self) -> str:
        """Of the signal: uV, or counts where the gain is unknown."""
        return "counts" if self.segments[0].uV_per_count is None else "uV"

    def signal(self, channel: int = 0) -> Floats:
        """One channel (scans,) from the recording's first sample on, in `unit`; NaN where nothing was received."""
        if not 0 <= channel < self.channels:
            raise UsageError(f"There is no channel {channel}. {self.name} has {self.channels}, from 0.")
        out = np.full(round(max(s.to_s for s in self.segments) * self.rate_Hz), np.nan, np.float32)
        for segment in self.segments:
            first = round(segment.from_s * self.rate_Hz)
            out[first : first + len(segment.counts)] = segment.values[:, channel]
        return out

    def times(self) -> npt.NDArray[np.float64]:
        """Session time in s of each sample of `signal`."""
        return np.arange(round(max(s.to_s for s in self.segments) * self.rate_Hz)) / self.rate_Hz

    @cached_property
    def events(self) -> npt.NDArray[np.void]:
        """Structured array of EVENT, in the order of their onsets."""
        return event_array(self.event_rows)

    @cached_property
    def intervals(self) -> npt.NDArray[np.void]:
        """Structured array of INTERVAL: time that could not be analysed; channel -1 means all."""
        return interval_array(self.interval_rows)


class Log:
    """A log: all its events and intervals, and its recordings by their ids."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with LogReader(path) as log:
            self.sessions = log.sessions()
            events, intervals = log.events(Selection()), log.intervals(Selection())
        self.event_rows = tuple(event_json(row, None) | {"recording_id": row["recording_id"]} for row in events)
        self.interval_rows = tuple(interval_json(row) for row in intervals)

    @property
    def recordings(self) -> list[str]:
        """Ids, in order of time."""
        return [session["recording_id"] for session in self.sessions]

    @cached_property
    def events(self) -> npt.NDArray[np.void]:
        """Structured array of EVENT."""
        return event_array(self.event_rows)

    @cached_property
    def intervals(self) -> npt.NDArray[np.void]:
        """Structured array of INTERVAL."""
        return interval_array(self.interval_rows)

    def open(self, recording_id: str) -> Recording:
        """One of `recordings`, decoded anew. Raises UsageError, UnreadableInputError."""
        for session in self.sessions:
            if session["recording_id"] == recording_id:
                if session["path"] is None:
                    raise UnreadableInputError(f"The log does not say where {recording_id} was recorded.")
                return read(Path(session["path"]), settings=Settings.from_mapping(session["settings"]))
        raise UsageError(f"There is no recording {recording_id!r} in the log. There are: {', '.join(self.recordings)}.")


def open_path(
    path: str | Path,
    *,
    fs_Hz: float | None = None,
    units: str | None = None,
    channel: str | None = None,
    settings: Settings | None = None,
) -> Recording | Log:
    """`emgtwitch.open`: a recording, a session folder, a foreign file, or a data folder with its log.

    `fs_Hz`, `units` and `channel` say what a foreign file does not say itself, `settings` replace those of the
    recording. Raises UnreadableInputError and UsageError.
    """
    path = Path(path)
    if path.name == LOG_NAME or log_path(path).is_file():
        return Log(path if path.name == LOG_NAME else log_path(path))
    return read(path, Reading(fs_Hz, units, channel), settings)


def read(path: Path, reading: Reading | None = None, settings: Settings | None = None) -> Recording:
    """Decode and detect all of a file. Raises UnreadableInputError and UsageError."""
    return _read((reading or Reading()).blocks(path, BLOCK_BYTES), path.stem, settings)


def detect_events(
    signal: npt.ArrayLike, fs_Hz: float, *, units: str = "uV", settings: Settings | None = None
) -> npt.NDArray[np.void]:
    """Events in a plain array: (scans,) or (scans, channels), NaN where samples are missing.

    `units` is uV, or counts where the gain is unknown (peak and rms are then in counts). Returns a structured array of
    EVENT. Raises UsageError for what is no signal, SettingsError for a rate that cannot be analysed.
    """
    values = np.asarray(signal, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise UsageError(f"The signal has the shape {np.shape(signal)}; it must be (scans,) or (scans, channels).")
    if units not in ("uV", "counts"):
        raise UsageError(f"units is {units!r}; it must be uV or counts. Multiply what is in other units.")
    if not 0 < fs_Hz < float("inf"):
        raise UsageError(f"fs_Hz is {fs_Hz}; it must be a rate in Hz, for example 1000.")
    values = np.where(np.isfinite(values), values, np.nan)
    blocks = (Block(at, values[at : at + ARRAY_SCANS]) for at in range(0, len(values), ARRAY_SCANS))
    labels = tuple(f"ch{n}" for n in range(values.shape[1]))
    rails = (UNKNOWN_RAILS,) * values.shape[1]
    rate = Fraction(fs_Hz).limit_denominator(1 << 20)
    return _read(wire_bytes(Foreign(rate, labels, units == "uV", rails, "array", blocks)), "array", settings).events


def event_array(rows: Sequence[Row]) -> npt.NDArray[np.void]:
    """The objects of the command line as an array of EVENT."""
    out = np.zeros(len(rows), EVENT)
    for n, row in enumerate(rows):
        in_uV = row["peak_uV"] is not None or "peak_counts" not in row
        unit = "uV" if in_uV else "counts"
        amplitudes = tuple(_number(row[f"{name}_{unit}"]) for name in ("peak", "rms"))
        times = (row["onset_s"], _number(row["offset_s"]), _number(row["duration_ms"]))
        told = (in_uV, row["on_tone"], row["truncated"], _moment(row))
        out[n] = (row["class"], row["channel"], *times, *amplitudes, _number(row["snr_dB"]), *told)
    return out


def interval_array(rows: Sequence[Row]) -> npt.NDArray[np.void]:
    """The objects of the command line as an array of INTERVAL."""
    out = np.zeros(len(rows), INTERVAL)
    for n, row in enumerate(rows):
        channel = -1 if row["channel"] is None else row["channel"]
        out[n] = (row["kind"], channel, row["onset_s"], row["offset_s"], row.get("cause", ""), _moment(row))
    return out


def to_pandas(table: npt.NDArray[np.void]) -> Any:
    """A structured array as a DataFrame, where pandas is installed. Raises UsageError where it is not."""
    try:
        import pandas
    except ImportError:
        raise UsageError("A DataFrame needs pandas: pip install pandas.") from None
    return pandas.DataFrame({name: table[name] for name in table.dtype.names or ()})


class _Listener:
    """Collects contiguous signal while a pipeline runs."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self._parts: list[tuple[float, float, float | None, list[Floats]]] = []
        self._end_s = 0.0

    def __call__(self, first: int, counts: npt.NDArray[np.float64]) -> None:
        assert self.pipeline is not None
        from_s, rate_Hz, scale = self.pipeline.seconds(first), self.pipeline.rate_Hz, self.pipeline.uV_per_count
        last = self._parts[-1] if self._parts else None
        goes_on = last is not None and last[1:3] == (rate_Hz, scale) and abs(from_s - self._end_s) < 0.5 / rate_Hz
        if last is None or not goes_on or last[3][0].shape[1] != counts.shape[1]:
            last = (from_s, rate_Hz, scale, [])
            self._parts.append(last)
        last[3].append(counts.astype(np.float32))
        self._end_s = from_s + len(counts) / rate_Hz

    def segments(self) -> Iterator[Segment]:
        """What was collected, in order; NaN inside it where a channel lacks a sample."""
        for from_s, rate_Hz, scale, parts in self._parts:
            yield Segment(from_s, rate_Hz, np.concatenate(parts), scale)


def _read(blocks: Iterator[bytes | memoryview] | Iterator[bytes], name: str, settings: Settings | None) -> Recording:
    prepare_kernels()
    ears = _Listener()
    ears.pipeline = pipeline = Pipeline(settings, recording_id=name, on_counts=ears)
    outputs = [stamped for block in blocks for stamped in pipeline.feed(block)] + pipeline.finish()
    opened = next((stamped.record for stamped in outputs if isinstance(stamped.record, Opened)), None)
    segments = tuple(ears.segments())
    if opened is None or not segments:
        raise UnreadableInputError(f"{name} holds no samples that can be read.")
    told = [_row(stamped) for stamped in outputs if isinstance(stamped.record, (Event, Interval, Mark))]

    def rows(kind: str, at: str) -> tuple[Row, ...]:
        return tuple(sorted((row for row in told if row["type"] == kind), key=_by(at)))

    start = next((s for s in outputs if s.utc_ms is not None), None)
    progress = pipeline.progress
    return Recording(
        name=opened.recording_id or name,
        segments=segments,
        event_rows=rows("event", "onset_s"),
        interval_rows=rows("interval", "onset_s"),
        mark_rows=rows("mark", "at_s"),
        duration_s=progress.duration_s,
        analysable_s=progress.analysable_s,
        settings=pipeline.settings,
        worn=tuple(opened.session.get("worn") or ()),
        device=opened.device,
        zone=opened.session.get("zone"),
        started_utc_ms=None if start is None else _started_ms(start),
        utc_offset_s=None if start is None else start.offset_s,
    )


def _row(stamped: Stamped) -> Row:
    record = stamped.record
    assert not isinstance(record, Opened)
    return record.as_json() | {"utc_ms": stamped.utc_ms, "utc_offset_s": stamped.offset_s}


def _started_ms(stamped: Stamped) -> int | None:
    """UTC of the first sample, from what was stamped first."""
    record = stamped.record
    at_s = 0.0 if isinstance(record, Opened) else record.at_s if isinstance(record, Mark) else record.onset_s
    return None if stamped.utc_ms is None else stamped.utc_ms - round(1000 * at_s)


def _by(key: str) -> Callable[[Row], float]:
    return lambda row: float(row[key])


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _moment(row: Row) -> np.datetime64:
    return np.datetime64("NaT" if row.get("utc_ms") is None else row["utc_ms"], "ms")
