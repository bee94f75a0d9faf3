"""Kernels of what is emitted, and of short events that wait to see whether they were the beginning of a longer one."""

from __future__ import annotations

import math

from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.state import CLEAR_LEVEL, EVENT, INTERVAL, TAP, TONE_SHARE


@kernel
def emit(s, out, n_out, kind, number, onset, offset):
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


@kernel
def emit_interval(s, out, n_out, cause, onset, offset):
    n_out = emit(s, out, n_out, INTERVAL, 0, onset, offset)
    out[n_out - 1].cause = cause
    return n_out


@inline
def let_go(s, out, n_out):
    """The event that was kept is one of its own: emit it."""
    if s.kept == 1:
        s.kept = 0
        kind = EVENT if s.kept_cause == 0 else INTERVAL
        n_out = emit(s, out, n_out, kind, s.kept_number, s.kept_onset, s.kept_offset)
        row = out[n_out - 1]
        row.cause = s.kept_cause
        row.peak = s.kept_peak
        row.rms = math.sqrt(s.kept_sum / (s.kept_offset - s.kept_onset))
        row.snr_dB = 10 * math.log10(row.rms**2 / s.kept_floor)
    return n_out


@kernel
def keep(s, onset, offset, cause):
    """Keep the event just over."""
    s.kept = 1
    s.kept_number, s.kept_cause = s.open_number, cause
    s.kept_onset, s.kept_offset = onset, offset
    s.kept_peak, s.kept_peak5, s.kept_sum, s.kept_floor = s.peak, s.peak5, s.sum_main_sure, s.event_floor
    s.kept_low, s.kept_strong = s.low_max, s.strong
    s.kept_open_pos, s.kept_open_index, s.kept_end_pos = s.open_pos, s.open_index, s.active_pos
    s.kept_length = offset - onset
    s.kept_top = s.top_rung
    s.kept_first[:] = s.first
    s.kept_last[:] = s.last


@inline
def belong(p, s, onset, offset):
    """Whether [onset, offset) goes on with the event that was kept: not where both are brief, as in a train."""
    gap, length = onset - s.kept_offset, offset - onset
    longer, shorter = max(s.kept_length, length), min(s.kept_length, length)
    if s.kept_cause == TAP or min(s.peak5, s.kept_peak5) < TONE_SHARE * max(s.peak5, s.kept_peak5):
        return False
    if s.top_rung >= 0 and s.first[s.top_rung] - s.kept_first[s.kept_top] <= p.doublet:
        return gap <= p.merge_max
    if s.kept_length > p.twitch_max:
        return gap <= max(p.join, bridge(p, s.kept_length))
    if longer <= p.brief:
        return False
    return gap <= max(p.join, min(bridge(p, longer), reach(p, s, shorter)))


@inline
def bridge(p, length):
    """The longest pause that activity so long may have: half of it, so that twitches of a train stay apart."""
    return min(length // 2, p.merge_max)


@inline
def reach(p, s, length):
    """The longest pause over which a piece so long may join a longer one; weak activity makes it longer than it is."""
    if s.level < CLEAR_LEVEL:
        return max(p.weak_reach, length // 2)
    return min(length + length // 2, max(p.reach_max, length // 2))


@kernel
def join(s):
    """The event that was kept was the beginning of the one that is open."""
    s.kept = 0
    s.last_offset = -(1 << 40)
    s.open_number = s.kept_number
    s.open_pos, s.open_index = s.kept_open_pos, s.kept_open_index
    s.peak, s.peak5 = max(s.peak, s.kept_peak), max(s.peak5, s.kept_peak5)
    s.low_max, s.strong = max(s.low_max, s.kept_low), max(s.strong, s.kept_strong)
    s.sum_main += s.kept_sum
    s.sum_main_sure += s.kept_sum
    s.event_floor = min(s.event_floor, s.kept_floor)
    for rung in range(s.kept_top + 1):
        s.first[rung] = s.kept_first[rung]
        s.last[rung] = max(s.last[rung], s.kept_last[rung])
    s.top_rung = max(s.top_rung, s.kept_top)
