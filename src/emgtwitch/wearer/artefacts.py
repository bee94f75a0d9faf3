"""Motion, cable taps and electrodes that come off: what makes a time unfit to be analysed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from emgtwitch.wearer.contaminants import Block
from emgtwitch.wearer.events import Plan
from emgtwitch.wearer.motor_units import Floats
from emgtwitch.wearer.truth import TruthInterval

Wave = Callable[[Floats], Floats]  # uV at times in s from the onset


class Artefact:
    """One artefact: adds to the signal, or takes its place."""

    __slots__ = ("_channel", "_plan", "_rail", "_tail_s", "_wave")

    def __init__(self, plan: Plan, channel: int) -> None:
        self._plan = plan
        self._channel = channel
        self._rail = 0.0
        self._tail_s = 0.0
        self._wave: Wave | None = None
        if plan.kind == "motion":
            self._wave, self._tail_s = _motion(plan)
        elif plan.kind == "tap":
            self._wave = _tap(plan)
        elif plan.kind == "lead_off":
            self._rail = float(plan.rng.choice([-1.0, 1.0]))

    @property
    def end_s(self) -> float:
        """True time from which nothing is left of it."""
        return self._plan.onset_s + self._plan.duration_s + self._tail_s

    def truth(self) -> TruthInterval:
        """In true time."""
        kind: Literal["lead_off", "flat", "artefact"] = "artefact"
        if self._plan.kind == "lead_off" or self._plan.kind == "flat":
            kind = self._plan.kind
        cause = self._plan.kind if kind == "artefact" else ""
        return TruthInterval(kind, self._channel, self._plan.onset_s, self.end_s, cause)

    def apply(self, out: Floats, block: Block, skew: float, full_scale_uV: float) -> None:
        """Change the uV of `block`: rails lie at +-`full_scale_uV`, beyond which the converter clips."""
        time_s = block.time_s(skew) - self._plan.onset_s
        first, last = np.searchsorted(time_s, [0.0, self._plan.duration_s + self._tail_s])
        if first >= last:
            return
        if self._wave is not None:
            out[first:last] += self._wave(time_s[first:last])
        elif self._rail:
            out[first:last] = 2 * self._rail * full_scale_uV
        else:
            out[first:last] = 0.0


def _motion(plan: Plan) -> tuple[Wave, float]:
    """A swing below 10 Hz under a smooth window, and in every second one a step that a high-pass lets decay."""
    rng, length_s = plan.rng, plan.duration_s
    f_Hz, phase = rng.uniform(1.0, 9.0, 3), rng.uniform(0, 2 * np.pi, 3)
    share = rng.dirichlet(np.ones(3)) * plan.amplitude * float(rng.choice([-1.0, 1.0]))
    step_uV = plan.amplitude * float(rng.uniform(-1, 1)) * float(rng.uniform() < 0.5)
    rise_s, decay_s = float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.05, 0.25))

    def wave(t: Floats) -> Floats:
        window = np.sin(np.pi * np.clip(t / length_s, 0, 1)) ** 2
        swing = np.sin(2 * np.pi * f_Hz[:, None] * t + phase[:, None])
        step = step_uV * (1 - np.exp(-t / rise_s)) * np.exp(-t / decay_s)
        out: Floats = window * (share @ swing) + step
        return out

    return wave, 5 * decay_s if step_uV else 0.0


def _tap(plan: Plan) -> Wave:
    """A sharp step that rings at 15-60 Hz and has died away at the end of the duration."""
    rng = plan.rng
    f_Hz, sign = float(rng.uniform(15, 60)), float(rng.choice([-1.0, 1.0]))
    decay_s = plan.duration_s / 5

    def wave(t: Floats) -> Floats:
        out: Floats = sign * plan.amplitude * np.exp(-t / decay_s) * np.cos(2 * np.pi * f_Hz * t)
        return out

    return wave
