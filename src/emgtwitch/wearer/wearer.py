"""The simulated wearer: counts as the board would convert them, and the truth about them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from emgtwitch.wearer.artefacts import Artefact
from emgtwitch.wearer.contaminants import Block, Contaminant, Drift, Ecg, Mains, Noise
from emgtwitch.wearer.events import Muscle, plans
from emgtwitch.wearer.motor_units import WINDOW_S, Floats, Population, Potentials, Spikes
from emgtwitch.wearer.scenario import ARTEFACT_KINDS, MUSCLE_KINDS, Scenario
from emgtwitch.wearer.seeds import POPULATION, generator
from emgtwitch.wearer.tone import Tone
from emgtwitch.wearer.truth import BAND_HZ, TruthEvent, TruthInterval

BLOCK_S = 1.0
_AHEAD_S = 2.5  # an event's first discharges may come so long before its true onset: a ramp starts below 10 %
Counts = npt.NDArray[np.uint16]


def floor_uV(scenario: Scenario) -> float:
    """RMS of what an event stands on, 20-450 Hz: noise, resting tone and the converter's steps (as at 1 kHz)."""
    steps = scenario.device.uV_per_count**2 / 12 * (BAND_HZ[1] - BAND_HZ[0]) / 500.0
    power = scenario.amplifier_noise_uV**2 + scenario.electrode_noise_uV**2 + scenario.tone_uV**2 + steps
    return float(np.sqrt(power))


def events_until(scenario: Scenario, seed: int, until_s: float) -> list[TruthEvent]:
    """The events of the wearer `seed` that begin before `until_s` on the board's sample clock, by onset.

    Made afresh from the seed, so that a wearer need not remember its days.
    """
    stretch = 1 + scenario.clock_ppm * 1e-6
    out = []
    for channel in range(scenario.channels):
        muscle = _muscle(scenario, channel, seed)
        for plan in takewhile(lambda p: p.onset_s * stretch < until_s, plans(scenario, channel, MUSCLE_KINDS, seed)):
            for one in muscle.activity(plan).truth:
                if one.onset_s * stretch < until_s:
                    out.append(replace(one, onset_s=one.onset_s * stretch, offset_s=one.offset_s * stretch))
    return sorted(out, key=lambda e: (e.onset_s, e.channel))


def intervals_until(scenario: Scenario, seed: int, until_s: float) -> list[TruthInterval]:
    """The artefacts of the wearer `seed` that begin before `until_s` on the board's sample clock, by onset."""
    stretch = 1 + scenario.clock_ppm * 1e-6
    out = []
    for channel in range(scenario.channels):
        for plan in takewhile(lambda p: p.onset_s * stretch < until_s, plans(scenario, channel, ARTEFACT_KINDS, seed)):
            one = Artefact(plan, channel).truth()
            out.append(replace(one, onset_s=one.onset_s * stretch, offset_s=one.offset_s * stretch))
    return sorted(out, key=lambda e: (e.onset_s, e.channel))


@lru_cache(maxsize=8)  # a wearer and its truth have the same muscle, which takes longer to make than a second of signal
def _muscle(scenario: Scenario, channel: int, seed: int) -> Muscle:
    population = Population(scenario, generator(seed, POPULATION, channel))
    return Muscle(scenario, channel, population, floor_uV(scenario))


