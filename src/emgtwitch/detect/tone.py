"""Kernel of twitches that ride on a longer event: told by their contrast with the tone before and after them."""

from __future__ import annotations

import math

from emgtwitch.detect.heart import near_beat
from emgtwitch.detect.jit import inline, kernel
from emgtwitch.detect.ladder import energy5, peak_energy5, span_around
from emgtwitch.detect.pieces import emit
from emgtwitch.detect.state import EDGE_SHARE, EVENT

CONTRAST = 17.0  # of the highest 5 ms to the tone around it: a unit's potential is brief, what is longer dilutes it
APART = 1.75  # of the highest 5 ms to the next highest around it: a large unit of the tone fires again and again
MEMORY_S = 1.5  # of the tone's mean: what stands out of a lull, or of the decline of a contraction, is tone
CHANCES_S, CHANCES_POWER = 3.0, 0.2  # the longer an event, the more often its own peaks may stand out so far
HINT = 7.0  # of 8 ms to the tone before, from which on a twitch is looked for
GOES_ON = 0.4  # of its highest 8 ms: below, the twitch is over unless it comes again
TONE_EDGE = 4.0  # times the tone: where a twitch on it begins and ends


@kernel
def _energy(p, s, start, stop):
    total = 0.0
    for i in range(start, stop):
        total += s.ring[i & p.ring_mask] ** 2
    return total


@inline
def tone(p, s, out, n_out):
    """One tick of an open event: find a twitch riding on the open event.

    It must stand out from the quarter second before and the eighth after it taken together: where a pause ends or the
    tone swells, the time after is as strong. So it is told an eighth of a second late.
    """
    k256, k128, k8 = p.first_scale + 5, p.first_scale + 4, p.first_scale
    n256, n128, n8 = p.tick * (1 << k256), p.tick * (1 << k128), p.tick * (1 << k8)
    now = s.window[k8] / n8
    s.tone_ticks += 1
    s.tone_mean += (s.e_main / p.tick - s.tone_mean) * max(1.0 / s.tone_ticks, p.tick / (MEMORY_S * p.fs))
    if s.tone_phase == 0:
        if s.pos - max(s.open_pos, s.splice_pos) < 2 * n256 + 3 * n8:  # a brief contraction is no tone
            return n_out
        before = s.history[k256, (1 << k256) + s.hop_tick - 3 * (1 << k8)] / n256
        if s.pos < s.tone_over + n256 + 3 * n8:
            before = min(before, s.tone_ref)  # the twitch before this one is no part of the tone
        if now > HINT * before:
            s.tone_phase = 1
            s.tone_start = s.pos - 3 * n8
            s.tone_last = s.pos
            s.tone_ref = before
            s.tone_mean_before = s.tone_mean
            s.tone_peak = now
        return n_out
    s.tone_peak = max(s.tone_peak, now)
    if now > max(TONE_EDGE * s.tone_ref, GOES_ON * s.tone_peak):
        s.tone_last = s.pos
    if s.tone_last - s.tone_start > 2 * p.tone_max:
        s.tone_phase = 0  # no twitch: the contraction itself has become stronger
    elif s.pos - s.tone_last >= n128:
        s.tone_phase = 0
        start = max(s.tone_start, s.splice_pos + p.rms5)
        peak5, at = peak_energy5(p, s, start, s.tone_last)
        after = s.window[k128] / n128
        level = max(EDGE_SHARE * peak5, TONE_EDGE * max(s.tone_ref, after) * p.rms5)
        first, last = span_around(p, s, start, s.pos, at, level)
        # What leads up to the peak and dies away from it counts as tone: tone swells, a twitch begins at once.
        stop = at - p.rms5 - 2 * n8
        begin = max(stop - n256, max(s.open_pos, s.tone_over))
        energy, samples = _energy(p, s, at + 2 * n8, s.pos), s.pos - at - 2 * n8
        if stop - begin > n256 // 4:
            around = (energy + _energy(p, s, begin, stop)) / (samples + stop - begin)
        else:
            around = (energy + s.tone_ref * n256) / (samples + n256)
        chances = max((s.pos - s.open_pos) / (CHANCES_S * p.fs), 1.0) ** CHANCES_POWER
        if peak5 < CONTRAST * chances * max(around, s.tone_mean_before) * p.rms5:
            return n_out
        next5 = peak_energy5(p, s, at + 2 * n8 + p.rms5, s.pos)[0]
        if stop > begin:
            next5 = max(next5, peak_energy5(p, s, begin, stop)[0])
        if peak5 < APART * next5:
            return n_out
        length = last + 1 - first
        if length < p.min_length or length > p.tone_max or near_beat(p, s, at + s.index - s.pos):
            return n_out
        total, peak = 0.0, 0.0
        for i in range(first, last + 1):
            y = s.ring[i & p.ring_mask]
            total += y * y
            peak = max(peak, abs(y))
        shift = s.index - s.pos - p.delay - p.rms5 // 2
        s.number += 1
        n_out = emit(s, out, n_out, EVENT, s.number, first + shift, last + 1 + shift)
        row = out[n_out - 1]
        row.peak = peak
        row.rms = math.sqrt(total / length)
        row.snr_dB = 10 * math.log10(total / length / s.event_floor)
        row.on_tone = 1
        s.tone_ref = around
        s.tone_mean = s.tone_mean_before
        s.tone_over = last + n8
        # The twitch is no part of the tone: it must not set the peak that the tone's edges are measured against.
        s.ladder_pos = max(s.ladder_pos, last + 1 + p.rms5)
        s.rms5_energy = energy5(p, s, s.ladder_pos)
    return n_out
