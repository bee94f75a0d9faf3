"""One seed, many independent streams of random numbers: a change in one part of the wearer leaves the others alone."""

from __future__ import annotations

import numpy as np

# The first word of each stream's key. New ones go to the end.
POPULATION, EVENTS, SCHEDULE, ARTEFACT, TONE, NOISE, MAINS, ECG, DRIFT, WANDER, TAIL = range(11)


def generator(seed: int, *key: int) -> np.random.Generator:
    """The generator of the stream `key` of the wearer `seed` (numpy's SeedSequence with a spawn key)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
