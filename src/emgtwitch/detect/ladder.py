"""Kernels of onset and offset: where the 5 ms RMS of an event first and last exceeds a share of its peak."""

from __future__ import annotations

import numpy as np

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.state import EDGE_SHARE, RUNGS

RUNG_0 = int(np.float64(1.0).view(np.int64)) >> 50
EDGE_FLOOR = 2.5  # and never below this multiple of the floor


@inline
def _rung(energy):
    """Quarter octaves of `energy` above the ladder's base: the exponent and two bits of the mantissa as stored."""
    return (np.float64(energy).view(np.int64) >> 50) - RUNG_0


@inline
def climb(p, s, until):
    """Note for each level of 5 ms RMS when the event first and last exceeded it, up to position `until`.

    So onset and offset at any share of a peak that is not known yet cost no memory, however long the event.
    """
    shift = s.index - s.pos
    energy, peak, peak5, top = s.rms5_energy, s.peak, s.peak5, s.top_rung
    scale, mask, rms5 = s.rung_scale, p.ring_mask, p.rms5
    for i in range(s.ladder_pos, until):
        y = s.ring[i & mask]
        old = s.ring[(i - rms5) & mask]
        energy = max(energy + y * y - old * old, 0.0)
        peak = max(peak, abs(y))
        peak5 = max(peak5, energy)
        rung = min(_rung(energy * scale), RUNGS - 1)
        if rung >= 0:
            s.last[rung] = i + shift
            while top < rung:
                top += 1
                s.first[top] = i + shift
    s.rms5_energy, s.peak, s.peak5, s.top_rung = energy, peak, peak5, top
    s.ladder_pos = max(s.ladder_pos, until)


@inline
def _edge_level(p, s):
    """The 5 ms energy that the event first and last exceeds: 10 % of its peak's RMS, or the floor if higher."""
    return max(EDGE_SHARE * s.peak5, EDGE_FLOOR * s.event_floor * p.rms5)


@kernel
def edges(p, s):
    """Onset and offset as known now: first and last 5 ms energy above the edge level."""
    rung = max(min(_rung(_edge_level(p, s) * s.rung_scale), s.top_rung), 0)
    last = s.last[rung]
    for k in range(rung, s.top_rung + 1):
        last = max(last, s.last[k])
    late = p.delay + p.rms5 // 2
    return s.first[rung] - late, last + 1 - late


@kernel
def connected(p, s, onset, offset):
    """Onset of the stretch that leads to the event's peak without a long gap: noise well before it is not its onset.

    Gaps of up to a quarter of the event belong to it, since weak activity shows only here and there.
    """
    late = p.delay + p.rms5 // 2
    shift = s.index - s.pos
    level = _edge_level(p, s)
    start, at = onset + late - shift, s.first[s.top_rung] - shift
    if start - p.rms5 <= max(s.pos - p.ring_mask, s.splice_pos):
        return onset  # longer ago than the ring remembers
    gap = max(p.join, (offset - onset) // 4)
    if onset - s.last_offset < p.rms5:  # at the beginning lies what the filters still have of the event before
        gap = 2 * p.rms5
    energy = energy5(p, s, at + 1)
    first = at
    for i in range(at, start - 1, -1):  # the 5 ms that end with i
        if energy > level:
            first = i
        elif first - i > gap:
            break
        energy += s.ring[(i - p.rms5) & p.ring_mask] ** 2 - s.ring[i & p.ring_mask] ** 2
    return first + shift - late


@kernel
def energy5(p, s, pos):
    """Energy of the 5 ms before `pos`."""
    energy = 0.0
    for i in range(pos - p.rms5, pos):
        energy += s.ring[i & p.ring_mask] ** 2
    return energy


@kernel
def peak_energy5(p, s, start, stop):
    """The highest 5 ms energy in [start, stop), and where."""
    energy = energy5(p, s, start)
    peak, at = 0.0, start
    for i in range(start, stop):
        energy += s.ring[i & p.ring_mask] ** 2 - s.ring[(i - p.rms5) & p.ring_mask] ** 2
        if energy > peak:
            peak, at = energy, i
    return peak, at


@kernel
def span_around(p, s, start, stop, at, level):
    """First and last sample of the stretch around `at` in which the 5 ms energy is above `level`, short dips apart."""
    energy = energy5(p, s, start)
    first, last = at, start - 2 * p.rms5
    for i in range(start, stop):
        energy += s.ring[i & p.ring_mask] ** 2 - s.ring[(i - p.rms5) & p.ring_mask] ** 2
        if energy <= level:
            continue
        if i - last > p.rms5:
            if i > at:
                break
            first = i
        last = i
    return first, last
