"""MATLAB files: numeric variables, or structs that hold them beside their sampling rate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.choose import looks_like_emg, names_no_signal
from emgtwitch.sources.foreign.contents import Block, Column, Contents
from emgtwitch.sources.foreign.mat5 import variables
from emgtwitch.sources.foreign.opensignals import DAMAGE, attribute, holds_numbers, open_hdf5, refuse_promises
from emgtwitch.sources.foreign.placing import ramp
from emgtwitch.sources.foreign.units import uV_per

_RATE = re.compile(r"fs|f_s|fsamp|srate|sr|sampl\w*|freq\w*|rate", re.IGNORECASE)
_UNIT = re.compile(r"units?", re.IGNORECASE)
_MAX_DEPTH = 6
_BATCH_SCANS = 1 << 16


class _Array(NamedTuple):
    name: str  # EMG.channelData
    values: npt.NDArray[Any]  # (scans, channels)
    rate: Fraction | None  # said beside it
    unit: str


def load(path: Path) -> Contents:
    """Every column of every numeric variable, labelled `name` or `name[k]`. Raises UnreadableInputError.

    The longest variables, of those whose name says EMG if any does, are taken for signals; the name of a variable
    stands for all its columns.
    """
    with path.open("rb") as file:
        newest = file.read(10) == b"MATLAB 7.3"
    tree = _hdf5(path) if newest else _classic(path)
    arrays = list(_arrays(tree, "", None, "", 0))
    if not arrays:
        raise UnreadableInputError(f"{path.name} holds no numeric variable of more than one value.")
    likely = [array for array in arrays if looks_like_emg(array.name)] or arrays
    longest = max(len(array.values) for array in likely)
    likely = [array for array in likely if len(array.values) == longest]
    rates = {array.rate for array in arrays if array.rate is not None}
    columns: list[Column] = []
    data: list[npt.NDArray[Any]] = []
    timed: Fraction | None = None
    for array in arrays:
        last = array.name.rsplit(".", 1)[-1]
        even = ramp(array.values[:, 0].astype(np.float64), 0.0) if names_no_signal(last) else None
        if even and array.values.shape[1] == 1 and even.step < 1:
            timed = even.rate
        signal = any(array is other for other in likely) and not names_no_signal(last)
        width = array.values.shape[1]
        for k in range(width):
            label = array.name if width == 1 else f"{array.name}[{k}]"
            group = f"{len(array.values)} scans"
            columns.append(
                Column(label, array.rate, array.unit, signal=signal, aliases=(array.name, last), group=group)
            )
            data.append(array.values[:, k])
    fallback = timed if timed is not None else next(iter(rates)) if len(rates) == 1 else None
    columns = [column if column.rate is not None else replace(column, rate=fallback) for column in columns]
    return Contents(tuple(columns), lambda used: _blocks([data[k] for k in used]))


def _blocks(data: Sequence[npt.NDArray[Any]]) -> Iterator[Block]:
    for at in range(0, len(data[0]), _BATCH_SCANS):
        yield Block(at, np.stack([column[at : at + _BATCH_SCANS].astype(np.float64) for column in data], axis=-1))


def _classic(path: Path) -> Mapping[str, Any]:
    try:
        return variables(path.read_bytes())
    except ValueError as error:
        raise UnreadableInputError(f"{path.name} is cut short or damaged: {error}.") from error


def _hdf5(path: Path) -> Mapping[str, Any]:
    """A version 7.3 file: HDF5, whose data sets hold the transpose of MATLAB's arrays."""
    with open_hdf5(path) as file:
        try:
            seen: set[int] = set()
            return {name: _taken(file[name], path, seen, 0) for name in file if not name.startswith("#")}
        except DAMAGE as error:
            raise UnreadableInputError(f"{path.name} is cut short or damaged: {error}.") from error


def _taken(node: Any, path: Path, seen: set[int], depth: int) -> Any:
    """What is at `node`; a group that has a second name, perhaps within itself, is taken once."""
    if hasattr(node, "keys"):
        if depth >= _MAX_DEPTH or hash(node.id) in seen:
            return {}
        seen.add(hash(node.id))
        return {name: _taken(node[name], path, seen, depth + 1) for name in node}
    if not holds_numbers(node):
        return {}
    refuse_promises(node, path)
    value = np.asarray(node[()])
    if attribute(node, "MATLAB_class") == b"char":
        return "".join(chr(int(letter)) for letter in value.ravel(order="F"))
    return value.T


def _arrays(tree: Mapping[str, Any], prefix: str, rate: Fraction | None, unit: str, depth: int) -> Iterator[_Array]:
    """The numeric arrays of `tree` with the rate and unit said beside or above them."""
    for name, value in tree.items():
        if _RATE.fullmatch(name) and np.size(value) == 1 and np.asarray(value).dtype.kind in "iuf":
            number = float(np.ravel(value)[0])
            rate = Fraction(repr(number)) if np.isfinite(number) and number > 0 else rate
        elif _UNIT.fullmatch(name) and isinstance(value, str) and uV_per(value) is not None:
            unit = value
    for name, value in tree.items():
        if isinstance(value, Mapping):
            if depth < _MAX_DEPTH:
                yield from _arrays(value, f"{prefix}{name}.", rate, unit, depth + 1)
            continue
        array = np.asarray(value)
        if array.dtype.kind in "iuf" and array.size > 1 and array.ndim <= 2:
            array = array.reshape(-1, 1) if array.ndim == 1 else array
            # there are more scans than channels, whichever way the array lies
            yield _Array(f"{prefix}{name}", array if array.shape[0] >= array.shape[1] else array.T, rate, unit)
