"""What an electrode picks up beside the muscle. Each source renders block after block of about a second.

A source is asked for consecutive blocks only; what it draws depends on the block's number and never on the rate, so
that the same wearer at another rate has the same noise as far as that rate's band reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emgtwitch.wearer.motor_units import Floats
from emgtwitch.wearer.scenario import Scenario
from emgtwitch.wearer.seeds import DRIFT, ECG, MAINS, NOISE, TAIL, WANDER, generator
from emgtwitch.wearer.truth import BAND_HZ


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive scans: number of the block, index of its first scan, how many, and their true rate."""

    number: int
    start: int
    n: int
    rate_Hz: float

    def time_s(self, skew: float = 0.0) -> Floats:
        """True time of each scan; `skew` is the channel's share of a sampling interval."""
        scan: Floats = np.arange(self.start, self.start + self.n, dtype=np.float64)
        return (scan + skew) / self.rate_Hz


class Contaminant(Protocol):
    """Something that adds to one channel."""

    def add(self, out: Floats, block: Block) -> None:
        """Add this source's uV in `block` to `out`."""


_TAIL_S = 0.02  # knots of the level of heavy-tailed noise


class Noise:
    """Amplifier and electrode: white and 1/f noise with the densities that give the scenario's RMS in 20-450 Hz.

    Each block is the second half of one spectrum's transform and the first half of the next one's, faded with equal
    power (sine windows), which makes the noise stationary and Gaussian with the wanted spectrum.
    """

    def __init__(self, scenario: Scenario, channel: int, seed: int) -> None:
        low, high = BAND_HZ
        white = scenario.amplifier_noise_uV**2 / (high - low + scenario.flicker_corner_Hz * np.log(high / low))
        self._white = white
        self._flicker = white * scenario.flicker_corner_Hz
        self._electrode = scenario.electrode_noise_uV**2 / np.log(high / low)
        self._sd = scenario.electrode_noise_variability_dB * np.log(10) / 20
        self._key = (NOISE, channel)
        self._channel = channel
        self._tail = scenario.noise_tail_dB * np.log(10) / 20
        self._profile = scenario.noise_profile
        self._seed = seed
        self._last: tuple[int, Floats] | None = None

    def add(self, out: Floats, block: Block) -> None:
        fade = np.pi / 2 * np.arange(block.n) / block.n
        before = self._piece(block.number - 1, block)[-block.n :]
        level = self._level(block)
        out += level * np.cos(fade) * before
        out += level * np.sin(fade) * self._piece(block.number, block)[: block.n]

    def _level(self, block: Block) -> Floats | float:
        """What the noise is multiplied with: its profile, and a fast log-normal factor with a mean square of 1."""
        level: Floats | float = 1.0
        if self._profile:
            level = np.interp(block.time_s(), *np.transpose(self._profile))
        if self._tail:
            knots = max(1, round(block.n / block.rate_Hz / _TAIL_S))
            heights = generator(self._seed, TAIL, self._channel, block.number).standard_normal(knots)
            after = generator(self._seed, TAIL, self._channel, block.number + 1).standard_normal(1)
            path = np.interp(np.arange(block.n) / block.n * knots, np.arange(knots + 1), [*heights, *after])
            level = level * np.exp(self._tail * path - self._tail**2)
        return level

    def _piece(self, number: int, block: Block) -> Floats:
        """Two blocks' worth of noise that begin with block `number`."""
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        n = 2 * block.n
        rng = generator(self._seed, *self._key, number + 1)
        level = float(np.exp(self._sd * rng.standard_normal()))
        f_Hz = np.fft.rfftfreq(n, 1 / block.rate_Hz)
        f_Hz[0] = np.inf
        density = self._white + (self._flicker + level**2 * self._electrode) / np.maximum(f_Hz, 0.5)
        density[0] = 0.0
        pairs = rng.standard_normal((len(f_Hz), 2))  # from low to high frequencies: the same at each rate
        spectrum = (pairs[:, 0] + 1j * pairs[:, 1]) * np.sqrt(density * block.rate_Hz * n) / 2
        piece: Floats = np.fft.irfft(spectrum, n)
        self._last = (number, piece)
        return piece


