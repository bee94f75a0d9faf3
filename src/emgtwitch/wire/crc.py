"""CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) inside kernels, eight bytes a step."""

from __future__ import annotations

import numpy as np
from numba import njit


def _tables() -> np.ndarray:
    """Slicing tables, uint16 (8, 256): row k advances a byte over k more zero bytes (Kounavis and Berry 2005)."""
    tables = np.zeros((8, 256), dtype=np.uint16)
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ (0x1021 if crc & 0x8000 else 0)
        tables[0, byte] = crc & 0xFFFF
    for k in range(1, 8):
        previous = tables[k - 1].astype(np.uint32)
        tables[k] = ((previous << 8) & 0xFFFF) ^ tables[0][previous >> 8]
    return tables


TABLES = _tables()


@njit("uint32(uint8[::1], int64, int64)", cache=True, nogil=True)
def crc16(data, start, stop):
    """CRC of data[start:stop]."""
    crc = np.uint32(0xFFFF)
    i = start
    while i + 8 <= stop:
        crc = np.uint32(
            TABLES[7, data[i] ^ (crc >> 8)]
            ^ TABLES[6, data[i + 1] ^ (crc & 0xFF)]
            ^ TABLES[5, data[i + 2]]
            ^ TABLES[4, data[i + 3]]
            ^ TABLES[3, data[i + 4]]
            ^ TABLES[2, data[i + 5]]
            ^ TABLES[1, data[i + 6]]
            ^ TABLES[0, data[i + 7]]
        )
        i += 8
    while i < stop:
        crc = np.uint32(((crc << 8) & 0xFFFF) ^ TABLES[0, (crc >> 8) ^ data[i]])
        i += 1
    return crc
