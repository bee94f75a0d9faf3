"""EDF+ and BDF+ (Kemp and Olivan 2003; BioSemi), one file for each contiguous segment, with events as annotations."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import edfio
import numpy as np

from emgtwitch.app.export.material import Item
from emgtwitch.errors import UsageError

if TYPE_CHECKING:
    from emgtwitch.app.notebook import Floats, Segment

NUMBER_CHARS = 8  # of a number in the header
YEARS = range(1985, 2085)  # that its two digits mean


def write_edf(items: list[Item], folder: Path) -> None:
    """NAME_000.edf, ...: 16 bits."""
    _write(items, folder, "edf", 16)


def write_bdf(items: list[Item], folder: Path) -> None:
    """NAME_000.bdf, ...: 24 bits."""
    _write(items, folder, "bdf", 24)


def _write(items: list[Item], folder: Path, suffix: str, bits: int) -> None:
    for item in items:
        for number, segment in enumerate(item.load()):
            save(item, segment, folder / f"{item.stem}_{number:03d}.{suffix}", bits)


def save(item: Item, segment: Segment, path: Path, bits: int) -> None:
    """One segment as one file. A last data record is filled up with the last sample; an annotation says where."""
    per_record, record_s = record_length(segment.rate_Hz)
    missing = -len(segment.counts) % per_record
    signals = []
    for place in range(len(item.channels)):
        values = np.pad(segment.counts[:, place], (0, missing), mode="edge")
        signals.append(_signal(values, segment, item.label(place), per_record / record_s, bits))
    annotations = list(annotations_of(item, segment))
    if missing:
        annotations.append(edfio.EdfAnnotation(round(len(segment.counts) / segment.rate_Hz, 6), None, "signal ends"))
    kind: Any = edfio.Edf if bits == 16 else edfio.Bdf
    start = None
    if item.started_utc_ms is not None:
        shown_ms = item.started_utc_ms + 1000 * (item.utc_offset_s or 0) + round(1000 * segment.from_s)
        begun = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=shown_ms)
        start = begun if begun.year in YEARS else None
    recording = edfio.Recording(startdate=start.date() if start else None, equipment_code="emgtwitch")
    kind(
        signals,
        recording=recording,
        starttime=start.time() if start else None,
        data_record_duration=record_s,
        annotations=annotations,
    ).write(path)


def annotations_of(item: Item, segment: Segment) -> Iterator[edfio.EdfAnnotation]:
    """Events, lost time and marks that begin in the segment, on its own time."""
    rows = [(row["onset_s"], row.get("offset_s"), row["class"], row["channel"]) for row in item.events]
    rows += [(row["onset_s"], row["offset_s"], row["kind"], row["channel"]) for row in item.intervals]
    rows += [(row["at_s"], None, row["kind"], None) for row in item.marks if row["at_s"] is not None]
    for onset_s, offset_s, text, channel in sorted(rows, key=lambda row: row[0]):
        if segment.from_s <= onset_s < segment.to_s:
            where = f"@@{item.label(item.channels.index(channel))}" if channel in item.channels else ""
            length_s = None if offset_s is None else round(offset_s - onset_s, 6)
            yield edfio.EdfAnnotation(round(onset_s - segment.from_s, 6), length_s, f"{text}{where}")


def record_length(rate_Hz: float) -> tuple[int, float]:
    """Samples of a data record of about a second, and its length in s, which the header can write exactly."""
    exact = Decimal(repr(rate_Hz))
    for samples in sorted(range(max(1, int(rate_Hz) // 2), 2 * int(rate_Hz) + 2), key=lambda n: abs(n - rate_Hz)):
        length = Decimal(samples) / exact
        if len(str(length)) <= NUMBER_CHARS and length * exact == samples:
            return samples, float(length)
    raise UsageError(f"A rate of {rate_Hz} Hz cannot be written into an EDF header. Export as CSV or Parquet.")


def _signal(values: Floats, segment: Segment, label: str, rate_Hz: float, bits: int) -> Any:
    """Digital values that are the converter's counts where these fit, else steps of the signal's own range."""
    if not np.isfinite(values).all():
        raise UsageError("EDF and BDF cannot leave out single samples of a channel. Export as CSV or Parquet.")
    most = 1 << (bits - 1)
    low, high = float(values.min()), float(values.max())
    scale = segment.uV_per_count or 1.0
    if np.all(values == np.round(values)) and -most <= low and high < most:
        half, step, zero = 1 << max(1, int(max(-low, high)).bit_length()), 1.0, 0.0
        half = min(half, most)
        digital = values
    else:
        half, step, zero = most, (high - low) / (2 * most - 2) or 1.0, (low + high) / 2
        digital = np.round((values.astype(np.float64) - zero) / step)
    # The least and the most in the header are rounded to 8 characters: the scale to about a millionth.
    ends = tuple(_fitting(scale * (zero + step * at)) for at in (-half, half - 1))
    kind: Any = edfio.EdfSignal if bits == 16 else edfio.BdfSignal
    return kind.from_digital(
        digital.astype(np.int16 if bits == 16 else np.int32),
        rate_Hz,
        label="".join(c if " " <= c <= "~" else "_" for c in label[:16]),  # the header is ASCII
        physical_dimension="" if segment.uV_per_count is None else "uV",
        physical_range=ends,
        digital_range=(-half, half - 1),
    )


def _fitting(value: float) -> float:
    """The number nearest to `value` that has NUMBER_CHARS characters or fewer."""
    for digits in range(NUMBER_CHARS, 0, -1):
        text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
        if len(text) <= NUMBER_CHARS:
            return float(text)
    return float(round(value))
