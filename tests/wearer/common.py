"""Wearers that the tests of this room share, and how to look at what they give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emgtwitch.wearer.scenario import Device, Scenario
from emgtwitch.wearer.wearer import Wearer

Floats = npt.NDArray[np.float64]

FINE = Device(bits=16)  # 0.08 uV a count: the converter's steps do not matter
SILENT = Scenario(device=FINE, amplifier_noise_uV=0.0, electrode_noise_uV=0.0)
"""No noise, no events: whatever a test adds is alone."""


def signal_uV(scenario: Scenario, seconds: float, seed: int = 0) -> Floats:
    """Channel 0 in uV around mid-scale."""
    device = scenario.device
    counts = Wearer(scenario, seed).render(int(seconds * scenario.fs_Hz))[:, 0]
    out: Floats = (counts.astype(np.float64) - 2 ** (device.count_bits - 1)) * device.uV_per_count
    return out


def band_rms(x: Floats, fs_Hz: float, low_Hz: float = 20.0, high_Hz: float = 450.0) -> float:
    """RMS of the part of `x` between two frequencies, by Parseval."""
    power = np.abs(np.fft.rfft(x)) ** 2
    f_Hz = np.fft.rfftfreq(len(x), 1 / fs_Hz)
    return float(np.sqrt(2 * power[(f_Hz >= low_Hz) & (f_Hz < high_Hz)].sum()) / len(x))


def at_rate(scenario: Scenario, fs_Hz: float) -> Scenario:
    return replace(scenario, fs_Hz=fs_Hz)
