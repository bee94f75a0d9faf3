"""The groups of recordings: one for each row of the table, and how many of them there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.physics import physics
from benchmarks.accuracy.recipe import Recipe
from emgtwitch.wearer.scenario import Kind, Scenario, Scheduled

Rng = np.random.Generator
TUNING_SEED = 10_000  # recording k of group number g has the seed 1000 g + k more than this
HELD_OUT_SEED = 70_000
FIRST_S = 5.0  # before the first event


@dataclass(frozen=True, slots=True)
class Made:
    """What a group says of one of its recordings."""

    scenario: Scenario
    duration_s: float
    cell: str = ""
    confounder: str = ""
    lost: tuple[tuple[float, float], ...] = ()


Maker = Callable[[int, Rng, bool], Made]  # number of the recording, its random numbers, held out?


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.uniform())


def _single(k: int, rng: Rng, held_out: bool) -> Made:
    """Single units, doublets and jerks at every signal-to-noise ratio, in random order."""
    kinds: list[tuple[Kind, float | None]] = [("twitch", None), ("doublet", None), *_JERKS]
    cells = [(kind, duration_s, snr_dB) for kind, duration_s in kinds for snr_dB in SINGLE_DB] * 3
    at_s = FIRST_S
    rows: list[Scheduled] = []
    for n in rng.permutation(len(cells)):
        kind, duration_s, snr_dB = cells[n]
        rows.append(Scheduled(at_s, kind, duration_s=duration_s, snr_dB=snr_dB))
        at_s += float(rng.uniform(0.9, 2.0))
    return Made(Scenario(**physics(rng, held_out), schedule=tuple(rows)), at_s + 2.0)


_JERKS: tuple[tuple[Kind, float], ...] = (("jerk", 0.03), ("jerk", 0.06), ("jerk", 0.12))
SINGLE_DB = (0.0, 3.0, 6.0, 10.0, 20.0)


def _contractions(k: int, rng: Rng, held_out: bool) -> Made:
    """Contractions of 0.15-2 s, all of one recording about equally strong."""
    snr_dB = (3.0, 6.0, 10.0, 20.0)[k % 4]
    at_s = FIRST_S
    rows: list[Scheduled] = []
    while len(rows) < 25:
        duration_s = _log_uniform(rng, 0.18, 1.9)
        rows.append(
            Scheduled(at_s, "contraction", duration_s=duration_s, snr_dB=snr_dB + float(rng.uniform(-0.5, 0.5)))
        )
        at_s += duration_s + float(rng.uniform(1.0, 3.0))
    return Made(Scenario(**physics(rng, held_out), schedule=tuple(rows)), at_s + 2.0, f"{snr_dB:.0f} dB")


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of recording."""

    make: Maker
    recordings: int
    short: int  # how many of them the short form has


# A group's place seeds its recordings: new ones go to the end.
GROUPS: dict[str, Group] = {
    "single": Group(_single, 40, 4),
    "contractions": Group(_contractions, 40, 4),
}


def recipes(group: str, held_out: bool, short: bool = False) -> Iterator[Recipe]:
    """The recordings of a group."""
    made = GROUPS[group]
    place = list(GROUPS).index(group)
    for k in range(made.short if short else made.recordings):
        seed = (HELD_OUT_SEED if held_out else TUNING_SEED) + 1000 * place + k
        one = made.make(k, np.random.default_rng(seed), held_out)
        name = f"{group}-{k}"
        yield Recipe(group, name, seed, one.scenario, one.duration_s, held_out, one.cell, one.confounder, one.lost)
