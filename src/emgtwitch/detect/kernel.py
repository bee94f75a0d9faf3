"""The detector's kernel: one pass over the samples of a channel, with all state carried from call to call.

Nothing here depends on where a call begins or ends: every decision hangs on the count of samples received.
Per sample: band-pass, mains canceller, side bands, energy. Per tick of about 2 ms: window energies by doubling (sums
of non-negative numbers only, so nothing drifts), noise floor, and the machine that opens, pauses and closes events.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from emgtwitch.detect.state import (
    ANNOUNCEMENT,
    BINS,
    EVENT,
    FLAT,
    INTERVAL,
    LANES,
    LEVELS,
    MAINS,
    MOTION,
    NOISE,
    RAIL,
    RUNGS,
    SCALES,
    SETTLING,
)

FLOOR_QUANTILE = 0.35  # of 64 ms energies: low enough that activity for more than half of the time leaves it alone
MIN_ENTRIES = 24  # of the floor before it is believed: 0.4 s
TAIL_STEP = 0.03
QUIET_NATS = 8.0
RELATIVE_OFF = 0.05  # an event ends where its mean square over 16 ms falls to this share of that over 256 ms
LEVEL_MIN, LEVEL_MAX = 2.0, 20.0
EDGE_SHARE = 0.01  # of the peak's energy: 10 % of its RMS, as design.md defines onset and offset
TONE_SHARE = 0.03  # of a recent peak's energy: what does not rise above it is resting tone, no event of its own
EDGE_FLOOR = 2.5  # and never below this multiple of the floor
TONE_CONTRAST = 6.0
CLIP_SIGMA = 3.0
MOTION_RATIO = 15.0
LINE_SHARE = 0.65

COMPILE = {"cache": True, "nogil": True, "fastmath": {"contract"}}


@njit(**COMPILE)
def rotate_lanes(p, s, n):  # type: ignore[no-untyped-def]
    """Turn the mains oscillators by `n` samples that were not received."""
    for k in range(LANES):
        angle = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs * n
        c, q = math.cos(angle), math.sin(angle)
        s.lane_c[k], s.lane_s[k] = s.lane_c[k] * c - s.lane_s[k] * q, s.lane_s[k] * c + s.lane_c[k] * q


@njit(**COMPILE)
def _tune_lanes(p, s):  # type: ignore[no-untyped-def]
    """Every quarter second: follow the mains by the phase that the strong lanes have gained."""
    for family in range(2):
        weight = 0.0
        gain = 0.0
        for k in range(LANES):
            if p.lane_family[k] != family or p.lane_order[k] == 0.0:
                continue
            phase = math.atan2(-s.lane_b[k], s.lane_a[k])
            turn = phase - s.lane_phase[k]
            s.lane_phase[k] = phase
            turn -= 2 * math.pi * math.floor(turn / (2 * math.pi) + 0.5)
            power = s.lane_a[k] ** 2 + s.lane_b[k] ** 2
            if power > 0.1 * s.floor and abs(turn) < 0.5 * math.pi:
                weight += power * p.lane_order[k] ** 2
                gain += power * p.lane_order[k] * turn
        if weight > 0.0:
            f = s.family_Hz[family] + 0.3 * gain / weight / (2 * math.pi * 0.25)
            nominal = p.lane_Hz[0] if family == 0 else p.lane_Hz[LANES // 2]
            s.family_Hz[family] = min(max(f, nominal - 1.0), nominal + 1.0)
    for k in range(LANES):
        angle = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs
        s.lane_cw[k] = math.cos(angle)
        s.lane_sw[k] = math.sin(angle)


@njit(**COMPILE)
def _line_share(p, s, ring, stop, n):  # type: ignore[no-untyped-def]
    """Share of the energy of the `n` samples before `stop` that lies on mains harmonics 1 to 4 (n: whole 0.1 s)."""
    best = 0.0
    energy = 1e-300
    for i in range(stop - n, stop):
        energy += ring[i & p.ring_mask] ** 2
    for family in range(2):
        share = 0.0
        for order in range(1, 5):
            f = s.family_Hz[family] * order
            if f >= 0.45 * p.fs:
                break
            c = 0.0
            q = 0.0
            w = 2 * math.pi * f / p.fs
            for i in range(n):
                y = ring[(stop - n + i) & p.ring_mask]
                c += y * math.cos(w * i)
                q += y * math.sin(w * i)
            share += 2 * (c * c + q * q) / n
        best = max(best, share / energy)
    return best


@njit(**COMPILE)
def _take_entry(p, s, energy):  # type: ignore[no-untyped-def]
    """Put a mean square into the sliding histogram and move its quantile: exact, and whatever the units."""
    entry = min(max(int(8 * math.log2(energy + 1e-30)) + BINS // 2, 0), BINS - 1)
    if s.n_entries == p.floor_entries:
        old = s.entries[s.next_entry]
        s.histogram[old] -= 1
        if old < s.bin:
            s.below -= 1
    else:
        s.n_entries += 1
    s.entries[s.next_entry] = entry
    s.next_entry = (s.next_entry + 1) % p.floor_entries
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
    s.floor = p.floor_gain * 2.0 ** ((s.bin - BINS // 2 + within) / 8)
    s.clip = CLIP_SIGMA * math.sqrt(s.floor)


@njit(**COMPILE)
def _set_thresholds(p, s):  # type: ignore[no-untyped-def]
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


@njit(**COMPILE)
def _forget_floor(s):  # type: ignore[no-untyped-def]
    s.histogram[:] = 0
    s.n_entries = 0
    s.next_entry = 0
    s.bin = 0
    s.below = 0


@njit(**COMPILE)
def _learn(p, s):  # type: ignore[no-untyped-def]
    """Noise floor and tails, from quiet windows; a lower energy always counts."""
    k64 = p.first_scale + 3
    n64 = p.tick * (1 << k64)
    quiet_since = s.pos - max(s.splice_pos, s.end_pos)
    if s.ticks % p.hop == 0 and s.pos - s.splice_pos >= n64:
        mean_square = s.window[k64] / n64
        quiet = s.phase == 0 and quiet_since >= n64
        tone = s.phase == 1 and s.pos - s.open_pos > p.twitch_max and s.peak5 < TONE_SHARE * s.loud
        if s.settling == 1 or quiet or tone or mean_square * p.floor_gain < s.floor:
            _take_entry(p, s, mean_square)
            rate = max(1.0 / s.n_entries, 0.008)
            s.high_floor += rate * (s.high_ms - s.high_floor)
            _set_thresholds(p, s)
    if s.settling == 1 or s.phase != 0 or s.floor <= 0.0:
        return
    for j in range(SCALES):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if s.ticks % max(1, (1 << k) // 2) == 0 and quiet_since >= n:
            ratio = s.window[k] / (n * s.floor)
            s.tail[j] *= math.exp(TAIL_STEP * (0.98 if ratio > s.tail[j] else -0.02))
            s.tail[j] = max(s.tail[j], p.q98[j])


@njit(**COMPILE)
def _climb(p, s, ring, until):  # type: ignore[no-untyped-def]
    """Note for each level of 5 ms RMS when the event first and last exceeded it, up to position `until`.

    So onset and offset at any share of a peak that is not known yet cost no memory, however long the event.
    """
    shift = s.index - s.pos
    for i in range(s.ladder_pos, until):
        y = ring[i & p.ring_mask]
        old = ring[(i - p.rms5) & p.ring_mask]
        s.rms5_energy = max(s.rms5_energy + y * y - old * old, 0.0)
        s.peak = max(s.peak, abs(y))
        s.peak5 = max(s.peak5, s.rms5_energy)
        rung = int(4 * math.log2(s.rms5_energy / s.rung_base + 1e-30)) if s.rms5_energy > s.rung_base else -1
        rung = min(rung, RUNGS - 1)
        if rung >= 0:
            s.last[rung] = i + shift
            while s.top_rung < rung:
                s.top_rung += 1
                s.first[s.top_rung] = i + shift
    s.ladder_pos = max(s.ladder_pos, until)


@njit(**COMPILE)
def _edges(p, s):  # type: ignore[no-untyped-def]
    """Onset and offset as known now: first and last 5 ms RMS above 10 % of the peak, or above the floor if higher."""
    level = max(EDGE_SHARE * s.peak5, EDGE_FLOOR * s.event_floor * p.rms5)
    rung = int(4 * math.log2(max(level / s.rung_base, 1.0)))
    rung = max(min(rung, s.top_rung), 0)
    last = s.last[rung]
    for k in range(rung, s.top_rung + 1):
        last = max(last, s.last[k])
    late = p.delay + p.rms5 // 2
    return s.first[rung] - late, last + 1 - late


@njit(**COMPILE)
def _emit(s, out, n_out, kind, number, onset, offset):  # type: ignore[no-untyped-def]
    row = out[n_out]
    row.type = kind
    row.cause = 0
    row.number = number
    row.onset = onset
    row.offset = offset
    row.decided = s.index
    row.peak = 0.0
    row.rms = 0.0
    row.snr_dB = 0.0
    row.on_tone = 0
    row.truncated = 0
    return n_out + 1


@njit(**COMPILE)
def _open(p, s, ring, k):  # type: ignore[no-untyped-def]
    """Begin an event whose energy was found in the window of level k."""
    n = p.tick * (1 << k)
    s.phase = 1
    s.number += 1
    s.open_number = s.number
    s.open_pos = s.pos - n
    s.open_index = s.index - n
    s.piece_pos = s.open_pos
    s.longest = 0
    s.active_pos = s.pos
    s.active_index = s.index
    s.quiet_nats = 0.0
    s.event_floor = s.floor
    s.base = s.floor
    s.level = LEVEL_MIN
    s.log_level = math.log(LEVEL_MIN)
    s.sum_main = s.window[k]
    s.sum_mid = 0.0
    s.sum_main_sure = s.sum_main
    s.sum_mid_sure = 0.0
    s.low_max = s.low_ms
    s.steady_n = 0
    s.announced = 0
    s.tone_phase = 0
    s.tone_tail = 2.0
    s.peak = 0.0
    s.peak5 = 0.0
    s.top_rung = -1
    s.last[:] = 0
    s.rung_base = 0.25 * s.floor * p.rms5
    start = max(s.open_pos - p.rms5 - p.delay, max(s.splice_pos, s.end_pos))
    s.ladder_pos = start
    s.rms5_energy = 0.0
    for i in range(max(start - p.rms5, s.splice_pos), start):
        s.rms5_energy += ring[i & p.ring_mask] ** 2


@njit(**COMPILE)
def _close(p, s, ring, out, n_out, truncated):  # type: ignore[no-untyped-def]
    """End the open event: refine its edges, tell artefacts from contractions, emit it."""
    _climb(p, s, ring, min(s.active_pos + p.rms5 + p.delay, s.pos))
    onset, offset = _edges(p, s)
    s.phase = 0
    s.end_pos = s.active_pos
    if s.announced == 1:
        onset = s.announced_onset
        offset = max(offset, s.announced_end)
    length = offset - onset
    if length < p.min_length or s.top_rung < 0:
        return n_out
    sustained = length > p.twitch_max
    if s.peak5 < TONE_SHARE * (s.loud if sustained else s.just_loud):
        return n_out  # resting tone, or the dying away, of a much stronger contraction
    s.loud = max(s.loud, s.peak5)
    if sustained:
        s.just_loud = max(s.just_loud, s.peak5)
    n_out = _emit(s, out, n_out, EVENT, s.open_number, onset, offset)
    row = out[n_out - 1]
    sure = max(s.active_pos - s.open_pos, 1)
    tenth = int(0.1 * p.fs)
    row.peak = s.peak
    row.rms = math.sqrt(s.sum_main_sure / length)
    row.snr_dB = 10 * math.log10(row.rms**2 / s.event_floor)
    row.truncated = truncated
    if s.announced == 1:
        return n_out
    cause = 0
    if length < 0.25 * p.fs and s.low_max > MOTION_RATIO * s.sum_mid_sure / sure:
        cause = MOTION
    elif s.pos - s.splice_pos > 2 * tenth:
        n = tenth if sure < 1.5 * tenth else 2 * tenth
        stop = min(s.pos, max(s.active_pos, s.open_pos + n))
        if stop - n > s.splice_pos and _line_share(p, s, ring, stop, n) > LINE_SHARE:
            cause = MAINS
    if cause > 0:
        row.type = INTERVAL
        row.cause = cause
    return n_out


@njit(**COMPILE)
def _noise_step(p, s):  # type: ignore[no-untyped-def]
    """Is the event only more noise? Steady as noise is, little above the floor, and as much so above 280 Hz."""
    k64 = p.first_scale + 3
    n64 = p.tick * (1 << k64)
    if p.has_high == 0 or s.ticks % (1 << k64) != 0:
        return False
    mean_square = s.window[k64] / n64
    logarithm = math.log(mean_square + 1e-30)
    s.steady_n += 1
    weight = max(1.0 / s.steady_n, 0.03)  # about the last 2 s
    difference = logarithm - s.steady_sum
    if s.steady_n == 1:
        s.steady_sum, s.steady_sum2, s.steady_main, s.steady_high = logarithm, 0.0, mean_square, s.high_ms
        return False
    s.steady_sum += weight * difference
    s.steady_sum2 += weight * (difference * difference * (1 - weight) - s.steady_sum2)
    s.steady_main += weight * (mean_square - s.steady_main)
    s.steady_high += weight * (s.high_ms - s.steady_high)
    if s.steady_n < 30:
        return False
    spread = 1.3 * math.sqrt(2 / (p.dof_tick * (1 << k64)))
    ratio = s.steady_main / s.event_floor
    high_ratio = s.steady_high / s.high_floor
    return ratio < 8.0 and math.sqrt(s.steady_sum2) < spread and high_ratio - 1 > 0.6 * (ratio - 1)


@njit(**COMPILE)
def _energy5(p, ring, pos):  # type: ignore[no-untyped-def]
    """Energy of the 5 ms before `pos`."""
    energy = 0.0
    for i in range(pos - p.rms5, pos):
        energy += ring[i & p.ring_mask] ** 2
    return energy


@njit(**COMPILE)
def _span_above(p, ring, start, stop, level):  # type: ignore[no-untyped-def]
    """First and last sample of [start, stop) at which the 5 ms energy exceeds `level`, or -1, and the peak energy."""
    energy = _energy5(p, ring, start)
    first, last, peak = -1, -1, 0.0
    for i in range(start, stop):
        energy += ring[i & p.ring_mask] ** 2 - ring[(i - p.rms5) & p.ring_mask] ** 2
        peak = max(peak, energy)
        if energy > level:
            first = i if first < 0 else first
            last = i
    return first, last, peak


@njit(**COMPILE)
def _tone(p, s, ring, out, n_out):  # type: ignore[no-untyped-def]
    """Find a twitch riding on a longer event, by its contrast with the tone of the quarter second before."""
    k32 = p.first_scale + 2
    n32 = p.tick * (1 << k32)
    half = 1 << (p.first_scale + 5)
    now = s.window[k32] / n32
    if s.tone_phase == 0:
        before = s.windows[half + ((s.ticks - (1 << k32) - 4) & (half - 1))] / (p.tick * half)
        if s.pos - s.open_pos < 2 * p.tick * half + n32 or s.pos - s.splice_pos < 2 * p.tick * half or before <= 0.0:
            return n_out
        ratio = now / before
        if ratio > max(TONE_CONTRAST, 2.5 * s.tone_tail):
            s.tone_phase = 1
            s.tone_start = s.pos - n32 - n32 // 2
            s.tone_last = s.pos
            s.tone_ref = before
        elif s.ticks % 8 == 0:
            s.tone_tail = max(s.tone_tail * math.exp(0.1 * (0.98 if ratio > s.tone_tail else -0.02)), 2.0)
        return n_out
    if now > 0.45 * TONE_CONTRAST * s.tone_ref:
        s.tone_last = s.pos
    if s.pos - s.tone_start > p.tone_max + 3 * n32:
        s.tone_phase = 0  # no twitch: the contraction itself has become stronger
    elif s.pos - s.tone_last >= n32:
        s.tone_phase = 0
        start = max(s.tone_start, s.splice_pos + p.rms5)
        _, _, peak5 = _span_above(p, ring, start, s.pos, 0.0)
        level = max(EDGE_SHARE * peak5, EDGE_FLOOR * s.tone_ref * p.rms5)
        first, last, _ = _span_above(p, ring, start, s.pos, level)
        length = last + 1 - first
        if first < 0 or length < p.min_length or length > p.tone_max:
            return n_out
        total, peak = 0.0, 0.0
        for i in range(first, last + 1):
            y = ring[i & p.ring_mask]
            total += y * y
            peak = max(peak, abs(y))
        shift = s.index - s.pos - p.delay - p.rms5 // 2
        s.number += 1
        n_out = _emit(s, out, n_out, EVENT, s.number, first + shift, last + 1 + shift)
        row = out[n_out - 1]
        row.peak = peak
        row.rms = math.sqrt(total / length)
        row.snr_dB = 10 * math.log10(total / length / s.event_floor)
        row.on_tone = 1
        # The twitch is no part of the tone: it must not set the peak that the tone's edges are measured against.
        s.ladder_pos = max(s.ladder_pos, last + 1 + p.rms5)
        s.rms5_energy = _energy5(p, ring, s.ladder_pos)
    return n_out


@njit(**COMPILE)
def _follow(p, s, ring, out, n_out):  # type: ignore[no-untyped-def]
    """One tick of an open event: is it going on, pausing, over, long enough to announce, or only noise?"""
    n256 = p.tick * (1 << (p.first_scale + 5))
    n32 = p.tick * (1 << (p.first_scale + 2))
    s.sum_main += s.e_main
    s.sum_mid += s.e_mid
    s.low_max = max(s.low_max, s.low_ms)
    s.event_floor = min(s.event_floor, s.floor)
    if s.phase == 1:
        s.base = max(s.event_floor, RELATIVE_OFF * s.window[p.first_scale + 5] / n256, EDGE_SHARE * s.peak5 / p.rms5)
        if p.off_uV > 0:
            s.base = max(s.base, (math.sqrt(s.event_floor) + p.off_uV) ** 2)
        level = min(max(s.window[p.first_scale + 2] / n32 / s.base, LEVEL_MIN), LEVEL_MAX)
        if level > s.level:
            s.level = level
        else:
            s.level += (level - s.level) * p.tick / (0.3 * p.fs)
        z = s.e_main / (p.tick * s.base)
        s.quiet_nats += 0.5 * p.dof_tick * (math.log(s.level) + z * (1 / s.level - 1))
        if s.quiet_nats <= 0.0:
            s.quiet_nats = 0.0
            s.active_pos = s.pos
            s.active_index = s.index
            s.sum_main_sure = s.sum_main
            s.sum_mid_sure = s.sum_mid
        n_out = _tone(p, s, ring, out, n_out)
        until = s.pos - p.ladder_lag
        if s.tone_phase == 1:
            until = min(until, s.tone_start)
        _climb(p, s, ring, until)
        if s.announced == 0 and s.index - s.open_index >= p.spasm_min and s.ticks % 4 == 0:
            onset, offset = _edges(p, s)
            if s.top_rung >= 0 and offset - onset >= p.spasm_min and s.peak5 >= TONE_SHARE * s.loud:
                s.announced = 1
                s.announced_onset = onset
                s.announced_end = offset
                n_out = _emit(s, out, n_out, ANNOUNCEMENT, s.open_number, onset, offset)
        if s.ticks % 64 == 0 and s.pos - s.splice_pos > int(0.2 * p.fs) and s.pos - s.open_pos > int(0.1 * p.fs):
            if _line_share(p, s, ring, s.pos, int(0.2 * p.fs)) > LINE_SHARE:
                s.eager = int(0.5 * p.fs) // p.tick
        if s.announced == 0 and _noise_step(p, s):
            s.phase = 0
            s.end_pos = s.pos
            n_out = _emit(s, out, n_out, INTERVAL, s.open_number, s.open_index, s.index)
            out[n_out - 1].cause = NOISE
            _forget_floor(s)
            s.floor = s.steady_main
            s.high_floor = s.steady_high
            for _ in range(MIN_ENTRIES):
                _take_entry(p, s, s.steady_main / p.floor_gain)
            _set_thresholds(p, s)
        elif s.quiet_nats > QUIET_NATS and s.pos - s.active_pos >= p.hold:
            s.phase = 2
            s.longest = max(s.longest, s.active_pos - s.piece_pos)
            s.tone_phase = 0
        return n_out
    sustained = s.longest > p.twitch_max
    for j in range(SCALES - 1):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if s.pos - n < s.active_pos:
            break
        if s.window[k] > max(s.on[j], (1.0 if sustained else LEVEL_MIN) * s.base * n):
            s.phase = 1
            s.piece_pos = s.pos - n
            s.active_pos = s.pos
            s.active_index = s.index
            s.quiet_nats = 0.0
            s.sum_main_sure = s.sum_main
            s.sum_mid_sure = s.sum_mid
            return n_out
    # Only around sustained activity do longer pauses belong to it: twitches of a train stay apart.
    pause = s.longest // 2
    pause = min(pause, p.merge_max) if sustained else min(pause, p.merge_max, p.hold)
    if s.pos - s.active_pos > max(pause, p.hold):
        n_out = _close(p, s, ring, out, n_out, 0)
    return n_out


@njit(**COMPILE)
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
        _tune_lanes(p, s)
        for k in range(LANES):
            norm = 1.5 - 0.5 * (s.lane_c[k] ** 2 + s.lane_s[k] ** 2)
            s.lane_c[k] *= norm
            s.lane_s[k] *= norm
    if s.guard > 0:
        s.guard -= p.tick
        if s.phase != 0:
            n_out = _follow(p, s, ring, out, n_out)
        return n_out
    _learn(p, s)
    if s.settling == 1:
        if s.n_entries >= MIN_ENTRIES:
            s.settling = 0
            s.end_pos = s.pos
            n_out = _emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.index)
            out[n_out - 1].cause = SETTLING
        return n_out
    if s.phase != 0:
        return _follow(p, s, ring, out, n_out)
    reach = s.pos - max(s.end_pos, s.splice_pos)
    for j in range(SCALES):
        k = p.first_scale + j
        if p.tick * (1 << k) > reach:
            break
        if s.window[k] > s.on[j]:
            _open(p, s, ring, k)
            break
    return n_out


@njit(**COMPILE)
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
            n_out = _close(p, s, ring, out, n_out, 1)
    if s.settling == 1 and s.bad_start > s.settling_start:
        n_out = _emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.bad_start)
        out[n_out - 1].cause = SETTLING
    return n_out


@njit(**COMPILE)
def _end_bad(p, s, out, n_out):  # type: ignore[no-untyped-def]
    """The signal is back: start the filters afresh; the interval includes the time that they need."""
    n_out = _emit(s, out, n_out, INTERVAL, 0, s.bad_start, s.index + p.guard)
    out[n_out - 1].cause = s.bad
    rotate_lanes(p, s, s.index - s.bad_start)
    s.bad = 0
    s.cold = 1
    s.guard = p.guard
    s.splice_pos = s.pos
    if s.settling == 1:
        s.settling_start = s.index + p.guard
    return n_out


@njit(**COMPILE)
def finish(params, state, ring, out):  # type: ignore[no-untyped-def]
    """The stream ends here (a long gap, a reset, the end of the recording); returns the rows written to `out`."""
    p, s = params[0], state[0]
    n_out = 0
    if s.phase != 0:
        n_out = _close(p, s, ring, out, n_out, 1 if s.phase == 1 else 0)
    if s.bad != 0:
        n_out = _emit(s, out, n_out, INTERVAL, 0, s.bad_start, s.index)
        out[n_out - 1].cause = s.bad
    elif s.settling == 1 and s.index > s.settling_start:
        n_out = _emit(s, out, n_out, INTERVAL, 0, s.settling_start, s.index)
        out[n_out - 1].cause = SETTLING
    return n_out


@njit(**COMPILE)
def splice(params, state, ring, gap):  # type: ignore[no-untyped-def]
    """`gap` samples are missing, few enough for an open event and the floor to live on."""
    p, s = params[0], state[0]
    if s.phase != 0:
        _climb(p, s, ring, s.pos)
        s.tone_phase = 0
    rotate_lanes(p, s, gap)
    s.index += gap
    s.splice_pos = s.pos
    s.guard = max(s.guard, p.splice_guard)
    s.in_tick = 0
    s.e_main = s.e_low = s.e_mid = s.e_high = 0.0


@njit(**COMPILE)
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
        if s.eager > 0:
            step = 4 * p.mu * y
        else:
            step = 2 * p.mu * min(max(y, -s.clip), s.clip)
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
