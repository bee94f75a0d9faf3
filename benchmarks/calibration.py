"""What the guided minute's verdict is worth: how many twitches are found where it says good, fair or poor.

`python -m benchmarks.calibration [--quick]`. The simulated wearer contracts as it is told to, and then twitches: peaks
of a tenth of the firm contraction's level to all of it. Noise rises, and mains; each row is a wearer of its own. The
last row is about the baseline: the detector's own floor over the minute's, right after strong activity.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.figures import Figure, machine_line, save
from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.page.calibrate import PHASES, TOTAL_S, Calibration
from emgtwitch.app.page.tap import Tap
from emgtwitch.detect.records import Event
from emgtwitch.pipeline import Pipeline
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import Scenario, Scheduled, Spontaneous
from emgtwitch.wearer.wearer import events_until

FIRM_PEAK_UV, GENTLE = 1500.0, 0.2  # which is 400 uV RMS, and its share
TWITCHES = Spontaneous("twitch", 900, (40.0, 400.0))
NOISES = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # times the usual 2.5 uV RMS
MAINS_uV = (50.0, 100.0, 200.0, 300.0, 450.0, 700.0, 1000.0)  # peak of the fundamental
HARMONICS = (1.0, 0.15, 0.4)
NEAR_S = 0.02
REST_S = PHASES[0][1]


@dataclass(frozen=True, slots=True)
class Row:
    """One wearer: what the minute says, and the share of the twitches that is found."""

    what: str
    verdict: str
    snr_dB: float
    mains_uV: float
    recall: float


def row(what: str, scenario: Scenario, seed: int, duration_s: float) -> Row:
    """Calibrate, then count."""
    told = minute(scenario, seed)
    return Row(what, told["verdict"], told["snr_dB"], told["mains"], recall(scenario, seed + 1, duration_s))


def minute(scenario: Scenario, seed: int) -> dict[str, Any]:
    """The result of the guided minute for a wearer who does what it says."""
    doing = (
        Scheduled(26.0, "contraction", GENTLE * FIRM_PEAK_UV, 13.5),
        Scheduled(46.0, "contraction", FIRM_PEAK_UV, 13.5),
    )
    tap, _ = _watched(recorded(replace(scenario, schedule=doing), seed, TOTAL_S + 1))
    return Calibration(0, 0.0).result(tap)


def recall(scenario: Scenario, seed: int, duration_s: float) -> float:
    """The share of the simulated twitches that an event meets."""
    wearer = replace(scenario, spontaneous=(TWITCHES,))
    pipeline = Pipeline()
    outputs = [out for block in recorded(wearer, seed, duration_s) for out in pipeline.feed(block)] + pipeline.finish()
    found = [out.record for out in outputs if isinstance(out.record, Event)]
    truth = events_until(wearer, seed, duration_s)
    met = [any(e.onset_s < t.offset_s + NEAR_S and e.offset_s > t.onset_s - NEAR_S for e in found) for t in truth]
    return sum(met) / len(met)


def baseline(seed: int) -> float:
    """The detector's floor at the end of the rest over the minute's baseline, after a minute of strong tone."""
    active = Scenario(tone_uV=60.0, tone_profile=((0.0, 1.0), (60.0, 1.0), (60.5, 0.0)))
    tap, pipeline = _watched(recorded(active, seed, 60.5 + REST_S))
    return pipeline.detectors[0].floor_uV / Calibration(0, 60.5).level(tap, "rest")


def _watched(blocks: Iterable[bytes]) -> tuple[Tap, Pipeline]:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    for block in blocks:
        for at in range(0, len(block), 1500):
            pipeline.feed(block[at : at + 1500])
            tap.look(pipeline)
    return tap, pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few wearers, two minutes of each")
    quick = parser.parse_args().quick
    print(machine_line())
    prepare_kernels()
    step, duration_s = (3, 120.0) if quick else (1, 1800.0)
    wearers = [(f"noise {2.5 * noise:g} uV", Scenario(noise_profile=((0.0, noise),))) for noise in NOISES[::step]]
    wearers += [
        (f"mains {peak:g} uV", Scenario(mains_uV=tuple(peak * share for share in HARMONICS)))
        for peak in MAINS_uV[::step]
    ]
    print(f"{'':16}{'verdict':10}{'firm over rest':>16}{'mains':>12}{'found':>9}")
    figures = []
    for number, (what, scenario) in enumerate(wearers):
        one = row(what, scenario, 100 + 2 * number, duration_s)
        print(f"{what:16}{one.verdict:10}{one.snr_dB:13.1f} dB{one.mains_uV:9.0f} uV{one.recall:9.3f}", flush=True)
        figures.append(Figure(f"twitches found, {what}: {one.verdict}", one.recall, "of 1"))
    figures.append(Figure("the detector's floor over the baseline, after strong activity", baseline(7), "x"))
    print(figures[-1])
    save("calibration", figures, quick=quick)


if __name__ == "__main__":
    main()
