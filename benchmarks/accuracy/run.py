"""Lets detectors loose on recordings."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks.accuracy.detectors import WITH_SENSITIVITY, detector
from benchmarks.accuracy.groups import Source, sources
from benchmarks.accuracy.ideal import ideal
from benchmarks.accuracy.outcome import Outcome, judge

FALSE_PER_HOUR = 0.5  # of the ideal observer, as of the detector's default
WITH_IDEAL = ("single",)


def run(
    group_names: Sequence[str], detector_names: Sequence[str], held_out: bool, short: bool, jobs: int
) -> dict[str, list[Outcome]]:
    """Outcomes by detector, in the order of the groups and of their recordings."""
    todo = [source for group in group_names for source in sources(group, held_out, short)]
    work = partial(outcomes_of, detector_names=tuple(detector_names))
    if jobs == 1:
        results = [work(source) for source in todo]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("forkserver")) as pool:
            results = list(pool.map(work, todo, chunksize=2))
    return {
        name: [outcome for result in results if (outcome := result[n]) is not None]
        for n, name in enumerate(detector_names)
    }


def outcomes_of(source: Source, detector_names: tuple[str, ...]) -> list[Outcome | None]:
    """What each of the detectors makes of one recording; None where it cannot do what the recording asks."""
    case = source.case()
    seen = ideal(case, FALSE_PER_HOUR) if case.group in WITH_IDEAL else None
    return [
        judge(case, detector(name)(case), seen) if case.false_per_hour is None or name in WITH_SENSITIVITY else None
        for name in detector_names
    ]
