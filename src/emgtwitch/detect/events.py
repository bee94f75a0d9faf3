"""Kernels of one event: opening, going on, pausing, twitches on its tone, closing, and telling artefacts from it."""

from __future__ import annotations

import math

from emgtwitch.detect.floor import HIGH_SHARE, forget_floor, set_thresholds, take_entry
from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.ladder import climb, edges
from emgtwitch.detect.mains import line_share
from emgtwitch.detect.pieces import belong, bridge, emit, emit_interval, join, keep, let_go, reach
from emgtwitch.detect.shape import artefact
from emgtwitch.detect.state import (
    ANNOUNCEMENT,
    EDGE_SHARE,
    EVENT,
    HOP_TICKS,
    INTERVAL,
    MAINS,
    MIN_ENTRIES,
    NOISE,
    SCALES,
    TONE_SHARE,
)
from emgtwitch.detect.tone import tone

QUIET_NATS = 12.0
RELATIVE_OFF = 0.05  # an event ends where its mean square over 16 ms falls to this share of that over 256 ms
LEVEL_MIN, LEVEL_MAX = 2.0, 20.0  # of activity over what it stands on, as the test for quiet assumes it
EDGE_FLOOR = 2.5  # and never below this multiple of the floor
MOST_OUTSTANDING = 0.4
LINE_SHARE = 0.65


@kernel
def begin_event(p, s, ring, k):  # type: ignore[no-untyped-def]
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
    s.sum_main_sure = s.sum_main
    s.low_max = s.low_ms
    s.strong = s.window[p.first_scale + 2] / (p.tick * (1 << (p.first_scale + 2)))
    s.steady_n = 0
    s.outstanding = 0.0
    s.announced = 0
    s.lined = -1
    s.tone_phase = 0
    s.tone_over = -(1 << 40)
    s.peak = 0.0
    s.peak5 = 0.0
    s.top_rung = -1
    s.last[:] = 0
    if s.kept == 0:  # the ladders of events that may be joined are of one measure
        s.rung_scale = 4.0 / (s.floor * p.rms5)
    start = max(s.open_pos - p.rms5 - p.delay, max(s.splice_pos, s.end_pos, s.ladder_pos))
    s.ladder_pos = start
    s.rms5_energy = 0.0
    for i in range(max(start - p.rms5, s.splice_pos), start):
        s.rms5_energy += ring[i & p.ring_mask] ** 2


@kernel
def what_else(p, s, ring, onset, offset):  # type: ignore[no-untyped-def]
    """The cause if the event at [onset, offset) of the ring is an artefact, else 0."""
    cause = artefact(p, s, ring, onset, offset)
    if cause == 0 and s.lined == 1:
        return MAINS
    if cause == 0 and s.lined < 0:
        half = p.line_window // 2
        stop = min(s.pos, max(s.active_pos, s.open_pos + half))
        if stop - half > s.splice_pos and line_share(p, s, ring, stop, half) > LINE_SHARE:
            return MAINS
    return cause


@kernel
def end_event(p, s, ring, out, n_out, truncated):  # type: ignore[no-untyped-def]
    """End the open event: refine its edges, tell artefacts from contractions, emit it."""
    climb(p, s, ring, min(s.active_pos + p.rms5 + p.delay, s.pos))
    onset, offset = edges(p, s)
    if s.kept == 1 and belong(p, s, onset, offset):
        join(s)
        onset, offset = edges(p, s)
    n_out = let_go(s, out, n_out)
    late = s.pos - s.index + p.delay + p.rms5 // 2  # from the index to the ring, delayed by filter and window
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
    if s.peak5 < TONE_SHARE * s.last_peak5 and onset - s.last_offset < 0.05 * p.fs:
        return n_out  # what the filters still have of the event just over
    s.last_peak5 = s.peak5
    s.last_offset = offset
    s.loud = max(s.loud, s.peak5)
    if sustained:
        s.just_loud = max(s.just_loud, s.peak5)
    if s.announced == 0:
        cause = what_else(p, s, ring, onset + late, offset + late)
        if length <= 2 * p.twitch_max and truncated == 0:  # dips may have ended a longer one early, too
            keep(s, onset, offset, cause)
            return n_out
    else:
        cause = 0
    n_out = emit(s, out, n_out, EVENT if cause == 0 else INTERVAL, s.open_number, onset, offset)
    row = out[n_out - 1]
    row.cause = cause
    row.peak = s.peak
    row.rms = math.sqrt(s.sum_main_sure / length)
    row.snr_dB = 10 * math.log10(row.rms**2 / s.event_floor)
    row.truncated = truncated
    return n_out


