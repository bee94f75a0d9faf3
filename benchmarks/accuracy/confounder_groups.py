"""Groups whose difficulty lies beside the muscle: mains, motion, electrodes, the board, the heart, the noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from benchmarks.accuracy.making import FIRST_S, LAST_S, Group, Made, Rng, between, end_s, log_uniform, row_of_events
from benchmarks.accuracy.physics import physics
from emgtwitch.wearer.scenario import ArtefactKind, Device, Scenario, Scheduled, Spontaneous

ARTEFACT_CELLS = ("motion", "taps", "lead-off", "floor doubling", "clipping", "lost samples")
Range = tuple[float, float]
ENDURANCE_CELLS = ("mains", "movement", "electrodes", "heart")
QUIET_CELLS = ("steady", "heavy tails", "drifting")


def mains(k: int, rng: Rng, held_out: bool) -> Made:
    """Mains of 50 or 60 Hz with harmonics that comes and goes every few seconds."""
    rows = row_of_events(rng, 35, (10.0, 30.0), (0.9, 3.5))
    peak_uV = log_uniform(rng, 4.0, 80.0)
    harmonics = (1.0, between(rng, 0, 0.15), between(rng, 0.1, 0.5), between(rng, 0, 0.08), between(rng, 0.05, 0.25))
    mains_Hz = (50.0, 60.0)[k % 2]
    made = Scenario(
        **physics(rng, held_out),
        schedule=tuple(rows),
        mains_Hz=mains_Hz + between(rng, -0.2, 0.2),
        mains_wander_Hz=between(rng, 0.05, 0.3),
        mains_uV=tuple(peak_uV * share for share in harmonics),
        mains_spell_s=(log_uniform(rng, 3.0, 15.0), log_uniform(rng, 3.0, 15.0)),
    )
    return Made(made, end_s(rows), f"{mains_Hz:.0f} Hz", "mains")


def artefacts(k: int, rng: Rng, held_out: bool) -> Made:
    """What movement, electrodes and the board do to a signal, one of them in each recording."""
    cell = ARTEFACT_CELLS[k % len(ARTEFACT_CELLS)]
    rows = row_of_events(rng, 32, (15.0, 32.0), (1.6, 4.0))
    made = Scenario(**physics(rng, held_out), schedule=tuple(rows))
    duration_s = end_s(rows)
    lost: tuple[tuple[float, float], ...] = ()
    if cell == "motion":
        made = replace(made, schedule=tuple(rows + _between_events(rng, rows, "motion", (150.0, 2000.0), (0.2, 0.9))))
    elif cell == "taps":
        made = replace(made, schedule=tuple(rows + _between_events(rng, rows, "tap", (150.0, 3000.0), (0.03, 0.12))))
    elif cell == "lead-off":
        made, duration_s = _electrodes_off(rng, made, rows)
    elif cell == "floor doubling":
        made = replace(made, noise_profile=_floor_steps(rng, duration_s))
    elif cell == "clipping":
        made = _clipped(rng, made)
    else:
        lost = _losses(rng, rows)
    return Made(made, duration_s, cell, cell, lost)


def ecg(k: int, rng: Rng, held_out: bool) -> Made:
    """A heart up to five times as high as the twitches, smooth as from afar or sharp as over the chest."""
    sharp = k % 2 == 1
    twitch_uV = log_uniform(rng, 60.0, 200.0)
    rows = []
    for row in row_of_events(rng, 30, (0.0, 1.0), (1.2, 4.0)):
        strength = between(rng, 1.5, 4.0) if row.kind == "contraction" else between(rng, 0.7, 1.5)
        rows.append(replace(row, snr_dB=None, amplitude_uV=strength * twitch_uV))
    made = Scenario(
        **physics(rng, held_out),
        schedule=tuple(rows),
        ecg_uV=twitch_uV * log_uniform(rng, 0.5, 5.0),
        ecg_rate_per_min=between(rng, 50.0, 150.0),
        ecg_variability=between(rng, 0.02, 0.08),
        ecg_qrs_width=between(rng, 0.25, 0.5) if sharp else between(rng, 0.8, 1.2),
    )
    return Made(made, end_s(rows), "sharp" if sharp else "smooth", "ECG")


def quiet(k: int, rng: Rng, held_out: bool) -> Made:
    """An hour of nothing: each event is false."""
    cell = QUIET_CELLS[k % len(QUIET_CELLS)]
    made = Scenario(**physics(rng, held_out) | {"fs_Hz": 1000.0}, mains_uV=(between(rng, 0.0, 3.0), 0.3, 1.0))
    if cell == "heavy tails":
        made = replace(made, noise_tail_dB=between(rng, 1.0, 2.2))
    elif cell == "drifting":
        at_s, knots = 0.0, []
        while at_s < QUIET_S:
            knots.append((at_s, log_uniform(rng, 0.6, 1.7)))
            at_s += between(rng, 30.0, 180.0)
        made = replace(made, noise_profile=tuple(knots), drift_uV=between(rng, 30.0, 120.0))
    return Made(made, QUIET_S, cell, cell)


QUIET_S = 3600.0


def endurance(k: int, rng: Rng, held_out: bool) -> Made:
    """An hour of one confounder and no muscle: each event is false."""
    cell = ENDURANCE_CELLS[k % len(ENDURANCE_CELLS)]
    made = Scenario(**physics(rng, held_out) | {"fs_Hz": 1000.0}, mains_uV=(1.0, 0.2, 0.4))
    if cell == "mains":
        peak_uV = log_uniform(rng, 4.0, 60.0)
        made = replace(made, mains_uV=(peak_uV, 0.1 * peak_uV, 0.3 * peak_uV), mains_spell_s=(20.0, 20.0))
    elif cell == "movement":
        rows = (Spontaneous("motion", 120, (150.0, 2000.0)), Spontaneous("tap", 60, (150.0, 3000.0)))
        made = replace(made, spontaneous=rows)
    elif cell == "electrodes":
        made = replace(made, spontaneous=(Spontaneous("lead_off", 30, (1.0, 1.0)), Spontaneous("flat", 15, (1.0, 1.0))))
    else:
        rate = between(rng, 50.0, 110.0)
        made = replace(made, ecg_uV=log_uniform(rng, 30.0, 600.0), ecg_rate_per_min=rate)
        made = replace(made, ecg_qrs_width=between(rng, 0.3, 1.1))
    return Made(made, QUIET_S, cell, cell)


def _between_events(
    rng: Rng,
    rows: list[Scheduled],
    kind: ArtefactKind,
    amplitude_uV: tuple[float, float],
    length_s: tuple[float, float],
) -> list[Scheduled]:
    """Artefacts in half of the gaps: mostly in the middle, every fourth directly before the next event."""
    out = []
    for row, following in pairwise(rows):
        free_s = row.onset_s + (row.duration_s or 0.1) + 0.3
        duration_s = log_uniform(rng, *length_s)
        room_s = following.onset_s - free_s - duration_s - 0.3
        if rng.uniform() > 0.5 or room_s < 0:
            continue
        at_s = free_s + between(rng, 0.0, room_s)
        if kind == "tap" and rng.uniform() < 0.25:
            at_s = following.onset_s - duration_s - between(rng, 0.02, 0.1)
        out.append(Scheduled(at_s, kind, log_uniform(rng, *amplitude_uV), duration_s))
    return out


def _electrodes_off(rng: Rng, made: Scenario, rows: list[Scheduled]) -> tuple[Scenario, float]:
    """After every fifth event an electrode comes off for some seconds; a tap ends it as it is put on again."""
    out, later_s = [], 0.0
    for n, row in enumerate(rows):
        out.append(replace(row, onset_s=row.onset_s + later_s))
        if n % 5 == 4:
            at_s = row.onset_s + later_s + (row.duration_s or 0.1) + 1.0
            off_s = between(rng, 1.0, 6.0)
            out.append(Scheduled(at_s, "lead_off" if rng.uniform() < 0.7 else "flat", duration_s=off_s))
            out.append(Scheduled(at_s + off_s, "motion", log_uniform(rng, 100.0, 1500.0), 0.4))
            later_s += off_s + 4.0
    last = max(out, key=lambda r: r.onset_s)
    return replace(made, schedule=tuple(out)), last.onset_s + (last.duration_s or 0.1) + LAST_S


def _floor_steps(rng: Rng, duration_s: float) -> tuple[tuple[float, float], ...]:
    """The noise doubles within 50 ms, and some time later is as before."""
    at_s, level, knots = FIRST_S + 6.0, 1.0, [(0.0, 1.0)]
    while at_s < duration_s:
        after = 2.0 if level == 1.0 else 1.0
        knots += [(at_s, level), (at_s + 0.05, after)]
        level = after
        at_s += between(rng, 10.0, 25.0)
    return tuple(knots)


def _clipped(rng: Rng, made: Scenario) -> Scenario:
    """Every fourth event is beyond the rails by 1.2 to 4 times."""
    gain = between(rng, 4000.0, 10000.0)
    device = Device(10, gain=gain)
    rail_uV = 512 * device.uV_per_count
    rows = []
    for n, row in enumerate(made.schedule):
        strong = n % 4 == 3
        rows.append(replace(row, snr_dB=None, amplitude_uV=rail_uV * between(rng, 1.2, 4.0)) if strong else row)
    return replace(made, device=device, schedule=tuple(rows), drift_uV=min(made.drift_uV, 0.1 * rail_uV))


def _losses(rng: Rng, rows: list[Scheduled]) -> tuple[tuple[float, float], ...]:
    """Brief losses in gaps and within contractions, never in a twitch; some long ones in gaps."""
    out = []
    for n, (row, following) in enumerate(pairwise(rows)):
        length_s = row.duration_s or 0.1
        if row.kind == "contraction" and length_s > 0.5:
            at_s = row.onset_s + between(rng, 0.3, 0.6) * length_s
            out.append((at_s, at_s + between(rng, 0.01, 0.09)))
        middle_s = 0.5 * (row.onset_s + length_s + following.onset_s)
        if n % 8 == 7:
            out.append((middle_s - 0.15, middle_s - 0.15 + between(rng, 0.15, 0.3)))
        elif rng.uniform() < 0.6:
            out.append((middle_s, middle_s + between(rng, 0.004, 0.09)))
    return tuple(out)


CONFOUNDER_GROUPS: dict[str, Group] = {
    "mains": Group(mains, 30, 2),
    "artefacts": Group(artefacts, 48, 6),
    "ecg": Group(ecg, 36, 4),
    "quiet": Group(quiet, 24, 0),
    "endurance": Group(endurance, 24, 0),
}
