"""What the front end does, simulated: `python -m hardware.verify` writes docs/hardware.md and its plots.

Each figure is computed from the netlist that the board is to be built from. 1/f noise is added here from the makers'
densities, through the simulated transfer; patient currents are found with every part open and shorted, one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from hardware.spice import Circuit, Floats

DOCS = Path(__file__).parents[1] / "docs"
BAND_HZ = (20.0, 450.0)
SIGNAL = "dc 0 ac 1"
AMPLIFIER_NOISE, CORNER_HZ = 33e-9, 10.0  # V/rtHz of the AD8226 at a gain of 5, and where its 1/f part meets it
WORST_V = 5.5  # of a USB port, or of a battery's converter
WORST_GEL = {"zp": 1e3, "zn": 1e3, "zr": 1e3}  # skin that hinders least
GELS, EARTHS = (1e3, 20e3, 200e3), (50e-12, 150e-12, 300e-12)
OPEN, SHORT = 1e12, 1e-3
TOLERANCE = {"R": 0.01, "C": 0.05, "CF1": 0.1, "CM": 0.2, "CD": 0.2}
SAMPLINGS = ((500, 1), (1000, 1), (1000, 4), (1000, 8), (2000, 1), (2000, 4), (4000, 1))  # Hz, conversions a sample
# What an amplifier may do in a fault: a pin at a rail, through its own protection.
STUCK = {
    f"{what} at {rail}": f"Rfault {node} {'vcc' if rail == '+5.5 V' else '0'} 1"
    for what, node in (
        ("X1 positive input", "ip"),
        ("X1 negative input", "in"),
        ("X1 output", "o1"),
        ("X2 output", "mid"),
        ("X3 output", "ro"),
    )
    for rail in ("+5.5 V", "0 V")
}
BODIES = {"floating": "", "earthed": "Rtouch body 0 1"}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside what is asked; `least` and `most` bound it where something is."""

    what: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it is within what is asked."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def asked(self) -> str:
        """In words."""
        bounds = [f"at least {self.least:g}"] if self.least is not None else []
        bounds += [f"at most {self.most:g}"] if self.most is not None else []
        return " and ".join(bounds)


def shield() -> Circuit:
    """The front end for Uno and Nano."""
    return Circuit.read("shield")


@dataclass(frozen=True, slots=True)
class Band:
    """Of a transfer: its greatest gain and where it has fallen by 3 dB."""

    gain: float
    low_Hz: float
    high_Hz: float


@cache
def response(circuit: Circuit) -> tuple[Floats, Floats]:
    """Frequencies in Hz and gain."""
    f, h = circuit.with_source("Vsignal", SIGNAL).ac("adc", "dec 100 0.5 20k")
    return f, np.abs(h)


def band(circuit: Circuit) -> Band:
    """Gain and edges."""
    f, a = response(circuit)
    k, edge = int(a.argmax()), float(a.max()) / np.sqrt(2)
    low, high = np.interp(edge, a[: k + 1], f[: k + 1]), np.interp(-edge, -a[k:], f[k:])
    return Band(float(a.max()), float(low), float(high))


def attenuation_dB(circuit: Circuit, at_Hz: float) -> float:
    """Below the greatest gain, so 0 or negative."""
    f, a = response(circuit)
    return float(20 * np.log10(np.interp(at_Hz, f, a) / a.max()))


def noise_uV(circuit: Circuit) -> float:
    """RMS at the electrodes in BAND_HZ, gel and 1/f included."""
    f, density = circuit.noise("adc", "Vsignal", f"dec 200 {BAND_HZ[0]:g} {BAND_HZ[1]:g}")
    gains = np.interp(f, *response(circuit))
    flicker = AMPLIFIER_NOISE * np.sqrt(CORNER_HZ / f) * gains
    return float(1e6 * np.sqrt(np.trapezoid(density**2 + flicker**2, f)) / band(circuit).gain)


def cmrr_dB(circuit: Circuit, mains_Hz: float) -> float:
    """Gain for the difference over gain for what a stiff source drives the body with, the reference's loop broken."""
    sweep = f"lin 1 {mains_Hz:g} {mains_Hz:g}"
    wanted = circuit.with_source("Vsignal", SIGNAL).ac("adc", sweep)[1][0]
    stiff = circuit.with_parts({"RR2": 1.0}).plus("Vstiff body 0 dc 2.5 ac 1").ac("adc", sweep)[1][0]
    return float(20 * np.log10(abs(wanted) / abs(stiff)))


