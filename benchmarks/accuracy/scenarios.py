"""The simulated groups: one for each row of the table, their recordings and their seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.accuracy.confounder_groups import CONFOUNDER_GROUPS
from benchmarks.accuracy.making import Group
from benchmarks.accuracy.muscle_groups import MUSCLE_GROUPS
from benchmarks.accuracy.recipe import Recipe

TUNING_SEED = 10_000  # recording k of group number g has the seed 1000 g + k more than this
HELD_OUT_SEED = 70_000

# A group's place seeds its recordings: new ones go to the end.
GROUPS: dict[str, Group] = {**MUSCLE_GROUPS, **CONFOUNDER_GROUPS}


def recipes(group: str, held_out: bool, short: bool = False) -> Iterator[Recipe]:
    """The recordings of a group."""
    made = GROUPS[group]
    place = list(GROUPS).index(group)
    for k in range(made.short if short else made.recordings):
        seed = (HELD_OUT_SEED if held_out else TUNING_SEED) + 1000 * place + k
        one = made.make(k, np.random.default_rng(seed), held_out)
        yield Recipe(
            group=group,
            name=f"{group}-{k}",
            seed=seed,
            scenario=one.scenario,
            duration_s=one.duration_s,
            held_out=held_out,
            cell=one.cell,
            confounder=one.confounder,
            lost=one.lost,
            fitted_s=one.fitted_s,
        )
