"""Kernels that tell by its shape what is no contraction: the heart, motion, a knock at the cable."""

from __future__ import annotations

from emgtwitch.detect.heart import at_beat, beats_within
from emgtwitch.detect.jit import kernel
from emgtwitch.detect.state import ECG, MOTION, TAP

SETTLE_S = 0.012  # the high-pass runs so long before its output counts
WHITE_SHARE = 0.75  # of the noise's energy lies above 80 Hz
SLOW_SHARE, SLOW_RATIO = 0.4, 4.0  # less than this above 80 Hz, and so much below 25 Hz: no muscle
HEART_S = 0.25
HEART_SHARE, HEART_RATIO = 0.2, 0.6  # the same for what is as short as a heart beat
QRS_SHARE = 0.25  # of a sharp beat, less than this above 80 Hz
TAP_SNR = 40.0
TAP_RISE_S, TAP_FALL_S = 0.0015, 0.017
TAP_LEAST_HZ = 900  # below, a sample is longer than the rise
TAP_SHARE = 0.55


@kernel
def share_above_80(p, s, start, stop):
    """Share of the energy in the ring's [start, stop) that lies above 80 Hz, the floor's left out."""
    b0, b1, b2, a1, a2 = p.mid[0], p.mid[1], p.mid[2], p.mid[3], p.mid[4]
    z0, z1 = 0.0, 0.0
    main, mid = 0.0, 0.0
    for i in range(start - int(SETTLE_S * p.fs), stop):
        y = s.ring[i & p.ring_mask]
        upper = b0 * y + z0
        z0 = b1 * y - a1 * upper + z1
        z1 = b2 * y - a2 * upper
        if i >= start:
            main += y * y
            mid += upper * upper
    noise = s.event_floor * (stop - start)
    return max(mid - WHITE_SHARE * noise, 0.0) / max(main - noise, 1e-30)


@kernel
def artefact(p, s, onset, offset):
    """ECG, MOTION, TAP or 0: what the event is whose filtered samples lie at [onset, offset) of the ring.

    `s.low_max` holds the most energy below 25 Hz within 32 ms, `s.strong` the same of the band.
    """
    newest = s.pos - p.ring_mask + int(SETTLE_S * p.fs)  # the ring forgets the beginning of what is long
    start, stop = max(onset, max(newest, s.splice_pos)), min(offset, s.pos)
    if stop - start < 4:
        return 0
    slow = s.low_max / max(s.strong, 1e-30)
    share = share_above_80(p, s, start, stop)
    length = offset - onset
    short = length < HEART_S * p.fs
    heart = short and at_beat(p, s)
    if heart and share < QRS_SHARE:
        return ECG
    if slow > HEART_RATIO and share < HEART_SHARE and short:
        return MOTION
    # The beats that a contraction goes on over make it no motion.
    if slow > SLOW_RATIO and share < SLOW_SHARE and (short or not beats_within(s)):
        return ECG if heart else MOTION
    if s.peak5 < TAP_SNR * s.event_floor * p.rms5 or share > TAP_SHARE or not short:
        return 0
    shift = s.index - s.pos
    rise = s.first[max(s.top_rung - 8, 0)] - shift - onset  # rungs are quarters of an octave: a quarter of the peak
    fall = offset + shift - s.first[s.top_rung]
    return TAP if rise <= TAP_RISE_S * p.fs and fall >= TAP_FALL_S * p.fs and p.fs >= TAP_LEAST_HZ else 0
