"""Laws of WAV."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io.wavfile

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.table import open_foreign


def read(path: Path) -> npt.NDArray[np.float64]:
    return np.concatenate([block.values for block in open_foreign(path).blocks])


def riff(fmt: bytes, data: bytes, length: int | None = None, kind: bytes = b"RIFF", before: bytes = b"") -> bytes:
    chunks = before + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\0"  # padded to even
    chunks += b"data" + struct.pack("<I", len(data) if length is None else length) + data
    return kind + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def pcm(bits: int, kind: int = 1, channels: int = 1) -> bytes:
    width = channels * bits // 8
    return struct.pack("<HHIIHH", kind, channels, 2000, 2000 * width, width, bits)


@pytest.mark.parametrize(
    ("dtype", "rails"),
    [
        (np.uint8, (0.0, 255.0)),
        (np.int16, (-32768.0, 32767.0)),
        (np.int32, (-(2.0**31), 2.0**31 - 1)),
        (np.float32, None),
        (np.float64, None),
    ],
)
def test_every_width_that_scipy_writes_comes_back_unscaled(
    dtype: type[np.generic], rails: tuple[float, float] | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    counts = (np.random.default_rng(2).uniform(0, 255, (70_000, 2))).astype(dtype)
    scipy.io.wavfile.write(path, 10_000, counts)
    assert np.array_equal(read(path), counts.astype(np.float64))
    foreign = open_foreign(path)
    assert (foreign.rate, foreign.labels, foreign.in_uV) == (Fraction(10_000), ("ch0", "ch1"), False)
    assert foreign.rails[1] == rails if rails else np.isnan(foreign.rails).all()


def test_24_bits_come_back_unshifted(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    counts = [-(2**23), -1, 0, 1, 2**23 - 1, 123456]
    data = b"".join(count.to_bytes(3, "little", signed=True) for count in counts)
    extensible = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 2000, 6000, 3, 24, 22, 24, 0, 1) + bytes(14)
    for fmt in (pcm(24), extensible):
        path.write_bytes(riff(fmt, data))
        assert read(path)[:, 0].tolist() == counts
        assert open_foreign(path).rails == ((-(2.0**23), 2.0**23 - 1),)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_recorder_that_could_not_seek_back_is_read_to_the_end(length: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(pcm(16), struct.pack("<4h", 1, 2, 3, 4), length))
    assert read(path)[:, 0].tolist() == [1, 2, 3, 4]


def test_rf64_is_read_by_its_long_length(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, 6, 3, 0)
    path.write_bytes(riff(pcm(16), struct.pack("<4h", 1, 2, 3, 4), 0xFFFFFFFF, b"RF64", ds64))
    assert read(path)[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("fmt", "said"), [(pcm(8, kind=6), "kind 6 with 8 bits"), (pcm(16, kind=3), "kind 3 with 16")])
def test_compressed_sound_is_refused_with_what_can_be_read(fmt: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(fmt, b"1234"))
    with pytest.raises(UnreadableInputError, match=rf"{said}.* Whole numbers of 8, 16, 24 and 32 bits"):
        open_foreign(path)
