"""Numbers, texts and structs of a MATLAB 5 file (also 6 and 7).

Source: MathWorks, "MAT-File Format" (Level 5). Read here because scipy's reader crashes the process on damaged files.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_STRUCT, _CHAR = 2, 4  # array classes
_NUMERIC = range(6, 16)
_COMPLEX = 0x0800
_MAX_DEPTH = 8
_MOST_PACKED, _UNPACKED_BYTES = 50, 1 << 20  # numbers of a signal pack far less; what packs more was made to


class _Element(NamedTuple):
    kind: int
    data: memoryview


def variables(raw: bytes) -> dict[str, Any]:
    """Every variable by name: an array as stored, a str, or a dict for a struct of one element; others are left out.

    Raises ValueError where `raw` is damaged or cut short.
    """
    order = {b"IM": "<", b"MI": ">"}.get(raw[126:HEADER_BYTES])
    if order is None:
        raise ValueError("its header is not there")
    found = {}
    room = _UNPACKED_BYTES + _MOST_PACKED * len(raw)
    for element in _elements(memoryview(raw)[HEADER_BYTES:], order):
        if element.kind == _COMPRESSED:
            try:
                unpacking = zlib.decompressobj()
                inflated = unpacking.decompress(element.data, room)
                if not unpacking.eof:
                    raise ValueError(f"a compressed variable breaks off, or is over {_MOST_PACKED} times its size")
                room -= len(inflated) - 1  # never 0, which would mean no limit
            except zlib.error as error:
                raise ValueError(f"a compressed variable does not unpack ({error})") from error
            element = next(_elements(memoryview(inflated), order), element)
        if element.kind == _MATRIX:
            name, value = _matrix(element.data, order, 0)
            if value is not None:
                found[name] = value
    return found


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """The data elements that follow one another in `data`."""
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise ValueError("it ends within a tag")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start, stride = at + 8, 8 + size + (-size % 8 if kind != _COMPRESSED else 0)
        if kind >> 16:  # small element: size, kind and data in eight bytes
            kind, size, start, stride = kind & 0xFFFF, kind >> 16, at + 4, 8
        if start + size > len(data) or start + size > at + stride:
            raise ValueError(f"{size} bytes are promised where {len(data) - start} are left")
        yield _Element(kind, data[start : start + size])
        at += stride


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, Any]:
    """Name and value of an array element; None for what is no number, text or struct of one element."""
    parts = _elements(data, order)
    flags = next(parts, None)
    if flags is None:
        return "", None  # an empty field
    if len(flags.data) < 4:
        raise ValueError("an array without flags")
    (flag_word,) = struct.unpack_from(f"{order}I", flags.data)
    array_class = flag_word & 0xFF
    if array_class not in (_STRUCT, _CHAR, *_NUMERIC):
        return "", None  # cells, sparse matrices, objects and functions are laid out otherwise
    dims = tuple(_array(_expect(parts), order).tolist())
    name = bytes(_expect(parts).data).decode("latin-1")
    count = math.prod(dims)
    if array_class == _STRUCT:
        return name, _struct(parts, order, depth) if count == 1 and depth < _MAX_DEPTH else None
    content = next(parts, _Element(1, memoryview(b"")))
    if array_class == _CHAR:
        encoding = _TEXTS.get(content.kind, "latin-1")
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le" if order == "<" else "-be"
        return name, bytes(content.data).decode(encoding, "replace")
    values = _array(content, order)
    if values.size != count or any(n < 0 for n in dims):
        raise ValueError(f"{name} holds {values.size} values where {dims} are promised")
    return name, None if flag_word & _COMPLEX else values.reshape(dims, order="F")


def _struct(parts: Iterator[_Element], order: str, depth: int) -> dict[str, Any]:
    """The fields of a struct of one element."""
    (width,) = _array(_expect(parts), order).tolist()[:1] or [0]
    names = bytes(_expect(parts).data)
    if width < 1:
        raise ValueError("a struct whose names have no length")
    fields = {}
    for at in range(0, len(names), width):
        element = _expect(parts)
        value = _matrix(element.data, order, depth + 1)[1] if element.kind == _MATRIX else None
        if value is not None:
            fields[names[at : at + width].split(b"\0")[0].decode("latin-1")] = value
    return fields


def _expect(parts: Iterator[_Element]) -> _Element:
    element = next(parts, None)
    if element is None:
        raise ValueError("an array ends before its content")
    return element


def _array(element: _Element, order: str) -> np.ndarray[Any, np.dtype[Any]]:
    """The numbers of an element, in the type they are stored in."""
    code = _NUMBERS.get(element.kind)
    if code is None or len(element.data) % int(code[1]):
        raise ValueError(f"{len(element.data)} bytes of the unknown kind {element.kind}")
    return np.frombuffer(element.data, dtype=f"{order}{code}")
