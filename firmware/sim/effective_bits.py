"""`python -m firmware.sim.effective_bits`: what oversampling gains, measured with dithered input.

The input steps between random levels with white noise of half a count upon them, as an amplifier's noise would do;
what a sample differs from the level at its conversions is the error. Effective bits are those of an ideal converter
with that error: log2(full scale / (sqrt(12) * rms error)). White noise makes four conversions worth one bit more.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Samples, SetRate, Start
from firmware.sim.harness import CLOCK_HZ, ELF, FULL_SCALE, BoardError, Script, Waveform, build, run_board

RATE_HZ = 1000
RUN_S = 8.0
AVCC_MV = 5000.0
COUNT_MV = AVCC_MV / FULL_SCALE
DITHER_COUNTS = 0.5
FACTORS = (1, 4, 8)


@dataclass(frozen=True)
class Resolution:
    oversampling: int
    rms_counts: float  # of the error, in counts of 10 bits
    effective_bits: float


def measure(oversampling: int, folder: Path, elf: Path = ELF) -> Resolution:
    """Effective bits of one channel at 1 kHz. Raises BoardError."""
    levels_mV = np.random.default_rng(oversampling).uniform(500.0, 4500.0, (400, 1)).astype(np.float32)
    wave = Waveform(levels_mV, 20.0)
    script = Script().ask(0.5, SetRate(RATE_HZ, 1, oversampling)).ask(1.0, Start())
    noise_uV = 1000.0 * DITHER_COUNTS * COUNT_MV
    outcome = run_board(folder, 1.0 + RUN_S, script, elf, wave, ["--noise", str(noise_uV), "--seed", "7"])
    samples = [record for record in frames(outcome.sent) if isinstance(record, Samples)]
    counts = np.concatenate([record.counts for record in samples])
    if samples[-1].index + len(samples[-1].counts) != len(counts):
        raise BoardError("The board lost scans.")
    cycle = outcome.conversions["cycle"][outcome.conversions["triggered"] == 1]
    at = np.floor(cycle / CLOCK_HZ * wave.rate_Hz + 1e-6).astype(np.int64) % len(levels_mV)
    whole = min(len(at) // oversampling, len(counts))
    truth = levels_mV[at[: whole * oversampling], 0].reshape(whole, oversampling).mean(axis=1) / COUNT_MV
    # Half a count is what rounding down takes; a real board's offset is calibrated away, too.
    rms = float(np.sqrt(np.mean((counts[:whole] / oversampling + 0.5 - truth) ** 2)))
    return Resolution(oversampling, rms, math.log2(FULL_SCALE / (math.sqrt(12.0) * rms)))


def table(rows: Iterable[Resolution]) -> str:
    """One line for each factor of oversampling."""
    lines = ["oversampling  error (counts rms)  effective bits"]
    lines += [f"x{row.oversampling:<12d} {row.rms_counts:17.3f} {row.effective_bits:15.2f}" for row in rows]
    return "\n".join(lines)


def main() -> None:
    build()
    with tempfile.TemporaryDirectory() as folder:
        print(table([measure(factor, Path(folder)) for factor in FACTORS]))


if __name__ == "__main__":
    main()
