"""How a text file is written: found out from its first lines."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from emgtwitch.errors import UnreadableInputError

COMMENTS = ("#", "%", "//")
MISSING = {"", "nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity"}
_SAMPLED_LINES = 200
_LONGEST_RATE = 40  # digits; more are no rate
_NUMBER = {
    ".": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?(\d+(,\d+)?|,\d+)([eE][+-]?\d+)?"),
}
# Several of these fit some files; the first that fits best wins.
_CANDIDATES = ((";", "."), (";", ","), ("\t", "."), ("\t", ","), (",", "."), (None, "."), (None, ","))
_RATE = re.compile(
    r"(?:sampl\w{0,20}[ _-]{0,3}(?:rate|freq\w{0,20})|\bfs\b|\bs_?rate\b|\bfrequency)[^0-9:=,;]{0,20}"
    r"[:=,;\s]+(\d+(?:\.\d+)?)\s*(khz)?",
    re.IGNORECASE,
)
_MOST_BITS = 64  # of a converter


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a text file."""

    delimiter: str | None  # None: any run of blanks
    decimal: str
    width: int  # cells in a row
    first_line: int  # of the data, from 0
    labels: tuple[str, ...]
    numeric: tuple[bool, ...]  # columns that hold numbers
    rate: Fraction | None
    bits: tuple[int | None, ...]  # resolution of each column's converter
    sensors: tuple[str, ...]  # what OpenSignals says is connected, '' elsewhere


def is_comment(line: str) -> bool:
    """Whether `line` is a remark, not a row."""
    return line.lstrip().startswith(COMMENTS)


def cells_of(line: str, delimiter: str | None) -> list[str]:
    """The cells of a row, without blanks and quotes around them."""
    if delimiter is None:
        return [cell.strip('"') for cell in line.split()]
    if '"' in line:
        with contextlib.suppress(csv.Error):  # a cell longer than it takes
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    return [cell.strip() for cell in line.split(delimiter)]


def is_number(cell: str, decimal: str) -> bool:
    """Whether `cell` is a finite number."""
    return _NUMBER[decimal].fullmatch(cell) is not None


def is_missing(cell: str) -> bool:
    """Whether `cell` stands for a value that is not there."""
    return cell.casefold() in MISSING


