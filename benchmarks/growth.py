"""How cost grows: with channels, sampling rate and events for the detector, with duration for the replay.

`python -m benchmarks.growth [--quick] [--week]`; --week: the replay up to 7 days. `benchmarks.document` draws it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure, machine_line, save
from benchmarks.material import UV_PER_COUNT, write_recording
from benchmarks.processes import EMGTWITCH, run
from emgtwitch.app.kernels import warm_up
from emgtwitch.detect.detector import Detector
from emgtwitch.settings import Settings
from emgtwitch.wearer.scenario import SCENARIOS, Scenario, Spontaneous
from emgtwitch.wearer.wearer import Wearer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """What costs, what grows, the cost's unit, and where it is taken."""

    of: str
    what: str
    unit: str
    places: tuple[int, ...]

    def figure(self, at: int, cost: float) -> Figure:
        """A point of it."""
        return Figure(f"{self._head}{at}", cost, self.unit)

    def points(self, measured: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
        """Its points among the kept figures: (where, cost)."""
        return [
            (int(one["name"].removeprefix(self._head)), one["value"])
            for one in measured
            if one["name"].startswith(self._head) and one["unit"] == self.unit
        ]

    @property
    def _head(self) -> str:
        return f"growth of {self.of}: {self.what} "


CHANNELS = Curve("detector", "channels", "ns a sample", (1, 2, 4, 8, 16))
RATES_HZ = Curve("detector", "scans a second", "ns a sample", (500, 1000, 2000, 4000))
EVENTS = Curve("detector", "events an hour", "ns a sample", (0, 900, 1800, 3600))
SECONDS = Curve("replay", "seconds", "s", (60, 600, 3600, 6 * 3600, 24 * 3600))
MEMORY = Curve("replay", "seconds", "MB", SECONDS.places)
CURVES = (CHANNELS, RATES_HZ, EVENTS, SECONDS, MEMORY)
WEEK_S = 7 * 24 * 3600
BLOCK_S = 0.1  # of signal at a time, one channel after the other, as in the daemon
QUIET = SCENARIOS["quiet"]


def ns_a_sample(scenario: Scenario, duration_s: float, rounds: int, channels: int = 1) -> float:
    """What the detector takes for a sample of one of so many channels: the median over the rounds."""
    fs_Hz = scenario.fs_Hz
    counts = Wearer(scenario, 1).render(round(duration_s * fs_Hz))[:, 0].astype(np.float64)
    block = round(BLOCK_S * fs_Hz)
    times_s = []
    for _ in range(rounds + 1):
        detectors = [Detector(Settings(), fs_Hz, UV_PER_COUNT, (0.0, 1023.0)) for _ in range(channels)]
        began_s = time.perf_counter()
        for at in range(0, len(counts), block):
            for detector in detectors:
                detector.feed(counts[at : at + block])
        times_s.append(time.perf_counter() - began_s)
    return 1e9 * statistics.median(times_s[1:]) / len(counts) / channels


def grown(duration_s: float, rounds: int, longest_s: int) -> Iterator[Figure]:
    """Every point, as soon as it is known."""
    for channels in CHANNELS.places:
        yield CHANNELS.figure(channels, ns_a_sample(QUIET, duration_s, rounds, channels))
    for rate_Hz in RATES_HZ.places:
        yield RATES_HZ.figure(rate_Hz, ns_a_sample(replace(QUIET, fs_Hz=float(rate_Hz)), duration_s, rounds))
    for per_hour in EVENTS.places:
        twitches = Spontaneous("twitch", per_hour, (100.0, 400.0))
        lively = replace(QUIET, spontaneous=(twitches,) if per_hour else ())
        yield EVENTS.figure(per_hour, ns_a_sample(lively, duration_s, rounds))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "recording.emgw"
        for seconds in (*SECONDS.places, WEEK_S):
            if seconds <= longest_s:
                write_recording(path, seconds, "demo")
                cost = run([*EMGTWITCH, "replay", path, "--json", "--log", path.with_name(f"{seconds}.sqlite3")])
                yield SECONDS.figure(seconds, cost.wall_s)
                yield MEMORY.figure(seconds, cost.peak_MB)


def draw(measured: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write the curves as one PNG."""
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(12.0, 2.8), layout="constrained")
    for axis, curve in zip(drawing.subplots(1, len(CURVES)), CURVES, strict=True):
        axis.plot(*zip(*curve.points(measured), strict=True), marker=".", color="tab:red")
        axis.set(xlabel=curve.what, ylabel=f"{curve.of}, {curve.unit}")
        if curve in (SECONDS, MEMORY):
            axis.set_xscale("log")
        if curve is SECONDS:
            axis.set_yscale("log")
        else:
            axis.set_ylim(0)
        axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, dpi=80)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little signal, the replay up to 10 minutes")
    parser.add_argument("--week", action="store_true", help="the replay up to 7 days: 1.6 GB of temporary files")
    args = parser.parse_args()
    print(machine_line())
    warm_up()  # so that nothing below compiles
    longest_s = 600 if args.quick else WEEK_S if args.week else SECONDS.places[-1]
    figures = []
    for one in grown(20.0, 2, longest_s) if args.quick else grown(300.0, 9, longest_s):
        print(one, flush=True)
        figures.append(one)
    save("growth", figures, quick=args.quick)


if __name__ == "__main__":
    main()
