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
from benchmarks.peers import (
    Floats,
    ScipyChain,
    crc_hqx,
    decode_with_packages,
    encode_by_frame,
    fastcrc,
    package_detectors,
)
from benchmarks.twin import Twin
from emgtwitch.pipeline import Pipeline
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.decode import Decoder, Run

LIVE_BLOCK = 20  # samples
LANES = 8


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
    onsets, _ = ScipyChain(FS_HZ, UV_PER_COUNT).whole(decode_with_packages(data, fastcrc())[0])
    return len(onsets)


def comparisons(quick: bool) -> Iterator[Comparison]:
    """One after the other, each as soon as it is known."""
    long_s, short_s = (60, 10) if quick else (600, 60)
    rounds = 3 if quick else 20
    counts = wearer_counts(long_s)
    values = counts[:, 0].astype(np.float64)
    data = stream(counts)
    few, few_values = counts[: short_s * FS_HZ], values[: short_s * FS_HZ]

    def pair(
        name: str, new: Callable[[], object], base: Callable[[], object], least: float | None = None, slow: bool = False
    ) -> Comparison:
        return compare(name, new, base, rounds=3 if slow else rounds, least=least)

    for package, crc, asked in (("fastcrc", fastcrc(), 2.5), ("crc_hqx of the standard library", crc_hqx, None)):
        _same("decoders", np.concatenate(decode(data)).tobytes(), decode_with_packages(data, crc)[0].tobytes())
        yield pair(
            f"decode / cobs + {package}",
            lambda: decode(data),
            lambda crc=crc: decode_with_packages(data, crc),  # type: ignore[misc]
            asked,
        )
    _same("encoders", encode_samples(few, 0, 1)[0], encode_by_frame(few))
    yield pair("encode / frame by frame", lambda: encode_samples(few, 0, 1), lambda: encode_by_frame(few))
    yield pair(
        f"detect {long_s} s / scipy chain, whole arrays",
        lambda: detect(values, len(values)),
        lambda: ScipyChain(FS_HZ, UV_PER_COUNT).whole(values),
        4.0,
    )
    yield pair(
        f"detect {short_s} s / scipy chain, {LIVE_BLOCK} samples a block",
        lambda: detect(few_values, LIVE_BLOCK),
        lambda: chain_in_blocks(few_values, LIVE_BLOCK),
        50.0,
    )
    quiet = wearer_counts(long_s, "quiet")[:, 0].astype(np.float64)
    _near("floors", detected_floor_uV(quiet), Twin().floor_uV(quiet))
    yield pair("detect quiet / C twin", lambda: detect(quiet, len(quiet)), lambda: Twin().run(quiet), 0.9)
    side = np.repeat(quiet[:, np.newaxis], LANES, axis=1)
    yield pair(
        "C twin of 8 recordings in lanes / one after the other",
        lambda: Twin(LANES).run_lanes(side),
        lambda: [Twin().run(quiet) for _ in range(LANES)],
    )
    for name, peer, least in package_detectors(FS_HZ):
        yield pair(
            f"detect {short_s} s / {name}",
            lambda: detect(few_values, len(few_values)),
            lambda peer=peer: peer(few_values * UV_PER_COUNT),  # type: ignore[misc]
            least,
            slow=True,
        )
    zeros = np.zeros_like(quiet)
    yield pair("detect zeros / detect quiet", lambda: detect(zeros, len(zeros)), lambda: detect(quiet, len(quiet)), 0.9)
    yield pair("bytes to events / packages", lambda: replay(data), lambda: replay_with_packages(data))


def detected_floor_uV(counts: Floats) -> float:
    """The floor after these counts, as our detector knows it."""
    ours = detector()
    ours.feed(counts)
    return ours.floor_uV


def _near(what: str, ours: float, theirs: float) -> None:
    if abs(ours / theirs - 1) > 0.05:
        raise RuntimeError(f"The two {what} are {ours:g} and {theirs:g}: they do not do the same.")


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
