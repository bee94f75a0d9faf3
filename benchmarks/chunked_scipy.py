"""The program that somebody would write with scipy for a day: filter and threshold a bare file of int16 in chunks.

`python benchmarks/chunked_scipy.py FILE FS_HZ UV_PER_COUNT` prints how often the energy rose above the threshold. It
imports numpy and scipy alone, so it is run by its path: the package benchmarks brings numba along. It knows no gaps,
no classes and no log.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, iirnotch, sosfilt, tf2sos

Floats = npt.NDArray[np.float64]

CHUNK = 1 << 18  # samples; quicker than 2**14, 2**16 and 2**20
MEAN_S = 0.05
MADS = 6.0
EVERY = 10  # of the energies, the median looks at each tenth: neighbours share most of their samples


def band_pass_and_notches(fs_Hz: float) -> Floats:
    """Second-order sections (7, 6): Butterworth 20-450 Hz of order 4, notches at 50, 100 and 150 Hz."""
    notches = [tf2sos(*iirnotch(f_Hz, 30.0, fs_Hz)) for f_Hz in (50.0, 100.0, 150.0)]
    return np.vstack([butter(4, (20.0, min(450.0, 0.45 * fs_Hz)), "bandpass", output="sos", fs=fs_Hz), *notches])


def onsets(path: str, fs_Hz: float, uV_per_count: float) -> int:
    """How often the mean square over 50 ms rose above median + 6 MAD of its chunk."""
    sos, mean = band_pass_and_notches(fs_Hz), round(MEAN_S * fs_Hz)
    zi, before = np.zeros((len(sos), 2)), np.zeros(mean)
    found, was_above = 0, False
    with open(path, "rb") as file:
        while data := file.read(2 * CHUNK):
            filtered, zi = sosfilt(sos, np.frombuffer(data, dtype="<i2") * uV_per_count, zi=zi)
            squares = np.concatenate((before, filtered * filtered))
            before = squares[-mean:]
            sums = np.cumsum(squares)
            energy = (sums[mean:] - sums[:-mean]) / mean
            middle = np.median(energy[::EVERY])
            threshold = middle + MADS * 1.4826 * np.median(np.abs(energy[::EVERY] - middle))
            above = energy > threshold
            found += int(above[0] and not was_above) + int(np.count_nonzero(above[1:] & ~above[:-1]))
            was_above = bool(above[-1])
    return found


if __name__ == "__main__":
    print(onsets(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
