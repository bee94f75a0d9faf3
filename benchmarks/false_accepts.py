"""How many damaged frames the decoder takes for good ones: `python -m benchmarks.false_accepts [--quick]`.

Measured in two steps, since the whole is too rare to count: how many damaged frames have a right CRC by chance, and
how many of those that are given a right CRC pass the decoder's other checks (length, type, sequence, index).
"""

from __future__ import annotations

import argparse
import binascii
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.wire.decode import Decoder
from emgtwitch.wire.encode import cobs, frame
from emgtwitch.wire.records import WIRE_VERSION, Hello, Samples

SCANS = 16
CHANGED = 4  # bytes; fewer, or a short burst, the CRC always finds
PIECE = 1 << 17
FRAME = np.dtype(
    [("type", "u1"), ("seq", "<u2"), ("index", "<u4"), ("overruns", "<u2"), ("counts", "<u2", (SCANS,)), ("crc", "<u2")]
)
CRC_TABLE = np.array([binascii.crc_hqx(bytes([byte]), 0) for byte in range(256)], dtype=np.uint16)

Frames = npt.NDArray[np.uint8]  # (frames, bytes before COBS)
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of the damaged frames of one model."""

    model: str
    frames: int
    right_crc: int
    tried_rest: int  # damaged frames that were given a right CRC
    passed_rest: int

    def __str__(self) -> str:
        crc_rate, rest = self.right_crc / self.frames, self.passed_rest / self.tried_rest
        return (
            f"{self.model}: {self.right_crc} of {self.frames} damaged frames have a right CRC ({crc_rate:.2e}; theory "
            f"{2**-16:.2e}); {100 * rest:.2f} % of such pass the other checks: {crc_rate * rest:.1e} accepted in all"
        )


def changed_bytes(good: Frames, rng: Rng) -> Frames:
    """Some bytes of each frame replaced by others."""
    bad = good.copy()
    places = np.argsort(rng.random(good.shape), axis=1)[:, :CHANGED]
    rows = np.arange(len(good))[:, None]
    bad[rows, places] ^= rng.integers(1, 256, places.shape, dtype=np.uint8)
    return bad


def garbage(good: Frames, rng: Rng) -> Frames:
    """As many random bytes."""
    return rng.integers(0, 256, good.shape, dtype=np.uint8)


MODELS: dict[str, Callable[[Frames, Rng], Frames]] = {"bytes": changed_bytes, "garbage": garbage}


def measure(model: str, frames: int, tried_rest: int, seed: int) -> Figures:
    """Damage so many frames by the model; `seed` makes it repeatable."""
    rng = np.random.default_rng(seed)
    right = sum(
        int(np.sum(_right_crc(MODELS[model](_good(min(PIECE, frames - done), rng), rng))))
        for done in range(0, frames, PIECE)
    )
    return Figures(model, frames, right, tried_rest, _pass_the_rest(MODELS[model], tried_rest, rng))


def _good(n: int, rng: Rng) -> Frames:
    """Frames of a board at 1 kHz, one after the other."""
    out = np.zeros(n, dtype=FRAME)
    out["type"], out["seq"], out["index"] = Samples.TYPE, np.arange(n) + 1, SCANS * np.arange(n)
    out["counts"] = rng.integers(0, 1024, (n, SCANS))
    raw = out.view(np.uint8).reshape(n, -1)
    out["crc"] = _crc(raw[:, :-2])
    return raw


def _crc(frames: Frames) -> npt.NDArray[np.uint16]:
    crc = np.full(len(frames), 0xFFFF, dtype=np.uint16)
    for column in frames.T:
        crc = (crc << 8) ^ CRC_TABLE[(crc >> 8) ^ column]
    return crc


def _right_crc(frames: Frames) -> npt.NDArray[np.bool_]:
    told = frames[:, -2].astype(np.uint16) | frames[:, -1].astype(np.uint16) << 8
    right: npt.NDArray[np.bool_] = _crc(frames[:, :-2]) == told
    return right


def _pass_the_rest(damage: Callable[[Frames, Rng], Frames], n: int, rng: Rng) -> int:
    """Damaged frames with a right CRC that a decoder accepts in place of the good one, each after a good stream."""
    good = _good(2 * n, rng)
    bad = damage(good[1::2], rng)
    crc = _crc(bad[:, :-2])
    bad[:, -2], bad[:, -1] = crc & 0xFF, crc >> 8
    passed = 0
    decoder = _listening(0)
    for k in range(n):
        decoder.feed(cobs(good[2 * k].tobytes()) + b"\0")
        before = decoder.accepted
        decoder.feed(cobs(bad[k].tobytes()) + b"\0")
        if decoder.accepted > before:
            passed += 1
            decoder = _listening(2 * k + 2)
    return passed


def _listening(frames: int) -> Decoder:
    """A decoder that expects this frame of the stream."""
    hello = Hello(WIRE_VERSION, 0, 0, 0, 1, 1000, 1, 1, 10, 1, 5000, 0, 0, 1, 1, 1, 1, frames * SCANS, 0)
    decoder = Decoder()
    decoder.feed(frame(hello, frames & 0xFFFF))
    return decoder


def main() -> None:
    """Print the figures of every model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a million frames instead of sixteen")
    quick = parser.parse_args().quick
    for model in MODELS:
        print(measure(model, 1 << 20 if quick else 1 << 24, 10_000 if quick else 100_000, seed=1))


if __name__ == "__main__":
    main()
