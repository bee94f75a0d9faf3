"""The detector's kernel: one pass over the samples of a channel, with all state carried from call to call.

Nothing here depends on where a call begins or ends: every decision hangs on the count of samples received.
Samples are taken in hops of 8 ticks (a tick is about 4 ms). Per sample: rails and flat line, band-pass, mains, side
bands, energy. Per hop: window energies by doubling (sums of non-negative numbers only, so nothing drifts), the noise
floor, the mains' amplitude. Per tick, only where something goes on: the machine that opens, pauses and closes events.
"""

from __future__ import annotations

from emgtwitch.detect.events import begin_event, end_event, follow, meet_mains, meet_noise
from emgtwitch.detect.floor import learn
from emgtwitch.detect.heart import watch_heart
from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.ladder import climb
from emgtwitch.detect.mains import adapt_lanes, rotate_lanes, set_rows
from emgtwitch.detect.pieces import emit_interval, let_go, reach
from emgtwitch.detect.state import (
    FLAT,
    HISTORY,
    HOP_TICKS,
    LANES,
    LEVELS,
    MIN_ENTRIES,
    RAIL,
    SCALES,
    SETTLING,
    TONE_SHARE,
)
from emgtwitch.detect.vector import WIDTH, all_above, any_above, load, splat, store, total

PATIENCE = 20
KEEP_TICKS = 4  # what begins later than a pause and so much needs a long window to be seen: it joins nothing
ROWS_PER_HOP = 32  # more than a hop can write


@inline
def _scan(p, s, x, start, stop):
    """Return where a rail or a flat line has lasted too long in x[start:stop], or `stop`."""
    last, same, rail = s.last_count, s.same_run, s.rail_count
    low, high, most_rail = p.rail_low, p.rail_high, p.rail_run
    # Where the converter's steps hide the noise, a line may be flat for long and yet nothing be wrong.
    most_same = p.flat_run if s.floor > 2 * p.floor_min else PATIENCE * p.flat_run
    inside, i = True, start
    while i + WIDTH <= stop:
        eight = load(x, i)
        inside &= all_above(eight, splat(low)) & all_above(splat(high), eight)
        i += WIDTH
    while i < stop:
        inside &= low < x[i] < high
        i += 1
    if inside and same + stop - start < most_same:
        # Nearly always: then only the equal counts at both ends matter, and no sample waits for the one before it.
        changed = start
        while changed < stop and x[changed] == last:
            changed += 1
        if changed < stop:
            same, newest = 0, stop - 1
            while newest > changed and x[newest] == x[newest - 1]:
                same += 1
                newest -= 1
        else:
            same += stop - start
        if stop > start:
            s.last_count, s.rail_count = x[stop - 1], 0
        s.same_run = same
        return stop
    end = stop
    for i in range(start, stop):
        count = x[i]
        same = same + 1 if count == last else 0
        rail = rail + 1 if count <= low or count >= high else 0
        last = count
        if rail >= most_rail or same >= most_same:
            end = i
            break
    s.last_count, s.same_run, s.rail_count = last, same, rail
    return end


@kernel
def _start_cold(p, s, count):
    """Set the filters as if `count` had always been there, so that no offset makes a step."""
    v = count * p.scale
    s.cold = 0
    s.z_main[:] = 0.0
    s.z_main[0], s.z_main[1] = -p.main[0, 0] * v, p.main[0, 2] * v
    s.z_low[0], s.z_low[1] = -p.low[0] * v, p.low[2] * v
    s.z_high[0], s.z_high[1] = -p.high[0] * v, p.high[2] * v


@inline
def _filter(p, s, x, start, stop):
    """The filters over x[start:stop], which lies within one hop; `work` keeps the hop's band-passed samples."""
    if start == stop:
        return
    if s.cold == 1:
        _start_cold(p, s, x[start])
    n, in_hop = stop - start, s.in_hop
    m, low, high, scale = p.main, p.low, p.high, p.scale
    b00, b01, b02, a01, a02 = m[0, 0], m[0, 1], m[0, 2], m[0, 3], m[0, 4]
    b10, b11, b12, a11, a12 = m[1, 0], m[1, 1], m[1, 2], m[1, 3], m[1, 4]
    z0, z1, z2, z3 = s.z_main[0], s.z_main[1], s.z_main[2], s.z_main[3]
    l0, l1 = s.z_low[0], s.z_low[1]
    lb0, lb1, lb2, la1, la2 = low[0], low[1], low[2], low[3], low[4]
    h0, h1 = s.z_high[0], s.z_high[1]
    hb0, hb1, hb2, ha1, ha2 = high[0], high[1], high[2], high[3], high[4]
    e_low, e_high = s.e_low, s.e_high
    for i in range(n):
        v = x[start + i] * scale
        y = b00 * v + z0  # the term with the newest output comes last: the next sample waits for nothing else
        z0 = b01 * v + z1 - a01 * y
        z1 = b02 * v - a02 * y
        w = b10 * y + z2
        z2 = b11 * y + z3 - a11 * w
        z3 = b12 * y - a12 * w
        slow = lb0 * v + l0
        l0 = lb1 * v + l1 - la1 * slow
        l1 = lb2 * v - la2 * slow
        e_low += slow * slow
        top = hb0 * v + h0
        h0 = hb1 * v + h1 - ha1 * top
        h1 = hb2 * v - ha2 * top
        e_high += top * top
        s.work[in_hop + i] = w
    s.z_main[0], s.z_main[1], s.z_main[2], s.z_main[3] = z0, z1, z2, z3
    s.z_low[0], s.z_low[1] = l0, l1
    s.z_high[0], s.z_high[1] = h0, h1
    s.e_low, s.e_high = e_low, e_high
    s.in_hop = in_hop + n


