"""The front ends: their netlists, what their amplifiers add in 1/f noise, and how far their parts may be off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hardware.spice import Circuit, SpiceError

# Parts by the beginning of their names, the longest that fits: tolerance, 10 to 45 C and ageing included.
# Resistors 1 %; C0G or film 5 %; X7R 10 % and more for temperature, age and, where it matters, voltage.
TOLERANCE = {"R": 0.012, "C": 0.05, "CF1": 0.15, "CO": 0.15, "CL": 0.25, "CM": 0.25, "CU": 0.25, "CV": 0.3, "CD": 0.2}
FLICKER_HZ = {"inamp": 10.0, "opamp": 240.0}  # AD8226: remembered; MCP6004: from 6.1 uVpp in 0.1 to 10 Hz
SIGNAL = "dc 0 ac 1"


@dataclass(frozen=True, slots=True)
class Variant:
    """A front end. `tolerance` adds to TOLERANCE.

    `asked` says whether all that is asked of the sensor is asked of it, `lead_off` whether a pin tells that an
    electrode is off.
    """

    name: str
    what: str
    circuit: Circuit
    supply_V: tuple[float, float, float]  # least, nominal, greatest
    tolerance: dict[str, float] = field(default_factory=dict)
    asked: bool = True
    lead_off: bool = False

    def drawn(self, count: int, seed: int) -> Iterator[Circuit]:
        """Front ends with each part anywhere within its tolerance."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            yield self.moved({name: rng.uniform(-1, 1) for name in self.circuit.parts()})

    def moved(self, shares: dict[str, float]) -> Circuit:
        """With parts off their values by shares, -1 to 1, of their tolerances."""
        values = self.circuit.parts()
        return self.circuit.with_parts(
            {name: values[name] * (1 + share * self.tolerance_of(name)) for name, share in shares.items()}
        )

    def tolerance_of(self, part: str) -> float:
        """How far a part may be off, as a share of its value."""
        known = TOLERANCE | self.tolerance
        return known[max((start for start in known if part.startswith(start)), key=len)]


def without_leads(circuit: Circuit, leads: str, from_s: float, until_s: float) -> Circuit:
    """With leads (of `p`, `n` and `r`) torn off for a while."""
    text = circuit.text
    for lead in leads:
        text, count = re.subn(rf"^Rlead{lead} (\S+) (\S+) 1$", rf"Slead{lead} \1 \2 tear 0 torn", text, flags=re.M)
        if count != 1:
            raise SpiceError(f"The netlist has {count} leads {lead!r}, and one is needed.")
    pulse = f"pulse(1 0 {from_s} 1u 1u {until_s - from_s} 100)"
    return Circuit(text).plus(f"Vtear tear 0 {pulse}\n.model torn sw(vt=0.5 vh=0.1 ron=1 roff=1e13)")


SHIELD = Variant(
    "shield",
    "AD8226-class amplifier, 5 V, for Uno and Nano",
    Circuit.read("shield"),
    (4.5, 5.0, 5.5),
    lead_off=True,
)
# The same board with two values changed: less gain before the high-pass, as the supply leaves less room for offsets.
LOW_VOLTAGE = Variant(
    "low voltage",
    "the shield's board at 3.3 V: RG1 and RG2 8.2 k",
    SHIELD.circuit.with_params(vcc=3.3).with_parts({"RG1": 8200.0, "RG2": 8200.0}),
    (3.1, 3.3, 3.5),
    lead_off=True,
)
DISCRETE = Variant(
    "discrete",
    "three more op-amps for the amplifier, 0.1 % resistors, 5 V",
    Circuit.read("discrete"),
    (4.5, 5.0, 5.5),
    asked=False,
    tolerance={"RX": 0.001, "RY": 0.001},
)
MODULE = Variant(
    "module",
    "a ready-made AD8232 heart module, 3.3 V: no soldering",
    Circuit.read("module"),
    (3.1, 3.3, 3.5),
    asked=False,
)
VARIANTS = (SHIELD, LOW_VOLTAGE, DISCRETE, MODULE)