def find(lines: Sequence[str], name: str) -> Dialect:
    """The dialect of a file that begins with `lines`. Raises UnreadableInputError where no column holds numbers."""
    rows = [k for k, line in enumerate(lines) if line.strip() and not is_comment(line)]
    if not rows:
        raise UnreadableInputError(f"{name} holds no rows of numbers.")
    step = -(-len(rows) // _SAMPLED_LINES)
    sample = [lines[k] for k in rows[::-1][::step]]
    delimiter, decimal = max(_CANDIDATES, key=lambda c: _fit(sample, *c))
    if not _fit(sample, delimiter, decimal):
        line = next((k for k in rows if re.search(r"[^\W\d]", lines[k])), rows[0])
        raise UnreadableInputError(
            f"{name}, line {line + 1}: {lines[line].strip()[:40]!r} where numbers were expected. A text file must hold "
            "columns of numbers separated by commas, semicolons, tabs or blanks, a header line at most before them."
        )
    if delimiter == "," and _width(sample, ",") == 2 and re.fullmatch(r"[^\d,;\t][^,;\t]*", lines[rows[0]].strip()):
        delimiter, decimal = None, ","  # one name over '0,51': one column with a decimal comma
    width = _width(sample, delimiter)
    numeric = _numeric_columns(sample, delimiter, decimal, width)
    first = next(
        (k for k in rows if _is_data(cells_of(lines[k], delimiter), numeric, decimal, width)),
        rows[0],
    )
    header = [k for k in rows if k < first]
    comments = [line for line in lines[: first + 1] if is_comment(line)]
    _refuse_numbers_in_header(lines, header, delimiter, decimal, width, name)
    said = _said_in_comments(comments, width)
    labels = said.labels or _labels([lines[k] for k in header], comments, delimiter, width)
    return Dialect(
        delimiter=delimiter,
        decimal=decimal,
        width=width,
        first_line=first,
        labels=labels,
        numeric=numeric,
        rate=said.rate or _rate_in([*comments, *(lines[k] for k in header)]),
        bits=said.bits or (None,) * width,
        sensors=said.sensors or ("",) * width,
    )


def _trimmed(cells: list[str], width: int) -> list[str]:
    """Without the empty cell that a delimiter at the end of a line makes."""
    return cells[:-1] if len(cells) == width + 1 and not cells[-1] else cells


def _width(sample: Sequence[str], delimiter: str | None) -> int:
    """The usual number of cells in a row."""
    rows = _split(sample, delimiter)
    width = Counter(map(len, rows)).most_common(1)[0][0]
    ends_empty = width > 1 and not any(cells[-1] for cells in rows if len(cells) == width)
    return width - ends_empty  # a delimiter that ends every row makes no column


def _split(sample: Sequence[str], delimiter: str | None) -> list[list[str]]:
    return [cells_of(line, delimiter) for line in sample]


def _fit(sample: Sequence[str], delimiter: str | None, decimal: str) -> float:
    """Share of the sample's cells that are numbers in rows of the usual width."""
    width = _width(sample, delimiter)
    if decimal == "," and width == 1:
        return 0.0  # '1,2' is two cells unless something else separates cells
    share = 0.0
    for cells in _split(sample, delimiter):
        cells = _trimmed(cells, width)
        if len(cells) == width and any(is_number(cell, decimal) for cell in cells):
            share += sum(is_number(cell, decimal) or is_missing(cell) for cell in cells) / width
    return share / len(sample)


def _numeric_columns(sample: Sequence[str], delimiter: str | None, decimal: str, width: int) -> tuple[bool, ...]:
    """Columns most of whose cells are numbers, of those that are not empty."""
    rows = [cells for line in sample if len(cells := _trimmed(cells_of(line, delimiter), width)) == width]
    numbers = [sum(is_number(row[k], decimal) for row in rows) for k in range(width)]
    filled = [sum(not is_missing(row[k]) for row in rows) for k in range(width)]
    return tuple(2 * n >= f and n > 0 for n, f in zip(numbers, filled, strict=True))


def _is_data(cells: list[str], numeric: tuple[bool, ...], decimal: str, width: int) -> bool:
    cells = _trimmed(cells, width)
    if len(cells) != width:
        return False
    own = [cell for cell, wanted in zip(cells, numeric, strict=True) if wanted]
    return all(is_number(c, decimal) or is_missing(c) for c in own) and any(is_number(c, decimal) for c in own)


def _refuse_numbers_in_header(
    lines: Sequence[str], header: Sequence[int], delimiter: str | None, decimal: str, width: int, name: str
) -> None:
    """A row of measurements must not be taken for a header and be lost."""
    for k in header:
        cells = cells_of(lines[k], delimiter)
        numbers = [cell for cell in cells if is_number(cell, decimal)]
        if len(cells) == width > 1 and any(not cell.lstrip("+-").isdecimal() for cell in numbers):
            word = next(cell for cell in cells if not is_number(cell, decimal))
            raise UnreadableInputError(f"{name}, line {k + 1}: {word!r} is not a number. Mend or remove that line.")
        if numbers == cells:
            raise UnreadableInputError(f"{name}, line {k + 1} holds {len(cells)} values where others hold {width}.")


@dataclass(frozen=True, slots=True)
class _Said:
    rate: Fraction | None = None
    labels: tuple[str, ...] = ()
    bits: tuple[int | None, ...] = ()
    sensors: tuple[str, ...] = ()


def _said_in_comments(comments: Sequence[str], width: int) -> _Said:
    for line in comments:
        text = line.lstrip("#%/ ").strip()
        if text.startswith("{"):
            try:
                return _opensignals(json.loads(text), width)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
                continue
    said = [line.lstrip("#%/ ").partition(":=") for line in comments]  # BioSPPy: '# Labels:= EMG'
    keys = {key.strip().casefold(): value.strip() for key, sign, value in said if sign and not set(key) & set(":=")}
    labels = tuple(label.strip() for label in keys.get("labels", "").split("\t"))
    bits = keys.get("resolution", "")
    return _Said(
        labels=labels if len(labels) == width and all(labels) else (),
        bits=(int(bits),) * width if bits.isdecimal() and len(bits) < 3 and 0 < int(bits) <= 32 else (),
    )


def _opensignals(devices: dict[str, dict[str, object]], width: int) -> _Said:
    """OpenSignals describes each device in JSON; the columns of several follow one another."""
    labels: list[str] = []
    bits: list[int | None] = []
    sensors: list[str] = []
    rates = set()
    for device in devices.values():
        columns, channels = _list(device["column"]), _list(device["label"])
        said, names = _list(device["resolution"])[-len(channels) :], _list(device["sensor"])
        others = len(columns) - len(channels)
        converted = bool(device.get("convertedValues", 0))
        labels += map(str, columns)
        bits += [None] * others + [None if converted else _bits(b) for b in said]
        sensors += ["" for _ in range(others)] + [str(n) for n in names[: len(channels)]]
        rates.add(Fraction(repr(float(str(device["sampling rate"])))))
    if not len(labels) == len(bits) == len(sensors) == width:
        return _Said(rate=rates.pop() if len(rates) == 1 else None)
    return _Said(rates.pop() if len(rates) == 1 else None, tuple(labels), tuple(bits), tuple(sensors))


def _bits(value: object) -> int:
    bits = int(str(value))
    if not 0 < bits <= _MOST_BITS:
        raise ValueError(f"a converter of {bits} bits")
    return bits


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _labels(header: Sequence[str], comments: Sequence[str], delimiter: str | None, width: int) -> tuple[str, ...]:
    """From the last header line of the usual width, or a remark of that width; numbers where there is none."""
    if width == 1:  # a name may hold blanks
        found = [[line.strip().strip('"')] for line in header if not re.search("[:=,;\t]", line)]
    else:
        found = [cells for line in header if len(cells := _trimmed(cells_of(line, delimiter), width)) == width]
    if len(found) > 1 and all(
        re.fullmatch(r"\W*([a-zµμ]{0,3}|volts?|seconds?)\W*", c, re.IGNORECASE) for c in found[-1]
    ):
        found = [[f"{name} ({unit})" if unit else name for name, unit in zip(*found[-2:], strict=True)]]
    if not found and width > 1:
        remarks = (_trimmed(cells_of(line.strip().lstrip("#%/ "), delimiter), width) for line in comments)
        found = [cells for cells in remarks if len(cells) == width and not any(":" in cell for cell in cells)]
    labels = found[-1] if found else [""] * width
    return tuple(label or f"ch{k}" for k, label in enumerate(labels))


def _rate_in(lines: Sequence[str]) -> Fraction | None:
    for line in lines:
        match = _RATE.search(line)
        if match:
            if len(match[1]) > _LONGEST_RATE:
                return None
            rate = Fraction(match[1]) * (1000 if match[2] else 1)
            return rate or None
    return None
