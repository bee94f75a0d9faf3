"""Kernels of one event: opening, going on, pausing, twitches on its tone, closing, and telling artefacts from it."""

from __future__ import annotations

import math

from emgtwitch.detect.floor import forget_floor, set_thresholds, take_entry, undo_tail
from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.ladder import climb, connected, edges
from emgtwitch.detect.mains import fit_lanes, learn_at_once
from emgtwitch.detect.noise import is_noise
from emgtwitch.detect.pieces import belong, bridge, emit, emit_interval, join, keep, let_go, reach
from emgtwitch.detect.shape import artefact
from emgtwitch.detect.state import (
    ANNOUNCEMENT,
    CLEAR_LEVEL,
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

QUIET_NATS = 12.0  # of evidence that activity has ended
CLEAR_NATS = 8.0  # the same of what is clear and brief: between the twitches of a train there is time for no more
FAINT_SHARE = 0.0003  # of a recent peak's energy: what stays below it is resting tone, however short
RELATIVE_OFF = 0.05  # an event ends where its mean square over 16 ms falls to this share of that over 256 ms
# Of activity over what it stands on, as the test for quiet assumes it.
LASTING_LEVEL, LEVEL_MIN, LEVEL_MAX = 1.5, 2.0, 20.0
LINE_SHARE = 0.8  # of what exceeds the floor: more of it on the mains' harmonics is mains


@inline
def _is_active(s):
    """At this tick there is activity for certain; the evidence that it has ended begins anew."""
    s.active_pos = s.pos
    s.active_index = s.index
    s.sum_main_sure = s.sum_main
    s.quiet_nats = 0.0
    s.quiet_ticks, s.quiet_energy = 0, 0.0


@kernel
def begin_event(p, s, k):
    """Begin an event whose energy was found in the window of level k."""
    n = p.tick * (1 << k)
    s.phase = 1
    s.number += 1
    s.open_number = s.number
    s.open_pos = s.pos - n
    s.open_index = s.index - n
    s.piece_pos = s.open_pos
    s.longest = 0
    s.event_floor = s.floor
    s.base = s.floor
    s.level = LEVEL_MIN
    s.log_level = math.log(LEVEL_MIN)
    s.sum_main = s.window[k]
    _is_active(s)
    s.low_max = s.low_ms
    s.strong = s.window[p.first_scale + 2] / (p.tick * (1 << (p.first_scale + 2)))
    s.steady_n = 0
    s.announced = 0
    s.lined = -1
    s.line_due = s.open_pos + p.line_window
    s.tone_phase = 0
    s.tone_over = -(1 << 40)
    s.tone_mean, s.tone_ticks = 0.0, 0
    s.peak = 0.0
    s.peak5 = 0.0
    s.top_rung = -1
    s.last[:] = 0
    if s.kept == 0:  # the ladders of events that may be joined are of one measure
        s.rung_scale = 4.0 / (s.floor * p.rms5)
    undo_tail(p, s)
    start = max(s.open_pos - p.rms5 - p.delay, max(s.splice_pos, s.end_pos, s.ladder_pos))
    s.ladder_pos = start
    s.rms5_energy = 0.0
    for i in range(max(start - p.rms5, s.splice_pos), start):
        s.rms5_energy += s.ring[i & p.ring_mask] ** 2


@kernel
def what_else(p, s, onset, offset):
    """The cause if the event at [onset, offset) of the ring is an artefact, else 0."""
    cause = artefact(p, s, onset, offset)
    if cause == 0 and s.lined < 0:
        n = p.line_window
        fresh = max(s.splice_pos, s.learnt_pos)
        stop = min(s.pos, max(s.active_pos, max(s.open_pos, fresh) + n))
        if stop - n >= fresh and fit_lanes(p, s, stop, n)[0] > LINE_SHARE:
            return MAINS
    return cause


@kernel
def meet_mains(p, s, out, n_out):
    """Between two hops of an open event: if it is mains that came or went, learn that at once and drop the event."""
    n = p.line_window
    age = s.pos - s.open_pos
    s.line_due = s.pos + (n // 2 if age < 4 * n else 2 * n)
    if s.pos - n < max(s.splice_pos, s.learnt_pos):
        return n_out
    share, family = fit_lanes(p, s, s.pos, n)
    if share < LINE_SHARE:
        if age >= 2 * n:  # while it still comes up its share is less
            s.lined = 0
        return n_out
    learn_at_once(p, s, family, n)
    s.eager = int(0.5 * p.fs) // (HOP_TICKS * p.tick)
    if s.lined < 0:
        s.phase = 0
        s.end_pos = s.pos
        s.ladder_pos = s.pos + p.rms5  # no 5 ms look back at what had not been learnt
        n_out = emit_interval(s, out, n_out, MAINS, s.open_index, s.index)
    return n_out


@kernel
def meet_noise(p, s, out, n_out):
    """Between two hops of an open event: if the noise has risen, take that for the floor and drop the event."""
    main, high = is_noise(p, s)
    if main == 0.0:
        return n_out
    s.phase = 0
    s.end_pos = s.pos
    forget_floor(s)
    s.high_floor = high
    for _ in range(MIN_ENTRIES):
        take_entry(p, s, main / p.floor_gain)
    set_thresholds(p, s)
    return emit_interval(s, out, n_out, NOISE, s.open_index, s.index)


@kernel
def end_event(p, s, out, n_out, truncated):
    """End the open event: refine its edges, tell artefacts from contractions, emit it."""
    climb(p, s, min(s.active_pos + p.rms5 + p.delay, s.pos))
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
    if s.top_rung >= 0 and s.announced == 0 and offset - onset <= 2 * p.twitch_max:
        onset = connected(p, s, onset, offset)
    length = offset - onset
    if length < p.min_length or s.top_rung < 0:
        return n_out
    sustained = length > p.twitch_max
    if s.peak5 < max(TONE_SHARE * (s.loud if sustained else s.just_loud), FAINT_SHARE * s.loud):
        return n_out  # resting tone, or the dying away, of a much stronger contraction
    if s.peak5 < TONE_SHARE * s.last_peak5 and onset - s.last_offset < 0.05 * p.fs:
        return n_out  # what the filters still have of the event just over
    s.last_peak5 = s.peak5
    s.last_offset = offset
    cause = what_else(p, s, onset + late, offset + late) if s.announced == 0 else 0
    if cause == 0:  # an artefact says nothing of how strong the muscle is
        s.loud = max(s.loud, s.peak5)
        if sustained:
            s.just_loud = max(s.just_loud, s.peak5)
    # Dips may have ended one early that is not much longer than a twitch, too.
    if s.announced == 0 and length <= 2 * p.twitch_max and truncated == 0:
        keep(s, onset, offset, cause)
        return n_out
    n_out = emit(s, out, n_out, EVENT if cause == 0 else INTERVAL, s.open_number, onset, offset)
    row = out[n_out - 1]
    row.cause = cause
    row.peak = s.peak
    row.rms = math.sqrt(s.sum_main_sure / length)
    row.snr_dB = 10 * math.log10(row.rms**2 / s.event_floor)
    row.truncated = truncated
    return n_out


@inline
def _was_over(p, s, level):
    """Whether a weak event had ended before the far stronger activity of this tick, for which the time since was quiet.

    Against its own level that takes long to show, and meanwhile a weak twitch would join the strong one after it.
    """
    gap = s.pos - p.tick - s.active_pos
    if gap < p.hold or gap <= bridge(p, max(s.longest, s.active_pos - s.piece_pos)) or level < 2 * LEVEL_MIN:
        return False
    quiet = s.quiet_energy / (p.tick * s.base)
    return 0.5 * p.dof_tick * (s.quiet_ticks * math.log(level) + quiet * (1 / level - 1)) > QUIET_NATS


@inline
def follow(p, s, out, n_out):
    """One tick of an open event: is it going on, pausing, over, long enough to announce, or only noise?"""
    n256 = p.tick * (1 << (p.first_scale + 5))
    n32 = p.tick * (1 << (p.first_scale + 2))
    s.sum_main += s.e_main
    s.low_max = max(s.low_max, s.low_ms)
    s.strong = max(s.strong, s.window[p.first_scale + 2] / n32)
    s.event_floor = min(s.event_floor, s.floor)
    if s.phase == 1:
        n_out = tone(p, s, out, n_out)
        recent = s.window[p.first_scale + 5] / n256
        if s.tone_phase == 1 or s.pos < s.tone_over + n256:
            recent = min(recent, s.tone_ref)  # a twitch on the tone does not tell how strong the tone is
        s.base = max(s.event_floor, RELATIVE_OFF * recent, EDGE_SHARE * s.peak5 / p.rms5)
        if p.off_uV > 0:
            s.base = max(s.base, (math.sqrt(s.event_floor) + p.off_uV) ** 2)
        lasts = s.pos - s.open_pos > p.lasting
        least = LASTING_LEVEL if lasts else LEVEL_MIN
        level = min(max(s.window[p.first_scale + 2] / n32 / s.base, least), LEVEL_MAX)
        if s.tone_phase == 1:
            level = min(level, s.level)
        at_once = level > s.level and (not lasts or level > CLEAR_LEVEL)  # of weak activity that lasts, the mean
        if at_once or s.ticks % 4 == 0:
            s.level += (level - s.level) * (1.0 if at_once else p.tick * 4 / (0.3 * p.fs))
            s.log_level = math.log(s.level)
        z = s.e_main / (p.tick * s.base)
        if at_once and not lasts and _was_over(p, s, min(z, LEVEL_MAX)):
            return end_event(p, s, out, n_out, 0)
        s.quiet_ticks += 1
        s.quiet_energy += s.e_main
        s.quiet_nats += 0.5 * p.dof_tick * (s.log_level + z * (1 / s.level - 1))
        if s.quiet_nats <= 0.0:
            _is_active(s)
        if s.kept == 1 and s.ticks % 4 == 0 and s.active_pos - s.open_pos > p.brief + p.ladder_lag:
            onset, offset = edges(p, s)
            if belong(p, s, onset, offset):
                join(s)
            elif onset - s.kept_offset > max(p.join, reach(p, s, s.kept_length)):
                n_out = let_go(s, out, n_out)
        until = s.pos - p.ladder_lag
        if s.tone_phase == 1:
            until = min(until, s.tone_start)
        climb(p, s, until)
        if s.announced == 0 and s.index - s.open_index >= p.spasm_min:
            onset, offset = edges(p, s)
            offset = max(offset, s.active_index - p.delay)  # edges come later than activity is sure
            if s.top_rung >= 0 and offset - onset >= p.spasm_min and s.peak5 >= TONE_SHARE * s.loud:
                s.announced = 1
                s.announced_onset = onset
                s.announced_end = offset
                n_out = emit(s, out, n_out, ANNOUNCEMENT, s.open_number, onset, offset)
        clear = s.level >= CLEAR_LEVEL and not lasts
        hold = p.hold // 2 if clear else p.hold
        if s.quiet_nats > (CLEAR_NATS if clear else QUIET_NATS) and s.pos - s.active_pos >= hold and s.tone_phase == 0:
            s.phase = 2
            s.longest = max(s.longest, s.active_pos - s.piece_pos)
        return n_out
    sustained = s.longest > p.twitch_max
    hold = p.hold // 2 if s.level >= CLEAR_LEVEL and s.longest <= p.lasting else p.hold
    pause = max(bridge(p, s.longest), hold)
    if s.longest > p.lasting and s.level < CLEAR_LEVEL:  # its edges lie below the noise
        pause += p.lasting // 4
    for j in range(SCALES if sustained else SCALES - 1):
        k = p.first_scale + j
        n = p.tick * (1 << k)
        if s.pos - n < s.active_pos:
            break
        on = s.on[j]
        if sustained:  # what has lasted goes on more easily than it begins
            on = min(on, (1 + (s.resume[j] - 1) * s.tail[j]) * s.floor * n)
        if s.window[k] > max(on, (1.0 if sustained else LEVEL_MIN) * s.base * n):
            if s.pos - n - s.active_pos > pause:
                return end_event(p, s, out, n_out, 0)
            s.phase = 1
            s.piece_pos = s.pos - n
            _is_active(s)
            return n_out
    # The longer the activity, the longer the pauses that belong to it: twitches of a train stay apart. What goes on
    # weakly after one needs a window to show.
    if s.pos - s.active_pos > pause + (p.lasting if s.longest > p.lasting else 0):
        n_out = end_event(p, s, out, n_out, 0)
    return n_out
