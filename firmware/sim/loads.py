"""`python -m firmware.sim.loads`: cycles per interrupt and the processor's load, measured on the virtual board."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emgtwitch.wire.records import SetRate, Start
from firmware.sim.harness import ELF, Script, Waveform, build, run_board

MEASURED_S = 4.0


class Load(NamedTuple):
    """What the board is asked to do."""

    rate_Hz: int
    channels: int
    oversampling: int
    variant: str = ""  # of the firmware; empty: the one for wearers

    def __str__(self) -> str:
        return f"{self.rate_Hz}x{self.channels} os{self.oversampling} {self.variant or 'baud250000'}"


LOADS = (
    Load(1000, 1, 1),
    Load(1000, 4, 1),
    Load(1000, 1, 8),
    Load(2000, 1, 1),
    Load(4000, 1, 1),
    Load(500, 1, 1),
    Load(2000, 4, 1, "baud500000"),
)


@dataclass(frozen=True)
class Measured:
    load: float  # share of the time that the processor was awake
    adc_mean_cycles: float  # with entry and return
    adc_max_cycles: int
    udre_max_cycles: int
    of: Load


def measure(what: Load, folder: Path) -> Measured:
    """Run `what` with noise at all pins. Raises BoardError."""
    elf = ELF.parent / f"variants/{what.variant}.elf" if what.variant else ELF
    script = Script().ask(0.5, SetRate(what.rate_Hz, what.channels, what.oversampling)).ask(1.0, Start())
    script.at(1.5, "measure")
    noise = np.random.default_rng(1).uniform(0, 5000, (20_000, 4)).astype(np.float32)
    report = run_board(folder, 1.5 + MEASURED_S, script, elf, Waveform(noise, 10_000.0)).report
    adc, udre = report["isr"]["ADC"], report["isr"]["USART_UDRE"]
    return Measured(report["load"], adc["mean"], adc["max"], udre["max"], what)


def table(rows: Iterable[Measured]) -> str:
    """One line each."""
    lines = ["rate x channels, oversampling, line      load  ADC mean   max  UDRE max (cycles)"]
    for row in rows:
        adc = f"{row.adc_mean_cycles:8.1f} {row.adc_max_cycles:5d}"
        lines.append(f"{row.of!s:38s} {100 * row.load:5.1f} % {adc} {row.udre_max_cycles:9d}")
    return "\n".join(lines)


def main() -> None:
    build()
    with tempfile.TemporaryDirectory() as folder:
        print(table([measure(what, Path(folder)) for what in LOADS]))


if __name__ == "__main__":
    main()
