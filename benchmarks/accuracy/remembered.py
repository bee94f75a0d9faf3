"""What peers found, kept on disk: they are slow and seldom change, so that a new table costs only our own detector.

An answer is taken from build/accuracy/peers only for the same samples, by the same peers.py and the same packages.
What is kept are the events, not how they were judged, so that a change of the judge needs no peer to run again.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from benchmarks.accuracy.case import Case, Detector, Span, class_of

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "build" / "accuracy" / "peers"


def remembered(name: str, find: Detector) -> Detector:
    """The detector, asked only about what it was not asked before. It may tell onset and offset only."""

    def found(case: Case) -> list[Span]:
        path = FOLDER / settings_digest() / f"{heard_digest(case)}-{name.replace(' ', '_')}.json"
        if not path.exists():
            times = [(span.onset_s, span.offset_s) for span in find(case)]
            path.parent.mkdir(parents=True, exist_ok=True)
            # Written apart and put into place whole: a run that is stopped leaves no half an answer behind.
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(times))
            unfinished.replace(path)
        return [Span(a, b, class_of(b - a)) for a, b in json.loads(path.read_text())]

    return found


@cache
def settings_digest() -> str:
    """Changes with the peers' settings and the versions of their packages."""
    return hashlib.sha256((HERE / "peers.py").read_bytes() + (HERE / "peers.txt").read_bytes()).hexdigest()[:16]


def heard_digest(case: Case) -> str:
    """Changes with anything that a detector may look at."""
    told = repr((case.fs_Hz, case.uV_per_count, case.rails, case.false_per_hour))
    return hashlib.sha256(told.encode() + case.counts.tobytes()).hexdigest()[:24]
