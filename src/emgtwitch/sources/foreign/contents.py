"""What a loader finds in a foreign file and what is made of it: the records of this room."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

UNKNOWN_RAILS = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole scans, one after the other without a hole."""

    index: int  # of the first scan; counts scans made, so a hole in the file advances it
    values: npt.NDArray[np.float64]  # (scans, channels); NaN where the file lacks a value


@dataclass(frozen=True, slots=True)
class Column:
    """One signal of a file, as the file describes it."""

    label: str
    rate: Fraction | None  # scans a second; None where the file does not say
    unit: str = ""  # as the file writes it
    rails: tuple[float, float] = UNKNOWN_RAILS  # lowest and highest value that can be, in `unit`
    signal: bool = True  # not a time, sequence, digital or status column
    aliases: tuple[str, ...] = ()  # other names for `--channel`; a name may stand for several columns
    group: str = ""  # columns of different groups do not belong to the same scans


@dataclass(frozen=True, slots=True)
class Contents:
    """The columns of a file and a way to read some of them."""

    columns: tuple[Column, ...]
    read: Callable[[Sequence[int]], Iterator[Block]]  # indices of columns -> blocks of them, in the file's unit


@dataclass(frozen=True, slots=True)
class Foreign:
    """A foreign file opened for replay: its chosen channels at one rate."""

    rate: Fraction  # scans a second; numerator and denominator fit 32 bits
    labels: tuple[str, ...]
    in_uV: bool  # False: the scale is unknown, the values are as in the file
    rails: tuple[tuple[float, float], ...]  # lowest and highest value of each channel, NaN where unknown
    format: str  # name of the row in the table of formats
    blocks: Iterator[Block]  # can be read once; raises UnreadableInputError where the file turns out damaged
