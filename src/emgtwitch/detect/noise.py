"""Kernel that tells a rise of the noise from muscle, so that the floor may be learnt anew at once."""

from __future__ import annotations

import math

import numpy as np

from emgtwitch.detect.jit import kernel
from emgtwitch.detect.state import HOP_TICKS, STEADY_HOPS

LEAST_S = 1.5
MOST_RISE = 8.0  # less than three times the amplitude
HIGH_LEAST, HIGH_SHARE = 0.15, 0.2  # the rise above 280 Hz may differ so much from that of the band
MOST_SPREAD = 1.6  # times what Gaussian noise has
QUARTILES = 1.35  # from the lower to the upper, in standard deviations


@kernel
def is_noise(p, s):
    """Once a hop of an open event: is it only more noise? Returns the new floor, in the band and above 280 Hz, or 0.

    As steady as noise is, little above the floor, as much so above 280 Hz, and longer than most contractions, since
    weak ones of shallow muscle look the same. Quartiles: a twitch on the noise says nothing of the noise.
    """
    at = s.steady_n % STEADY_HOPS
    s.steady_main[at], s.steady_high[at] = s.window[3] / (HOP_TICKS * p.tick), s.high_ms
    s.steady_n += 1
    if p.has_high == 0 or s.steady_n < STEADY_HOPS or s.pos - s.open_pos < LEAST_S * p.fs:
        return 0.0, 0.0
    main, high = np.sort(s.steady_main), np.sort(s.steady_high)
    low, up = main[STEADY_HOPS // 4], main[STEADY_HOPS - 1 - STEADY_HOPS // 4]
    middle, middle_high = main[STEADY_HOPS // 2], high[STEADY_HOPS // 2]
    rise, rise_high = middle / s.event_floor, middle_high / s.high_floor
    spread = QUARTILES * math.sqrt(2 / (p.dof_tick * HOP_TICKS))
    steady = math.log(up / low) < MOST_SPREAD * spread
    if steady and rise < MOST_RISE and abs(rise_high - rise) < HIGH_LEAST + HIGH_SHARE * (rise - 1):
        return middle, middle_high
    return 0.0, 0.0
