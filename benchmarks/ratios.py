"""Our decoder, encoder and detector against what a user would write with packages: paired, in one process.

`python -m benchmarks.ratios [--quick]`. Each pair is first held against each other where both must say the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.figures import machine_line, save
from benchmarks.material import FS_HZ, UV_PER_COUNT, blocks, detector, stream, wearer_counts
from benchmarks.paired import Comparison, compare
from benchmarks.peers import Floats, ScipyChain, decode_with_packages, encode_by_frame
from emgtwitch.pipeline import Pipeline
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.decode import Decoder, Run

LIVE_BLOCK = 20  # samples


def decode(data: bytes) -> list[Floats]:
    """Our decoder, fed as replay feeds it."""
    decoder = Decoder()
    found = [item for block in blocks(data) for item in decoder.feed(block)]
    return [item.counts for item in found if isinstance(item, Run)]


def detect(counts: Floats, block: int) -> int:
    """Our detector in pieces of `block` samples; returns how many rows it decided."""
    ours = detector()
    return sum(sum(1 for _ in ours.feed(counts[at : at + block])) for at in range(0, len(counts), block))


def chain_in_blocks(counts: Floats, block: int) -> ScipyChain:
    """The scipy chain in pieces of `block` samples."""
    chain = ScipyChain(FS_HZ, UV_PER_COUNT)
    for at in range(0, len(counts), block):
        chain.block(counts[at : at + block])
    return chain


def replay(data: bytes) -> int:
    """The whole path from bytes to events, but for the log; returns how many outputs there were."""
    pipeline = Pipeline()
    return sum(len(pipeline.feed(block)) for block in blocks(data)) + len(pipeline.finish())


def replay_with_packages(data: bytes) -> int:
    """Bytes to crossings of a threshold, by packages."""
    onsets, _ = ScipyChain(FS_HZ, UV_PER_COUNT).whole(decode_with_packages(data)[0])
    return len(onsets)


def comparisons(quick: bool) -> Iterator[Comparison]:
    """One after the other, each as soon as it is known."""
    long_s, short_s = (60, 10) if quick else (600, 60)
    rounds = 3 if quick else 20
    counts = wearer_counts(long_s)
    values = counts[:, 0].astype(np.float64)
    data = stream(counts)
    few, few_values = counts[: short_s * FS_HZ], values[: short_s * FS_HZ]

    def pair(name: str, new: Callable[[], object], base: Callable[[], object]) -> Comparison:
        return compare(name, new, base, rounds=rounds)

    _same("decoders", np.concatenate(decode(data)).tobytes(), decode_with_packages(data)[0].tobytes())
    yield pair("decode / cobs + crc_hqx in Python", lambda: decode(data), lambda: decode_with_packages(data))
    _same("encoders", encode_samples(few, 0, 1)[0], encode_by_frame(few))
    yield pair("encode / frame by frame", lambda: encode_samples(few, 0, 1), lambda: encode_by_frame(few))
    yield pair(
        f"detect {long_s} s / scipy chain, whole arrays",
        lambda: detect(values, len(values)),
        lambda: ScipyChain(FS_HZ, UV_PER_COUNT).whole(values),
    )
    yield pair(
        f"detect {short_s} s / scipy chain, {LIVE_BLOCK} samples a block",
        lambda: detect(few_values, LIVE_BLOCK),
        lambda: chain_in_blocks(few_values, LIVE_BLOCK),
    )
    zeros = np.zeros_like(values)
    yield pair("detect zeros / detect a wearer", lambda: detect(zeros, len(zeros)), lambda: detect(values, len(values)))
    yield pair("bytes to events / packages", lambda: replay(data), lambda: replay_with_packages(data))


def _same(what: str, ours: bytes, theirs: bytes) -> None:
    if ours != theirs:
        raise RuntimeError(f"The two {what} do not say the same, so their times cannot be compared.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little signal and few rounds: whether it runs")
    quick = parser.parse_args().quick
    print(machine_line())
    found = []
    for comparison in comparisons(quick):
        print(comparison, flush=True)
        found.append(comparison)
    save("ratios", found, quick=quick)


if __name__ == "__main__":
    main()