class _Channel:
    """One electrode pair over one muscle."""

    def __init__(self, scenario: Scenario, channel: int, seed: int, rate_Hz: float) -> None:
        self._skew = channel / scenario.channels
        self._channel = channel
        self._muscle = _muscle(scenario, channel, seed)
        self._potentials = Potentials(self._muscle.population, rate_Hz)
        self._tone = Tone(scenario, channel, self._muscle.population, seed) if scenario.tone_uV else None
        self._plans = plans(scenario, channel, MUSCLE_KINDS, seed)
        self._next = next(self._plans, None)
        self._active: list[Spikes] = []
        self._artefact_plans = plans(scenario, channel, ARTEFACT_KINDS, seed)
        self._next_artefact = next(self._artefact_plans, None)
        self._artefacts: list[Artefact] = []
        self._carry = np.zeros(self._potentials.length)
        self._sources: list[Contaminant] = []
        if scenario.amplifier_noise_uV or scenario.electrode_noise_uV:
            self._sources.append(Noise(scenario, channel, seed))
        if any(scenario.mains_uV):
            self._sources.append(Mains(scenario, channel, seed))
        if scenario.ecg_uV:
            self._sources.append(Ecg(scenario, channel, seed))
        if scenario.drift_uV:
            self._sources.append(Drift(scenario, channel, seed))

    def render(self, block: Block, full_scale_uV: float) -> Floats:
        """The uV of the next block, its rails beyond full scale."""
        end_s = (block.start + block.n) / block.rate_Hz
        out = np.zeros(block.n + self._potentials.length)
        out[: len(self._carry)] = self._carry
        while self._next is not None and self._next.onset_s < end_s + _AHEAD_S:
            spikes = self._muscle.activity(self._next).spikes
            self._active.append(spikes.moved(-self._skew / block.rate_Hz))
            self._next = next(self._plans, None)
        if self._tone is not None:
            self._active.append(self._tone.until(end_s + 2 * WINDOW_S).moved(-self._skew / block.rate_Hz))
        later = []
        for spikes in self._active:
            n = self._potentials.begun(spikes, block.start + block.n)
            self._potentials.add(out, block.start, spikes.part(0, n))
            if n < len(spikes):
                later.append(spikes.part(n, len(spikes)))
        self._active = later
        self._carry = out[block.n :].copy()
        signal = out[: block.n]
        for source in self._sources:
            source.add(signal, block)
        while self._next_artefact is not None and self._next_artefact.onset_s < end_s:
            self._artefacts.append(Artefact(self._next_artefact, self._channel))
            self._next_artefact = next(self._artefact_plans, None)
        for artefact in self._artefacts:
            artefact.apply(signal, block, self._skew, full_scale_uV)
        self._artefacts = [a for a in self._artefacts if a.end_s > end_s]
        return signal


class Wearer:
    """A scenario come alive: `render` gives the next scans, the same for any cutting of the calls.

    Equal scenarios and seeds give equal counts; another `fs_Hz` gives the same muscle, noise and events sampled at
    that rate. Memory does not grow with time.
    """

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario = scenario
        self.seed = seed
        self.rate_Hz = scenario.fs_Hz * (1 + scenario.clock_ppm * 1e-6)  # scans a true second
        self._channels = [_Channel(scenario, k, seed, self.rate_Hz) for k in range(scenario.channels)]
        self._block = 0
        self._ready: Counts = np.empty((0, scenario.channels), np.uint16)

    def render(self, n_scans: int) -> Counts:
        """The next `n_scans` scans as counts, (n_scans, channels)."""
        parts = [self._ready[:n_scans]]
        missing = n_scans - len(parts[0])
        self._ready = self._ready[n_scans:]
        while missing > 0:
            block = self._next_block()
            parts.append(block[:missing])
            self._ready = block[missing:]
            missing -= len(parts[-1])
        return np.concatenate(parts)

    def _next_block(self) -> Counts:
        fs_Hz = self.scenario.fs_Hz
        start = int(np.ceil(self._block * BLOCK_S * fs_Hz))
        stop = int(np.ceil((self._block + 1) * BLOCK_S * fs_Hz))
        block = Block(self._block, start, stop - start, self.rate_Hz)
        self._block += 1
        device = self.scenario.device
        half = 2 ** (device.count_bits - 1)
        columns = [c.render(block, half * device.uV_per_count) for c in self._channels]
        level = np.stack(columns, axis=1) / device.uV_per_count + half + device.offset_counts
        counts: Counts = np.clip(np.rint(level), 0, 2**device.count_bits - 1).astype(np.uint16)
        return counts

    def truth(self, until_s: float) -> list[TruthEvent]:
        """The events that begin before `until_s` (seconds of the board's sample clock), by onset."""
        return events_until(self.scenario, self.seed, until_s)

    def intervals(self, until_s: float) -> list[TruthInterval]:
        """The artefacts that begin before `until_s` (seconds of the board's sample clock), by onset."""
        return intervals_until(self.scenario, self.seed, until_s)
