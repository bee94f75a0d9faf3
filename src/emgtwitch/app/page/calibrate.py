"""The guided minute: rest, a gentle and a firm contraction; what they tell of baseline, signal and electrodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.app.page.tap import Tap

# name, seconds, what the wearer does, seconds at its beginning that do not count
PHASES = (
    ("rest", 25.0, "Let the muscle go loose and keep still.", 5.0),
    ("gentle", 15.0, "Tighten the muscle gently, as for holding a cup, and hold.", 3.0),
    ("pause", 5.0, "Let go.", 0.0),
    ("firm", 15.0, "Tighten the muscle firmly, without pain, and hold.", 3.0),
)
TOTAL_S = sum(seconds for _, seconds, _, _ in PHASES)
# Of twitches with a peak of a tenth of the firm level or more, four fifths are found at 30 dB and a third at 20 dB.
# Mains costs twitches from 200 uV on: at 250 uV one in twenty, at 500 uV a third (docs/adr/0009-calibration.md).
GOOD_DB, FAIR_DB = 30.0, 20.0
GOOD_MAINS_uV, FAIR_MAINS_uV = 250.0, 500.0
LEAST_SHARE = 0.5  # of a phase that must have been seen


@dataclass(frozen=True, slots=True)
class Calibration:
    """One guided minute of a channel, from the session time `began_s`, on the unit that the tap has."""

    channel: int
    began_s: float

    def progress(self, now_s: float) -> dict[str, Any]:
        """Where the minute stands at the session time `now_s`."""
        at_s = now_s - self.began_s
        out: dict[str, Any] = {"channel": self.channel, "began_s": round(self.began_s, 3), "total_s": TOTAL_S}
        out |= {"phases": [{"name": name, "seconds": s, "do": do} for name, s, do, _ in PHASES]}
        for name, seconds, do, _ in PHASES:
            if at_s < seconds:
                return out | {"state": "running", "phase": name, "left_s": round(seconds - max(at_s, 0.0), 2), "do": do}
            at_s -= seconds
        return out | {"state": "done", "phase": None, "left_s": 0.0, "do": ""}

    def level(self, tap: Tap, phase: str) -> float:
        """Median of the RMS over 32 ms during a phase, without its beginning; of the firm one what a tenth exceeds.

        NaN where too much of the phase is missing.
        """
        begins_s = self.began_s
        for name, seconds, _, lead_s in PHASES:
            if name == phase:
                seen = _envelope(tap, self.channel, begins_s + lead_s, begins_s + seconds)
                return float(np.nanpercentile(seen, 90 if phase == "firm" else 50)) if _enough(seen) else math.nan
            begins_s += seconds
        raise ValueError(f"There is no phase {phase!r}.")

    def result(self, tap: Tap) -> dict[str, Any]:
        """Baseline, levels, signal-to-noise ratio and what they say of the electrodes."""
        rest, gentle, firm = (self.level(tap, name) for name in ("rest", "gentle", "firm"))
        epoch = tap.epoch
        unit = "uV" if epoch is not None and epoch.in_uV else "counts"
        condition = tap.conditions[self.channel] if self.channel < len(tap.conditions) else None
        if math.isnan(rest + gentle + firm):
            return _verdict(
                "unknown", "Too much of the signal was missing. Fasten the electrodes and begin again.", unit
            )
        snr_dB = 20 * math.log10(firm / rest) if rest > 0 and firm > 0 else 0.0
        mains = condition.mains_uV if condition is not None else 0.0
        hum = mains if unit == "uV" else 0.0  # in counts nobody knows how strong it is
        if snr_dB >= GOOD_DB and hum < GOOD_MAINS_uV:
            verdict, do = "good", "The electrodes sit well."
        elif snr_dB >= FAIR_DB and hum < FAIR_MAINS_uV:
            verdict, do = "fair", "Strong twitches will be found, many weak ones not."
        else:
            verdict, do = "poor", "Most twitches would be missed."
        if snr_dB < GOOD_DB:
            do += " Clean the skin with alcohol, use fresh electrodes, place both along the muscle belly, begin again."
        if hum >= GOOD_MAINS_uV:
            do += " There is much mains hum: check the reference electrode and stay away from chargers."
        return _verdict(verdict, do, unit) | {
            "baseline": round(rest, 3),
            "gentle": round(gentle, 3),
            "firm": round(firm, 3),
            "snr_dB": round(snr_dB, 1),
            "mains": round(mains, 3),
        }


def _verdict(verdict: str, do: str, unit: str) -> dict[str, Any]:
    return {"verdict": verdict, "do": do, "unit": unit}


def _enough(levels: npt.NDArray[np.float32]) -> bool:
    return levels.size > 0 and float(np.mean(np.isfinite(levels))) >= LEAST_SHARE


def _envelope(tap: Tap, channel: int, from_s: float, to_s: float) -> npt.NDArray[np.float32]:
    epoch = tap.epoch
    if epoch is None:
        return np.empty(0, np.float32)
    columns = tap.read(channel, epoch.sample(from_s), epoch.sample(to_s), epoch.column)
    return np.empty(0, np.float32) if columns is None else columns.envelope
