"""What a detector is given and what it gives back: the interface that scenarios, recordings, peers and metrics share.

A detector is a function from a `Case` to the spans that it found. It may look at `fs_Hz`, `counts`, `uV_per_count`,
`rails` and `false_per_hour`, and at nothing else of the case: group, name, truth and labels are for those who judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

EventClass = Literal["twitch", "contraction", "spasm"]
TWITCH_MAX_S = 0.150
SPASM_MIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Span:
    """One event, [onset, offset) in s from the recording's first sample."""

    onset_s: float
    offset_s: float
    event_class: EventClass
    on_tone: bool = False  # a twitch riding on a longer event
    decided_s: float | None = None  # the time of signal that had been heard when it was told; None: not causal
    announced_s: float | None = None  # when a spasm was told while it went on
    decided_as_truncated: bool = False  # closed by a gap or by the recording's end

    @property
    def duration_s(self) -> float:
        return self.offset_s - self.onset_s


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one true event; NaN and empty where it is not."""

    snr_dB: float = float("nan")  # in-event RMS over the floor's, 20-450 Hz; what the scenario asked for
    cell: str = ""  # of duration: "10 ms", "30 ms", ...
    kind: str = ""  # what the muscle did: twitch, doublet, jerk, train, ...


@dataclass(frozen=True, slots=True)
class Case:
    """One recording of one channel with its truth."""

    group: str  # the row of the table
    name: str  # unique within the group
    seed: int
    fs_Hz: float
    counts: npt.NDArray[np.float64]  # (n,); NaN: lost samples
    uV_per_count: float | None
    rails: tuple[float, float]  # lowest and highest possible count; NaN: unknown
    truth: tuple[Span, ...]
    ignore: tuple[tuple[float, float], ...] = ()  # time in which nothing is judged: settling, lead-off, ...
    labels: tuple[Label, ...] = ()  # parallel to `truth`, or empty
    held_out: bool = True
    confounder: str = ""  # what beside the muscle is in it: ECG, mains, motion, ...
    false_per_hour: float | None = None  # the sensitivity asked for; None: the detector's own
    cell: str = ""  # part of the group that has figures of its own: "3 dB", "steady", ...

    @property
    def duration_s(self) -> float:
        return len(self.counts) / self.fs_Hz

    @property
    def judged_s(self) -> float:
        """How much of the recording is judged."""
        return self.duration_s - sum(min(b, self.duration_s) - max(a, 0.0) for a, b in self.ignore)


class Found(list[Span]):
    """Events with what else a detector said of the recording, such as that it saw an electrocardiogram."""

    def __init__(self, spans: Iterable[Span], remarks: Iterable[str] = ()) -> None:
        super().__init__(spans)
        self.remarks = tuple(remarks)


Detector = Callable[[Case], list[Span]]


def class_of(duration_s: float) -> EventClass:
    """The class of an event that lasts so long: design.md, Definitions."""
    if duration_s <= TWITCH_MAX_S:
        return "twitch"
    return "spasm" if duration_s >= SPASM_MIN_S else "contraction"
