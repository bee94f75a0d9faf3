"""Kernels of the mains canceller: sinusoids at the mains' harmonics, adapted and tuned while the signal is quiet.

An adaptive noise canceller with quadrature references (Widrow et al. 1975) that adapts once a hop and whose error is
clipped to the noise, so that a contraction neither disturbs it nor rings in it.
"""

from __future__ import annotations

import math

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.state import HOP_TICKS, LANES
from emgtwitch.detect.vector import load, splat, store

TUNE_S = 0.25
RECENT_S, MOST_OFF_HZ = 0.3, 0.3  # so near a frequency turns no harmonic half around in so long
TRUSTED = 0.1  # of the floor: a weaker sinusoid says nothing of the frequency


@kernel
def rotate_lanes(p, s, n):
    """Count the sinusoids from `n` samples later on."""
    for k in range(LANES):
        angle = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs * n
        _turn(s, k, math.cos(angle), math.sin(angle))
    s.since_tuned += n


@inline
def _turn(s, k, c, q):
    s.lane_c[k], s.lane_s[k] = s.lane_c[k] * c + s.lane_s[k] * q, s.lane_s[k] * c - s.lane_c[k] * q


@inline
def adapt_lanes(p, s, n, along_c, along_s):
    """Move the amplitudes by what the hop's `n` filtered samples still held along each sinusoid, then turn on."""
    step = splat((4 if s.eager > 0 else 2) * p.mu)
    c, q = load(s.lane_c, 0) + step * along_c, load(s.lane_s, 0) + step * along_s
    turn_c, turn_s = load(s.rows, 2 * LANES * n), load(s.rows, 2 * LANES * n + LANES)
    store(s.lane_c, 0, c * turn_c + q * turn_s)
    store(s.lane_s, 0, q * turn_c - c * turn_s)
    s.since_tuned += n
    if s.hops % p.tune_hops == 0:
        tune_lanes(p, s)


@kernel
def tune_lanes(p, s):
    """Follow the mains by the phase that the strong sinusoids have gained on what was expected; set the rows."""
    for family in range(2):
        weight = 0.0
        gain = 0.0
        for k in range(LANES):
            if p.lane_family[k] != family or p.lane_order[k] == 0.0:
                continue
            power = s.lane_c[k] ** 2 + s.lane_s[k] ** 2
            if power < TRUSTED * s.floor:
                s.lane_phase[k] = math.nan
                continue
            phase = math.atan2(-s.lane_s[k], s.lane_c[k])
            turn = (phase - s.lane_phase[k]) / (2 * math.pi)
            turn -= s.family_Hz[family] * p.lane_order[k] / p.fs * s.since_tuned
            s.lane_phase[k] = phase
            if math.isnan(turn):
                continue
            turn -= math.floor(turn + 0.5)
            if abs(turn) < 0.25:
                weight += power * p.lane_order[k] ** 2
                gain += power * p.lane_order[k] * turn
        if weight > 0.0:
            _retune(p, s, family, 0.5 * gain / weight / TUNE_S)
    s.since_tuned = 0


