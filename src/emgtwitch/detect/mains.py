"""Kernels of the mains canceller: sinusoids at the mains' harmonics, adapted and tuned while the signal is quiet.

An adaptive noise canceller with quadrature references (Widrow et al. 1975) whose error is clipped to the noise, so that
a contraction neither disturbs it nor rings in it.
"""

from __future__ import annotations

import math

from emgtwitch.detect.jit import kernel
from emgtwitch.detect.state import LANES


@kernel
def rotate_lanes(p, s, n):  # type: ignore[no-untyped-def]
    """Turn the mains oscillators by `n` samples that were not received."""
    for k in range(LANES):
        angle = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs * n
        c, q = math.cos(angle), math.sin(angle)
        s.lane_c[k], s.lane_s[k] = s.lane_c[k] * c - s.lane_s[k] * q, s.lane_s[k] * c + s.lane_c[k] * q


@kernel
def tune_lanes(p, s):  # type: ignore[no-untyped-def]
    """Every quarter second: follow the mains by the phase that the strong lanes have gained."""
    for family in range(2):
        weight = 0.0
        gain = 0.0
        for k in range(LANES):
            if p.lane_family[k] != family or p.lane_order[k] == 0.0:
                continue
            phase = math.atan2(-s.lane_b[k], s.lane_a[k])
            turn = phase - s.lane_phase[k]
            s.lane_phase[k] = phase
            turn -= 2 * math.pi * math.floor(turn / (2 * math.pi) + 0.5)
            power = s.lane_a[k] ** 2 + s.lane_b[k] ** 2
            if power > 0.1 * s.floor and abs(turn) < 0.5 * math.pi:
                weight += power * p.lane_order[k] ** 2
                gain += power * p.lane_order[k] * turn
        if weight > 0.0:
            f = s.family_Hz[family] + 0.3 * gain / weight / (2 * math.pi * 0.25)
            nominal = p.lane_Hz[0] if family == 0 else p.lane_Hz[LANES // 2]
            s.family_Hz[family] = min(max(f, nominal - 1.0), nominal + 1.0)
    for k in range(LANES):
        angle = 2 * math.pi * s.family_Hz[p.lane_family[k]] * p.lane_order[k] / p.fs
        s.lane_cw[k] = math.cos(angle)
        s.lane_sw[k] = math.sin(angle)


@kernel
def line_share(p, s, ring, stop, n):  # type: ignore[no-untyped-def]
    """Share of the energy of the `n` samples before `stop` that lies on mains harmonics 1 to 4 (n: whole 0.1 s)."""
    best = 0.0
    energy = 1e-300
    for i in range(stop - n, stop):
        energy += ring[i & p.ring_mask] ** 2
    for family in range(2):
        share = 0.0
        for order in range(1, 5):
            f = s.family_Hz[family] * order
            if f >= 0.45 * p.fs:
                break
            c = 0.0
            q = 0.0
            w = 2 * math.pi * f / p.fs
            for i in range(n):
                y = ring[(stop - n + i) & p.ring_mask]
                c += y * math.cos(w * i)
                q += y * math.sin(w * i)
            share += 2 * (c * c + q * q) / n
        best = max(best, share / energy)
    return best
