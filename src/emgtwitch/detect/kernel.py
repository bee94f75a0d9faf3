"""The detector's kernel: one pass over the samples of a channel, with all state carried from call to call.

Nothing here depends on where a call begins or ends: every decision hangs on the count of samples received.
Per sample: band-pass, mains canceller, side bands, energy. Per tick of about 2 ms: window energies by doubling (sums
of non-negative numbers only, so nothing drifts), noise floor, and the machine that opens, pauses and closes events.
"""

from __future__ import annotations

import numpy as np

from emgtwitch.detect.events import begin_event, emit, end_event, follow
from emgtwitch.detect.floor import learn
from emgtwitch.detect.jit import kernel
from emgtwitch.detect.ladder import climb
from emgtwitch.detect.mains import rotate_lanes, tune_lanes
from emgtwitch.detect.state import FLAT, INTERVAL, LANES, LEVELS, MIN_ENTRIES, RAIL, SCALES, SETTLING


@kernel
def _tick(p, s, ring, out, n_out):  # type: ignore[no-untyped-def]
    """End of a tick: window energies by doubling, mains, floor, events."""
    s.window[0] = s.e_main
    for k in range(LEVELS - 1):
        at = (1 << k) + (s.ticks & ((1 << k) - 1))
        older = s.windows[at]
        s.windows[at] = s.window[k]
        s.window[k + 1] = s.window[k] + older
    at = (1 << (LEVELS - 1)) + (s.ticks & ((1 << (LEVELS - 1)) - 1))
    s.windows[at] = s.window[LEVELS - 1]
    s.ticks += 1
    smooth = min(p.tick / (0.032 * p.fs), 1.0)
    s.low_ms += smooth * (s.e_low / p.tick - s.low_ms)
    s.high_ms += smooth * (s.e_high / p.tick - s.high_ms)
    s.eager = max(s.eager - 1, 0)
    s.loud *= p.loud_decay
    s.just_loud *= p.just_loud_decay
    if s.ticks % max(1, int(0.25 * p.fs) // p.tick) == 0:
        tune_lanes(p, s)
        for k in range(LANES):
            norm = 1.5 - 0.5 * (s.lane_c[k] ** 2 + s.lane_s[k] ** 2)
            s.lane_c[k] *= norm
            s.lane_s[k] *= norm
    if s.guard > 0:
        s.guard -= p.tick
        if s.phase != 0:
            n_out = follow(p, s, ring, out, n_out)
        return n_out
    learn(p, s)
    if s.settling == 1:
        if s.n_entries >= MIN_ENTRIES:
            s.settling = 0
            s.end_pos = s.pos
            n_out = emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.index)
            out[n_out - 1].cause = SETTLING
        return n_out
    if s.phase != 0:
        return follow(p, s, ring, out, n_out)
    reach = s.pos - max(s.end_pos, s.splice_pos)
    for j in range(SCALES):
        k = p.first_scale + j
        if p.tick * (1 << k) > reach:
            break
        if s.window[k] > s.on[j]:
            begin_event(p, s, ring, k)
            break
    return n_out


@kernel
def _begin_bad(p, s, ring, out, n_out, kind, run):  # type: ignore[no-untyped-def]
    """The last `run` samples say nothing: a rail or a flat line. What was open ends before them, truncated."""
    s.bad = kind
    s.bad_start = s.index - run
    if s.phase != 0:
        before = s.pos - run - int(0.02 * p.fs)
        if before <= s.open_pos:
            s.phase = 0  # the step into the rail, no contraction
            s.end_pos = s.pos
        else:
            s.active_pos = min(s.active_pos, before)
            n_out = end_event(p, s, ring, out, n_out, 1)
    if s.settling == 1 and s.bad_start > s.settling_start:
        n_out = emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.bad_start)
        out[n_out - 1].cause = SETTLING
    return n_out


@kernel
def _end_bad(p, s, out, n_out):  # type: ignore[no-untyped-def]
    """The signal is back: start the filters afresh; the interval includes the time that they need."""
    n_out = emit(s, out, n_out, INTERVAL, 0, s.bad_start, s.index + p.guard)
    out[n_out - 1].cause = s.bad
    rotate_lanes(p, s, s.index - s.bad_start)
    s.bad = 0
    s.cold = 1
    s.guard = p.guard
    s.splice_pos = s.pos
    if s.settling == 1:
        s.settling_start = s.index + p.guard
    return n_out


@kernel
def finish(params, state, ring, out):  # type: ignore[no-untyped-def]
    """The stream ends here (a long gap, a reset, the end of the recording); returns the rows written to `out`."""
    p, s = params[0], state[0]
    n_out = 0
    if s.phase != 0:
        n_out = end_event(p, s, ring, out, n_out, 1 if s.phase == 1 else 0)
    if s.bad != 0:
        n_out = emit(s, out, n_out, INTERVAL, 0, s.bad_start, s.index)
        out[n_out - 1].cause = s.bad
    elif s.settling == 1 and s.index > s.settling_start:
        n_out = emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.index)
        out[n_out - 1].cause = SETTLING
    return n_out


