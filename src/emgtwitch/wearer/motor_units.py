"""Motor units: their potentials at the electrode and the rendering of their discharges at any sampling rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.wearer.scenario import Scenario

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WINDOW_S = 0.048  # a potential lies within so much time, centred
PHASES = 32  # places within a sampling interval at which potentials are tabulated
_FINE_HZ = 8000.0

# Poles of the tripole that stands for a fibre's travelling action potential (nA, mm behind the leading pole), after
# Merletti et al. 1999, IEEE Trans Biomed Eng 46:810.
_POLES = ((24.6, 0.0), (-35.4, 2.1), (10.8, 6.7))


@dataclass(frozen=True, slots=True)
class Spikes:
    """Discharges in time order: true time in s, unit, and the factor to that unit's natural amplitude."""

    time_s: Floats
    unit: Ints
    gain: Floats

    def __len__(self) -> int:
        return len(self.time_s)

    def moved(self, by_s: float, times: float = 1.0) -> Spikes:
        """The same discharges `by_s` later and `times` as large."""
        return Spikes(self.time_s + by_s, self.unit, self.gain * times)

    def part(self, begin: int, end: int) -> Spikes:
        """The discharges from number `begin` to before number `end`."""
        return Spikes(self.time_s[begin:end], self.unit[begin:end], self.gain[begin:end])

    def until(self, end_s: float) -> Spikes:
        """The discharges before `end_s`."""
        return self.part(0, int(np.searchsorted(self.time_s, end_s)))

    @staticmethod
    def of(time_s: Floats, unit: Ints, gain: Floats | None = None) -> Spikes:
        """Sorted by time (and unit, so that the order is the same everywhere)."""
        order = np.lexsort((unit, time_s))
        gains = np.ones(len(time_s)) if gain is None else gain
        return Spikes(time_s[order], unit[order].astype(np.int64), gains[order])

    @staticmethod
    def joined(parts: list[Spikes]) -> Spikes:
        return Spikes.of(
            np.concatenate([p.time_s for p in parts]),
            np.concatenate([p.unit for p in parts]),
            np.concatenate([p.gain for p in parts]),
        )


class Population:
    """The motor units under one pair of electrodes, smallest first.

    Sizes and recruitment thresholds grow exponentially from unit to unit (Fuglevand, Winter and Patla 1993). A unit's
    potential is that of a tripole that leaves the end plate for both ends of its fibres and dies there, seen by two
    electrodes in an unbounded medium and smeared by the spread of the end plates.
    """

    __slots__ = ("peak_rate_Hz", "size", "spectrum", "threshold")

    def __init__(self, scenario: Scenario, rng: np.random.Generator) -> None:
        n = scenario.motor_units
        rank = (np.arange(n) + 1.0) / n
        self.size: Floats = np.exp(np.log(scenario.size_range) * rank) / scenario.size_range
        thresholds = np.exp(np.log(scenario.threshold_range) * rank) / scenario.threshold_range
        self.threshold: Floats = 0.7 * thresholds  # all are recruited at 0.7 of the greatest excitation
        slowest, fastest = scenario.peak_rate_Hz
        self.peak_rate_Hz: Floats = slowest + (fastest - slowest) * thresholds
        low, high = scenario.velocity_m_per_s
        velocity = (low + (high - low) * rank) * rng.uniform(0.93, 1.07, n)
        waves = self.size[:, None] * _tripole(
            scenario,
            velocity,
            rng.uniform(*scenario.fibre_depth_mm, n),
            rng.uniform(*scenario.electrode_from_endplate_mm, n),
        )
        spectrum = np.fft.rfft(waves, axis=1)
        f_Hz = np.fft.rfftfreq(waves.shape[1], 1 / _FINE_HZ)
        smear_s = rng.uniform(*scenario.endplate_spread_mm, n) / velocity * 1e-3
        spectrum *= np.exp(-0.5 * (2 * np.pi * f_Hz * smear_s[:, None]) ** 2)
        spectrum *= np.exp(2j * np.pi * f_Hz * _centre_s(spectrum)[:, None])  # centred at time 0
        spectrum[:, 0] = 0.0
        # One scale for all units, so that all of them at their usual rates give the scenario's strongest contraction.
        power = 2 * np.sum(np.abs(spectrum) ** 2 * (f_Hz > 20) * (f_Hz < 450), axis=1) / waves.shape[1] / _FINE_HZ
        spectrum *= scenario.full_rms_uV / np.sqrt(np.sum(power * self.peak_rate_Hz))
        self.spectrum = spectrum / waves.shape[1]

    def __len__(self) -> int:
        return len(self.size)

    def band_energy(self) -> Floats:
        """Integral over time of each unit's squared potential in 20-450 Hz, uV**2 s: Campbell's theorem needs it."""
        f_Hz = np.arange(self.spectrum.shape[1]) / WINDOW_S
        energy: Floats = 2 * WINDOW_S * np.sum(np.abs(self.spectrum) ** 2 * (f_Hz > 20) * (f_Hz < 450), axis=1)
        return energy


