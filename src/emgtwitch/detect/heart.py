"""Kernels that follow the heart: beats are slow, strong below 25 Hz, alike, and come at a regular pace.

They are told in 4-25 Hz, where muscle has little: at a beat the energy there exceeds what a QRS complex has in the
band, however sharp it is, and of a twitch it is a tenth. So the heart is seen whether or not it opens events.
"""

from __future__ import annotations

import math

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.pieces import emit_interval
from emgtwitch.detect.state import ECG, HOP_TICKS

LEAST_S, MOST_S, WOBBLE = 0.33, 1.8, 0.25  # from beat to beat
QUIET_UP, QUIET_DOWN = math.exp(0.05 * 0.35), math.exp(-0.05 * 0.65)  # balance at the 35 % quantile
BEAT_OVER = 10.0  # a beat's energy below 25 Hz, over what is there between beats
BEAT_SLOW = 0.5  # the same over the band's, in the same 32 ms
ALIKE = 5.0  # beats differ by less than this factor of energy
PACE = 0.25  # by which pace and level follow each beat
LIKELY, SURE, MOST = 2, 6, 10  # beats in time
COINCIDENCE = 2.0  # an event with so much more energy than a beat has in the band is a twitch upon it
TOLD_S = 60.0


@inline
def watch_heart(p, s, out, n_out):
    """Once a hop: is there a beat? The highest of a third of a second is one."""
    low, band, before = s.low_ms, s.window[3] / (HOP_TICKS * p.tick), s.band_ms
    s.band_ms = band
    if s.low_floor <= 0.0:
        s.low_floor = low
    s.low_floor *= QUIET_UP if low > s.low_floor else QUIET_DOWN
    since = s.index - s.next_beat
    if s.next_low > 0.0 and since <= HOP_TICKS * p.tick:
        s.next_band = max(s.next_band, band)  # the band's filter may be the later one
    band = max(band, before)
    if low > max(BEAT_OVER * s.low_floor, max(s.next_low, s.beat_low / ALIKE)) and low > BEAT_SLOW * band:
        s.next_low, s.next_band, s.next_beat = low, band, s.index
    elif s.next_low > 0.0 and since >= LEAST_S * p.fs:
        n_out = _beat(p, s, out, n_out)
    elif s.index - s.beat > MOST_S * p.fs:
        s.beat_low *= 0.97
    return n_out


@kernel
def _beat(p, s, out, n_out):
    """Count a beat that comes in time and is like those before; say now and then that the heart is seen."""
    low, gap, pace = s.next_low, s.next_beat - s.beat, s.pace
    alike = s.beat_low / ALIKE < low < s.beat_low * ALIKE
    if alike and abs(gap - pace) < WOBBLE * pace:
        s.in_time = min(s.in_time + 1, MOST)
        s.pace += PACE * (gap - pace)
    elif not alike or abs(gap - 2 * pace) > WOBBLE * pace:  # else one was missed
        s.in_time = max(s.in_time - 1, 0)
    if s.in_time == 0:
        s.pace = gap if gap < MOST_S * p.fs else 0.0
        s.beat_low, s.beat_band = low, s.next_band
    s.beat_low += PACE * (min(low, ALIKE * s.beat_low) - s.beat_low)
    s.beat_band += PACE * (min(s.next_band, ALIKE * s.beat_band) - s.beat_band)
    s.beat = s.next_beat
    s.next_low = 0.0
    if s.in_time >= SURE and (s.heart_told == 0 or s.index - s.heart_told >= TOLD_S * p.fs):
        s.heart_told = s.index
        n_out = emit_interval(s, out, n_out, ECG, s.beat, s.beat)  # a remark: no time is lost by it
    return n_out


@inline
def near_beat(p, s, index):
    """Whether the heart beats at `index`, which the band's filter has delayed as much as it delays EMG."""
    if s.in_time < LIKELY:
        return False
    beat = s.next_beat if s.next_low > 0.0 else s.beat
    hop = HOP_TICKS * p.tick
    late = beat - (index - p.delay - p.rms5 // 2)
    return -hop // 2 <= late <= 2 * hop  # a beat is dated by the end of its hop, and low-passed


@inline
def at_beat(p, s):
    """Whether the event just over peaks where a beat does, with no more energy than a beat has in the band."""
    return s.strong <= COINCIDENCE * s.beat_band and near_beat(p, s, s.first[s.top_rung])


@inline
def beats_within(s):
    """Whether what the event holds below 25 Hz is no more than the heart's beats have there."""
    return s.in_time >= LIKELY and s.low_max < ALIKE * s.beat_low
