"""How far the intervals and comparisons of reports can be trusted: coverage, false positives, power.

`python -m benchmarks.study [--quick]`. Simulated days: 3 to 14 hours of good signal, twitches in bursts of a geometric
number (mean 3.3), a day's rate times a lognormal factor of its own. Seeds differ from those of the tests.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure, machine_line, save
from emgtwitch.app.study.compare import compare
from emgtwitch.app.study.rates import rate

BURST = 0.3  # chance that a twitch is its burst's last
ARM_DAYS = 14

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wear:
    """A wearer: twitches an hour, and how much days differ (standard deviation of the logarithm)."""

    per_hour: float
    sd: float

    def days(self, count: int, rng: np.random.Generator, factor: npt.ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """Events and hours of so many days, their rates times `factor`."""
        hours = rng.uniform(3.0, 14.0, count)
        busy = np.exp(self.sd * rng.normal(size=count) - self.sd**2 / 2) * np.asarray(factor)
        bursts = rng.poisson(self.per_hour * BURST * busy * hours)
        return np.array([rng.geometric(BURST, n).sum() for n in bursts], dtype=np.float64), hours


def coverage(wear: Wear, days: int, runs: int, seed: int) -> tuple[float, float]:
    """How often the interval of the rate holds the truth where one is told, and how often one is told."""
    rng = np.random.default_rng(seed)
    found = [rate(*wear.days(days, rng)) for _ in range(runs)]
    told = [one for one in found if one.enough]
    held = sum(one.low <= wear.per_hour <= one.high for one in told)
    return held / max(len(told), 1), len(told) / runs


def compared(wear: Wear, ratio: float, runs: int, seed: int) -> tuple[float, float, float]:
    """Shares of runs with p < 0.05, with a verdict, and with the true ratio in the interval; 14 days against 14."""
    rng = np.random.default_rng(seed)
    arm = np.arange(2 * ARM_DAYS) < ARM_DAYS
    small = told = held = 0
    for _ in range(runs):
        found = compare(*wear.days(len(arm), rng, np.where(arm, ratio, 1.0)), arm)
        small += found.p < 0.05
        told += found.verdict in ("more", "fewer")
        held += found.low <= ratio <= found.high
    return small / runs, told / runs, held / runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few runs of few wearers")
    quick = parser.parse_args().quick
    print(machine_line())
    runs = 100 if quick else 2000
    sds = (0.4,) if quick else (0.0, 0.3, 0.6, 0.9)
    figures: list[Figure] = []

    def tell(name: str, share: float, limit: float | None = None) -> None:
        figures.append(Figure(name, 100 * share, "%", limit))
        print(figures[-1], flush=True)

    for per_hour in (20.0,) if quick else (20.0, 1.0):
        for sd in sds:
            for days in (7,) if quick else (5, 7, 14, 28):
                held, told = coverage(Wear(per_hour, sd), days, runs, seed=days)
                what = f"{days} days, {per_hour:g} an hour, sd {sd:g}"
                tell(f"coverage of the rate's interval, {what} (told in {100 * told:.0f} %)", held)
    false = []
    for number, sd in enumerate(sds):
        small, told, held = compared(Wear(20.0, sd), 1.0, runs, seed=1 + number)
        false.append(small)
        tell(f"no difference: p under 0.05, 14 days against 14, sd {sd:g}", small)
        tell(f"no difference: a verdict, sd {sd:g}", told)
        tell(f"no difference: 1 within the ratio's interval, sd {sd:g}", held)
    tell(f"no difference: p under 0.05, all {runs * len(sds)} runs", float(np.mean(false)), 5.5)
    for sd in sds:
        _, told, held = compared(Wear(20.0, sd), 0.5, runs // 4, seed=2)
        tell(f"half the rate: found, 14 days against 14, sd {sd:g}", told)
        tell(f"half the rate: 0.5 within the ratio's interval, sd {sd:g}", held)
    save("study", figures, quick=quick)


if __name__ == "__main__":
    main()
