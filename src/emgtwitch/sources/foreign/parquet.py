"""Parquet: a column for each channel, its unit in brackets after the name, the rate in the metadata as `fs_Hz`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.choose import names_no_signal
from emgtwitch.sources.foreign.contents import Block, Column, Contents

_UNIT = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]+)[\])]")
_BATCH_SCANS = 1 << 16
_LONGEST_LABEL = 200  # letters; a longer one names no unit


def load(path: Path) -> Contents:
    """The numeric columns of a Parquet file. Raises UnreadableInputError where it or pyarrow is missing or damaged."""
    file = _open(path)
    columns = []
    try:
        schema = file.schema_arrow
        fields = [(field.name, str(field.type)) for field in schema]
    except UnicodeDecodeError:
        raise UnreadableInputError(f"{path.name} is damaged: the name of a column is no text. Copy it again.") from None
    if len({name for name, _ in fields}) < len(fields):
        raise UnreadableInputError(f"{path.name} has two columns of one name. Rename them.")
    rate = _rate(schema.metadata or {})
    for name, kind in fields:
        match = _UNIT.fullmatch(name) if len(name) <= _LONGEST_LABEL else None
        short, unit = (match["name"], match["unit"]) if match else (name, "")
        numeric = kind.startswith(("int", "uint", "float", "double", "halffloat"))
        columns.append(Column(name, rate, unit, signal=numeric and not names_no_signal(short), aliases=(short,)))
    return Contents(tuple(columns), lambda used: _blocks(path, used))


def _open(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UnreadableInputError(f"Reading {path.name} needs pyarrow: pip install 'emgtwitch[parquet]'.") from None
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise UnreadableInputError(f"{path.name} is cut short or damaged: {error}.") from error


def _rate(metadata: dict[bytes, bytes]) -> Fraction | None:
    try:
        rate_Hz = float(metadata.get(b"fs_Hz", b""))
    except ValueError:
        return None
    return Fraction(repr(rate_Hz)) if math.isfinite(rate_Hz) and rate_Hz > 0 else None


def _blocks(path: Path, used: Sequence[int]) -> Iterator[Block]:
    file = _open(path)
    names = [file.schema_arrow.names[k] for k in used]
    at = 0
    try:
        for batch in file.iter_batches(_BATCH_SCANS, columns=names):
            parts = [np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float64) for name in names]
            yield Block(at, np.stack(parts, axis=1))
            at += batch.num_rows
    except (OSError, ValueError, TypeError, LookupError) as error:  # pyarrow's own are among these
        raise UnreadableInputError(f"{path.name} is damaged at row {at}: {error}.") from error
