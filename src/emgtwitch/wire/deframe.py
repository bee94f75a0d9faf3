"""The decoder's kernel: frames out of bytes, samples and records out of frames that `judge` lets pass."""

from __future__ import annotations

import numpy as np
from numba import from_dtype, njit, types

from emgtwitch.wire.judge import judge, u16
from emgtwitch.wire.records import MAX_FRAME
from emgtwitch.wire.state import CRC, HEAD, IMPORT_SAMPLES, ITEM, R_CRC, R_OVERLONG, SAMPLES, STATE

INCOMPLETE, MALFORMED, OVERLONG = -1, -2, -3
BYTES = types.uint8[::1]
SHORT = 254  # bytes of a frame, after its first, that no full block can be among
DECODE_ARGUMENTS = (
    BYTES,
    types.int64[::1],
    types.int64,
    from_dtype(STATE)[::1],
    from_dtype(ITEM)[::1],
    types.float64[::1],
    BYTES,
    BYTES,
)


@njit(cache=True, nogil=True)
def _unstuff(buffer, position, raw):
    """Undo COBS from buffer[position] to the next zero byte; returns (bytes in raw, position after the zero byte).

    Instead of bytes: INCOMPLETE if there is no zero byte yet, MALFORMED if a block ends early, OVERLONG.
    """
    size = buffer.size
    i = position
    n = 0
    owed = False  # a block stands for a zero after it, unless it is full or the last
    while i < size:
        code = np.int64(buffer[i])
        i += 1
        if code == 0:
            return n, i
        if owed:
            raw[n] = 0
            n += 1
        owed = code != 255
        if n + code - 1 > MAX_FRAME:
            return OVERLONG, i
        stop = min(i + code - 1, size)
        while i < stop and buffer[i] != 0:
            raw[n] = buffer[i]
            n += 1
            i += 1
        if i < stop:
            return MALFORMED, i + 1
    return INCOMPLETE, position


@njit(cache=True, nogil=True)
def _unstuff_short(buffer, start, end, raw):
    """The same for a short frame whose zero byte is known to be buffer[end]; False if it is not well-formed.

    Copied as it is: each block's code stands where the zero before the block was, and leads to the next.
    """
    first = np.uint64(start + 1)  # unsigned, or each index would be asked whether it counts from the end
    for k in range(np.uint64(end) - first):
        raw[k] = buffer[first + k]
    at = start + np.int64(buffer[start])
    while at < end:
        raw[at - start - 1] = 0
        at += np.int64(buffer[at])
    return at == end


@njit(DECODE_ARGUMENTS, cache=True, nogil=True)
def decode(buffer, zeros, position, state, items, values, payload, raw):
    """Decode the complete frames of buffer[position:]; returns (where the unfinished rest begins, items found).

    `zeros` are the positions of all zero bytes in the buffer. Stops early when `items` is full. Samples go to `values`,
    the bodies of other frames to `payload`.
    """
    found = 0
    next_zero = 0
    n_values = 0
    n_payload = 0
    number = np.empty(1, dtype=np.float64)
    number_bytes = number.view(np.uint8)
    while position < buffer.size and found < items.size:
        if state[0].skipping == 1:
            if buffer[position] == 0:
                state[0].skipping = 0
            position += 1
            continue
        while next_zero < zeros.size and zeros[next_zero] < position:
            next_zero += 1
        end = zeros[next_zero] if next_zero < zeros.size else position
        if 0 < end - position <= SHORT and _unstuff_short(buffer, position, end, raw):
            n, following = end - position - 1, end + 1
        else:
            n, following = _unstuff(buffer, position, raw)
        if n == INCOMPLETE:
            break
        position = following
        if n == OVERLONG:
            state[0].skipping = 1
            state[0].rejected[R_OVERLONG] += 1
            continue
        if n == MALFORMED:
            state[0].rejected[R_CRC] += 1
            continue
        if n == 0:
            continue
        reason = judge(raw, n, state)
        if reason >= 0:
            state[0].rejected[reason] += 1
            continue
        state[0].accepted += 1
        kind = np.int64(raw[0])
        if kind in (SAMPLES, IMPORT_SAMPLES):
            channels = state[0].channels
            start = n_values
            if kind == SAMPLES:
                first = np.uint64(n_values)
                for k in range(np.uint64((n - HEAD - 6 - CRC) // 2)):
                    values[first + k] = u16(raw, np.uint64(HEAD + 6) + k + k)
                n_values += (n - HEAD - 6 - CRC) // 2
            else:
                for at in range(HEAD + 4, n - CRC, 8):
                    for k in range(8):
                        number_bytes[k] = raw[at + k]
                    values[n_values] = number[0]
                    n_values += 1
            scans = (n_values - start) // channels
            index = state[0].index - scans
            last = found - 1
            if found > 0 and items[last].type == SAMPLES and items[last].index + items[last].size == index:
                items[last].size += scans
                continue
            items[found].type = SAMPLES
            items[found].start = start
            items[found].size = scans
            items[found].index = index
            items[found].channels = channels
        else:
            items[found].type = kind
            items[found].start = n_payload
            items[found].size = n - HEAD - CRC
            for at in range(HEAD, n - CRC):
                payload[n_payload] = raw[at]
                n_payload += 1
        items[found].seq = u16(raw, 1)
        found += 1
    return position, found
