"""`python -m firmware.sim.board`: a virtual board on a port of its own, worn by the simulated wearer.

Builds what is not built, prints the port to use, and runs in true time until Ctrl-C. Every option that it does not
know goes to the board itself (build/firmware/board --help).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from firmware.sim.harness import BOARD, ELF, ROOT, Waveform, build, wave_options

AVCC_MV = 5000.0


def wearer_waveform(scenario: str, seed: int, seconds: float) -> Waveform:
    """What the amplifier of the simulated wearer gives the converter, in the middle of its counts."""
    worn = SCENARIOS[scenario]
    counts = Wearer(worn, seed).render(round(seconds * worn.fs_Hz)).astype(np.float64)
    level_mV = (counts + 0.5) * AVCC_MV / 2**worn.device.count_bits
    return Waveform(level_mV.astype(np.float32), worn.fs_Hz)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m firmware.sim.board", description=__doc__)
    parser.add_argument("--port", default=str(ROOT / "build/firmware/ttyBoard"), help="the link to the pty")
    parser.add_argument("--wearer", default="demo", choices=sorted(SCENARIOS), help="whose signal to play in a circle")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the wearer's day")
    parser.add_argument("--elf", default=str(ELF))
    known, others = parser.parse_known_args()
    build()
    folder = BOARD.parent / "sim"
    folder.mkdir(parents=True, exist_ok=True)
    options = (
        [] if "--wave" in others else wave_options(folder, wearer_waveform(known.wearer, known.seed, known.seconds))
    )
    eeprom = [] if "--eeprom" in others else ["--eeprom", str(folder / "eeprom.bin")]
    port = Path(known.port).absolute()
    print(f"The board's port is {port}\n  emgtwitch run --source {port}\nCtrl-C stops the board.", flush=True)
    os.execv(BOARD, [str(BOARD), "--link", str(port), *options, *eeprom, *others, known.elf])


if __name__ == "__main__":
    main()
