"""Which days to have a factor and which not, drawn by lot before the wearer starts. Pure."""

from __future__ import annotations

import random

from emgtwitch.errors import UsageError

MOST_DAYS = 366


def draw(days: int, block: int, seed: int) -> list[bool]:
    """Whether each day is with the factor; in every `block` days as many with as without, in an order drawn by lot.

    Raises UsageError where that does not come out even.
    """
    if block < 2 or block % 2:
        raise UsageError(f"--block is {block}; it must be an even number of days from 2 on.")
    if not block <= days <= MOST_DAYS or days % block:
        raise UsageError(f"--days is {days}; it must be a multiple of --block {block}, of at most {MOST_DAYS}.")
    lot = random.Random(seed)
    out: list[bool] = []
    for _ in range(days // block):
        half = [True, False] * (block // 2)
        lot.shuffle(half)
        out += half
    return out
