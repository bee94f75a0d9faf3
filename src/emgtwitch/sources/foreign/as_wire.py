"""A foreign file as wire bytes, so that it goes the way of any recording."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from emgtwitch.sources.foreign.contents import Foreign
from emgtwitch.wire.bulk import encode_values
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import Import


def wire_bytes(foreign: Foreign) -> Iterator[bytes]:
    """An Import frame (seq 0), then ImportSamples frames of every block, bit for bit; reads `foreign.blocks` up.

    Raises UnreadableInputError where the file turns out damaged.
    """
    rails = tuple(itertools.chain.from_iterable(foreign.rails))
    opening = Import(foreign.rate.numerator, foreign.rate.denominator, len(foreign.labels), int(foreign.in_uV), rails)
    yield frame(opening, 0)
    seq = 1
    for block in foreign.blocks:
        data, seq = encode_values(block.values, block.index, seq)
        yield data
