"""From a recipe to a recording: the simulated wearer rendered, cut, and its truth beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.case import Case, Label, Span, class_of
from benchmarks.accuracy.making import with_measured_durations
from emgtwitch.wearer import wearer
from emgtwitch.wearer.scenario import Scenario
from emgtwitch.wearer.wearer import Wearer

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "accuracy" / "signals"
LONGEST_KEPT_S = 1200.0  # longer recordings are made anew each time
SETTLING_S = 3.0  # a detector may learn for so long before anything is judged
LONGEST_BRIEF_S = 0.1  # of a loss that a detector must bear
RESETTLING_S = 1.5  # and again after an electrode was off
DURATION_CELLS_MS = (20, 80, 150, 500, 2000, 10000, 60000)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one recording is made. Equal recipes give equal recordings."""

    group: str
    name: str
    seed: int
    scenario: Scenario
    duration_s: float
    held_out: bool
    cell: str = ""
    confounder: str = ""
    lost: tuple[tuple[float, float], ...] = ()  # time whose samples never arrived
    fitted_s: tuple[float, ...] = ()  # measured durations that the scheduled events must have; 0: any

    def case(self) -> Case:
        """Render the recording, or take it from the cache."""
        counts, truth, labels, off = self._stored()
        values = counts.astype(np.float64)
        fs_Hz = self.scenario.fs_Hz
        for onset_s, offset_s in self.lost:
            values[round(onset_s * fs_Hz) : round(offset_s * fs_Hz)] = np.nan
        device = self.scenario.device
        return Case(
            group=self.group,
            name=self.name,
            seed=self.seed,
            fs_Hz=fs_Hz,
            counts=values,
            uV_per_count=device.uV_per_count,
            rails=(0.0, float(2**device.count_bits - device.oversampling)),
            truth=tuple(truth),
            ignore=((0.0, SETTLING_S), *off, *(_lost_ignored(self.lost))),
            labels=tuple(labels),
            held_out=self.held_out,
            confounder=self.confounder,
            cell=self.cell,
        )

    def _stored(self) -> tuple[npt.NDArray[np.uint16], list[Span], list[Label], list[tuple[float, float]]]:
        path = CACHE / f"{self._key()}.npz"
        if path.exists():
            with np.load(path) as kept:
                told = json.loads(str(kept["told"]))
                spans = [Span(*row) for row in told["truth"]]
                labels = [Label(*row) for row in told["labels"]]
                return kept["counts"], spans, labels, [(a, b) for a, b in told["off"]]
        counts, spans, labels, off = self._render()
        if self.duration_s > LONGEST_KEPT_S:
            return counts, spans, labels, off
        told = {
            "truth": [(s.onset_s, s.offset_s, s.event_class, s.on_tone) for s in spans],
            "labels": [(x.snr_dB, x.cell, x.kind) for x in labels],
            "off": off,
        }
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{hashlib.sha256(str(id(counts)).encode()).hexdigest()[:8]}.npz")
        np.savez(unfinished, counts=counts, told=json.dumps(told))
        unfinished.replace(path)
        return counts, spans, labels, off

    def _render(self) -> tuple[npt.NDArray[np.uint16], list[Span], list[Label], list[tuple[float, float]]]:
        scenario = self.scenario
        if self.fitted_s:
            scenario = replace(scenario, schedule=with_measured_durations(scenario, self.seed, self.fitted_s))
        made = Wearer(scenario, self.seed)
        counts = np.ascontiguousarray(made.render(round(self.duration_s * self.scenario.fs_Hz))[:, 0])
        spans, labels = [], []
        for one in made.truth(self.duration_s):
            spans.append(Span(one.onset_s, one.offset_s, class_of(one.duration_s), one.on_tone))
            labels.append(Label(one.snr_dB, duration_cell(one.duration_s), one.kind))
        off = [
            (gap.onset_s, gap.offset_s + RESETTLING_S)
            for gap in made.intervals(self.duration_s)
            if gap.kind in ("lead_off", "flat")
        ]
        return counts, spans, labels, off

    def _key(self) -> str:
        told = json.dumps([asdict(self.scenario), self.seed, self.duration_s, self.fitted_s], sort_keys=True)
        return hashlib.sha256((told + wearer_digest()).encode()).hexdigest()[:24]


def duration_cell(duration_s: float) -> str:
    """The cell of durations in which an event lies."""
    for limit in DURATION_CELLS_MS:
        if 1000 * duration_s <= limit:
            return f"<= {limit} ms" if limit < 2000 else f"<= {limit // 1000} s"
    return f"> {DURATION_CELLS_MS[-1] // 1000} s"


@cache
def wearer_digest() -> str:
    """Changes with the source of the simulated wearer, so that no stale signal is taken for a new one."""
    digest = hashlib.sha256()
    for path in sorted(Path(wearer.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _lost_ignored(lost: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Long losses restart a detector; brief ones it must bear."""
    return [(a, b + RESETTLING_S) for a, b in lost if b - a > LONGEST_BRIEF_S]
