"""EDF, EDF+, BDF and BDF+, read record by record.

Source: https://www.edfplus.info/specs (EDF 1992, EDF+ 2003) and BioSemi's description of BDF. Read here rather than
through edfio because edfio joins the pieces of an interrupted file (EDF+D) and holds a whole BDF in memory.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.choose import names_no_signal
from emgtwitch.sources.foreign.contents import UNKNOWN_RAILS, Block, Column, Contents

_FIXED = 256  # bytes of the header, and again for each signal
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # label ... reserved of the signal headers
_BATCH_BYTES = 1 << 20
_SHORTEST_S, _LONGEST_S = 1e-6, 1e9  # of a record
_LONGEST_HOLE = 1 << 31  # scans
_ONSET = re.compile(rb"([+-]\d{1,15}(?:\.\d{0,15})?)(?:\x15[^\x14]*)?\x14")


@dataclass(frozen=True, slots=True)
class _Signal:
    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[int, int]
    samples: int  # in a record
    start: int  # byte in a record

    @property
    def annotations(self) -> bool:
        return self.label in ("EDF Annotations", "BDF Annotations")

    @property
    def calibrated(self) -> bool:
        return self.physical[0] != self.physical[1] and self.digital[0] != self.digital[1]

    def scaled(self, digital: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Physical values; float64 keeps the digital ones apart whatever the offset."""
        if not self.calibrated:
            return digital
        gain = (self.physical[1] - self.physical[0]) / (self.digital[1] - self.digital[0])
        return (digital + (self.physical[1] / gain - self.digital[1])) * gain


@dataclass(frozen=True, slots=True)
class _Header:
    path: Path
    size: int  # bytes of header
    width: int  # bytes of a sample
    records: int
    record_bytes: int
    duration: Fraction  # seconds of a record
    interrupted: bool  # EDF+D
    signals: tuple[_Signal, ...]


def load(path: Path) -> Contents:
    """The signals of an EDF or BDF file. Raises UnreadableInputError, also where the file is cut short."""
    header = _header(path)
    signals = tuple(s for s in header.signals if not s.annotations)
    if not signals or not header.duration:
        raise UnreadableInputError(f"{path.name} holds annotations but no signals.")
    if not header.records:
        raise UnreadableInputError(f"{path.name} holds no data records: nothing was recorded, or it was cut short.")
    columns = []
    for signal in signals:
        rails = UNKNOWN_RAILS
        if signal.digital[0] != signal.digital[1]:
            low, high = signal.scaled(np.array(signal.digital, dtype=np.float64)).tolist()
            rails = min(low, high), max(low, high)
        columns.append(
            Column(
                signal.label,
                signal.samples / header.duration,
                signal.unit if signal.calibrated else "",
                rails,
                signal=not names_no_signal(signal.label) and signal.unit.casefold() != "boolean",
            )
        )
    return Contents(tuple(columns), lambda used: _blocks(header, [signals[k] for k in used]))


def _header(path: Path) -> _Header:
    with path.open("rb") as file:
        fixed = file.read(_FIXED)
        if len(fixed) < _FIXED:
            raise _cut(path, f"{len(fixed)} of the {_FIXED} bytes of its header are there")
        bdf = fixed[:1] == b"\xff"
        try:
            size, records, count = int(fixed[184:192]), int(fixed[236:244]), int(fixed[252:256])
            length = fixed[244:252].decode("ascii").strip()
            seconds = float(length)
            if count < 1 or size < _FIXED * (count + 1) or not (seconds == 0 or _SHORTEST_S <= seconds <= _LONGEST_S):
                raise ValueError(f"{count} signals, {size} bytes of header, records of {seconds:g} s")
            duration = Fraction(length) if seconds else Fraction(0)
            raw = file.read(size - _FIXED)
            if len(raw) < size - _FIXED:
                raise _cut(path, f"{_FIXED + len(raw)} of the {size} bytes of its header are there")
            signals = _signals(raw, count, 3 if bdf else 2)
        except (ValueError, ZeroDivisionError) as error:
            raise UnreadableInputError(f"The header of {path.name} is damaged or not EDF/BDF: {error}.") from None
    record_bytes = sum(s.samples for s in signals) * (3 if bdf else 2)
    whole = (path.stat().st_size - size) // record_bytes if record_bytes else 0
    if records > whole:
        raise _cut(path, f"{whole} whole records of the {records} that its header promises are there")
    # A recorder that was killed leaves -1, or the count of its last flush: every whole record counts.
    interrupted = fixed[192:197] in (b"EDF+D", b"BDF+D")
    return _Header(path, size, 3 if bdf else 2, whole, record_bytes, duration, interrupted, signals)


