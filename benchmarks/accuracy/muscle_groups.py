"""Groups whose difficulty lies in the muscle: how brief, how weak, how long, how strong, on what."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.accuracy.making import FIRST_S, LAST_S, Group, Made, Rng, between, end_s, log_uniform, row_of_events
from benchmarks.accuracy.physics import physics
from emgtwitch.wearer.scenario import Device, Kind, Scenario, Scheduled

SINGLE_DB = (0.0, 3.0, 6.0, 10.0, 20.0)
SINGLE_KINDS: tuple[tuple[Kind, float | None], ...] = (
    ("twitch", None),
    ("doublet", None),
    ("jerk", 0.03),
    ("jerk", 0.06),
    ("jerk", 0.12),
)
WIDE_RANGE = Device(16, gain=150.0)  # 60 dB over the floor fit between its rails


def single(k: int, rng: Rng, held_out: bool) -> Made:
    """Single units, doublets and jerks at every signal-to-noise ratio, in random order."""
    cells = [(kind, duration_s, snr_dB) for kind, duration_s in SINGLE_KINDS for snr_dB in SINGLE_DB] * 3
    at_s = FIRST_S
    rows: list[Scheduled] = []
    for n in rng.permutation(len(cells)):
        kind, duration_s, snr_dB = cells[n]
        rows.append(Scheduled(at_s, kind, duration_s=duration_s, snr_dB=snr_dB))
        at_s += between(rng, 0.9, 2.0)
    return Made(Scenario(**physics(rng, held_out), schedule=tuple(rows)), at_s + LAST_S)


def contractions(k: int, rng: Rng, held_out: bool) -> Made:
    """Contractions of 0.15-2 s, all of one recording about equally strong."""
    snr_dB = (3.0, 6.0, 10.0, 20.0)[k % 4]
    at_s = FIRST_S
    rows: list[Scheduled] = []
    wanted_s: list[float] = []
    while len(rows) < 25:
        wanted_s.append(log_uniform(rng, 0.155, 1.95))
        rows.append(Scheduled(at_s, "contraction", duration_s=wanted_s[-1], snr_dB=snr_dB + between(rng, -0.5, 0.5)))
        at_s += wanted_s[-1] + between(rng, 1.0, 3.0)
    made = Scenario(**physics(rng, held_out), schedule=tuple(rows))
    return Made(made, at_s + LAST_S, f"{snr_dB:.0f} dB", fitted_s=tuple(wanted_s))


def limits(k: int, rng: Rng, held_out: bool) -> Made:
    """Events just within, just beyond and 15 % away from the longest twitch and the shortest spasm."""
    snr_dB = (6.0, 10.0, 20.0)[k % 3]
    wanted = [0.140, 0.160, 1.9, 2.1] * 5 + [0.1275, 0.1725, 1.7, 2.3] * 3
    at_s = FIRST_S
    rows: list[Scheduled] = []
    order = [wanted[n] for n in rng.permutation(len(wanted))]
    for duration_s in order:
        kind: Kind = "jerk" if duration_s < 0.2 and rng.uniform() < 0.5 else "contraction"
        rows.append(Scheduled(at_s, kind, duration_s=duration_s, snr_dB=snr_dB))
        at_s += duration_s + between(rng, 1.0, 2.5)
    made = Scenario(**physics(rng, held_out), schedule=tuple(rows))
    return Made(made, at_s + LAST_S, f"{snr_dB:.0f} dB", fitted_s=tuple(order))


def spasms(k: int, rng: Rng, held_out: bool) -> Made:
    """Spasms of 2-60 s, sharp and ramped, with pauses, all of one recording about equally strong."""
    snr_dB = (3.0, 6.0, 10.0, 20.0, 40.0, 60.0)[k % 6]
    at_s = FIRST_S
    rows: list[Scheduled] = []
    for _ in range(4):
        duration_s = log_uniform(rng, 2.6, 60.0)
        rows.append(Scheduled(at_s, "spasm", duration_s=duration_s, snr_dB=snr_dB + between(rng, -0.5, 0.5)))
        at_s += duration_s + between(rng, 3.0, 8.0)
    made = physics(rng, held_out)
    if snr_dB > 30:
        made |= {"device": WIDE_RANGE}
    return Made(Scenario(**made, schedule=tuple(rows)), at_s + LAST_S, f"{snr_dB:.0f} dB")


def on_tone(k: int, rng: Rng, held_out: bool) -> Made:
    """Twitches that ride on held tone, steady or bursty, and some beside it."""
    bursty = k % 2 == 1
    at_s = FIRST_S
    rows: list[Scheduled] = []
    for _ in range(7):
        duration_s = between(rng, 2.5, 8.0)
        rows.append(Scheduled(at_s, "twitch_on_tone", duration_s=duration_s, snr_dB=between(rng, 20.0, 32.0)))
        at_s += duration_s + between(rng, 1.5, 3.0)
        rows.append(Scheduled(at_s, "twitch", snr_dB=between(rng, 12.0, 30.0)))
        at_s += between(rng, 1.5, 3.0)
    made = Scenario(**physics(rng, held_out), schedule=tuple(rows))
    if bursty:
        made = replace(made, held_tone_wavering=0.4, held_tone_correlation_s=0.12)
    return Made(made, at_s + LAST_S, "bursty" if bursty else "steady")


def trains(k: int, rng: Rng, held_out: bool) -> Made:
    """One unit again and again; what looks like a spasm is none."""
    rates_Hz = ((2.0, 5.0), (5.0, 10.0), (10.0, 15.0), (15.0, 20.0))[k % 4]
    at_s = FIRST_S
    rows: list[Scheduled] = []
    for _ in range(12):
        duration_s = log_uniform(rng, 0.8, 6.0)
        rows.append(Scheduled(at_s, "train", duration_s=duration_s, snr_dB=between(rng, 12.0, 32.0)))
        at_s += duration_s + between(rng, 2.0, 4.0)
    made = Scenario(**physics(rng, held_out), schedule=tuple(rows), train_rate_Hz=rates_Hz)
    return Made(made, at_s + LAST_S, f"{rates_Hz[0]:.0f}-{rates_Hz[1]:.0f} Hz")


def strong(k: int, rng: Rng, held_out: bool) -> Made:
    """Contractions 40-60 dB over resting tone that was there, came with the first, or swells after each of them."""
    cell = ("tone there", "tone comes", "tone swells")[k % 3]
    at_s = FIRST_S
    rows: list[Scheduled] = []
    swells = [(0.0, 1.0)]
    top_dB = 60.0 if k % 2 else 46.0
    for _ in range(18):
        duration_s = log_uniform(rng, 0.3, 5.0)
        kind: Kind = "spasm" if duration_s > 2.6 else "contraction"
        rows.append(Scheduled(at_s, kind, duration_s=duration_s, snr_dB=between(rng, 40.0, top_dB)))
        at_s += duration_s
        swells += [(at_s, 1.0), (at_s + 0.1, between(rng, 1.5, 2.5)), (at_s + 0.6, 1.0)]
        at_s += between(rng, 0.9, 4.0)
    profiles = {
        "tone there": (),
        "tone comes": ((0.0, 0.15), (rows[0].onset_s, 0.15), (rows[0].onset_s + 0.3, 1.0)),
        "tone swells": tuple(swells),
    }
    made = Scenario(
        **physics(rng, held_out)
        | {
            "amplifier_noise_uV": between(rng, 0.7, 1.5),
            "electrode_noise_uV": between(rng, 0.7, 1.5),
            "device": WIDE_RANGE if k % 2 else Device(12, gain=700.0),
        },
        tone_uV=between(rng, 2.0, 5.0),
        tone_variability_dB=between(rng, 1.5, 4.0),
        tone_correlation_s=between(rng, 0.3, 1.5),
        tone_profile=profiles[cell],
        schedule=tuple(rows),
    )
    return Made(made, at_s + LAST_S, cell)


def lively(k: int, rng: Rng, held_out: bool) -> Made:
    """Events of all kinds without any confounder: what the confounders are compared with."""
    rows = row_of_events(rng, 30, (10.0, 30.0), (0.9, 3.0))
    return Made(Scenario(**physics(rng, held_out), schedule=tuple(rows)), end_s(rows))


MUSCLE_GROUPS: dict[str, Group] = {
    "single": Group(single, 40, 4),
    "contractions": Group(contractions, 40, 4),
    "limits": Group(limits, 30, 3),
    "spasms": Group(spasms, 36, 6),
    "on tone": Group(on_tone, 30, 4),
    "trains": Group(trains, 32, 4),
    "strong": Group(strong, 30, 3),
    "lively": Group(lively, 20, 2),
}
