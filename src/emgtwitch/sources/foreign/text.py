"""CSV, TXT and TSV, read in chunks; every number as the nearest float64."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.choose import looks_like_emg, names_no_signal
from emgtwitch.sources.foreign.contents import UNKNOWN_RAILS, Block, Column, Contents
from emgtwitch.sources.foreign.dialect import Dialect, cells_of, find, is_comment, is_missing, is_number
from emgtwitch.sources.foreign.placing import Gaps, SequenceGaps, TimeGaps, ramp, split
from emgtwitch.sources.foreign.units import uV_per

_HEAD_BYTES = 1 << 18
_CHUNK_BYTES = 1 << 20
_LONGEST_LABEL = 200  # letters; a longer one names no unit
_LONGEST_COUNT = 18  # digits, which 64 bits hold
_UNIT = re.compile(r"^(?P<name>.*?)[\s_]*[(\[](?P<unit>[^)\]]*)[)\]]\s*$|^(?P<name2>.+)_(?P<unit2>[munµμ]?V|ms|us|s)$")
_SECONDS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "seconds": 1,
    "ms": 1000,
    "msec": 1000,
    "us": 10**6,
    "µs": 10**6,
    "μs": 10**6,
}
_LONGEST_STEP_S = 0.02  # an unlabelled ramp that is slower than EMG can be is not in seconds
_TIME = re.compile(r"(t|time.*|timestamps?.*|seconds?|secs?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Layout:
    path: Path
    encoding: str
    dialect: Dialect
    counter: int | None  # column that numbers or times the rows
    step: float  # of a time column, 0 for a counter
    error: float


def load(path: Path) -> Contents:
    """The columns of a text file. Raises UnreadableInputError; words in its rows are found only when they are read."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        more = bool(file.read(1))
    encoding = _encoding(head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    lines = io.StringIO(text, newline=None).read().split("\n")  # as a file is split, unlike splitlines
    if more and len(lines) > 1:
        lines.pop()  # not whole
    dialect = find(lines, path.name)
    columns = [_column(dialect, k) for k in range(dialect.width)]
    layout = _Layout(path, encoding, dialect, None, 0.0, 0.0)
    for k in _candidates(dialect, columns):
        rows = _head_rows(lines, dialect, k)
        even = ramp(np.array([float(cell.replace(",", ".")) for cell in rows]), _resolution(rows, dialect.decimal))
        if even is None and not _counts(rows):
            continue
        if even is None or (even.step == 1 and columns[k].unit not in _SECONDS):
            layout = replace(layout, counter=k)
        elif columns[k].unit in _SECONDS or even.step < _LONGEST_STEP_S:
            layout = replace(layout, counter=k, step=even.step, error=even.error)
            rate = even.rate * _SECONDS.get(columns[k].unit, 1)
            columns = [replace(column, rate=column.rate or rate) for column in columns]
        columns[k] = replace(columns[k], signal=False)
        break
    return Contents(tuple(columns), lambda used: _blocks(layout, used))


def _encoding(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # a letter may be cut at the end
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _column(dialect: Dialect, k: int) -> Column:
    label, bits, sensor = dialect.labels[k], dialect.bits[k], dialect.sensors[k]
    match = _UNIT.match(label) if len(label) <= _LONGEST_LABEL else None
    name = (match["name"] or match["name2"] or label) if match else label
    unit = (match["unit"] or match["unit2"] or "").strip() if match else ""
    return Column(
        label,
        dialect.rate,
        unit if unit in _SECONDS or uV_per(unit) is not None else "",
        (0.0, 2.0**bits - 1) if bits else UNKNOWN_RAILS,
        signal=dialect.numeric[k]
        and not names_no_signal(name)
        # OpenSignals names the sensor of each channel and leaves its digital lines (DI, I1, O1) without one
        and (bool(sensor) or not any(dialect.sensors)),
        aliases=tuple({name, sensor} - {"", label}),
    )


def _candidates(dialect: Dialect, columns: Sequence[Column]) -> list[int]:
    """Columns that may time or number the rows: those that say so, then a first one among several."""
    named = [
        k for k, c in enumerate(columns) if dialect.numeric[k] and (_TIME.fullmatch(c.label) or _numbers_rows(c.label))
    ]
    plain = dialect.width > 1 and dialect.numeric[0] and not columns[0].unit and not looks_like_emg(columns[0].label)
    first = [0] if plain and 0 not in named else []
    return named + first


def _numbers_rows(label: str) -> bool:
    return re.match(r"(n?seq|sample|index|idx|counter|packet)", label.strip(), re.IGNORECASE) is not None


def _head_rows(lines: Sequence[str], dialect: Dialect, k: int) -> list[str]:
    """The numbers of column `k` in the first lines."""
    rows = (cells_of(line, dialect.delimiter) for line in lines[dialect.first_line :] if not is_comment(line))
    return [row[k] for row in rows if len(row) > k and is_number(row[k], dialect.decimal)]


def _resolution(cells: Sequence[str], decimal: str) -> float:
    """What the last digit written stands for; exponents are taken for full precision."""
    if any("e" in cell or "E" in cell for cell in cells):
        return 0.0
    return 10.0 ** -max((len(cell.partition(decimal)[2]) for cell in cells), default=0)


def _counts(cells: Sequence[str]) -> bool:
    """Whether whole numbers go up by one in most rows, as a sequence number that starts again does."""
    if len(cells) < 8 or not all(cell.lstrip("+").isdecimal() and len(cell) <= _LONGEST_COUNT for cell in cells):
        return False
    return float(np.mean(np.diff(np.array([int(cell) for cell in cells], dtype=np.float64)) == 1)) > 0.9


def _blocks(layout: _Layout, used: Sequence[int]) -> Iterator[Block]:
    dialect = layout.dialect
    for k in used:
        if not dialect.numeric[k]:
            raise UnreadableInputError(f"Column {dialect.labels[k]!r} of {layout.path.name} does not hold numbers.")
    needed = sorted({*used, *(() if layout.counter is None else (layout.counter,))})
    place = [needed.index(k) for k in used]
    gaps: Gaps = TimeGaps(layout.step, layout.error) if layout.step else SequenceGaps()
    index = 0
    number = dialect.first_line
    with layout.path.open(encoding=layout.encoding, errors="replace") as file:
        for _ in range(dialect.first_line):
            file.readline()
        while lines := file.readlines(_CHUNK_BYTES):
            rows = _rows(lines, layout, needed, number)
            number += len(lines)
            if not len(rows):
                continue
            lost = np.zeros(len(rows), dtype=np.int64)
            if layout.counter is not None:
                lost = gaps.lost(rows[:, needed.index(layout.counter)])
            yield from split(rows[:, place], lost, index)
            index += len(rows) + int(lost.sum())


def _rows(lines: list[str], layout: _Layout, needed: Sequence[int], number: int) -> npt.NDArray[np.float64]:
    """The needed columns of `lines`, the first of which is line `number` from 0, (rows, needed)."""
    dialect = layout.dialect
    if _even(lines, dialect):
        fast = [line.replace(",", ".") for line in lines] if dialect.decimal == "," else lines
        try:
            # with usecols a row too long goes unseen: of blank-separated files all columns are read
            columns = None if dialect.delimiter is None else needed
            rows = np.loadtxt(fast, comments=None, delimiter=dialect.delimiter, usecols=columns, ndmin=2)
            if columns is not None:
                return rows
            if rows.shape[1] == dialect.width:
                return rows[:, list(needed)]
        except ValueError:
            pass  # an empty cell, a remark or a word: line by line tells which
    careful = (_row(line, layout, needed, number + k) for k, line in enumerate(lines))
    return np.array([row for row in careful if row is not None], dtype=np.float64).reshape(-1, len(needed))


def _even(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether every line has the cells of a row, so that picking columns overlooks nothing."""
    if dialect.delimiter is None:
        return True
    counts = {line.count(dialect.delimiter) for line in lines}
    ends = dialect.delimiter, f"{dialect.delimiter}\n"
    return counts == {dialect.width - 1} or (counts == {dialect.width} and all(line.endswith(ends) for line in lines))


def _row(line: str, layout: _Layout, needed: Sequence[int], number: int) -> list[float] | None:
    """The needed values of one line, NaN for empty cells; None for a blank line or a remark."""
    dialect = layout.dialect
    if not line.strip() or is_comment(line):
        return None
    cells = cells_of(line, dialect.delimiter)
    if len(cells) == dialect.width + 1 and not cells[-1]:
        cells.pop()
    if len(cells) != dialect.width:
        raise UnreadableInputError(
            f"{layout.path.name}, line {number + 1} holds {len(cells)} values where others hold {dialect.width}: "
            f"{line.strip()[:60]!r}. Mend or remove that line."
        )
    row = []
    for k in needed:
        cell = cells[k]
        if is_missing(cell):
            row.append(np.nan)
        elif is_number(cell, dialect.decimal):
            row.append(float(cell.replace(",", ".")))
        else:
            raise UnreadableInputError(
                f"{layout.path.name}, line {number + 1}: {cell[:40]!r} is not a number (column {dialect.labels[k]!r}). "
                "Empty cells and NaN are allowed for missing values; mend or remove that line."
            )
    return row
