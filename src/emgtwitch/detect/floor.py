"""Kernels of the noise floor: an exact sliding quantile, and the thresholds that follow from it."""

from __future__ import annotations

import math

import numpy as np

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.state import BINS, HOP_TICKS, SCALES, TONE_SHARE

FLOOR_QUANTILE = 0.35  # of 64 ms energies: low enough that activity for more than half of the time leaves it alone
LOW_QUANTILE = 0.1  # the two quantiles tell how much the noise wavers
SPREAD_SIGMA = 0.8963  # from LOW_QUANTILE to FLOOR_QUANTILE in standard deviations
SPREAD_SLACK = 1.3  # times the variance of Gaussian noise: so much chance may add
SPREAD_HOPS = 32  # from one look at it to the next: 1 s
FLOOR_VARIANCE = 4.0  # of the logarithm of a quantile of n overlapping entries, times n, in terms of an entry's own
TAIL_STEP = 0.03  # of the logarithm, each time the noise stands out: minutes of it change the tail, one event does not
TAIL_MOST = 3.0
TAIL_EVERY_S = 20.0  # in which Gaussian noise exceeds the level that tells its tail once
FALLEN_SHARE = 0.8  # of the floor: below it throughout FALL_S, and the floor has fallen
CLIP_SIGMA = 3.0
BIN_BITS = 49  # of a stored number lie below the exponent and three bits of the mantissa
BIN_0 = (int(np.float64(1.0).view(np.int64)) >> BIN_BITS) - BINS // 2


@inline
def take_entry(p, s, energy):
    """Put a mean square into the sliding histogram and move its quantile: exact, and whatever the units.

    A bin is an eighth of an octave's width: the exponent and three bits of the mantissa, as a number is stored.
    """
    _enter(p, s, min(max((np.float64(energy).view(np.int64) >> BIN_BITS) - BIN_0, 0), BINS - 1))


@inline
def _enter(p, s, entry):
    if s.n_entries == p.floor_entries:
        old = s.entries[s.next_entry]
        s.histogram[old] -= 1
        if old < s.bin:
            s.below -= 1
    else:
        s.n_entries += 1
    s.entries[s.next_entry] = entry
    s.next_entry = s.next_entry + 1 if s.next_entry + 1 < p.floor_entries else 0
    s.histogram[entry] += 1
    if entry < s.bin:
        s.below += 1
    rank = FLOOR_QUANTILE * s.n_entries
    while s.below > rank:
        s.bin -= 1
        s.below -= s.histogram[s.bin]
    while s.below + s.histogram[s.bin] <= rank:
        s.below += s.histogram[s.bin]
        s.bin += 1
    within = (rank - s.below) / s.histogram[s.bin]
    low, high = np.int64((s.bin + BIN_0) << BIN_BITS), np.int64((s.bin + BIN_0 + 1) << BIN_BITS)
    energy = low.view(np.float64) + within * (high.view(np.float64) - low.view(np.float64))
    s.floor = max(p.floor_gain * energy, p.floor_min)
    s.clip = CLIP_SIGMA * math.sqrt(s.floor)


@kernel
def widen(p, s):
    """Widen the thresholds as far as the noise wavers more than Gaussian noise would.

    Told by the lower half of its energies, where sparse activity, however weak, has no part. Wavering whose logarithm
    has variance w adds to the 2 / dof of a window's own.
    """
    rank, at, below = LOW_QUANTILE * s.n_entries, s.bin, s.below
    while below > rank:
        at -= 1
        below -= s.histogram[at]
    low = at + (rank - below) / s.histogram[at]
    high = s.bin + (FLOOR_QUANTILE * s.n_entries - s.below) / s.histogram[s.bin]
    distance = (high - low) * math.log(2.0) / 8
    w = max((distance / SPREAD_SIGMA) ** 2 - SPREAD_SLACK * p.spread_gauss, 0.0)
    w += FLOOR_VARIANCE * p.spread_gauss / s.n_entries  # the floor's own error: much at first
    for j in range(SCALES):
        power = math.sqrt(1 + w * p.dof[j] / 2)
        s.threshold[j] = p.threshold[j] ** power
        s.far[j] = p.far[j] ** power
        s.resume[j] = p.resume[j] ** power