@inline
def noise_step(p, s):  # type: ignore[no-untyped-def]
    """Is the event only more noise? Steady as noise is, little above the floor, and as much so above 280 Hz."""
    k64 = p.first_scale + 3
    n64 = p.tick * (1 << k64)
    if p.has_high == 0 or s.ticks % (1 << k64) != 0:
        return False
    mean_square = s.window[k64] / n64
    logarithm = math.log(mean_square + 1e-30)
    spread = 1.3 * math.sqrt(2 / (p.dof_tick * (1 << k64)))
    difference = logarithm - s.steady_sum
    stands_out = s.steady_n > 8 and difference > 2.5 * spread
    s.outstanding += 0.03 * ((1.0 if stands_out else 0.0) - s.outstanding)
    if stands_out and s.outstanding < MOST_OUTSTANDING:
        return False  # a twitch on the noise says nothing of the noise
    s.steady_n += 1
    weight = max(1.0 / s.steady_n, 0.03)  # about the last 2 s
    if s.steady_n == 1:
        s.steady_sum, s.steady_sum2, s.steady_main, s.steady_high = logarithm, 0.0, mean_square, s.high_ms
        return False
    s.steady_sum += weight * difference
    s.steady_sum2 += weight * (difference * difference * (1 - weight) - s.steady_sum2)
    s.steady_main += weight * (mean_square - s.steady_main)
    s.steady_high += weight * (s.high_ms - s.steady_high)
    if s.steady_n < 20:
        return False
    ratio = s.steady_main / s.event_floor
    high_ratio = s.steady_high / s.high_floor
    return ratio < 8.0 and math.sqrt(s.steady_sum2) < spread and high_ratio - 1 > HIGH_SHARE * (ratio - 1)


@inline
def follow(p, s, ring, out, n_out):  # type: ignore[no-untyped-def]
    """One tick of an open event: is it going on, pausing, over, long enough to announce, or only noise?"""
    n256 = p.tick * (1 << (p.first_scale + 5))
    n32 = p.tick * (1 << (p.first_scale + 2))
    s.sum_main += s.e_main
    s.low_max = max(s.low_max, s.low_ms)
    s.strong = max(s.strong, s.window[p.first_scale + 2] / n32)
    s.event_floor = min(s.event_floor, s.floor)
    if s.phase == 1:
        n_out = tone(p, s, ring, out, n_out)
        recent = s.window[p.first_scale + 5] / n256
        if s.tone_phase == 1 or s.pos < s.tone_over + n256:
            recent = min(recent, s.tone_ref)  # a twitch on the tone does not tell how strong the tone is
        s.base = max(s.event_floor, RELATIVE_OFF * recent, EDGE_SHARE * s.peak5 / p.rms5)
        if p.off_uV > 0:
            s.base = max(s.base, (math.sqrt(s.event_floor) + p.off_uV) ** 2)
        level = min(max(s.window[p.first_scale + 2] / n32 / s.base, LEVEL_MIN), LEVEL_MAX)
        if s.tone_phase == 1:
            level = min(level, s.level)
        if level > s.level or s.ticks % 4 == 0:  # up at once, down slowly
            s.level += (level - s.level) * (1.0 if level > s.level else p.tick * 4 / (0.3 * p.fs))
            s.log_level = math.log(s.level)
        z = s.e_main / (p.tick * s.base)
        s.quiet_nats += 0.5 * p.dof_tick * (s.log_level + z * (1 / s.level - 1))
        if s.quiet_nats <= 0.0:
            s.quiet_nats = 0.0
            s.active_pos = s.pos
            s.active_index = s.index
            s.sum_main_sure = s.sum_main
        if s.kept == 1 and s.ticks % 4 == 0 and s.active_pos - s.open_pos > p.brief + p.ladder_lag:
            onset, offset = edges(p, s)
            if belong(p, s, onset, offset):
                join(s)
            elif onset - s.kept_offset > max(p.join, reach(p, s.kept_length)):
                n_out = let_go(s, out, n_out)
        until = s.pos - p.ladder_lag
        if s.tone_phase == 1:
            until = min(until, s.tone_start)
        climb(p, s, ring, until)
        if s.announced == 0 and s.index - s.open_index >= p.spasm_min:
            onset, offset = edges(p, s)
            offset = max(offset, s.active_index - p.delay)  # edges come later than activity is sure
            if s.top_rung >= 0 and offset - onset >= p.spasm_min and s.peak5 >= TONE_SHARE * s.loud:
                s.announced = 1
                s.announced_onset = onset
                s.announced_end = offset
                n_out = emit(s, out, n_out, ANNOUNCEMENT, s.open_number, onset, offset)
        age = s.pos - s.open_pos
        fresh = s.lined < 0 and age >= p.line_window
        if (fresh or s.ticks % 64 == 0) and age >= p.line_window and s.pos - s.splice_pos > p.line_window:
            line = line_share(p, s, ring, s.pos, p.line_window) > LINE_SHARE
            if fresh:
                s.lined = 1 if line else 0
            if line:
                s.eager = int(0.5 * p.fs) // (HOP_TICKS * p.tick)
        if s.announced == 0 and noise_step(p, s):
            s.phase = 0
            s.end_pos = s.pos
            n_out = emit_interval(s, out, n_out, NOISE, s.open_index, s.index)
            forget_floor(s)
            s.floor = s.steady_main
            s.high_floor = s.steady_high
            for _ in range(MIN_ENTRIES):
                take_entry(p, s, s.steady_main / p.floor_gain)
            set_thresholds(p, s)
        elif s.quiet_nats > QUIET_NATS and s.pos - s.active_pos >= p.hold and s.tone_phase == 0:
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
            return n_out
    # The longer the activity, the longer the pauses that belong to it: twitches of a train stay apart.
    if s.pos - s.active_pos > max(bridge(p, s.longest), p.hold):
        n_out = end_event(p, s, ring, out, n_out, 0)
    return n_out
