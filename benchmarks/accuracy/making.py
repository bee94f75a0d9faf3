"""What groups of recordings are made of: one recording's wearer, and events in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emgtwitch.wearer.events import Muscle, Plan
from emgtwitch.wearer.motor_units import Population
from emgtwitch.wearer.scenario import MUSCLE_KINDS, Kind, Scenario, Scheduled
from emgtwitch.wearer.seeds import POPULATION, SCHEDULE, generator
from emgtwitch.wearer.wearer import floor_uV

Rng = np.random.Generator
FIRST_S = 5.0  # before the first event
LAST_S = 3.0  # after the last one
FIT_TRIES = 16
FIT_WITHIN = 0.004  # of the duration


@dataclass(frozen=True, slots=True)
class Made:
    """What a group says of one of its recordings."""

    scenario: Scenario
    duration_s: float
    cell: str = ""
    confounder: str = ""
    lost: tuple[tuple[float, float], ...] = ()
    fitted_s: tuple[float, ...] = ()  # wanted measured durations, parallel to the schedule; 0: any


Maker = Callable[[int, Rng, bool], Made]  # number of the recording, its random numbers, held out?


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of recording."""

    make: Maker
    recordings: int
    short: int  # how many of them the short form has


def log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.uniform())


def between(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def row_of_events(
    rng: Rng, count: int, snr_dB: tuple[float, float], gap_s: tuple[float, float], long_s: float = 1.5
) -> list[Scheduled]:
    """Twitches, doublets, jerks and contractions in random order, apart by random gaps."""
    kinds: tuple[Kind, ...] = ("twitch", "twitch", "doublet", "jerk", "contraction")
    at_s, rows = FIRST_S, []
    for _ in range(count):
        kind = kinds[int(rng.integers(len(kinds)))]
        duration_s = log_uniform(rng, 0.2, long_s) if kind == "contraction" else log_uniform(rng, *MUSCLE_KINDS[kind])
        rows.append(Scheduled(at_s, kind, duration_s=duration_s, snr_dB=between(rng, *snr_dB)))
        at_s += duration_s + between(rng, *gap_s)
    return rows


def end_s(rows: list[Scheduled]) -> float:
    """When a recording with these events may end."""
    last = max(rows, key=lambda r: r.onset_s)
    return last.onset_s + (last.duration_s or 0.1) + LAST_S


def with_measured_durations(scenario: Scenario, seed: int, fitted_s: tuple[float, ...]) -> tuple[Scheduled, ...]:
    """The schedule with each event's nominal duration changed until its measured one is what was wanted.

    What is asked of a muscle and what comes out differ by its ramps and by the chance of its discharges.
    """
    muscle = Muscle(scenario, 0, Population(scenario, generator(seed, POPULATION, 0)), floor_uV(scenario))
    places = {kind: n for n, kind in enumerate(MUSCLE_KINDS)}
    out = []
    for n, (row, wanted_s) in enumerate(zip(scenario.schedule, fitted_s, strict=True)):
        best, best_s = np.inf, row.duration_s
        nominal_s = wanted_s
        for _ in range(FIT_TRIES if wanted_s else 0):
            rng = generator(seed, SCHEDULE, 0, places[row.kind], n, 0)
            amplitude = row.amplitude_uV if row.snr_dB is None else row.snr_dB
            plan = Plan(row.onset_s, row.kind, nominal_s, amplitude, row.snr_dB is not None, rng)
            measured_s = muscle.activity(plan).truth[0].duration_s
            if abs(measured_s - wanted_s) < best:
                best, best_s = abs(measured_s - wanted_s), nominal_s
            if best < FIT_WITHIN * wanted_s:
                break
            nominal_s = float(np.clip(nominal_s * (wanted_s / measured_s) ** 0.8, 0.3 * wanted_s, 2.5 * wanted_s))
        out.append(Scheduled(row.onset_s, row.kind, row.amplitude_uV, best_s, row.snr_dB, row.channel))
    return tuple(out)
