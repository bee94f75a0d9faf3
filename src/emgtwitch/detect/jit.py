"""How the detector's kernels are compiled.

`contract` lets the compiler fuse multiply and add; anything wider would make results depend on the block size.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, fastmath={"contract"})
