"""The process's memory over days."""

from __future__ import annotations

import contextlib
import ctypes

M_MMAP_THRESHOLD = -3  # of mallopt(3)
LARGE_BYTES = 128 << 10  # the C library's own limit at the start


def return_what_is_freed() -> None:
    """Have the C library give each large block back to the system as soon as it is freed.

    Left to itself it takes the size of each such block as its new limit, so that the next one comes from the heap of
    its thread, which keeps that room for good: in a week several megabytes. Only glibc has this, and this call.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
