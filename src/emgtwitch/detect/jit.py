"""How the detector's kernels are compiled.

`contract` lets the compiler fuse multiply and add; anything wider would make results depend on the block size.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
# For what runs every hop: a call that passes arrays costs as much as the arithmetic of a hop.
inline = njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy", forceinline=True)
