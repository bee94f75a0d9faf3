"""Muscles, electrodes and boards that recordings are made with: drawn for each anew, far beyond the wearer's defaults.

Tuning recordings come from most of what is possible, held-out ones from all of it and from other rates and boards, so
that what is reported was met in no seed and partly in no kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emgtwitch.wearer.scenario import Device

Rng = np.random.Generator

_DEPTH_MM = {
    False: ((4.5, 10.0), (2.5, 6.0), (3.0, 9.0), (6.0, 15.0)),
    True: ((2.0, 5.0), (4.5, 10.0), (7.0, 14.0), (3.0, 16.0)),
}
_FS_HZ = {False: (600.0, 1000.0, 1000.0, 2000.0, 3000.0), True: (500.0, 1000.0, 1000.0, 1000.0, 2000.0, 4000.0)}
_BOARDS = {  # bits, oversampling, gain
    False: ((10, 1, 1000.0), (10, 1, 1500.0), (10, 4, 1000.0), (12, 1, 500.0), (16, 1, 200.0)),
    True: ((10, 1, 1000.0), (10, 1, 2000.0), (10, 8, 800.0), (12, 1, 400.0), (14, 1, 200.0), (16, 1, 150.0)),
}


def physics(rng: Rng, held_out: bool) -> dict[str, Any]:
    """Values for a Scenario: the muscle below the electrodes, the electrodes and the board."""
    wide = 1.0 if held_out else 0.8
    bits, oversampling, gain = _BOARDS[held_out][int(rng.integers(len(_BOARDS[held_out])))]
    slow = 3.7 + wide * float(rng.uniform(-0.9, 0.6))
    spread = 2.0 + wide * float(rng.uniform(-1.0, 2.0))
    near = 20.0 + wide * float(rng.uniform(-8.0, 10.0))
    return {
        "fs_Hz": float(rng.choice(_FS_HZ[held_out])),
        "device": Device(bits, oversampling, gain=gain, offset_counts=float(rng.uniform(-0.5, 0.5))),
        "motor_units": int(120 * 2 ** (wide * rng.uniform(-1.2, 1.5))),
        "size_range": float(100 * 2 ** (wide * rng.uniform(-2.0, 1.0))),
        "fibre_depth_mm": _DEPTH_MM[held_out][int(rng.integers(len(_DEPTH_MM[held_out])))],
        "electrode_spacing_mm": 20.0 + wide * float(rng.uniform(-10.0, 10.0)),
        "electrode_from_endplate_mm": (near, near + 15.0),
        "velocity_m_per_s": (slow, slow + 0.6 + wide * float(rng.uniform(0.0, 1.4))),
        "endplate_spread_mm": (spread, spread + 3.0),
        "isi_cv": 0.2 + wide * float(rng.uniform(-0.08, 0.12)),
        "full_rms_uV": float(600.0 * 2 ** (-wide * rng.uniform(0.0, 3.0))),
        "amplifier_noise_uV": float(1.5 * 2 ** (wide * rng.uniform(-1.0, 1.2))),
        "flicker_corner_Hz": float(20.0 * 2 ** (wide * rng.uniform(-2.0, 1.0))),
        "electrode_noise_uV": float(2.0 * 2 ** (wide * rng.uniform(-1.0, 1.2))),
        "electrode_noise_variability_dB": float(rng.uniform(0.2, 0.6)),
        "drift_uV": float(rng.uniform(0.0, 40.0)),
    }
