"""Hours of stationary Gaussian noise: how many false events come of the rate that was promised.

The noise is the simulated wearer's, made in long blocks because it is much of it; only the detectors that can be told
a rate are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.case import Case
from benchmarks.accuracy.physics import physics
from benchmarks.accuracy.recipe import SETTLING_S
from emgtwitch.wearer.contaminants import Block, Noise
from emgtwitch.wearer.scenario import Device, Scenario

GROUP = "promise"
PIECE_S = 7200.0
BLOCK_S = 64.0
# False events an hour promised -> pieces of two hours, so that 20 or more are expected.
PIECES = {0.1: 100, 1.0: 20, 10.0: 10}
SHORT = {10.0: 1}
TUNING_SEED, HELD_OUT_SEED = 400_000, 500_000


@dataclass(frozen=True, slots=True)
class Hours:
    """Two hours of noise to be judged at one promised rate."""

    false_per_hour: float
    seed: int
    held_out: bool

    def case(self) -> Case:
        """Make the noise."""
        rng = np.random.default_rng(self.seed)
        made = physics(rng, self.held_out) | {"electrode_noise_variability_dB": 0.0}
        if self.false_per_hour < 5:
            made["fs_Hz"] = 1000.0
        scenario = Scenario(**made | {"device": Device(16, gain=500.0)})
        fs_Hz, device = scenario.fs_Hz, scenario.device
        n = round(BLOCK_S * fs_Hz)
        noise = Noise(scenario, 0, self.seed)
        counts = np.zeros(round(PIECE_S / BLOCK_S) * n)
        for number in range(len(counts) // n):
            noise.add(counts[number * n : (number + 1) * n], Block(number, number * n, n, fs_Hz))
        counts = np.rint(counts / device.uV_per_count + 2 ** (device.count_bits - 1))
        rails = (0.0, float(2**device.count_bits - device.oversampling))
        return Case(
            GROUP,
            f"{self.false_per_hour:g}/h-{self.seed}",
            self.seed,
            fs_Hz,
            counts,
            device.uV_per_count,
            rails,
            (),
            ((0.0, SETTLING_S),),
            held_out=self.held_out,
            cell=f"{self.false_per_hour:g}/h",
            false_per_hour=self.false_per_hour,
        )


def sources(held_out: bool, short: bool) -> Iterator[Hours]:
    """All pieces, those of one rate after those of another."""
    seed = HELD_OUT_SEED if held_out else TUNING_SEED
    for rate, pieces in (SHORT if short else PIECES).items():
        for k in range(pieces):
            yield Hours(rate, seed + k, held_out)
        seed += 1000
