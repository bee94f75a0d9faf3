"""What the benchmarks compare with does what it is said to do: else a ratio would compare two different things."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import chunked_scipy
from benchmarks.material import FS_HZ, UV_PER_COUNT, stream, wearer_counts
from benchmarks.peers import ScipyChain, crc_hqx, decode_with_packages, encode_by_frame, fastcrc
from benchmarks.ratios import chain_in_blocks, decode, detect
from emgtwitch.wire.bulk import encode_samples

COUNTS = wearer_counts(10)
VALUES = COUNTS[:, 0].astype(np.float64)


def test_both_decoders_read_the_same_counts() -> None:
    theirs, jumps = decode_with_packages(data := stream(COUNTS), crc_hqx)
    assert jumps == 0
    assert np.array_equal(np.concatenate(decode(data))[:, 0], theirs)
    assert np.array_equal(theirs, VALUES)


@pytest.mark.slow  # with the packages that `make peers` installs
def test_both_checksums_are_the_same() -> None:
    assert fastcrc()(b"123456789") == crc_hqx(b"123456789") == 0x29B1


def test_the_decoder_of_packages_drops_a_damaged_frame_and_tells_the_jump() -> None:
    data = bytearray(stream(COUNTS))
    at = data.index(b"\0", 400) + 20  # inside a frame
    data[at] = data[at] % 255 + 1
    counts, jumps = decode_with_packages(bytes(data), crc_hqx)
    assert (len(counts), jumps) == (len(VALUES) - 16, 1)


def test_both_encoders_write_the_same_bytes() -> None:
    assert encode_samples(COUNTS, 0, 1)[0] == encode_by_frame(COUNTS)


@pytest.mark.parametrize("block", [1, 20, 77])
def test_the_chain_in_blocks_sees_the_energy_that_it_sees_in_a_whole_signal(block: int) -> None:
    chain = ScipyChain(FS_HZ, UV_PER_COUNT)
    pieces = [chain.block(VALUES[at : at + block]) for at in range(0, len(VALUES), block)]
    np.testing.assert_allclose(np.concatenate(pieces), chain.energy(VALUES), rtol=1e-6, atol=1e-6)


def test_the_chain_finds_the_strong_contraction_of_the_demo_whole_and_in_blocks() -> None:
    onsets, offsets = ScipyChain(FS_HZ, UV_PER_COUNT).whole(VALUES)
    contraction = 5.5 * FS_HZ
    for found in (onsets, np.array(chain_in_blocks(VALUES, 20).onsets)):
        assert np.min(np.abs(found - contraction)) < 0.15 * FS_HZ
    assert len(offsets) == len(onsets)


def test_detection_gives_as_many_rows_in_blocks_as_in_one_piece() -> None:
    assert detect(VALUES, 20) == detect(VALUES, len(VALUES)) > 5


@pytest.mark.parametrize("chunk", [3000, 1 << 18])
def test_the_chunked_program_counts_bursts_once_also_where_a_chunk_ends_in_one(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_scipy, "CHUNK", chunk)
    signal = np.random.default_rng(1).normal(0, 2, 12000)
    for at in (2900, 7000):
        signal[at : at + 200] += 400 * np.hanning(200) * np.sin(2 * np.pi * 0.123 * np.arange(200))
    path = tmp_path / "bare.i16"
    path.write_bytes(signal.round().astype("<i2").tobytes())
    assert chunked_scipy.onsets(str(path), 1000.0, 1.0) == 2