class Mains:
    """Mains hum: a fundamental and harmonics of the given peaks, wandering in frequency, coming and going."""

    def __init__(self, scenario: Scenario, channel: int, seed: int) -> None:
        self._scenario = scenario
        self._rng = generator(seed, WANDER)  # the same mains in all channels
        self._phases = generator(seed, MAINS, channel).uniform(0, 2 * np.pi, len(scenario.mains_uV))
        self._turns = 0.0
        self._off_Hz = float(self._rng.uniform(-1, 1)) * scenario.mains_wander_Hz
        self._on = True
        self._switch_s = self._spell()

    def _spell(self) -> float:
        mean_s = self._scenario.mains_spell_s[0 if self._on else 1]
        drawn = float(self._rng.exponential())
        return drawn * mean_s if mean_s > 0 else np.inf

    def add(self, out: Floats, block: Block) -> None:
        limit = self._scenario.mains_wander_Hz
        step_Hz = float(self._rng.standard_normal()) * limit / 10
        next_Hz = float(np.clip(0.99 * self._off_Hz + step_Hz, -limit, limit))
        inner = np.arange(block.n) / block.n
        length_s = block.n / block.rate_Hz
        base = self._scenario.mains_Hz + self._off_Hz
        turns = self._turns + length_s * (base * inner + 0.5 * (next_Hz - self._off_Hz) * inner**2)
        self._turns = (self._turns + length_s * (base + 0.5 * (next_Hz - self._off_Hz))) % 1.0
        self._off_Hz = next_Hz
        was = self._on
        self._switch_s -= length_s
        if self._switch_s <= 0:
            self._on = not self._on
            self._switch_s = self._spell()
        if not was and not self._on:
            return
        level = np.clip(inner * 5, 0, 1)  # switches within 0.2 s
        gain = np.ones(block.n) if was == self._on else level if self._on else 1 - level
        for k, peak_uV in enumerate(self._scenario.mains_uV, 1):
            if peak_uV and k * (self._scenario.mains_Hz + limit) < 0.5 * block.rate_Hz:
                out += peak_uV * gain * np.sin(2 * np.pi * k * turns + self._phases[k - 1])


# P, Q, R, S, T: height against R, place from R in s, width in s; after McSharry et al. 2003, IEEE Trans Biomed Eng
# 50:289, with their angles turned into times at 60 beats a minute.
_ECG_WAVES = (
    (0.04, -0.19, 0.040),
    (-0.17, -0.042, 0.011),
    (1.0, 0.0, 0.011),
    (-0.25, 0.042, 0.011),
    (0.22, 0.27, 0.060),
)
_QRS = (1, 2, 3)
_ECG_S = 0.5


class Ecg:
    """The heart: P, Q, R, S and T as Gaussians at beats of varying interval."""

    def __init__(self, scenario: Scenario, channel: int, seed: int) -> None:
        self._scenario = scenario
        self._rng = generator(seed, ECG)  # one heart for all channels
        self._qrs_width = scenario.ecg_qrs_width
        self._peak_uV = scenario.ecg_uV * float(generator(seed, ECG, channel).uniform(0.7, 1.0) if channel else 1.0)
        self._beats_s = [float(self._rng.uniform(0, 1))]

    def add(self, out: Floats, block: Block) -> None:
        mean_s = 60.0 / self._scenario.ecg_rate_per_min
        end_s = (block.start + block.n) / block.rate_Hz
        while self._beats_s[-1] < end_s + _ECG_S:
            wobble = 1 + self._scenario.ecg_variability * float(np.clip(self._rng.standard_normal(), -4, 4))
            self._beats_s.append(self._beats_s[-1] + mean_s * max(wobble, 0.4))
        self._beats_s = [b for b in self._beats_s if b > block.start / block.rate_Hz - _ECG_S]
        time_s = block.time_s()
        for beat_s in self._beats_s:
            first, last = np.searchsorted(time_s, [beat_s - _ECG_S, beat_s + _ECG_S])
            if first < last:
                at_s = time_s[first:last] - beat_s
                for wave, (share, place_s, width_s) in enumerate(_ECG_WAVES):
                    if wave in _QRS:
                        place_s, width_s = place_s * self._qrs_width, width_s * self._qrs_width
                    out[first:last] += self._peak_uV * share * np.exp(-0.5 * ((at_s - place_s) / width_s) ** 2)


class Drift:
    """The baseline's slow wandering: breathing, sweat, posture."""

    def __init__(self, scenario: Scenario, channel: int, seed: int) -> None:
        rng = generator(seed, DRIFT, channel)
        self._period_s = rng.uniform([3.0, 6.0, 15.0], [5.0, 12.0, 30.0])
        self._phase = rng.uniform(0, 2 * np.pi, 3)
        self._share_uV = scenario.drift_uV * np.array([0.3, 0.3, 0.4])

    def add(self, out: Floats, block: Block) -> None:
        time_s = block.time_s()
        for period_s, phase, share_uV in zip(self._period_s, self._phase, self._share_uV, strict=True):
            out += share_uV * np.sin(2 * np.pi / period_s * time_s + phase)
