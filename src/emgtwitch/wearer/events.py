"""When events happen, and the discharges and truth of each."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from emgtwitch.wearer import drive
from emgtwitch.wearer.motor_units import WINDOW_S, Floats, Population, Potentials, Spikes
from emgtwitch.wearer.scenario import (
    ARTEFACT_KINDS,
    MUSCLE_KINDS,
    Kind,
    Scenario,
    Scheduled,
    Spontaneous,
)
from emgtwitch.wearer.seeds import EVENTS, SCHEDULE, generator
from emgtwitch.wearer.truth import TRUTH_HZ, Measured, TruthEvent, class_of, measure

_KINDS: dict[Kind, tuple[float, float]] = {**MUSCLE_KINDS, **ARTEFACT_KINDS}
_PLACE: dict[Kind, int] = {kind: n for n, kind in enumerate(_KINDS)}
_POTENTIAL_S = 0.015  # what the last discharge adds to an event's duration
_SILENCE_S = 0.1  # around an event that is measured


@dataclass(frozen=True, slots=True)
class Plan:
    """An event to come: true onset, what it is and how strong."""

    onset_s: float
    kind: Kind
    duration_s: float
    amplitude: float
    in_dB: bool
    rng: np.random.Generator  # draws the rest of it


@dataclass(frozen=True, slots=True)
class Activity:
    """Discharges of one event, in true time, and its truth, in true time too."""

    spikes: Spikes
    truth: tuple[TruthEvent, ...]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.uniform())


def plans(scenario: Scenario, channel: int, kinds: Collection[Kind], seed: int) -> Iterator[Plan]:
    """The events of `kinds` in one channel by onset, for ever: the schedule's, and random ones around them.

    Each row of the scenario draws from a generator of its own, so that a change in one leaves the others alone.
    """
    rows = [row for row in scenario.spontaneous if row.kind in kinds and row.per_hour > 0]
    rngs = [generator(seed, EVENTS, channel, _PLACE[row.kind], n) for n, row in enumerate(rows)]
    scheduled = _scheduled(scenario, channel, kinds, seed)
    coming = next(scheduled, None)
    waiting: list[tuple[float, int, Plan]] = []
    for n, row in enumerate(rows):
        _draw(waiting, n, row, rngs[n], 0.0)
    busy_until_s = 0.0
    while coming or waiting:
        if coming and (not waiting or coming.onset_s <= waiting[0][0]):
            busy_until_s = max(busy_until_s, coming.onset_s + coming.duration_s)
            yield coming
            coming = next(scheduled, None)
            continue
        onset_s, n, plan = heapq.heappop(waiting)
        free_s = busy_until_s + scenario.min_gap_s
        if coming and onset_s + plan.duration_s + scenario.min_gap_s > coming.onset_s:
            free_s = max(free_s, coming.onset_s + coming.duration_s + scenario.min_gap_s)
        if onset_s < free_s:  # wait, and a little longer, lest events follow each other like clockwork
            later_s = free_s + float(rngs[n].exponential(scenario.min_gap_s))
            heapq.heappush(waiting, (later_s, n, replace(plan, onset_s=later_s)))
            continue
        busy_until_s = onset_s + plan.duration_s
        yield plan
        _draw(waiting, n, rows[n], rngs[n], busy_until_s)


def _draw(
    waiting: list[tuple[float, int, Plan]], n: int, row: Spontaneous, rng: np.random.Generator, after_s: float
) -> None:
    onset_s = after_s + float(rng.exponential(3600.0 / row.per_hour))
    low, high = row.duration_s or _KINDS[row.kind]
    in_dB = row.amplitude_in == "snr_dB"
    amplitude = float(rng.uniform(*row.amplitude)) if in_dB else log_uniform(rng, *row.amplitude)
    plan = Plan(onset_s, row.kind, log_uniform(rng, low, high), amplitude, in_dB, rng.spawn(1)[0])
    heapq.heappush(waiting, (onset_s, n, plan))


def _scheduled(scenario: Scenario, channel: int, kinds: Collection[Kind], seed: int) -> Iterator[Plan]:
    rows: list[Scheduled] = sorted(
        (s for s in scenario.schedule if s.kind in kinds and s.channel == channel), key=lambda s: s.onset_s
    )
    turn = 0
    while rows:
        for n, row in enumerate(rows):
            rng = generator(seed, SCHEDULE, channel, _PLACE[row.kind], n, turn)
            duration_s = row.duration_s or log_uniform(rng, *_KINDS[row.kind])
            in_dB = row.snr_dB is not None
            amplitude = row.amplitude_uV if row.snr_dB is None else row.snr_dB
            onset_s = row.onset_s + turn * scenario.schedule_period_s
            yield Plan(onset_s, row.kind, duration_s, amplitude, in_dB, rng)
        turn += 1
        if not scenario.schedule_period_s:
            return


class Muscle:
    """Turns plans into discharges of one channel's population; keeps nothing from one event to the next."""

    __slots__ = ("_channel", "_floor_uV", "_potentials", "_scenario", "population")

    def __init__(self, scenario: Scenario, channel: int, population: Population, floor_uV: float) -> None:
        self._scenario = scenario
        self._channel = channel
        self.population = population
        self._potentials = Potentials(population, TRUTH_HZ)
        self._floor_uV = max(floor_uV, 1e-3)

    def activity(self, plan: Plan) -> Activity:
        """The event of `plan`: what its true onset and amplitude come to is measured and set."""
        make: dict[Kind, Callable[[Plan], list[Activity]]] = {
            "twitch": self._twitch,
            "doublet": self._doublet,
            "jerk": self._jerk,
            "train": self._train,
            "contraction": self._contraction,
            "spasm": self._spasm,
            "twitch_on_tone": self._twitch_on_tone,
        }
        parts = make[plan.kind](plan)
        return Activity(Spikes.joined([a.spikes for a in parts]), tuple(t for a in parts for t in a.truth))

    def _place(
        self, plan: Plan, spikes: Spikes, onset_s: float, factor: float = 1.0, on_tone: bool = False
    ) -> Activity:
        """`spikes` with their measured onset at `onset_s` and the plan's amplitude times `factor`."""
        wave, start_s = self._wave(spikes)
        seen = measure(wave, TRUTH_HZ)
        have = seen.rms_uV if plan.in_dB else seen.peak_uV
        want = self._floor_uV * 10 ** (plan.amplitude / 20) if plan.in_dB else plan.amplitude
        scale = factor * want / have
        truth = self._truth(plan, seen, onset_s, scale, on_tone)
        return Activity(spikes.moved(onset_s - (start_s + seen.onset_s), scale), (truth,))

    def _truth(self, plan: Plan, seen: Measured, onset_s: float, scale: float, on_tone: bool) -> TruthEvent:
        duration_s = seen.offset_s - seen.onset_s
        rms_uV = scale * seen.rms_uV
        return TruthEvent(
            event_class=class_of(duration_s),
            kind=plan.kind,
            channel=self._channel,
            onset_s=onset_s,
            offset_s=onset_s + duration_s,
            on_tone=on_tone,
            peak_uV=scale * seen.peak_uV,
            rms_uV=rms_uV,
            snr_dB=float(20 * np.log10(rms_uV / self._floor_uV)),
        )

    def _wave(self, spikes: Spikes) -> tuple[Floats, float]:
        """The event's own signal at TRUTH_HZ and the time of its first sample."""
        start = int(np.floor((spikes.time_s[0] - WINDOW_S / 2 - _SILENCE_S) * TRUTH_HZ))
        stop = int(np.ceil((spikes.time_s[-1] + WINDOW_S / 2 + _SILENCE_S) * TRUTH_HZ))
        wave = np.zeros(stop - start)
        self._potentials.add(wave, start, spikes)
        return wave, start / TRUTH_HZ

    def _level(self, plan: Plan) -> float:
        """The excitation whose natural strength is about the plan's."""
        rms_uV = self._floor_uV * 10 ** (plan.amplitude / 20) if plan.in_dB else plan.amplitude / 4
        return float(np.clip((rms_uV / self._scenario.full_rms_uV) ** 0.7, 0.08, 1.0))

    def _one_unit(self, rng: np.random.Generator) -> int:
        return int(rng.integers(len(self.population)))

    def _twitch(self, plan: Plan) -> list[Activity]:
        unit = self._one_unit(plan.rng)
        return [self._place(plan, Spikes.of(np.zeros(1), np.array([unit])), plan.onset_s)]

    def _doublet(self, plan: Plan) -> list[Activity]:
        times = np.array([0.0, plan.rng.uniform(0.032, 0.035)])
        gain = np.array([1.0, plan.rng.uniform(0.8, 1.0)])  # the second potential is a little smaller
        unit = self._one_unit(plan.rng)
        return [self._place(plan, Spikes.of(times, np.array([unit, unit]), gain), plan.onset_s)]

    def _jerk(self, plan: Plan) -> list[Activity]:
        width_s = max(plan.duration_s - _POTENTIAL_S, 0.004)
        spikes = drive.volley(width_s, self._level(plan), self.population, plan.rng)
        return [self._place(plan, spikes, plan.onset_s)]

    def _train(self, plan: Plan) -> list[Activity]:
        rng = plan.rng
        rate_Hz = log_uniform(rng, *self._scenario.train_rate_Hz)
        unit = self._one_unit(rng)
        n = max(3, round(plan.duration_s * rate_Hz))
        at_s = plan.onset_s + (np.arange(n) + np.concatenate([[0.0], rng.uniform(-0.07, 0.07, n - 1)])) / rate_Hz
        one = Spikes.of(np.zeros(1), np.array([unit]))
        return [self._place(plan, one, float(t), float(rng.uniform(0.85, 1.0))) for t in at_s]

    def _contraction(self, plan: Plan) -> list[Activity]:
        excitation = drive.contraction_drive(plan.duration_s - _POTENTIAL_S, self._level(plan), plan.rng)
        return [self._place(plan, self._fire(excitation, plan.rng), plan.onset_s)]

    def _spasm(self, plan: Plan) -> list[Activity]:
        excitation = drive.spasm_drive(plan.duration_s, self._level(plan), plan.rng)
        return [self._place(plan, self._fire(excitation, plan.rng), plan.onset_s)]

    def _twitch_on_tone(self, plan: Plan) -> list[Activity]:
        """The amplitude is the twitches'; the tone is so much weaker as the scenario says."""
        rng = plan.rng
        count = int(rng.integers(1, 4))
        twitches = []
        for k in range(count):
            at_s = plan.onset_s + plan.duration_s * (0.2 + 0.6 / count * (k + rng.uniform(0.1, 0.7)))
            one = Spikes.of(np.zeros(1), np.array([self._one_unit(rng)]))
            twitches.append(self._place(plan, one, float(at_s), on_tone=True))
        below_dB = twitches[0].truth[0].snr_dB - float(rng.uniform(*self._scenario.held_tone_below_dB))
        tone = replace(plan, amplitude=below_dB, in_dB=True)
        sd, correlation_s = self._scenario.held_tone_wavering, self._scenario.held_tone_correlation_s
        spikes = self._fire(drive.tone_drive(plan.duration_s, self._level(tone), sd, correlation_s, rng), rng)
        return [self._place(tone, spikes, plan.onset_s), *twitches]

    def _fire(self, excitation: Floats, rng: np.random.Generator) -> Spikes:
        spikes = drive.discharges(excitation, self.population, self._scenario, rng)
        if len(spikes):
            return spikes
        return Spikes.of(np.zeros(1), np.zeros(1, np.int64))  # too brief for any: the smallest unit answers once
