"""From what the nervous system wants to the discharges of motor units."""

from __future__ import annotations

import numpy as np

from emgtwitch.wearer.motor_units import Floats, Population, Spikes
from emgtwitch.wearer.scenario import Scenario

GRID_S = 0.005  # excitation is given so often
_RATE_PER_EXCITATION_HZ = 60.0
_BETWEEN_PAUSES_S = 3.0  # mean time that a spasm goes on after the half second that follows a pause


def discharges(excitation: Floats, population: Population, scenario: Scenario, rng: np.random.Generator) -> Spikes:
    """Asynchronous firing under `excitation` (0 .. 1, one value each GRID_S, from time 0).

    A unit fires while the excitation exceeds its threshold, at `min_rate_Hz` and linearly faster up to its peak rate
    (Fuglevand, Winter and Patla 1993); intervals vary with `isi_cv` around what the momentary rate asks for.
    """
    over = excitation[None, :] - population.threshold[:, None]
    rate = np.minimum(scenario.min_rate_Hz + _RATE_PER_EXCITATION_HZ * over, population.peak_rate_Hz[:, None])
    turns = np.cumsum(np.where(over > 0, rate, 0.0) * GRID_S, axis=1)  # discharges due since the start
    turns = np.concatenate([np.zeros((len(turns), 1)), turns], axis=1)
    grid_s = np.arange(turns.shape[1]) * GRID_S
    due = int(1.2 * turns[:, -1].max()) + 6
    steps = np.maximum(1 + scenario.isi_cv * rng.standard_normal((len(turns), due)), 0.3)
    steps[:, 0] = rng.uniform(0, 0.7, len(turns))  # a unit just recruited does not wait a whole interval
    at_turn = np.cumsum(steps, axis=1)
    times, units = [], []
    for unit in np.flatnonzero(turns[:, -1] > 0):
        count = int(np.searchsorted(at_turn[unit], turns[unit, -1]))
        times.append(np.interp(at_turn[unit, :count], turns[unit], grid_s))
        units.append(np.full(count, unit))
    if not times:
        return Spikes.of(np.empty(0), np.empty(0, np.int64))
    return Spikes.of(np.concatenate(times), np.concatenate(units))


def volley(width_s: float, excitation: float, population: Population, rng: np.random.Generator) -> Spikes:
    """A burst of all units that `excitation` recruits, each firing within `width_s`, again after 8-20 ms if it can."""
    recruited = np.flatnonzero(population.threshold <= max(excitation, population.threshold[4]))
    first = width_s * rng.beta(1.5, 1.5, len(recruited))
    times, units = [first], [recruited]
    while True:
        later = times[-1] + rng.uniform(0.008, 0.020, len(times[-1]))
        fits = later < width_s
        if not fits.any():
            return Spikes.of(np.concatenate(times), np.concatenate(units))
        times.append(later[fits])
        units.append(units[-1][fits])


def _grid(duration_s: float) -> Floats:
    return np.arange(int(duration_s / GRID_S) + 1, dtype=np.float64) * GRID_S


def _ramp(grid_s: Floats, rise_s: float, fall_s: float, duration_s: float) -> Floats:
    up = np.clip(grid_s / max(rise_s, 1e-9), 0, 1)
    down = np.clip((duration_s - grid_s) / max(fall_s, 1e-9), 0, 1)
    shape: Floats = np.sin(np.pi / 2 * up) ** 2 * np.sin(np.pi / 2 * down) ** 2
    return shape


def _wavering(n: int, sd: float, correlation_s: float, rng: np.random.Generator) -> Floats:
    """A log-normal factor around 1 with the given standard deviation of its logarithm."""
    knots = int(n * GRID_S / correlation_s) + 3
    at = np.arange(n) * GRID_S / correlation_s + rng.uniform()
    factor: Floats = np.exp(sd * np.interp(at, np.arange(knots), rng.standard_normal(knots)))
    return factor


def contraction_drive(duration_s: float, level: float, rng: np.random.Generator) -> Floats:
    """Excitation of a brief contraction: rises within 30-150 ms, falls within 40-250 ms."""
    grid_s = _grid(duration_s)
    rise_s, fall_s = rng.uniform(0.03, min(0.15, 0.4 * duration_s)), rng.uniform(0.04, min(0.25, 0.5 * duration_s))
    return level * _ramp(grid_s, rise_s, fall_s, duration_s) * _wavering(len(grid_s), 0.12, 0.15, rng)


def spasm_drive(duration_s: float, level: float, rng: np.random.Generator) -> Floats:
    """Excitation of a spasm: sharp (10-50 ms) or ramped (0.3-1.5 s) onset, wavering, pauses of 60-220 ms, slow end."""
    grid_s = _grid(duration_s)
    sharp = rng.uniform() < 0.5
    rise_s = rng.uniform(0.01, 0.05) if sharp else rng.uniform(0.3, min(1.5, 0.3 * duration_s))
    fall_s = rng.uniform(0.1, min(1.0, 0.25 * duration_s))
    drive = level * _ramp(grid_s, rise_s, fall_s, duration_s) * _wavering(len(grid_s), 0.25, 0.4, rng)
    at_s = 0.35 * duration_s + rng.exponential(_BETWEEN_PAUSES_S)
    while at_s < 0.75 * duration_s:
        length_s = rng.uniform(0.06, 0.22)
        drive[(grid_s >= at_s) & (grid_s < at_s + length_s)] = 0.0
        at_s += length_s + 0.5 + rng.exponential(_BETWEEN_PAUSES_S)
    return drive


def tone_drive(
    duration_s: float, level: float, wavering: float, correlation_s: float, rng: np.random.Generator
) -> Floats:
    """Excitation of a weak contraction that is held: ramped at both ends."""
    grid_s = _grid(duration_s)
    ramp = _ramp(grid_s, 0.15 * duration_s, 0.15 * duration_s, duration_s)
    return level * ramp * _wavering(len(grid_s), wavering, correlation_s, rng)
