"""Lets detectors loose on recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks.accuracy.detectors import OURS, detector
from benchmarks.accuracy.groups import WITHOUT_PEERS, Source, sources
from benchmarks.accuracy.ideal import ideal
from benchmarks.accuracy.outcome import Outcome, judge
from benchmarks.accuracy.recordings import NoRecordingError

FALSE_PER_HOUR = 0.5  # of the ideal observer, as of the detector's default
WITH_IDEAL = ("single",)


def run(
    group_names: Sequence[str], detector_names: Sequence[str], held_out: bool, short: bool, jobs: int
) -> tuple[dict[str, list[Outcome]], str]:
    """Outcomes by detector, in the order of the groups and of their recordings; and a line on what was left out.

    Left out are real recordings that are not on this machine, and what is made of them.
    """
    todo = [(group, source) for group in group_names for source in sources(group, held_out, short)]
    work = partial(_outcomes_or_why, detector_names=tuple(detector_names))
    if jobs == 1:
        results = [work(source) for _, source in todo]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("forkserver")) as pool:
            results = list(pool.map(work, [source for _, source in todo], chunksize=2))
    done = [result for result in results if not isinstance(result, NoRecordingError)]
    outcomes = {
        name: [outcome for result in done if (outcome := result[n]) is not None]
        for n, name in enumerate(detector_names)
    }
    why = [(group, it) for (group, _), it in zip(todo, results, strict=True) if isinstance(it, NoRecordingError)]
    return outcomes, _left_out(why, Counter(group for group, _ in todo))


def _left_out(why: Sequence[tuple[str, NoRecordingError]], all_of: Mapping[str, int]) -> str:
    """Say in one line how much of which group is not here, and how to get the first of it; nothing if all is."""
    if not why:
        return ""
    counted = Counter(group for group, _ in why)
    parts = ", ".join(f"{count} of {all_of[group]} recordings of {group!r}" for group, count in counted.items())
    return f"Left out: {parts}. {why[0][1]}"


def _outcomes_or_why(source: Source, detector_names: tuple[str, ...]) -> list[Outcome | None] | NoRecordingError:
    try:
        return outcomes_of(source, detector_names)
    except NoRecordingError as error:
        return error


def outcomes_of(source: Source, detector_names: tuple[str, ...]) -> list[Outcome | None]:
    """What each of the detectors makes of one recording; None where it is not asked. Raises NoRecordingError."""
    case = source.case()
    seen = ideal(case, FALSE_PER_HOUR) if case.group in WITH_IDEAL else None
    return [
        judge(case, detector(name)(case), seen) if name == OURS or case.group not in WITHOUT_PEERS else None
        for name in detector_names
    ]
