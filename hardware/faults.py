"""Patient currents: every part open and shorted, every amplifier's pin at a rail, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hardware.spice import Circuit
from hardware.variants import Variant

WORST_GEL_OHM = 1e3  # skin that hinders least
MOST_BIAS = {"ib": 95e-9, "ios": 10e-9}  # of an INA826, in A
OPEN, SHORT = 1e12, 1e-3
BODIES = {"floating": "", "at ground": "Rtouch body 0 1", "at the supply": "Rtouch body vcc 1"}
ELECTRODES = (("sp", "sep"), ("body", "sen"), ("body", "ser"))


@dataclass(frozen=True, slots=True)
class Fault:
    """What failed, and the greatest current, for each state of the body."""

    name: str
    uA: dict[str, float]

    @property
    def worst_uA(self) -> float:
        return max(self.uA.values())


def current_uA(circuit: Circuit) -> float:
    """The greatest current at rest, through one electrode or through all together, as a touched body closes it."""
    volts = circuit.operating_point(*(f"v({node})" for pair in ELECTRODES for node in pair))
    each = [a - b for a, b in zip(volts[::2], volts[1::2], strict=True)]
    return 1e6 * max(abs(drop) for drop in (*each, sum(each))) / WORST_GEL_OHM


def stuck(circuit: Circuit, supply_V: float) -> Iterator[tuple[str, str]]:
    """Every pin of every amplifier at either rail, through its own protection: names, and lines that do it."""
    seen = set()
    for name, pins in re.findall(r"^(X\d+) (.*) \w+$", circuit.soldered, flags=re.M):
        for node in pins.split():
            if node in ("0", "vcc") or (name, node) in seen:
                continue
            seen.add((name, node))
            for rail, at in ((f"+{supply_V:g} V", "vcc"), ("0 V", "0")):
                yield f"{name} pin {node} at {rail}", f"Rfault {node} {at} 1"


def at_worst(variant: Variant) -> Circuit:
    """At the greatest supply and bias, on skin that hinders least."""
    gel = {"zp": WORST_GEL_OHM, "zn": WORST_GEL_OHM, "zr": WORST_GEL_OHM}
    return variant.circuit.with_models(**MOST_BIAS).with_params(vcc=variant.supply_V[2], **gel)


def whole_uA(variant: Variant) -> float:
    """With both inputs of the instrumentation amplifier at one rail and the body at the other: the worse of the two."""
    worst = at_worst(variant)
    return max(
        current_uA(worst.plus(f"Rp ip {rail} 1\nRn in {rail} 1\n{BODIES[body]}"))
        for rail, body in (("vcc", "at ground"), ("0", "at the supply"))
    )


def faults(variant: Variant) -> Iterator[Fault]:
    """`normal` first, then each single fault, at the greatest supply."""
    supply_V, worst = variant.supply_V[2], at_worst(variant)
    cases = [("normal", worst)]
    cases += [
        (f"{part} {name}", worst.with_parts({part: value}))
        for part in worst.parts()
        for name, value in (("open", OPEN), ("shorted", SHORT))
    ]
    cases += [(name, worst.plus(line)) for name, line in stuck(worst, supply_V)]
    for name, circuit in cases:
        yield Fault(name, {body: current_uA(circuit.plus(line)) for body, line in BODIES.items()})
