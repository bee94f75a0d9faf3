"""What the kernel reads and carries: one record of parameters, one of state, one row for each thing it found."""

from __future__ import annotations

import numpy as np

HOP_TICKS = 8
LANES = 8  # sinusoids removed: harmonics 1, 2, 3, 5 of both mains, or 1 to 8 of the one that was named
LEVELS = 7  # window energies of 1, 2, 4, ... 64 ticks
HISTORY = 2 ** (LEVELS - 1) + HOP_TICKS  # of windows kept of each
SCALES = 5  # of these, the ones that may open an event: about 8, 16, 32, 64 and 128 ms
LONGEST_TICK = 80  # samples, at 20 kHz
LONGEST_RING = 1 << 15
BINS = 1024  # of the floor's histogram, eighths of an octave of energy
FLOOR_MAX = 1024  # entries that the floor may look back on
CLEAR_LEVEL = 8.0  # times what it stands on: activity whose edges and pauses the noise does not hide
STEADY_HOPS = 24  # the three quarters of a second that tell more noise from muscle
MIN_ENTRIES = 12  # of the floor before it is believed: 0.4 s
EDGE_SHARE = 0.01  # of the peak's energy: 10 % of its RMS, as design.md defines onset and offset
TONE_SHARE = 0.03  # of a recent peak's energy: what does not rise above it is resting tone, no event of its own
RUNGS = 160  # of the ladder of levels, quarters of an octave of energy, from a quarter of the floor up

PARAMS = np.dtype(
    [
        ("tick", "i8"),  # samples in a tick
        ("first_scale", "i8"),  # level whose windows have about 8 ms
        ("scale", "f8"),  # uV per count
        ("main", "f8", (2, 5)),  # band-pass, b0 b1 b2 a1 a2
        ("low", "f8", (5,)),  # 4-25 Hz: motion, heart
        ("mid", "f8", (5,)),  # above 80 Hz, of the main band
        ("high", "f8", (5,)),  # above 280 Hz
        ("has_high", "i8"),
        ("delay", "i8"),  # samples by which the band-pass delays EMG
        ("lane_Hz", "f8", (LANES,)),  # harmonic number x nominal frequency
        ("lane_family", "i8", (LANES,)),
        ("lane_order", "f8", (LANES,)),
        ("mu", "f8"),  # adaptation of the lanes, per sample
        ("tune_hops", "i8"),  # hops from one look at the mains' frequency to the next
        ("fs", "f8"),
        ("threshold", "f8", (SCALES,)),  # of a window's mean square over the floor's, from the false-event budget
        ("dof", "f8", (SCALES,)),  # degrees of freedom of the windows' mean squares
        ("spread_gauss", "f8"),  # variance of the logarithm of 64 ms of Gaussian noise, as the two quantiles tell it
        ("far", "f8", (SCALES,)),  # what Gaussian noise exceeds once in TAIL_EVERY_S
        ("resume", "f8", (SCALES,)),  # what it exceeds once in RESUME_EVERY_S
        ("lasting", "i8"),  # samples from which on an event is judged by its mean level
        ("tail_down", "f8", (SCALES,)),  # factor of a tail at each look that finds nothing standing out
        ("dof_tick", "f8"),
        ("floor_entries", "i8"),
        ("fall_hops", "i8"),  # hops on end below the floor that make it fall
        ("floor_min", "f8"),  # mean square of the counts' own rounding
        ("line_window", "i8"),  # whole cycles of both mains: 100 ms, or 200 ms where the band holds few others
        ("floor_gain", "f8"),  # 1 / where Gaussian noise has the quantile that is tracked
        ("on_uV", "f8"),
        ("off_uV", "f8"),
        ("loud_decay", "f8"),  # per hop
        ("just_loud_decay", "f8"),
        ("rms5", "i8"),  # samples in 5 ms, at least 2
        ("hold", "i8"),  # samples of quiet that end a piece
        ("join", "i8"),  # pieces of which one is longer than `brief` join over so short a pause
        ("brief", "i8"),
        ("reach_max", "i8"),  # longest pause over which a short piece joins a longer one
        ("weak_reach", "i8"),  # the same where the noise hides what is weak of them
        ("doublet", "i8"),  # most from peak to peak of one unit's two potentials: 32-35 ms; trains have 43 and more
        ("merge_max", "i8"),  # samples
        ("twitch_max", "i8"),
        ("tone_max", "i8"),  # longest twitch on tone
        ("spasm_min", "i8"),
        ("min_length", "i8"),
        ("rail_low", "f8"),
        ("rail_high", "f8"),
        ("rail_run", "i8"),  # samples at a rail that make it an interval
        ("flat_run", "i8"),
        ("guard", "i8"),  # samples after a rail in which nothing may begin
        ("splice_guard", "i8"),  # the same after a short gap
        ("ring_mask", "i8"),
        ("ladder_lag", "i8"),  # samples by which edges are judged later than events are opened
    ]
)

