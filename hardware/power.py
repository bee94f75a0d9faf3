"""What the wireless sensor draws, and how long a cell lasts. Currents are estimates from data sheets: measure yours."""

from __future__ import annotations

from dataclasses import dataclass

BOOST_EFFICIENCY = 0.85
CELL_V = 3.7
USABLE = 0.85  # of a cell's capacity down to what its protection and the converter leave, when no longer new
CELLS_MAH = (500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class Load:
    """A part and what it draws from 5 V, in mA: usually, and at most."""

    name: str
    usual_mA: float
    most_mA: float


LOADS = (
    Load("Nano: processor, USB chip, two LEDs", 20.0, 28.0),
    Load("HC-05, connected and sending", 25.0, 45.0),
    Load("front end: amplifier, op-amps, comparator, dividers", 2.0, 3.5),
)


def run_time_h(capacity_mAh: float, load_mA: float) -> float:
    """Hours with a cell of `capacity_mAh` behind the boost converter, `load_mA` drawn from 5 V."""
    from_cell_mA = load_mA * 5.0 / CELL_V / BOOST_EFFICIENCY
    return capacity_mAh * USABLE / from_cell_mA


def page() -> str:
    """The section of docs/hardware.md."""
    usual, most = sum(one.usual_mA for one in LOADS), sum(one.most_mA for one in LOADS)
    out = "\n## Battery, computed\n\nNot measured. A boost converter of 85 %, 85 % of the capacity used.\n\n"
    out += "| part | usual | at most |\n|---|---|---|\n"
    out += "".join(f"| {one.name} | {one.usual_mA:g} mA | {one.most_mA:g} mA |\n" for one in LOADS)
    out += f"| together, from 5 V | {usual:g} mA | {most:g} mA |\n\n"
    out += "| cell | usually | when all draw most |\n|---|---|---|\n"
    for capacity_mAh in CELLS_MAH:
        hours = (run_time_h(capacity_mAh, load) for load in (usual, most))
        out += f"| {capacity_mAh} mAh | {next(hours):.0f} h | {next(hours):.0f} h |\n"
    return out
