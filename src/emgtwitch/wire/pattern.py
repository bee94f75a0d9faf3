"""The pattern that a board's test signal puts in place of its converter's results. Firmware and host agree on it.

Conversion c of a run, counted over all channels and summed conversions, gives (7 c + 129 k) modulo 1024 in channel k;
what follows the converter is as always. A rate that the board decimates (500 Hz) filters the pattern, too.
"""

from __future__ import annotations

STEP, CHANNEL_STEP, MODULUS = 7, 129, 1024


def scan(index: int, channels: int, oversampling: int = 1) -> tuple[int, ...]:
    """The counts of scan `index`: each channel's conversions, taken in turn with the others', summed."""
    first = index * channels * oversampling
    return tuple(
        sum(((first + n * channels + k) * STEP + k * CHANNEL_STEP) % MODULUS for n in range(oversampling))
        for k in range(channels)
    )
