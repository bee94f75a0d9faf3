"""Real recordings with labels: `python -m benchmarks.accuracy.real`.

    --fetch  get the recordings that lie in wheels on PyPI
    --label  write labels/*.json anew from the rule and the corrections that stand in them
    --draw   draw labels over the recordings into build/accuracy/real/*.png
    else     every detector on every recording: labels, recall, precision, misses and false events

A label file holds facts about a recording and none of its samples: what the rule of `labelling` said, changed by the
corrections that a person made looking at the picture, each with its reason. Doubtful time is neither asked for nor
held against anyone; so are the first half second, in which filters settle, and lost samples.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.case import Case, Span, class_of
from benchmarks.accuracy.labelling import RULE_VERSION, Labelled, filled, label
from benchmarks.accuracy.recordings import RECORDINGS, Loaded, NoRecordingError, Recording, fetch, load

LABELS = Path(__file__).parent / "labels"
GROUP = "real"
SETTLING_S = 0.5
CLEAR_S = 0.06  # doubtful time ends so far from an event, so that it does not make the event itself unjudged
LOST_S = 0.06  # on either side of lost samples
Times = list[tuple[float, float]]


def cases(names: Sequence[str] = ()) -> list[Case]:
    """The recordings (all, or those named) with their labels. Raises NoRecordingError."""
    return [case(one) for one in RECORDINGS if not names or one.name in names]


@dataclass(frozen=True, slots=True)
class Real:
    """One recording to come."""

    recording: Recording

    def case(self) -> Case:
        """Read it. Raises NoRecordingError."""
        return case(self.recording)


def sources(held_out: bool, short: bool) -> list[Real]:
    """All recordings, whatever is asked: nothing is tuned on any of them, and they take a second."""
    return [Real(one) for one in RECORDINGS]


def case(recording: Recording) -> Case:
    """One recording with its labels."""
    loaded = load(recording)
    said = read(recording)
    return Case(
        group=GROUP,
        name=recording.name,
        seed=0,
        fs_Hz=loaded.fs_Hz,
        counts=loaded.x,
        uV_per_count=1.0 if loaded.in_uV else None,
        rails=loaded.rails,
        truth=tuple(Span(a, b, class_of(b - a)) for a, b in said.events),
        ignore=tuple(clear_of([(0.0, SETTLING_S), *said.doubtful], said.events)),
        cell=recording.name,
    )


def clear_of(doubtful: Times, events: Times) -> Times:
    """What of the doubtful time is `CLEAR_S` or more away from every event."""
    out: Times = []
    for start, stop in sorted(doubtful):
        for a, b in events:
            if a - CLEAR_S < stop and b + CLEAR_S > start:
                if a - CLEAR_S > start:
                    out.append((start, a - CLEAR_S))
                start = b + CLEAR_S
        if stop > start:
            out.append((start, stop))
    joined: Times = []
    for a, b in out:
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    return joined


def file_of(recording: Recording) -> Path:
    return LABELS / f"{recording.name}.json"


def read(recording: Recording) -> Labelled:
    """The labels as committed."""
    said = json.loads(file_of(recording).read_text())
    return Labelled([(a, b) for a, b in said["events"]], [(a, b) for a, b in said["doubtful"]])


def relabelled(recording: Recording, loaded: Loaded) -> dict[str, Any]:
    """The contents of the label file: the rule's word, then the corrections that stand in the file by now."""
    path = file_of(recording)
    corrections = json.loads(path.read_text())["corrections"] if path.exists() else []
    events, doubtful = label(loaded.x, loaded.fs_Hz, recording.band_Hz, recording.baselines)
    events = [one for one in events if one[1] - one[0] >= recording.least_s]
    doubtful = [one for one in doubtful if one[1] - one[0] >= recording.least_s]
    end_s = len(loaded.x) / loaded.fs_Hz
    unjudged = _lost(loaded)
    if recording.edge_s:
        unjudged += [(0.0, recording.edge_s), (end_s - recording.edge_s, end_s)]
    events = [one for one in events if not any(a < one[1] and b > one[0] for a, b in unjudged)]
    for one in corrections:
        events, doubtful = corrected(events, doubtful, one)
    return {
        "recording": f"{recording.group}/{recording.file}",
        "channel": recording.channel,
        "rule_version": RULE_VERSION,
        "rule_for_this_recording": recording.reason,
        "corrections": corrections,
        "events": [[round(a, 4), round(b, 4)] for a, b in sorted(events)],
        "doubtful": [[round(a, 3), round(b, 3)] for a, b in sorted(doubtful + unjudged)],
    }


def corrected(events: Times, doubtful: Times, correction: dict[str, Any]) -> tuple[Times, Times]:
    """Apply one correction to the time that it names.

    `doubt`: events that begin in it are doubtful, and so is all of it outside other events; `join`: the events that
    touch it are one, and the pauses between them are in it; `event`: it is an event in place of those that touch it.
    """
    start, stop = correction["from_s"], correction["to_s"]
    inside = [e for e in events if e[0] < stop and e[1] > start]
    if correction["action"] == "doubt":
        return [e for e in events if not start <= e[0] < stop], [*doubtful, (start, stop)]
    rest = [e for e in events if e not in inside]
    if correction["action"] == "join":
        return [*rest, (inside[0][0], inside[-1][1])], doubtful
    if correction["action"] == "event":
        return [*rest, (start, stop)], doubtful
    raise ValueError(f"A correction is doubt, join or event, not {correction['action']!r}.")


def _lost(loaded: Loaded) -> Times:
    lost = np.concatenate(([False], ~np.isfinite(loaded.x), [False]))
    edges = np.flatnonzero(np.diff(lost.astype(np.int8))) / loaded.fs_Hz
    return [(max(0.0, float(a) - LOST_S), float(b) + LOST_S) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def write_labels(recording: Recording) -> None:
    """Label one recording anew."""
    said = relabelled(recording, load(recording))
    lines = [f' "{key}": {json.dumps(value)}' for key, value in said.items() if key not in ("events", "doubtful")]
    for key in ("events", "doubtful"):
        rows = [json.dumps(said[key][at : at + 6])[1:-1] for at in range(0, len(said[key]), 6)]
        lines.append(f' "{key}": [\n  ' + ",\n  ".join(rows) + "\n ]")
    file_of(recording).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.real",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="recordings; all if none is named")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--label", action="store_true")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--detector", action="append", default=[], help="by name; all if none is named")
    asked = parser.parse_args(arguments)
    chosen = [one for one in RECORDINGS if not asked.names or one.name in asked.names]
    try:
        if asked.fetch:
            fetch()
        if asked.label:
            for one in chosen:
                write_labels(one)
        if asked.draw:
            from benchmarks.accuracy.draw_real import draw

            for one in chosen:
                loaded = load(one)
                for path in draw(one, filled(loaded.x), loaded.fs_Hz, read(one)):
                    print(path)
        if not (asked.fetch or asked.label or asked.draw):
            from benchmarks.accuracy.report_real import report

            print("\n".join(report([case(one) for one in chosen], asked.detector)))
    except NoRecordingError as error:
        print(error, file=sys.stderr)
        return 65
    return 0


if __name__ == "__main__":
    sys.exit(main())