@inline
def _clean(p, s, n):
    """Take the mains off the hop's `n` band-passed samples and put them into the ring; note the energy of each tick.

    The sinusoids are those of the hop's beginning. Returns the sums of what is left, clipped to the noise, times each
    lane's cosine and sine.
    """
    pos, mask, tick, clip = s.pos, p.ring_mask, p.tick, s.clip
    c, q = load(s.lane_c, 0), load(s.lane_s, 0)
    along_c, along_s = splat(0.0), splat(0.0)
    for j in range(HOP_TICKS):
        energy = 0.0
        for i in range(j * tick, min(j * tick + tick, n)):
            cosines, sines = load(s.rows, 2 * LANES * i), load(s.rows, 2 * LANES * i + LANES)
            y = s.work[i] - total(c * cosines + q * sines)
            s.ring[(pos + i) & mask] = y
            energy += y * y
            error = splat(min(max(y, -clip), clip))
            along_c = along_c + error * cosines
            along_s = along_s + error * sines
        s.tick_main[j] = energy
    return along_c, along_s


@inline
def _windows(s):
    """Energies of the windows that end with each tick of the hop: 2**(k + 1) ticks from two windows of 2**k.

    Row k of `history` holds the windows of 2**k ticks of the last 2**k ticks, then those of this hop.
    """
    h = s.history
    store(h, 1, load(s.tick_main, 0))
    for k in range(LEVELS - 1):
        size = 1 << k
        store(h, (k + 1) * HISTORY + 2 * size, load(h, k * HISTORY) + load(h, k * HISTORY + size))


@inline
def _shift_windows(s, ticks):
    """Make room for the next hop."""
    h = s.history
    for k in range(LEVELS):
        for j in range(0, 1 << k, HOP_TICKS):
            store(h, k * HISTORY + j, load(h, k * HISTORY + j + ticks))


@inline
def _any_loud(p, s):
    """Whether any window of the hop may open an event."""
    loud = False
    for j in range(SCALES):
        k = p.first_scale + j
        loud |= any_above(load(s.history, k * HISTORY + (1 << k)), splat(s.on[j]))
    return loud


@inline
def _loud_window(p, s):
    """The level of the shortest window that may open an event at this tick, or -1; none looks back into the last.

    Nor does what the filters still have of an event just over open one, which would take in the next of a train.
    """
    reach = s.pos - max(s.end_pos, s.splice_pos)
    since = s.index - s.last_offset
    left = TONE_SHARE * s.last_peak5
    for j in range(SCALES):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if n > reach:
            return -1
        if s.window[k] > (s.on[j] if since - n >= p.ladder_lag else max(s.on[j], left)):
            return k
    return -1


@inline
def _end_hop(p, s, out, n_out):
    """Everything that happens once a hop, or when a hop is cut short: its whole ticks count, the rest is dropped."""
    samples = s.in_hop
    ticks = HOP_TICKS if samples == HOP_TICKS * p.tick else samples // p.tick  # a division takes as long as a tick
    begin_pos, begin_index = s.pos, s.index
    along_c, along_s = _clean(p, s, samples)
    _windows(s)
    if ticks > 0:
        smooth = min(samples / (0.032 * p.fs), 1.0)
        s.low_ms += smooth * (s.e_low / samples - s.low_ms)
        s.high_ms += smooth * (s.e_high / samples - s.high_ms)
    ready = s.settling == 0 and s.guard <= 0
    if s.phase != 0 or (ready and _any_loud(p, s)):
        for j in range(ticks):
            s.pos = begin_pos + (j + 1) * p.tick
            s.index = begin_index + (j + 1) * p.tick
            s.ticks += 1
            s.hop_tick = j
            for k in range(LEVELS):
                s.window[k] = s.history[k, (1 << k) + j]
            s.e_main = s.tick_main[j]
            if s.phase != 0:
                n_out = follow(p, s, out, n_out)
            elif ready:
                k = _loud_window(p, s)
                if k >= 0:
                    begin_event(p, s, k)
    else:
        s.ticks += ticks
        for k in range(LEVELS):
            s.window[k] = s.history[k, (1 << k) + ticks - 1]
    _shift_windows(s, ticks)
    s.pos = begin_pos + samples
    s.index = begin_index + samples
    if (
        s.kept == 1
        and s.phase == 0
        and s.pos - s.kept_end_pos > max(p.join, reach(p, s, s.kept_length)) + KEEP_TICKS * p.tick
    ):
        n_out = let_go(s, out, n_out)
    s.hops += 1
    adapt_lanes(p, s, samples, along_c, along_s)
    if s.phase == 1 and s.pos >= s.line_due:
        n_out = meet_mains(p, s, out, n_out)
    if s.phase == 1 and s.announced == 0 and ticks == HOP_TICKS:
        n_out = meet_noise(p, s, out, n_out)
    s.loud *= p.loud_decay
    s.just_loud *= p.just_loud_decay
    s.eager = max(s.eager - 1, 0)
    s.in_hop = 0
    s.e_low = s.e_high = 0.0
    # Denormal numbers slow a filter by a hundred times.
    if abs(s.z_main[2]) + abs(s.z_main[3]) + abs(s.z_high[0]) + abs(s.z_high[1]) < 1e-30:
        s.z_main[2:] = 0.0
        s.z_high[:] = 0.0
    if s.guard > 0:
        s.guard -= samples
        return n_out
    if ticks == HOP_TICKS:
        n_out = watch_heart(p, s, out, n_out)
    learn(p, s)
    if s.settling == 1 and s.n_entries >= MIN_ENTRIES:
        s.settling = 0
        s.end_pos = s.pos
        n_out = emit_interval(s, out, n_out, SETTLING, s.settling_start, s.index)
    return n_out


