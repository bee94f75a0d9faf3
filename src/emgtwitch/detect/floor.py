"""Kernels of the noise floor: an exact sliding quantile, and the thresholds that follow from it."""

from __future__ import annotations

import math

import numpy as np

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.state import BINS, HOP_TICKS, SCALES, TONE_SHARE

FLOOR_QUANTILE = 0.35  # of 64 ms energies: low enough that activity for more than half of the time leaves it alone
TAIL_UP, TAIL_DOWN = math.exp(0.1 * 0.98), math.exp(-0.1 * 0.02)  # balance at the 98 % quantile
TAIL_HOPS = 8
CLIP_SIGMA = 3.0
HIGH_SHARE = 0.35  # of the rise of the band: noise rises above 280 Hz, too, muscle hardly
BIN_BITS = 49  # of a stored number lie below the exponent and three bits of the mantissa
BIN_0 = (int(np.float64(1.0).view(np.int64)) >> BIN_BITS) - BINS // 2


@inline
def take_entry(p, s, energy):  # type: ignore[no-untyped-def]
    """Put a mean square into the sliding histogram and move its quantile: exact, and whatever the units.

    A bin is an eighth of an octave's width: the exponent and three bits of the mantissa, as a number is stored.
    """
    entry = min(max((np.float64(energy).view(np.int64) >> BIN_BITS) - BIN_0, 0), BINS - 1)
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


@inline
def set_thresholds(p, s):  # type: ignore[no-untyped-def]
    """Window energies that open an event: the false-event budget, widened as far as the noise's tail is heavier."""
    for j in range(SCALES):
        k = p.first_scale + j
        ratio = 1 + (p.threshold[j] - 1) * (s.tail[j] - 1) / (p.q98[j] - 1)
        mean_square = ratio * s.floor
        if p.on_uV > 0 and j >= 3:
            mean_square = max(mean_square, (math.sqrt(s.floor) + p.on_uV) ** 2)
        elif p.on_uV > 0:
            mean_square = math.inf
        s.on[j] = mean_square * p.tick * (1 << k)


@kernel
def forget_floor(s):  # type: ignore[no-untyped-def]
    s.histogram[:] = 0
    s.n_entries = 0
    s.next_entry = 0
    s.bin = 0
    s.below = 0


@inline
def learn(p, s):  # type: ignore[no-untyped-def]
    """Once a hop: noise floor and tails, from quiet windows; a lower energy always counts."""
    k64 = p.first_scale + 3
    n64 = p.tick * (1 << k64)
    quiet_since = s.pos - max(s.splice_pos, s.end_pos)
    if s.pos - s.splice_pos >= n64:
        mean_square = s.window[k64] / n64
        quiet = s.phase == 0 and quiet_since >= n64 and s.eager == 0
        tone = s.phase == 1 and s.pos - s.open_pos > p.twitch_max and s.peak5 < TONE_SHARE * s.loud
        if s.settling == 1 or quiet or tone or mean_square * p.floor_gain < s.floor:
            take_entry(p, s, mean_square)
            rate = max(1.0 / s.n_entries, 0.016)
            s.high_floor += rate * (s.high_ms - s.high_floor)
            set_thresholds(p, s)
    if s.settling == 1 or s.phase != 0 or s.floor <= 0.0 or s.eager > 0:
        return  # what the lanes have not learnt yet is no noise
    if s.hops % TAIL_HOPS == 0:
        s.tail_old[:] = s.tail_mid
        s.tail_mid[:] = s.tail
    for j in range(SCALES):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if s.hops & (max(1, (1 << k) // (2 * HOP_TICKS)) - 1) == 0 and quiet_since >= n:
            above = s.window[k] > n * s.floor * s.tail[j]
            s.tail[j] = max(s.tail[j] * (TAIL_UP if above else TAIL_DOWN), p.q98[j])