STATE = np.dtype(
    [
        ("pos", "i8"),  # samples received since the cold start
        ("index", "i8"),  # the same on the recording's own time
        ("splice_pos", "i8"),  # where the last hole was: windows and edges do not look back across it
        ("last_count", "f8"),
        ("same_run", "i8"),
        ("rail_count", "i8"),
        ("bad", "i8"),  # 0 good, else the kind of interval that is open
        ("bad_start", "i8"),
        ("guard", "i8"),  # samples of guard left
        ("cold", "i8"),  # 1: filters start from the next sample
        ("settling", "i8"),  # 1: the floor is not known yet
        ("settling_start", "i8"),
        ("z_main", "f8", (4,)),
        ("z_low", "f8", (2,)),
        ("z_high", "f8", (2,)),
        ("lane_c", "f8", (LANES,)),  # amplitudes of the mains' cosines and sines, counted from the hop's beginning
        ("lane_s", "f8", (LANES,)),
        ("lane_phase", "f8", (LANES,)),
        ("family_Hz", "f8", (2,)),  # mains frequency as tracked, near 50 and near 60
        ("clip", "f8"),  # largest error that the lanes learn from
        ("eager", "i8"),  # hops for which the lanes learn fast
        ("fit_c", "f8", (LANES,)),  # what the last fit found left of each lane, and its recursion's factor
        ("fit_s", "f8", (LANES,)),
        ("fit_turn", "f8", (LANES,)),
        ("learnt_pos", "i8"),  # where the lanes last took over a fit
        ("line_due", "i8"),  # where an event is next asked whether it is mains
        ("since_tuned", "i8"),  # samples since the mains' frequency was last looked at
        ("in_hop", "i8"),  # samples of the hop so far; pos and index stand at its beginning
        ("hops", "i8"),
        ("tick_main", "f8", (HOP_TICKS,)),
        ("e_low", "f8"),  # of the hop
        ("e_high", "f8"),
        ("e_main", "f8"),  # of the tick
        ("ticks", "i8"),
        ("hop_tick", "i8"),  # which of the hop is being looked at
        ("history", "f8", (LEVELS, HISTORY)),
        ("window", "f8", (LEVELS,)),
        ("low_ms", "f8"),  # mean squares, smoothed over 32 ms
        ("high_ms", "f8"),
        ("histogram", "i4", (BINS,)),
        ("entries", "i2", (FLOOR_MAX,)),
        ("n_entries", "i8"),
        ("next_entry", "i8"),
        ("bin", "i8"),  # the quantile lies in this bin
        ("fallen", "i8"),  # entries on end far below the floor
        ("below", "i8"),  # entries in lower bins
        ("floor", "f8"),  # mean square of the quiet signal; 0: not known
        ("high_floor", "f8"),
        ("threshold", "f8", (SCALES,)),  # the parameters of these names, widened as far as the noise wavers
        ("far", "f8", (SCALES,)),
        ("resume", "f8", (SCALES,)),
        ("tail", "f8", (SCALES,)),  # by how much the noise's tail is heavier than Gaussian noise's
        ("tail_pos", "i8", (SCALES,)),  # where it last stood out
        ("on", "f8", (SCALES,)),  # window energies that open an event
        ("phase", "i8"),  # 0 quiet, 1 active, 2 in a pause
        ("number", "i8"),
        ("open_number", "i8"),
        ("open_pos", "i8"),
        ("open_index", "i8"),
        ("piece_pos", "i8"),
        ("longest", "i8"),
        ("active_pos", "i8"),  # where activity was last certain
        ("active_index", "i8"),
        ("end_pos", "i8"),  # of the last event: windows do not look back beyond it
        ("quiet_nats", "f8"),  # evidence that the event has ended
        ("quiet_ticks", "i8"),  # since activity was last certain
        ("quiet_energy", "f8"),
        ("level", "f8"),
        ("log_level", "f8"),
        ("base", "f8"),  # mean square against which the event ends
        ("event_floor", "f8"),
        ("sum_main", "f8"),
        ("sum_main_sure", "f8"),
        ("low_max", "f8"),  # most of low_ms in the event, and most of the band's mean square over 32 ms
        ("strong", "f8"),
        ("steady_n", "i8"),
        ("steady_main", "f8", (STEADY_HOPS,)),  # mean squares of the event's last hops, in the band and above 280 Hz
        ("steady_high", "f8", (STEADY_HOPS,)),
        ("lined", "i8"),  # 0: what began the event was no mains; -1: not known yet
        ("low_floor", "f8"),  # 35 % quantile of low_ms
        ("band_ms", "f8"),  # the band's mean square of the hop before
        ("next_low", "f8"),  # the beat that is coming up: most energy below 25 Hz, that of the band, when
        ("next_band", "f8"),
        ("next_beat", "i8"),
        ("beat_low", "f8"),  # the same of the beats before, and when the last one was
        ("beat_band", "f8"),
        ("beat", "i8"),
        ("pace", "f8"),  # samples from beat to beat
        ("in_time", "i8"),  # beats that came as expected, less those that did not
        ("heart_told", "i8"),  # when it was last said that the heart is seen
        ("announced", "i8"),
        ("announced_onset", "i8"),
        ("announced_end", "i8"),
        ("ladder_pos", "i8"),
        ("rms5_energy", "f8"),
        ("peak5", "f8"),
        ("peak", "f8"),
        ("loud", "f8"),  # decaying peak of the events before: what lasts and stays far below is resting tone
        ("just_loud", "f8"),  # the same, sooner forgotten: what is short and far below is a contraction dying away
        ("last_peak5", "f8"),  # of the last event that ended
        ("last_offset", "i8"),
        ("rung_scale", "f8"),
        ("top_rung", "i8"),
        ("first", "i8", (RUNGS,)),
        ("last", "i8", (RUNGS,)),
        ("kept", "i8"),  # 1: a short event is over and waits to see whether it was the beginning of a longer one
        ("kept_number", "i8"),
        ("kept_cause", "i8"),
        ("kept_onset", "i8"),
        ("kept_offset", "i8"),
        ("kept_peak", "f8"),
        ("kept_peak5", "f8"),
        ("kept_sum", "f8"),
        ("kept_floor", "f8"),
        ("kept_low", "f8"),
        ("kept_strong", "f8"),
        ("kept_open_pos", "i8"),
        ("kept_open_index", "i8"),
        ("kept_end_pos", "i8"),
        ("kept_length", "i8"),
        ("kept_top", "i8"),
        ("kept_first", "i8", (RUNGS,)),
        ("kept_last", "i8", (RUNGS,)),
        ("tone_phase", "i8"),  # 0 none, 1 a twitch on tone is under way or just over
        ("tone_start", "i8"),
        ("tone_last", "i8"),
        ("tone_ref", "f8"),  # mean square of the tone that it stands on
        ("tone_mean", "f8"),  # mean square of the event's last 1.5 s, and as it was before the twitch
        ("tone_mean_before", "f8"),
        ("tone_ticks", "i8"),  # that the mean is of
        ("tone_peak", "f8"),  # of its 8 ms
        ("tone_over", "i8"),  # where the last twitch on the tone ended
        ("ring", "f8", (LONGEST_RING,)),  # the newest filtered samples
        ("work", "f8", (HOP_TICKS * LONGEST_TICK,)),  # the hop's, before the mains is off
        ("rows", "f8", (HOP_TICKS * LONGEST_TICK + 1, 2 * LANES)),  # the lanes' cosines and sines over a hop
    ]
)

EVENT, ANNOUNCEMENT, INTERVAL = 0, 1, 2
OUT = np.dtype(
    [
        ("type", "i8"),
        ("cause", "i8"),  # of an interval, one of CAUSES
        ("number", "i8"),
        ("onset", "i8"),
        ("offset", "i8"),
        ("decided", "i8"),
        ("peak", "f8"),
        ("rms", "f8"),
        ("snr_dB", "f8"),
        ("on_tone", "i8"),
        ("truncated", "i8"),
    ]
)

# Intervals by their number in `cause` and in the state's `bad`: kind, and cause of an artefact.
CAUSES = (
    ("", ""),
    ("rail", ""),
    ("flat", ""),
    ("settling", ""),
    ("artefact", "motion"),
    ("artefact", "mains"),
    ("artefact", "noise"),
    ("artefact", "tap"),
    ("artefact", "ecg"),
)
RAIL, FLAT, SETTLING, MOTION, MAINS, NOISE, TAP, ECG = 1, 2, 3, 4, 5, 6, 7, 8