class Potentials:
    """The potentials of a population, tabulated for one sampling rate: what has no place below its Nyquist is gone."""

    __slots__ = ("_half", "_length", "_table", "fs_Hz")

    def __init__(self, population: Population, fs_Hz: float) -> None:
        self.fs_Hz = fs_Hz
        self._half = int(WINDOW_S / 2 * fs_Hz)
        self._length = 2 * self._half
        f_Hz = np.arange(population.spectrum.shape[1]) / WINDOW_S
        keep = f_Hz < fs_Hz / 2
        roll_off = np.clip((0.5 * fs_Hz - f_Hz[keep]) / (0.1 * fs_Hz), 0, 1)  # of an anti-aliasing filter
        coefficients = 2 * population.spectrum[:, keep] * np.sin(np.pi / 2 * roll_off) ** 2
        at_s = (np.arange(self._length) - self._half + np.arange(PHASES)[:, None] / PHASES) / fs_Hz
        angle = 2 * np.pi * f_Hz[keep][:, None] * at_s.reshape(-1)
        waves = coefficients.real.copy() @ np.cos(angle) - coefficients.imag.copy() @ np.sin(angle)  # copies: for BLAS
        edge = np.clip((WINDOW_S / 2 - np.abs(at_s.reshape(-1))) / (0.1 * WINDOW_S), 0, 1)
        self._table = (waves * np.sin(np.pi / 2 * edge) ** 2).reshape(-1, self._length)

    @property
    def length(self) -> int:
        """Samples that one potential spans."""
        return self._length

    def begun(self, spikes: Spikes, sample: int) -> int:
        """How many of `spikes` touch samples before `sample`."""
        near = spikes.until((sample + self._half + 1) / self.fs_Hz)
        first: Ints = -(-self._ticks(near.time_s) // PHASES) - self._half
        return int(np.searchsorted(first, sample))

    def _ticks(self, time_s: Floats) -> Ints:
        ticks: Ints = np.ceil(time_s * (self.fs_Hz * PHASES) - 0.5).astype(np.int64)
        return ticks

    def add(self, out: Floats, start: int, spikes: Spikes) -> None:
        """Add the potentials of `spikes` to `out`, whose first sample is sample `start`; what lies outside is lost."""
        for begin in range(0, len(spikes), 2048):  # bounds the memory of the index below
            part = slice(begin, begin + 2048)
            ticks = self._ticks(spikes.time_s[part])
            sample = -(-ticks // PHASES)
            row = spikes.unit[part] * PHASES + (sample * PHASES - ticks)
            index = (sample - self._half - start)[:, None] + np.arange(self._length)
            weight = self._table[row] * spikes.gain[part][:, None]
            index = index.reshape(-1)
            weight = weight.reshape(-1)
            if index.size and (index.min() < 0 or index.max() >= len(out)):
                inside = (index >= 0) & (index < len(out))
                index, weight = index[inside], weight[inside]
            out += np.bincount(index, weight, len(out))


def _tripole(scenario: Scenario, velocity_m_per_s: Floats, depth_mm: Floats, from_endplate_mm: Floats) -> Floats:
    """Differential potential of one fibre per unit, (units, samples at _FINE_HZ), scale arbitrary."""
    n_samples = round(WINDOW_S * _FINE_HZ)
    t_ms = np.arange(n_samples) / _FINE_HZ * 1e3
    out = np.zeros((len(depth_mm), n_samples))
    half = scenario.fibre_half_length_mm
    for way in (1.0, -1.0):
        for current, behind_mm in _POLES:
            place = way * np.clip(velocity_m_per_s[:, None] * t_ms - behind_mm, 0.0, half)
            for sign in (1.0, -1.0):
                electrode = from_endplate_mm + sign * scenario.electrode_spacing_mm / 2
                out += sign * current / np.sqrt(depth_mm[:, None] ** 2 + (place - electrode[:, None]) ** 2)
    out -= out[:, :1]
    fade = np.clip((n_samples - np.arange(n_samples)) / (0.2 * n_samples), 0, 1)
    out *= np.sin(np.pi / 2 * fade) ** 2
    return out


def _centre_s(spectrum: npt.NDArray[np.complex128]) -> Floats:
    """Where the energy of each potential is centred, s from the start of its window."""
    energy = np.fft.irfft(spectrum, axis=1) ** 2
    at_s = np.arange(energy.shape[1]) / _FINE_HZ
    centre: Floats = energy @ at_s / energy.sum(axis=1)
    return centre