@inline
def set_thresholds(p, s):
    """Window energies that open an event: the false-event budget, widened as far as the noise's tail is heavier."""
    for j in range(SCALES):
        k = p.first_scale + j
        ratio = 1 + (s.threshold[j] - 1) * s.tail[j]
        mean_square = ratio * s.floor
        if p.on_uV > 0 and j >= 3:
            mean_square = max(mean_square, (math.sqrt(s.floor) + p.on_uV) ** 2)
        elif p.on_uV > 0:
            mean_square = math.inf
        s.on[j] = mean_square * p.tick * (1 << k)


@kernel
def forget_floor(s):
    s.histogram[:] = 0
    s.n_entries = 0
    s.next_entry = 0
    s.bin = 0
    s.below = 0


@kernel
def _keep_newest(p, s, n):
    """Forget all but the `n` newest entries."""
    first = s.next_entry - n
    newest = np.empty(n, dtype=np.int16)
    for i in range(n):
        newest[i] = s.entries[first + i if first + i >= 0 else first + i + p.floor_entries]
    forget_floor(s)
    for i in range(n):
        _enter(p, s, newest[i])


@inline
def learn(p, s):
    """Once a hop: noise floor and tails, from quiet windows; a lower energy always counts."""
    k64 = p.first_scale + 3
    n64 = p.tick * (1 << k64)
    quiet_since = s.pos - max(s.splice_pos, s.end_pos)
    if s.pos - s.splice_pos >= n64:
        mean_square = s.window[k64] / n64
        quiet = s.phase == 0 and quiet_since >= n64 and s.eager == 0
        tone = s.phase == 1 and s.pos - s.open_pos > p.twitch_max and s.peak5 < TONE_SHARE * s.loud
        if s.settling == 1 or quiet or tone or mean_square * p.floor_gain < s.floor:
            s.fallen = s.fallen + 1 if mean_square < FALLEN_SHARE * s.floor else 0
            take_entry(p, s, mean_square)
            if s.fallen == p.fall_hops:  # less noise than it was: believed at once
                s.fallen = 0
                _keep_newest(p, s, p.fall_hops)
            if not tone:  # else more noise, as long as it is taken for tone, would look like muscle
                rate = max(1.0 / s.n_entries, 0.016)
                s.high_floor += rate * (s.high_ms - s.high_floor)
            if s.hops & (SPREAD_HOPS - 1) == 0 or s.settling == 1:
                widen(p, s)
            set_thresholds(p, s)
    if s.settling == 1 or s.phase != 0 or s.floor <= 0.0 or s.eager > 0:
        return  # what the lanes have not learnt yet is no noise
    for j in range(SCALES):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if s.hops & (look_hops(k) - 1) == 0 and quiet_since >= n:
            if s.window[k] <= n * s.floor * (1 + (s.far[j] - 1) * s.tail[j]):
                s.tail[j] = max(s.tail[j] * p.tail_down[j], 1.0)
            elif s.pos - s.tail_pos[j] > p.line_window:  # what comes in a row counts once: it is weak activity
                s.tail[j] = min(s.tail[j] * math.exp(TAIL_STEP), TAIL_MOST)
                s.tail_pos[j] = s.pos


@inline
def look_hops(k):
    """Hops from one look at windows of 2**k ticks to the next: half of their length."""
    return max(1, (1 << k) // (2 * HOP_TICKS))


@inline
def undo_tail(p, s):
    """What has just stood out was the beginning of an event and says nothing of the noise."""
    for j in range(SCALES):
        if s.pos - s.tail_pos[j] < p.line_window:
            s.tail[j] = max(s.tail[j] * math.exp(-TAIL_STEP), 1.0)
            s.tail_pos[j] = -p.line_window