@kernel
def _begin_bad(p, s, out, n_out, kind, run):
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
            n_out = end_event(p, s, out, n_out, 1)
    n_out = let_go(s, out, n_out)
    if s.settling == 1 and s.bad_start > s.settling_start:
        n_out = emit_interval(s, out, n_out, SETTLING, s.settling_start, s.bad_start)
    return n_out


@kernel
def _end_bad(p, s, out, n_out):
    """The signal is back: start the filters afresh; the interval includes the time that they need."""
    n_out = emit_interval(s, out, n_out, s.bad, s.bad_start, s.index + p.guard)
    rotate_lanes(p, s, s.index - s.bad_start)
    s.bad = 0
    s.cold = 1
    s.guard = p.guard
    s.splice_pos = s.pos
    if s.settling == 1:
        s.settling_start = s.index + p.guard
    return n_out


@kernel
def start(params, state):
    """Set the sinusoids of a state that begins anew."""
    for family in range(2):
        set_rows(params[0], state[0], family)


@kernel
def finish(params, state, out):
    """The stream ends here (a long gap, a reset, the end of the recording); returns the rows written to `out`.

    Flush the hop first.
    """
    p, s = params[0], state[0]
    n_out = 0
    if s.phase != 0:
        n_out = end_event(p, s, out, n_out, 1 if s.phase == 1 else 0)
    n_out = let_go(s, out, n_out)
    if s.bad != 0:
        n_out = emit_interval(s, out, n_out, s.bad, s.bad_start, s.index)
    elif s.settling == 1 and s.index > s.settling_start:
        n_out = emit_interval(s, out, n_out, SETTLING, s.settling_start, s.index)
    return n_out


@kernel
def splice(params, state, gap):
    """`gap` samples are missing, few enough for an open event and the floor to live on. Flush the hop first."""
    p, s = params[0], state[0]
    if s.phase != 0:
        s.tone_phase = 0
        climb(p, s, s.pos)
    rotate_lanes(p, s, gap)
    s.index += gap
    s.splice_pos = s.pos
    s.guard = max(s.guard, p.splice_guard)


@kernel
def advance(x, params, state, out, flush):
    """Take the counts `x` of one channel; write what was found to `out`; returns (samples taken, rows written).

    Takes fewer samples than there are when `out` could overflow: call again with the rest. `flush` ends the hop early,
    before `splice` or `finish`.
    """
    p, s = params[0], state[0]
    hop = HOP_TICKS * p.tick
    n_out, taken = 0, 0
    while (taken < x.size and n_out + ROWS_PER_HOP <= out.size) or (flush and s.in_hop > 0):
        stop = taken + 1 if s.bad != 0 else min(x.size, taken + hop - s.in_hop)
        end = _scan(p, s, x, taken, stop)
        if s.bad != 0:
            if end < stop or (s.rail_count if s.bad == RAIL else s.same_run) > 0:
                s.index += 1
                taken = stop
                continue
            n_out = _end_bad(p, s, out, n_out)
        _filter(p, s, x, taken, end)
        taken = end
        over = end < stop
        if s.in_hop == hop or (s.in_hop > 0 and (over or (flush and taken == x.size))):
            n_out = _end_hop(p, s, out, n_out)
        if over:
            if s.rail_count >= p.rail_run:
                n_out = _begin_bad(p, s, out, n_out, RAIL, s.rail_count - 1)
            else:
                n_out = _begin_bad(p, s, out, n_out, FLAT, s.same_run)
            s.index += 1
            taken += 1
    return taken, n_out
