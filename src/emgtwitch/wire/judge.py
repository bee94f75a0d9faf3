"""The decoder's judgement on every frame.

A frame counts only if COBS, CRC, length, type, sequence and index all agree:
- Frames of a stream share one sequence counter. `ahead` frames are missing before this one; a repeated frame has
  a large `ahead` and is rejected, and so is a jump of more than MAX_AHEAD.
- The index may advance by no more than the missing frames can have carried, plus the overruns reported; that
  of an imported recording by any number, since a file may have holes.
- After a longer loss two frames that continue each other open the stream again; the first of them is lost.
- A note in JSON is an object, from brace to brace: few damaged frames are.
- The index never runs backwards. A Hello with a later (boot_count, run_count), or from another device, starts a new
  epoch; any Hello does after a Port note, because a board may have been exchanged or flashed in between.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from emgtwitch.wire.crc import crc16
from emgtwitch.wire.records import (
    BODY_SIZES,
    HELLO_BITS,
    HELLO_BOOT_COUNT,
    HELLO_CHANNELS,
    HELLO_DEVICE_ID,
    HELLO_INDEX,
    HELLO_RATE_DEN,
    HELLO_RATE_NUM,
    HELLO_RUN_COUNT,
    IMPORT_CHANNELS,
    IMPORT_RANGE,
    IMPORT_RATE_DEN,
    IMPORT_RATE_NUM,
    MARK_INDEX,
    MAX_BOARD_FRAME,
    SAMPLES_OVERRUNS,
    STREAM_RANGE,
    WIRE_VERSION,
)
from emgtwitch.wire.state import (
    BOARD,
    CHANGE,
    CRC,
    HEAD,
    HELLO,
    IMPORT,
    IMPORT_SAMPLES,
    MARK,
    NOTE,
    PORT,
    R_CRC,
    R_INDEX,
    R_LENGTH,
    R_SEQUENCE,
    R_TYPE,
    R_UNANNOUNCED,
    SAMPLES,
    SESSION,
)

MAX_AHEAD = 1024  # frames: 16 s at 1 kHz; a longer loss is bridged by two frames that continue each other
MAX_CHANNELS_BOARD = 8
MAX_CHANNELS_IMPORT = 64
STREAM_FIRST, STREAM_LAST = STREAM_RANGE
IMPORT_FIRST, IMPORT_LAST = IMPORT_RANGE
BRACE_OPEN, BRACE_CLOSE = ord("{"), ord("}")

FIXED_BYTES = np.full(256, -1, dtype=np.int64)
ITEM_BYTES = np.zeros(256, dtype=np.int64)
for _type, (_fixed, _item) in BODY_SIZES.items():
    FIXED_BYTES[_type], ITEM_BYTES[_type] = _fixed, _item


@njit(inline="always")
def u16(data, at):
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(inline="always")
def _u32(data, at):
    return u16(data, at) | u16(data, at + 2) << 16


@njit(inline="always")
def _signed32(x):
    """The difference of two u32 counters, as the nearer way round."""
    return ((x + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@njit(inline="always")
def _most_scans(channels):
    """Scans that one lost frame of a board can have carried."""
    return (MAX_BOARD_FRAME - HEAD - CRC - 6) // (2 * channels)


@njit(inline="always")
def _pass_over(state, seq):
    """A frame without samples stands between two that continue each other."""
    if seq == state[0].pending_seq:
        state[0].pending_seq = (seq + 1) & 0xFFFF


@njit(cache=True, nogil=True)
def _announce(state, body, seq):
    """Take a Hello; returns -1, or the reason to reject it. `seq` -1: a Board note, which has no sequence."""
    s = state[0]
    channels = np.int64(body[HELLO_CHANNELS])
    bits = body[HELLO_BITS]
    if (
        channels < 1
        or channels > MAX_CHANNELS_BOARD
        or bits < 1
        or bits > 16
        or _u32(body, HELLO_RATE_NUM) == 0
        or _u32(body, HELLO_RATE_DEN) == 0
    ):
        return R_LENGTH
    low = np.uint64(_u32(body, HELLO_DEVICE_ID))
    device = low | np.uint64(_u32(body, HELLO_DEVICE_ID + 4)) << np.uint64(32)
    boot = u16(body, HELLO_BOOT_COUNT)
    run = u16(body, HELLO_RUN_COUNT)
    boots = (boot - s.boot) & 0xFFFF
    runs = (run - s.run) & 0xFFFF
    same = s.channels > 0 and s.imported == 0 and device == s.device_id and boots == 0 and runs == 0
    later = device != s.device_id or s.reopened == 1 or 0 < boots < 0x8000 or (boots == 0 and 0 < runs < 0x8000)
    if same:
        ahead = (seq - s.seq) & 0xFFFF
        _pass_over(state, seq)
        if s.synced == 1 and ahead > MAX_AHEAD:
            return R_SEQUENCE
        if s.synced == 1:
            state[0].missing += ahead
        state[0].seq = (seq + 1) & 0xFFFF
        state[0].reopened = 0
        return -1
    if s.channels > 0 and not later:
        return R_SEQUENCE
    state[0].channels = channels
    state[0].imported = 0
    state[0].device_id = device
    state[0].boot = boot
    state[0].run = run
    state[0].reopened = 0
    state[0].missing = 0
    state[0].pending_seq = -1
    state[0].seq = (seq + 1) & 0xFFFF
    state[0].index = _u32(body, HELLO_INDEX)
    state[0].overruns = 0 if state[0].index == 0 else -1
    state[0].synced = 1 if seq >= 0 else 0
    return -1


@njit(cache=True, nogil=True)
def _place(state, seq, index32, scans, overruns, imported):
    """Judge a frame of samples; returns -1 where it fits (and moves the state past it), or the reason to reject it."""
    s = state[0]
    advance = _signed32(index32 - (s.index & 0xFFFFFFFF))
    ahead = (seq - s.seq) & 0xFFFF
    reason = -1
    if s.synced == 1:
        more = 0 if s.overruns < 0 else (overruns - s.overruns) & 0xFFFF
        if ahead > MAX_AHEAD:
            reason = R_SEQUENCE
        elif advance < 0 or (
            not imported and not more <= advance <= (ahead + s.missing) * _most_scans(s.channels) + more
        ):
            reason = R_INDEX
    elif advance < 0:
        reason = R_INDEX
    if reason >= 0:
        continues = (
            seq == s.pending_seq
            and _signed32(index32 - (s.pending_index & 0xFFFFFFFF)) == (overruns - s.pending_overruns) & 0xFFFF
            and advance >= 0
        )
        if not continues:
            if advance >= 0:
                state[0].pending_seq = (seq + 1) & 0xFFFF
                state[0].pending_index = (index32 + scans) & 0xFFFFFFFF
                state[0].pending_overruns = overruns
            return reason
    if s.synced == 1:
        state[0].lost += advance
    state[0].index += advance + scans
    state[0].seq = (seq + 1) & 0xFFFF
    state[0].missing = 0
    state[0].overruns = overruns
    state[0].synced = 1
    state[0].pending_seq = -1
    state[0].foreign = 0
    state[0].seen += scans
    return -1


@njit(cache=True, nogil=True)
def judge(raw, n, state):
    """Check the frame raw[:n] and move the state past it; returns -1, or the first reason to reject it."""
    if n < HEAD + CRC or crc16(raw, 0, n - CRC) != u16(raw, n - CRC):
        return R_CRC
    kind = np.int64(raw[0])
    seq = u16(raw, 1)
    body = raw[HEAD:]
    size = n - HEAD - CRC
    if FIXED_BYTES[kind] < 0:
        return R_TYPE
    if kind in (HELLO, BOARD) and size > 0 and body[0] != WIRE_VERSION:
        # Nothing more of it can be checked. Amid samples that can be read, one alone is more likely damage.
        doubtful = state[0].channels > 0 and state[0].reopened == 0 and state[0].foreign == 0
        state[0].foreign = 1
        return R_TYPE if doubtful else -1
    rest = size - FIXED_BYTES[kind]
    if rest < 0 or (rest > 0 and (ITEM_BYTES[kind] == 0 or rest % ITEM_BYTES[kind] != 0)):
        return R_LENGTH
    if kind in (SESSION, NOTE, CHANGE) and (size < 2 or body[0] != BRACE_OPEN or body[size - 1] != BRACE_CLOSE):
        return R_LENGTH
    if kind == BOARD and state[0].channels == 0 and size == FIXED_BYTES[HELLO]:
        return _announce(state, body, -1)
    if kind == PORT:
        if body[0] > 1:
            return R_LENGTH
        state[0].reopened = 1
    if not (STREAM_FIRST <= kind <= IMPORT_LAST):
        return -1
    if kind == HELLO:
        return _announce(state, body, seq)
    if kind == IMPORT:
        channels = np.int64(body[IMPORT_CHANNELS])
        usable = 0 < channels <= MAX_CHANNELS_IMPORT and rest == 16 * channels
        if not usable or _u32(body, IMPORT_RATE_NUM) == 0 or _u32(body, IMPORT_RATE_DEN) == 0:
            return R_LENGTH
        if state[0].channels > 0:
            return R_SEQUENCE
        state[0].channels = channels
        state[0].imported = 1
        state[0].seq = (seq + 1) & 0xFFFF
        state[0].synced = 1
        return -1
    if state[0].channels == 0:
        return R_UNANNOUNCED
    if kind in (SAMPLES, IMPORT_SAMPLES):
        imported = kind == IMPORT_SAMPLES
        if imported != (state[0].imported == 1):
            return R_UNANNOUNCED
        items = rest // ITEM_BYTES[kind]
        if items == 0 or items % state[0].channels != 0:
            return R_LENGTH
        overruns = 0 if imported else u16(body, SAMPLES_OVERRUNS)
        return _place(state, seq, _u32(body, 0), items // state[0].channels, overruns, imported)
    ahead = (seq - state[0].seq) & 0xFFFF
    _pass_over(state, seq)
    if state[0].synced == 0 or ahead > MAX_AHEAD:
        return R_SEQUENCE
    if kind == MARK:
        beyond = _signed32(_u32(body, MARK_INDEX) - (state[0].index & 0xFFFFFFFF))
        if abs(beyond) > (ahead + state[0].missing + 16) * _most_scans(state[0].channels):
            return R_INDEX
    state[0].missing += ahead
    state[0].seq = (seq + 1) & 0xFFFF
    return -1
