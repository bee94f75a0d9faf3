"""Whole signals to frames, for the simulated board and for imported files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from emgtwitch.wire.crc import crc16
from emgtwitch.wire.records import MAX_BOARD_FRAME, MAX_FRAME, ImportSamples, Samples

HEAD = 3  # type, seq
CRC = 2
SAMPLES = Samples.TYPE


def encode_samples(
    counts: npt.NDArray[np.uint16], index: int, seq: int, overruns: int = 0, scans_per_frame: int | None = None
) -> tuple[bytes, int]:
    """Samples frames of `counts` (scans, channels), the first with `index` and `seq`; returns them and the next seq.

    `scans_per_frame` defaults to 16 samples a frame, all channels together, as the firmware does.
    Raises ValueError where a frame would not fit the board's limit.
    """
    channels = counts.shape[1]
    scans = scans_per_frame or max(1, 16 // channels)
    if HEAD + Samples.SIZE + 2 * scans * channels + CRC > MAX_BOARD_FRAME:
        raise ValueError(f"{scans} scans of {channels} channels do not fit a frame of {MAX_BOARD_FRAME} bytes.")
    head = Samples.TYPE | (overruns & 0xFFFF) << 8
    payload = np.ascontiguousarray(counts, dtype="<u2").reshape(-1).view(np.uint8)
    return _encode(payload, len(counts), 2 * channels, scans, head, index, seq)


def encode_values(values: npt.NDArray[np.float64], index: int, seq: int) -> tuple[bytes, int]:
    """ImportSamples frames of `values` (scans, channels), bit for bit; returns them and the next seq."""
    channels = values.shape[1]
    scans = max(1, (MAX_FRAME - HEAD - ImportSamples.SIZE - CRC) // (8 * channels))
    payload = np.ascontiguousarray(values, dtype="<f8").reshape(-1).view(np.uint8)
    return _encode(payload, len(values), 8 * channels, scans, ImportSamples.TYPE, index, seq)


def _encode(
    payload: npt.NDArray[np.uint8], n_scans: int, scan_bytes: int, scans: int, head: int, index: int, seq: int
) -> tuple[bytes, int]:
    frames = -(-n_scans // scans)
    longest = HEAD + Samples.SIZE + scan_bytes * scans + CRC
    out = np.empty(frames * (longest + longest // 254 + 2), dtype=np.uint8)
    scratch = np.empty(longest, dtype=np.uint8)
    used = _encode_kernel(payload, scan_bytes, scans, head, index, seq, scratch, out)
    return out[:used].tobytes(), (seq + frames) & 0xFFFF


@njit("int64(uint8[::1], int64, uint8[::1], int64)", cache=True, nogil=True)
def _cobs(raw, n, out, at):
    """Stuff raw[:n] to out[at:], close it with a zero byte, return where that ends."""
    code_at = at
    code = 1
    at += 1
    for i in range(n):
        if raw[i] != 0:
            out[at] = raw[i]
            at += 1
            code += 1
            if code == 255 and i < n - 1:
                out[code_at] = 255
                code_at = at
                at += 1
                code = 1
        else:
            out[code_at] = code
            code_at = at
            at += 1
            code = 1
    out[code_at] = code
    out[at] = 0
    return at + 1


@njit("int64(uint8[::1], int64, int64, int64, int64, int64, uint8[::1], uint8[::1])", cache=True, nogil=True)
def _encode_kernel(payload, scan_bytes, scans, head, index, seq, scratch, out):
    """Frames of at most `scans` scans; `head` is the type, and in its upper bytes the overruns of a Samples frame."""
    kind = head & 0xFF
    at = 0
    done = 0
    while done < payload.size:
        size = min(payload.size - done, scans * scan_bytes)
        scratch[0] = kind
        scratch[1] = seq & 0xFF
        scratch[2] = (seq >> 8) & 0xFF
        for k in range(4):
            scratch[3 + k] = (index >> (8 * k)) & 0xFF
        n = 7
        if kind == SAMPLES:
            scratch[7] = (head >> 8) & 0xFF
            scratch[8] = (head >> 16) & 0xFF
            n = 9
        for k in range(size):
            scratch[n + k] = payload[done + k]
        n += size
        crc = crc16(scratch, 0, n)
        scratch[n] = crc & 0xFF
        scratch[n + 1] = crc >> 8
        at = _cobs(scratch, n + 2, out, at)
        done += size
        index += size // scan_bytes
        seq += 1
    return at
