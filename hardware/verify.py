"""What the front ends do, simulated: `python -m hardware.verify` writes docs/hardware.md and its plots.

Each figure is computed from the netlist that the board is built from. Exits 1 where one of the sensor is not kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hardware.faults import Fault, faults, whole_uA
from hardware.figures import CLIMATES, Row, sections
from hardware.measure import attenuation_dB
from hardware.plots import draw
from hardware.power import page as battery
from hardware.variants import SHIELD, VARIANTS, Variant

DOCS = Path(__file__).parents[1] / "docs"
DRAWS = 200
SAMPLINGS = ((500, 1), (1000, 1), (1000, 4), (1000, 8), (2000, 1), (2000, 4), (4000, 1))  # Hz, conversions a sample

HEAD = """# The front ends, simulated

Made by `python -m hardware.verify`; do not edit. All figures come from the netlists in hardware/front_end, in ngspice
with behavioural models (models.lib there says of what): they are no measurement of a board.
**Not a medical device.** Battery, wireless or a certified isolator only: nothing here limits what a faulty mains supply
of a connected computer does. Defibrillation is out of scope.

| front end | what it is |
|---|---|
"""
COMMON = """
Where nothing else is said: gel of 20 k with 47 nF beside it, 15 pF from each lead to the board, 150 pF from the body to
earth, 27 C. Common-mode rejection is measured with a stiff source and the driven reference's loop broken; in use the
loop takes off more. `asked` is empty where nothing is.

What 10 to 45 C do to resistors and capacitors is within the tolerances. Amplifiers differ between parts and with the
temperature:

{climates}

![Gain of the front ends](hardware/response.png)

![What an electrode that comes off does](hardware/lead-off.png)
"""
ALIASES = """
## Aliases

What lies as far below the rate of conversions as the band goes up folds onto the band's upper edge, the worst place. At
1 kHz without oversampling next to nothing is taken off it: use four or eight conversions a sample.

| sampling | folds from | attenuation |
|---|---|---|
"""
CURRENTS = """
## Patient current, each single fault of the {name} at {supply_V} V

Through the electrode that carries most, or through all together where that is more, gel of 1 k, at rest: every part
open and shorted, every amplifier's pin at either rail (one that is open lies between them), the body floating or
touching the board's ground or supply. A bridge of solder from the supply to the jack or to the side of RP1, RN1 or RS3
that leads there passes all resistors and is not in the table: look for it. Nor is an instrumentation amplifier that
fails whole, both inputs at one rail: {whole_uA:.0f} uA together through a body at the other. Limits usually cited from
IEC 60601-1 for DC: 10 uA without a fault, 50 uA with one, 100 uA for several applied parts together; check the standard
before you claim anything.

| fault | body floating | at ground | at the supply |
|---|---|---|---|
"""


def front_end(variant: Variant, figures: dict[str, list[Row]]) -> str:
    """A section with the figures of one front end."""
    out = f"\n## {variant.name.capitalize()}: {variant.what}\n\n| figure | simulated | asked |\n|---|---|---|\n"
    for title, rows in figures.items():
        out += f"| **{title}** | | |\n"
        for row in rows:
            out += f"| {row.what} | {row.value:.4g} {row.unit} | {row.asked}{'' if row.kept else ' **not kept**'} |\n"
    return out


def common() -> str:
    """What all figures have in common."""
    said = (
        f"- at {celsius} C a bias of {1e9 * one['ib']:g} nA, inputs {one['vbe']:g} V below the gain resistor, "
        f"op-amps of {1e-6 * one['gbw']:g} MHz"
        for celsius, one in CLIMATES.items()
    )
    return COMMON.format(climates="\n".join(said))


def aliases() -> str:
    """What the shield takes off what folds into the band, for each sampling."""
    out = ALIASES
    for rate_Hz, conversions in SAMPLINGS:
        from_Hz = rate_Hz * conversions - min(450.0, 0.4 * rate_Hz)
        taken_dB = attenuation_dB(SHIELD.circuit, from_Hz)
        out += f"| {rate_Hz} Hz, {conversions} a sample | {from_Hz:g} Hz | {taken_dB:.1f} dB |\n"
    return out


def currents(variant: Variant, told: list[Fault]) -> str:
    """The table of all faults."""
    rows = (f"| {one.name} | {' | '.join(f'{uA:.2f} uA' for uA in one.uA.values())} |\n" for one in told)
    head = CURRENTS.format(name=variant.name, supply_V=variant.supply_V[2], whole_uA=whole_uA(variant))
    return head + "".join(rows)


def main() -> int:
    page = HEAD + "".join(f"| {one.name} | {one.what} |\n" for one in VARIANTS) + common()
    told = {variant.name: list(faults(variant)) for variant in VARIANTS}
    kept = True
    for variant in VARIANTS:
        figures = sections(variant, DRAWS, told[variant.name])
        for title, rows in figures.items():
            for row in rows:
                kept &= row.kept or not variant.asked
                print(f"{variant.name}, {title.lower()}: {row.what}: {row.value:.4g} {row.unit}", end="")
                print(f" ({'' if row.kept else 'NOT KEPT: '}{row.asked})" if row.asked else "")
        page += front_end(variant, figures)
    page += aliases() + battery() + currents(SHIELD, told[SHIELD.name])
    (DOCS / "hardware.md").write_text(page)
    draw(DOCS / "hardware")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