def hum_uV(circuit: Circuit) -> float:
    """At the electrodes, from 0.5 uA that mains nearby drives through the body to earth (peak values)."""
    _, out = circuit.plus("Imains 0 body dc 0 ac 0.5u").ac("adc", "lin 1 50 50")
    return float(1e6 * abs(out[0]) / band(circuit).gain)


def recovery_s(circuit: Circuit) -> float:
    """From an electrode's return, after it drove the amplifier to its rail, until the output rests within 50 mV."""
    back_s = 1.0
    off = circuit.with_source("Voffset", f"pulse(2 0 {back_s} 1m 1m 10 20)")
    t, v = off.transient("adc", 1e-3, back_s + 4.0)
    astray = t[(np.abs(v - v[-1]) > 0.05) & (t > back_s)]
    return float(astray.max() - back_s) if astray.size else 0.0


def phase_margin_deg(circuit: Circuit) -> float:
    """Of the driven reference's loop, opened where the common mode leaves the amplifier; 180 if it never amplifies."""
    opened = Circuit(circuit.text.replace("RR1 rgm ri", "RR1 cut ri")).plus(
        "Lcut rgm cut 1e9\nCcut drive cut 1e9\nVdrive drive 0 dc 0 ac 1"
    )
    _, out = opened.ac("rgm", "dec 100 0.1 1meg")
    loop = -out
    above = np.abs(loop) > 1
    if not above.any():
        return 180.0
    last = int(np.flatnonzero(above).max())
    return float(180 + np.degrees(np.unwrap(np.angle(loop))[last]))


def currents_uA(circuit: Circuit) -> float:
    """The greatest current through an electrode at rest."""
    names = (("sp", "ep"), ("body", "en"), ("body", "er"))
    volts = circuit.operating_point(*(f"v({node})" for pair in names for node in pair))
    return 1e6 * max(abs(a - b) for a, b in zip(volts[::2], volts[1::2], strict=True)) / WORST_GEL["zp"]


def faults() -> Iterator[tuple[str, str, float]]:
    """Each single fault, the body's state and the greatest patient current in uA; `normal` first."""
    worst = shield().with_params(vcc=WORST_V, **WORST_GEL)
    cases = [("normal", worst)]
    cases += [
        (f"{part} {name}", worst.with_parts({part: value}))
        for part in worst.parts()
        for name, value in (("open", OPEN), ("shorted", SHORT))
    ]
    cases += [(name, worst.plus(line)) for name, line in STUCK.items()]
    for name, circuit in cases:
        for body, line in BODIES.items():
            yield name, body, currents_uA(circuit.plus(line))


def drawn(count: int, seed: int) -> Iterator[Circuit]:
    """Front ends with parts anywhere within their tolerances."""
    rng = np.random.default_rng(seed)
    nominal = shield()
    parts = nominal.parts()
    for _ in range(count):
        off = {name: rng.uniform(-1, 1) * TOLERANCE.get(name, TOLERANCE[name[0]]) for name in parts}
        yield nominal.with_parts({name: value * (1 + off[name]) for name, value in parts.items()})


def rows(draws: int = 200) -> list[Row]:
    """All figures of the shield."""
    circuit = shield()
    nominal = band(circuit)
    out = [
        Row("gain", nominal.gain, ""),
        Row("lower edge, -3 dB", nominal.low_Hz, "Hz"),
        Row("upper edge, -3 dB", nominal.high_Hz, "Hz"),
        Row("noise at the electrodes, 20 to 450 Hz, gel of 20 k", noise_uV(circuit), "uV RMS", most=2.0),
    ]
    for mains_Hz in (50.0, 60.0):
        out.append(Row(f"common-mode rejection, {mains_Hz:g} Hz", cmrr_dB(circuit, mains_Hz), "dB", least=90.0))
        uneven = circuit.with_params(zn=70e3)
        out.append(
            Row(f"the same, electrodes 50 k apart, {mains_Hz:g} Hz", cmrr_dB(uneven, mains_Hz), "dB", least=70.0)
        )
    for offset_V in (-0.3, 0.3):
        share = band(circuit.with_params(vdc=offset_V)).gain / nominal.gain
        out.append(
            Row(f"gain with {1000 * offset_V:+.0f} mV between the electrodes, share of it", share, "", 0.98, 1.02)
        )
    out.append(Row("recovery from a lost electrode", recovery_s(circuit), "s", most=2.0))
    out.append(
        Row(
            "mains of 0.5 uA into the body, electrodes 50 k apart, 50 Hz",
            hum_uV(circuit.with_params(zn=70e3)),
            "uV",
            most=10.0,
        )
    )
    margins = [phase_margin_deg(circuit.with_params(zr=zr, cearth=c)) for zr in GELS for c in EARTHS]
    what = "phase margin of the driven reference, gel of 1 k to dry 200 k, 50 to 300 pF to earth"
    out.append(Row(what, min(margins), "degrees", least=45.0))
    found = [band(one) for one in drawn(draws, seed=1)]
    for name, values, least, most in (
        ("gain", [one.gain for one in found], 900.0, 1100.0),
        ("lower edge", [one.low_Hz for one in found], 18.0, 22.0),
        ("upper edge", [one.high_Hz for one in found], 405.0, 495.0),
    ):
        unit = "" if name == "gain" else "Hz"
        out.append(Row(f"least {name} of {draws} drawn within tolerances", min(values), unit, least=least))
        out.append(Row(f"greatest {name} of {draws}", max(values), unit, most=most))
    told = list(faults())
    out.append(
        Row("patient current, no fault", max(uA for name, _, uA in told if name == "normal"), "uA DC", most=10.0)
    )
    worst = max((one for one in told if one[0] != "normal"), key=lambda one: one[2])
    out.append(
        Row(
            f"patient current, worst single fault of {len(told) // 2 - 1} ({worst[0]}, body {worst[1]})",
            worst[2],
            "uA DC",
            most=50.0,
        )
    )
    return out