@kernel
def _retune(p, s, family, by_Hz):
    """Move a family's frequency, within 1 Hz of the nominal one."""
    nominal = p.lane_Hz[0] if family == 0 else p.lane_Hz[LANES // 2]
    s.family_Hz[family] = min(max(s.family_Hz[family] + by_Hz, nominal - 1.0), nominal + 1.0)
    set_rows(p, s, family)


@kernel
def set_rows(p, s, family):
    """Cosines and sines of the lanes over a hop, a row for each sample, after a family's frequency has changed."""
    for k in range(LANES):
        if p.lane_family[k] == family:
            angle = 2 * math.pi * s.family_Hz[family] * p.lane_order[k] / p.fs
            s.rows[0, k], s.rows[0, LANES + k] = 1.0, 0.0
            s.rows[1, k], s.rows[1, LANES + k] = math.cos(angle), math.sin(angle)
    c, q = load(s.rows, 2 * LANES), load(s.rows, 3 * LANES)
    t, u = c, q
    for i in range(2, HOP_TICKS * p.tick + 1):
        t, u = t * c - u * q, u * c + t * q
        store(s.rows, 2 * LANES * i, t)
        store(s.rows, 2 * LANES * i + LANES, u)


@inline
def _goertzel(p, s, start, stop, turn):
    """The last two states of Goertzel's recursions over the ring's [start, stop): four side by side, and four more."""
    t0, t1, t2, t3, t4, t5, t6, t7 = turn[0], turn[1], turn[2], turn[3], turn[4], turn[5], turn[6], turn[7]
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = 0.0
    energy = 1e-300
    for i in range(start, stop):
        y = s.ring[i & p.ring_mask]
        energy += y * y
        a0, b0 = y - b0 + t0 * a0, a0
        a1, b1 = y - b1 + t1 * a1, a1
        a2, b2 = y - b2 + t2 * a2, a2
        a3, b3 = y - b3 + t3 * a3, a3
        a4, b4 = y - b4 + t4 * a4, a4
        a5, b5 = y - b5 + t5 * a5, a5
        a6, b6 = y - b6 + t6 * a6, a6
        a7, b7 = y - b7 + t7 * a7, a7
    return (a0, a1, a2, a3, a4, a5, a6, a7), (b0, b1, b2, b3, b4, b5, b6, b7), energy


@kernel
def fit_lanes(p, s, stop, n):
    """Share of what the `n` samples before `stop` hold above the floor that lies on the lanes of the better mains.

    Leaves in `fit_c` and `fit_s` what each lane still has there, counted from `stop`; n is a whole number of tenths of
    a second, over which the harmonics are orthogonal. Returns the share and the family.
    """
    for k in range(LANES):
        w = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs
        s.fit_turn[k] = 2 * math.cos(w)
    a, b, energy = _goertzel(p, s, stop - n, stop, s.fit_turn)
    best, better = 0.0, 0
    white = p.tick / p.dof_tick  # the band's noise is so much denser than if it filled all frequencies
    for family in range(2):
        explained = 0.0
        for k in range(LANES):
            if p.lane_family[k] != family or p.lane_order[k] == 0.0:
                continue
            w = 2 * math.pi * s.family_Hz[family] * p.lane_order[k] / p.fs
            c, q = math.cos(w), math.sin(w)
            real, imaginary = 2 / n * (a[k] - c * b[k]), 2 / n * q * b[k]
            explained += 0.5 * n * (real * real + imaginary * imaginary) - 2 * white * s.floor
            s.fit_c[k], s.fit_s[k] = real * c - imaginary * q, -imaginary * c - real * q
        share = explained / max(energy - n * s.floor, 0.25 * n * s.floor)
        if share > best:
            best, better = share, family
    return best, better


@kernel
def learn_at_once(p, s, family, n):
    """Add to the lanes what the fit to the newest `n` samples found of them; call it between two hops.

    By how much that turns lanes that were learnt so a little before tells how far off the frequency is.
    """
    since = s.pos - s.learnt_pos
    gain, weight = 0.0, 0.0
    for k in range(LANES):
        if p.lane_family[k] != family or p.lane_order[k] == 0.0:
            continue
        old_c, old_s = s.lane_c[k], s.lane_s[k]
        s.lane_c[k] += s.fit_c[k]
        s.lane_s[k] += s.fit_s[k]
        s.lane_phase[k] = math.nan
        along, ahead = old_c * s.lane_c[k] + old_s * s.lane_s[k], old_s * s.lane_c[k] - old_c * s.lane_s[k]
        power = math.sqrt(along * along + ahead * ahead)
        before, after = old_c * old_c + old_s * old_s, s.lane_c[k] ** 2 + s.lane_s[k] ** 2
        if min(before, after) > max(TRUSTED * s.floor, 0.25 * max(before, after)):  # else it comes or goes
            gain += power * p.lane_order[k] * math.atan2(ahead, along)
            weight += power * p.lane_order[k] ** 2
    if weight > 0.0 and since < RECENT_S * p.fs:
        off_Hz = gain / weight * p.fs / (2 * math.pi * since)
        _retune(p, s, family, min(max(off_Hz, -MOST_OFF_HZ), MOST_OFF_HZ))
    s.learnt_pos = s.pos
