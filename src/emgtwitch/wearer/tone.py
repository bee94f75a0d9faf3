"""Resting tone: a few small units that fire for ever."""

from __future__ import annotations

import numpy as np

from emgtwitch.wearer.motor_units import Floats, Population, Spikes
from emgtwitch.wearer.scenario import Scenario
from emgtwitch.wearer.seeds import TONE, generator

_UNITS = 30  # the smallest ones of the population that a body at rest keeps firing
_GRID = 20  # steps in which the rate wanders within a block


class Tone:
    """Steady low-rate firing with the scenario's RMS, its rate wandering as that of a body at rest does."""

    def __init__(self, scenario: Scenario, channel: int, population: Population, seed: int) -> None:
        self._rng = generator(seed, TONE, channel)
        n = min(_UNITS, len(population))
        self._isi_cv = scenario.isi_cv
        self._rate_Hz: Floats = self._rng.uniform(6.0, 11.0, n)
        # Campbell's theorem gives the power at a steady rate; a log-normal factor has the mean exp(sd**2 / 2).
        self._correlation_s = scenario.tone_correlation_s
        self._profile = scenario.tone_profile
        self._sd = 2 * scenario.tone_variability_dB * np.log(10) / 20
        power = float(np.sum(self._rate_Hz * population.band_energy()[:n])) * float(np.exp(self._sd**2 / 2))
        self._gain = scenario.tone_uV / np.sqrt(power)
        self._wander = float(self._rng.standard_normal())
        self._turns = np.zeros(n)
        self._until_s = 0.0
        self._due: Floats = self._rng.uniform(0, 1, n)  # in turns: where each unit's next discharge lies

    def until(self, end_s: float) -> Spikes:
        """The discharges since the last call (at first, since time 0) and before `end_s`."""
        start_s, length_s = self._until_s, end_s - self._until_s
        self._until_s = end_s
        keep = float(np.exp(-length_s / _GRID / self._correlation_s))
        path = [self._wander]
        for step in self._rng.standard_normal(_GRID):
            path.append(keep * path[-1] + float(np.sqrt(1 - keep**2)) * float(step))
        self._wander = path[-1]
        factor = np.exp(self._sd * np.clip(path, -2.5, 2.5))
        area = np.concatenate([[0.0], np.cumsum((factor[1:] + factor[:-1]) / 2)]) * length_s / _GRID
        grid_s = start_s + np.arange(_GRID + 1) * length_s / _GRID
        times, units = [], []
        for unit, rate_Hz in enumerate(self._rate_Hz):
            turns = self._turns[unit] + rate_Hz * area
            due = []
            while self._due[unit] < turns[-1]:
                due.append(self._due[unit])
                self._due[unit] += max(1 + self._isi_cv * float(self._rng.standard_normal()), 0.3)
            times.append(np.interp(due, turns, grid_s))
            units.append(np.full(len(due), unit))
            self._turns[unit] = turns[-1]
        unit_of = np.concatenate(units)
        at_s = np.concatenate(times)
        gain = np.full(len(unit_of), self._gain)
        if self._profile:
            gain *= np.interp(at_s, *np.transpose(self._profile))
        return Spikes.of(at_s, unit_of, gain)