def _cut(path: Path, what: str) -> UnreadableInputError:
    return UnreadableInputError(f"{path.name} is cut short: only {what}. Copy it again from where it was recorded.")


def _signals(raw: bytes, count: int, width: int) -> tuple[_Signal, ...]:
    fields: list[list[str]] = []
    at = 0
    for size in _WIDTHS:
        fields.append([_text(raw[at + k * size : at + (k + 1) * size]) for k in range(count)])
        at += size * count
    label, _, unit, physical_min, physical_max, digital_min, digital_max, _, samples, _ = fields
    signals = []
    start = 0
    for k in range(count):
        physical = _number(physical_min[k]), _number(physical_max[k])
        digital = int(digital_min[k]), int(digital_max[k])
        signals.append(_Signal(label[k], unit[k], physical, digital, int(samples[k]), start))
        if signals[-1].samples < 0:
            raise ValueError(f"{samples[k]} samples in a record of {label[k]}")
        start += width * signals[-1].samples
    return tuple(signals)


def _text(field: bytes) -> str:
    try:
        return field.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return field.decode("latin-1").strip("\0 ")


def _number(text: str) -> float:
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"a physical limit of {text}")
    return value


def _blocks(header: _Header, used: Sequence[_Signal]) -> Iterator[Block]:
    """Batches of records; a hole of an EDF+D advances the index by whole scans."""
    rate = used[0].samples / header.duration
    batch = max(1, _BATCH_BYTES // header.record_bytes)
    timekeeping = next((s for s in header.signals if s.annotations), None) if header.interrupted else None
    if header.interrupted and timekeeping is None:
        raise UnreadableInputError(
            f"{header.path.name} says that it is interrupted (EDF+D) but keeps no times of its records: "
            "where its gaps are cannot be known."
        )
    first: Fraction | None = None
    index = 0  # of the next scan
    with header.path.open("rb") as file:
        file.seek(header.size)
        for at in range(0, header.records, batch):
            count = min(batch, header.records - at)
            raw = np.frombuffer(file.read(count * header.record_bytes), dtype=np.uint8)
            if raw.size < count * header.record_bytes:
                raise _cut(header.path, f"{at + raw.size // header.record_bytes} whole records are there")
            records = raw.reshape(count, header.record_bytes)
            values = np.stack([_values(records, s, header.width) for s in used], axis=-1)
            starts = index + used[0].samples * np.arange(count, dtype=np.int64)
            if timekeeping is not None:
                onsets = [_onset(record, timekeeping, header) for record in records]
                first = onsets[0] if first is None else first
                starts = _starts([round((onset - first) * rate) for onset in onsets], index, used[0].samples, header)
            cuts = [0, *(np.flatnonzero(np.diff(starts) != used[0].samples) + 1).tolist(), count]
            for low, high in itertools.pairwise(cuts):
                yield Block(int(starts[low]), values[low:high].reshape(-1, len(used)))
            index = int(starts[-1]) + used[0].samples


def _starts(told: list[int], index: int, samples: int, header: _Header) -> npt.NDArray[np.int64]:
    """Index of each record's first scan; a time off by a scan is rounding, not a hole."""
    starts = np.empty(len(told), dtype=np.int64)
    for k, start in enumerate(told):
        if start < index - 1:
            raise UnreadableInputError(f"The records of {header.path.name} overlap in time or run backwards.")
        if start > index + _LONGEST_HOLE:
            raise UnreadableInputError(
                f"A record of {header.path.name} is said to begin {start - index} scans late. It is damaged."
            )
        starts[k] = index if start <= index + 1 else start
        index = int(starts[k]) + samples
    return starts


def _values(records: npt.NDArray[np.uint8], signal: _Signal, width: int) -> npt.NDArray[np.float64]:
    """Physical values of one signal, (records, samples)."""
    raw = np.ascontiguousarray(records[:, signal.start : signal.start + width * signal.samples])
    if width == 2:
        return signal.scaled(raw.view("<i2").astype(np.float64))
    wide = np.zeros((len(raw), signal.samples, 4), dtype=np.uint8)
    wide[:, :, 1:] = raw.reshape(len(raw), signal.samples, 3)
    return signal.scaled((wide.view("<i4")[:, :, 0] >> 8).astype(np.float64))


def _onset(record: npt.NDArray[np.uint8], signal: _Signal, header: _Header) -> Fraction:
    """When a record began, in seconds: the first time stamp of its annotations (EDF+ 2.2.4)."""
    raw = record[signal.start : signal.start + header.width * signal.samples].tobytes()
    match = _ONSET.match(raw)
    if match is None:
        raise UnreadableInputError(f"A record of {header.path.name} has no time stamp: its annotations are damaged.")
    return Fraction(match[1].decode("ascii"))