HEAD = """# The front end, simulated

Made by `python -m hardware.verify`; do not edit. All figures come from the netlist hardware/front_end/shield.cir in
ngspice with behavioural models (hardware/front_end/models.lib): they are no measurement of a board. **Not a medical
device.** Battery, wireless or a certified isolator only: nothing here limits what a faulty mains supply of a connected
computer does. Defibrillation is out of scope.

An AD8226-class amplifier with a gain of 5, a driven reference, a high-pass, a gain of 20.6 and a low-pass with a gain
of 10 around an MCP6004-class quad, at 5 V. Each input has 124 k in two resistors, the reference 660 k in three.

![Gain of the front end](hardware/response.png)

| figure | simulated | asked |
|---|---|---|
"""
ALIASES = """
## Aliases

What lies as far below the rate of conversions as the band goes up folds onto the band's upper edge, the worst place. At
1 kHz without oversampling next to nothing is taken off it: use four or eight conversions a sample.

| sampling | folds from | attenuation |
|---|---|---|
"""
CURRENTS = f"""
## Patient current, each single fault at {WORST_V} V

Through the electrode that carries most, gel of 1 k, at rest. Limits usually cited from IEC 60601-1 for DC: 10 uA
without a fault, 50 uA with one; check the standard before you claim anything.

| fault | body floating | body earthed |
|---|---|---|
"""


def page(figures: list[Row]) -> str:
    """docs/hardware.md."""
    out = HEAD
    for row in figures:
        out += f"| {row.what} | {row.value:.4g} {row.unit} | {row.asked}{'' if row.kept else ' **not kept**'} |\n"
    out += ALIASES
    for rate_Hz, conversions in SAMPLINGS:
        from_Hz = rate_Hz * conversions - min(BAND_HZ[1], 0.4 * rate_Hz)
        taken_dB = attenuation_dB(shield(), from_Hz)
        out += f"| {rate_Hz} Hz, {conversions} a sample | {from_Hz:g} Hz | {taken_dB:.1f} dB |\n"
    out += CURRENTS
    told: dict[str, list[float]] = {}
    for name, _, uA in faults():
        told.setdefault(name, []).append(uA)
    return out + "".join(f"| {name} | {a:.2f} uA | {b:.2f} uA |\n" for name, (a, b) in told.items())


def draw(path: Path) -> None:
    """Gain against frequency, nominal over some drawn within tolerances."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    for one in drawn(30, seed=2):
        axes.loglog(*response(one), color="0.8", linewidth=0.8)
    axes.loglog(*response(shield()), color="black", linewidth=1.6)
    axes.axvspan(*BAND_HZ, color="0.93", zorder=0)
    axes.set(
        xlabel="Hz", ylabel="gain", xlim=(1, 1e4), ylim=(1, 2000), title="Shield: nominal, and 30 within tolerances"
    )
    axes.grid(True, which="major", color="0.85")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def main() -> int:
    figures = rows()
    for row in figures:
        print(f"{row.what}: {row.value:.4g} {row.unit} {'' if row.kept else 'NOT '}{row.asked}")
    (DOCS / "hardware.md").write_text(page(figures))
    draw(DOCS / "hardware" / "response.png")
    return 0 if all(row.kept for row in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