@kernel
def splice(params, state, ring, gap):  # type: ignore[no-untyped-def]
    """`gap` samples are missing, few enough for an open event and the floor to live on."""
    p, s = params[0], state[0]
    if s.phase != 0:
        climb(p, s, ring, s.pos)
        s.tone_phase = 0
    rotate_lanes(p, s, gap)
    s.index += gap
    s.splice_pos = s.pos
    s.guard = max(s.guard, p.splice_guard)
    s.in_tick = 0
    s.e_main = s.e_low = s.e_mid = s.e_high = 0.0


@kernel
def advance(x, params, state, ring, out):  # type: ignore[no-untyped-def]
    """Take the counts `x` of one channel; write what was found to `out`; returns (samples taken, rows written).

    Takes fewer samples than there are when `out` could overflow: call again with the rest.
    """
    p, s = params[0], state[0]
    m = p.main
    z = s.z_main
    z0, z1, z2, z3 = z[0], z[1], z[2], z[3]
    low, mid, high = p.low, p.mid, p.high
    l0, l1 = s.z_low[0], s.z_low[1]
    m0, m1 = s.z_mid[0], s.z_mid[1]
    h0, h1 = s.z_high[0], s.z_high[1]
    a, b, c, q, cw, sw = s.lane_a, s.lane_b, s.lane_c, s.lane_s, s.lane_cw, s.lane_sw
    hum = np.empty(LANES)
    n_out = 0
    taken = 0
    for count in x:
        if n_out > out.size - 4:
            break
        taken += 1
        s.same_run = s.same_run + 1 if count == s.last_count else 0
        s.last_count = count
        s.rail_count = s.rail_count + 1 if count <= p.rail_low or count >= p.rail_high else 0
        if s.bad == 0:
            if s.rail_count >= p.rail_run:
                n_out = _begin_bad(p, s, ring, out, n_out, RAIL, s.rail_count - 1)
            elif s.same_run >= p.flat_run:
                n_out = _begin_bad(p, s, ring, out, n_out, FLAT, s.same_run)
        elif (s.rail_count if s.bad == RAIL else s.same_run) == 0:
            n_out = _end_bad(p, s, out, n_out)
        if s.bad != 0:
            s.index += 1
            continue
        v = count * p.scale
        if s.cold == 1:  # as if this value had always been there, so that no offset makes a step
            s.cold = 0
            z0, z1 = -m[0, 0] * v, m[0, 2] * v
            z2 = z3 = m0 = m1 = h0 = h1 = 0.0
            l0, l1 = -low[0] * v, low[2] * v
            s.in_tick = 0
            s.e_main = s.e_low = s.e_mid = s.e_high = 0.0
        y = m[0, 0] * v + z0
        z0 = m[0, 1] * v - m[0, 3] * y + z1
        z1 = m[0, 2] * v - m[0, 4] * y
        w = m[1, 0] * y + z2
        z2 = m[1, 1] * y - m[1, 3] * w + z3
        z3 = m[1, 2] * y - m[1, 4] * w
        for k in range(LANES):
            hum[k] = a[k] * c[k] + b[k] * q[k]
        y = w - (((hum[0] + hum[1]) + (hum[2] + hum[3])) + ((hum[4] + hum[5]) + (hum[6] + hum[7])))
        step = 4 * p.mu * y if s.eager > 0 else 2 * p.mu * min(max(y, -s.clip), s.clip)
        for k in range(LANES):
            ck, qk = c[k], q[k]
            a[k] += step * ck
            b[k] += step * qk
            c[k] = ck * cw[k] - qk * sw[k]
            q[k] = qk * cw[k] + ck * sw[k]
        slow = low[0] * v + l0
        l0 = low[1] * v - low[3] * slow + l1
        l1 = low[2] * v - low[4] * slow
        upper = mid[0] * y + m0
        m0 = mid[1] * y - mid[3] * upper + m1
        m1 = mid[2] * y - mid[4] * upper
        top = high[0] * y + h0
        h0 = high[1] * y - high[3] * top + h1
        h1 = high[2] * y - high[4] * top
        ring[s.pos & p.ring_mask] = y
        s.pos += 1
        s.index += 1
        s.e_main += y * y
        s.e_low += slow * slow
        s.e_mid += upper * upper
        s.e_high += top * top
        s.in_tick += 1
        if s.in_tick == p.tick:
            n_out = _tick(p, s, ring, out, n_out)
            s.in_tick = 0
            s.e_main = s.e_low = s.e_mid = s.e_high = 0.0
            # Denormal numbers slow a filter by a hundred times: flush them, by the count of samples, not of calls.
            if abs(z0) + abs(z1) + abs(z2) + abs(z3) + abs(m0) + abs(m1) + abs(h0) + abs(h1) < 1e-30:
                z0 = z1 = z2 = z3 = m0 = m1 = h0 = h1 = 0.0
    z[0], z[1], z[2], z[3] = z0, z1, z2, z3
    s.z_low[0], s.z_low[1] = l0, l1
    s.z_mid[0], s.z_mid[1] = m0, m1
    s.z_high[0], s.z_high[1] = h0, h1
    return taken, n_out
