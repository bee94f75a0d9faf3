"""The figures of each front end beside what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from emgtwitch.wearer.scenario import Device, Scenario, Scheduled
from emgtwitch.wearer.wearer import Wearer
from hardware import measure
from hardware.faults import Fault
from hardware.measure import band
from hardware.spice import Circuit, Floats
from hardware.variants import MODULE, SHIELD, SIGNAL, Variant

ELECTRODES = {  # ohm and F of each of three, alike
    "fresh gel, skin rubbed": (5e3, 100e-9),
    "gel": (20e3, 47e-9),
    "gel, a day old": (100e3, 20e-9),
    "dry": (1e6, 5e-9),
}
EARTHS_F = (50e-12, 150e-12, 300e-12, 1e-9)
LEADS = ["".join(some) for count in (1, 2, 3) for some in combinations("pnr", count)]
# Amplifiers at either end of the temperatures, in C, where parts that differ most lie: the drop from the inputs to the
# gain resistor, the bias and its offset, the op-amps' gain-bandwidth.
CLIMATES = {
    10: {"vbe": 0.8, "ib": 80e-9, "ios": 10e-9, "gbw": 1.3e6},
    45: {"vbe": 0.5, "ib": 5e-9, "ios": 1.5e-9, "gbw": 0.7e6},
}
UNEVEN = {"zn": 70e3}  # 50 k more than the other


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


def transfer(variant: Variant) -> list[Row]:
    """Gain, band, what electrodes' offsets and the supply do to them, room that is left."""
    circuit, nominal = variant.circuit, band(variant.circuit)
    out = [
        Row("gain", nominal.gain, ""),
        Row("lower edge, -3 dB", nominal.low_Hz, "Hz"),
        Row("upper edge, -3 dB", nominal.high_Hz, "Hz"),
    ]
    if variant is MODULE:
        return out
    supplies = (variant.supply_V[0], variant.supply_V[2])
    shares, room, common = [], [], []
    for offset_V in (-0.3, 0.3):
        for supply_V in supplies:
            worn = circuit.with_params(vdc=offset_V, vcc=supply_V)
            shares.append(band(worn).gain / nominal.gain)
            room.append(measure.room_mV(worn, supply_V))
            common.append(measure.common_mode_mV(worn, supply_V))
    between = f"+-300 mV between the electrodes, {supplies[0]:g} and {supplies[1]:g} V"
    out += [
        Row(f"gain with {between}, least share of it", min(shares), "", 0.98, 1.02),
        Row(f"room of the amplifier's output, {between}", min(room), "mV", least=100.0),
        Row(f"room of its inputs, {between}", min(common), "mV", least=100.0),
    ]
    offsets = [
        measure.rest_V(circuit.with_models(vos=offset_V).with_params(vdc=0.0)) / variant.supply_V[1]
        for offset_V in (-4.5e-3, 4.5e-3)
    ]
    out.append(Row("output at rest, share of the supply, every offset 4.5 mV: least", min(offsets), "", least=0.4))
    out.append(Row("the same, greatest", max(offsets), "", most=0.6))
    what = "harmonics of a sine of 200 Hz over 80 % of the range (slew rates and rails alone)"
    out.append(Row(what, 100 * measure.full_swing_distortion(circuit, variant.supply_V[1]), "%", most=1.0))
    return out


def disturbances(variant: Variant) -> list[Row]:
    """Noise, common mode, mains."""
    circuit, asked = variant.circuit, variant.asked
    out = []
    for name, (ohm, farad) in ELECTRODES.items():
        worn = circuit.with_params(zp=ohm, zn=ohm, zr=ohm, ce=farad)
        most = 2.0 if asked and name == "gel" else None
        out.append(Row(f"noise at the electrodes, 20 to 450 Hz, {name}", measure.noise_uV(worn), "uV RMS", most=most))
    for conversions in (1, 8):
        step_uV = 1e6 * variant.supply_V[1] / 1024 / band(circuit).gain
        noise_uV = measure.stepped_uV(measure.noise_uV(circuit), step_uV, 1000.0, conversions)
        what = f"gel, with the converter's steps at 1 kHz, worst rest, conversions a sample: {conversions}"
        out.append(Row(what, noise_uV, "uV RMS"))
    for mains_Hz in (50.0, 60.0):
        even, uneven = (measure.cmrr_dB(one, mains_Hz) for one in (circuit, circuit.with_params(**UNEVEN)))
        out.append(Row(f"common-mode rejection, {mains_Hz:g} Hz", even, "dB", least=90.0 if asked else None))
        what = f"the same, electrodes 50 k apart, {mains_Hz:g} Hz"
        out.append(Row(what, uneven, "dB", least=70.0 if asked else None))
    shielded = circuit.with_params(cc=100e-12, **UNEVEN)
    out.append(Row("the same with a metre of shielded cable (100 pF), 50 Hz", measure.cmrr_dB(shielded, 50.0), "dB"))
    what = "mains of 0.5 uA into the body, electrodes 50 k apart, 50 Hz"
    out.append(Row(what, measure.hum_uV(circuit.with_params(**UNEVEN)), "uV peak", most=10.0 if asked else None))
    if variant is not MODULE:
        what = "1 mV of ripple on the supply, 100 Hz, which moves the converter's reference"
        out.append(Row(what, measure.ripple_uV(circuit, variant.supply_V[1]), "uV"))
    return out


def settling(variant: Variant) -> list[Row]:
    """What happens when something came or went."""
    most = 2.0 if variant.asked else None
    return [Row(what, seconds, "s", most=most) for what, seconds in settling_s(variant.circuit).items()]


def settling_s(circuit: Circuit, off: Sequence[str] = LEADS) -> dict[str, float]:
    """Seconds until the output rests, by what happened."""
    return {
        "after power-on": measure.start_up_s(circuit),
        "after an electrode had the amplifier at its rail": measure.recovery_s(circuit),
        "after leads were off for a second, any of three": max(measure.reattach_s(circuit, leads) for leads in off),
        "after a tug (a step of 20 mV)": measure.tug_s(circuit),
    }


def drive(variant: Variant) -> list[Row]:
    """The driven reference's stability."""
    least, where = margin(variant.circuit)
    what = (
        f"phase margin, least of gel to dry and {1e12 * EARTHS_F[0]:g} to {1e12 * EARTHS_F[-1]:g} pF to earth ({where})"
    )
    slowest = dict.fromkeys(("RS1", "RS2", "RS3"), 1.0)  # and the loop's amplifier fastest
    worst, _ = margin(variant.moved({"CR1": -1.0, "RR1": -1.0} | slowest))
    return [
        Row(what, least, "degrees", least=45.0),
        Row("the same with the loop's parts at their worst ends", worst, "degrees", least=45.0),
    ]


def margin(circuit: Circuit) -> tuple[float, str]:
    """The least phase margin over electrodes and what the body has to earth, in degrees, and where it is."""
    return min(
        (
            measure.phase_margin_deg(circuit.with_params(zr=ohm, ce=farad, cearth=earth_F)),
            f"{name}, {1e12 * earth_F:g} pF",
        )
        for name, (ohm, farad) in ELECTRODES.items()
        for earth_F in EARTHS_F
    )


def in_climates(variant: Variant, *supplies_V: float) -> list[Circuit]:
    """At both ends of CLIMATES, with each supply."""
    return [
        variant.circuit.with_models(**amplifiers).with_params(vcc=supply_V).plus(f".temp {celsius}")
        for celsius, amplifiers in CLIMATES.items()
        for supply_V in supplies_V
    ]


def climate(variant: Variant) -> list[Row]:
    """The worst of what temperature and supply make of the figures above."""
    circuits = in_climates(variant, variant.supply_V[0], variant.supply_V[2])
    bands, nominal = [band(one) for one in circuits], band(variant.circuit)
    uneven = [one.with_params(**UNEVEN) for one in circuits]

    def row(what: str, value: float, unit: str, least: float | None = None, most: float | None = None) -> Row:
        return Row(what, value, unit, least if variant.asked else None, most if variant.asked else None)

    return [
        row("gain, least share of the nominal", min(one.gain for one in bands) / nominal.gain, "", least=0.98),
        row("the same, greatest", max(one.gain for one in bands) / nominal.gain, "", most=1.02),
        row("lower edge, least", min(one.low_Hz for one in bands), "Hz", least=18.0),
        row("the same, greatest", max(one.low_Hz for one in bands), "Hz", most=22.0),
        row("upper edge, least", min(one.high_Hz for one in bands), "Hz", least=405.0),
        row("the same, greatest", max(one.high_Hz for one in bands), "Hz", most=495.0),
        row("noise, gel, greatest", max(map(measure.noise_uV, circuits)), "uV RMS", most=2.0),
        row(
            "common-mode rejection, 50 Hz, least", min(measure.cmrr_dB(one, 50.0) for one in circuits), "dB", least=90.0
        ),
        row(
            "the same, electrodes 50 k apart, 60 Hz",
            min(measure.cmrr_dB(one, 60.0) for one in uneven),
            "dB",
            least=70.0,
        ),
        row("phase margin, least", min(margin(one)[0] for one in circuits), "degrees", least=45.0),
        row(
            "settling after whatever happened, longest",
            max(max(settling_s(one, ["p"]).values()) for one in circuits),
            "s",
            most=2.0,
        ),
    ]


def lead_off(variant: Variant) -> list[Row]:
    """How long until the board's pin tells that leads are off, and that they are on again: the worst of all."""
    if not variant.lead_off:
        return []
    circuits = in_climates(variant, variant.supply_V[1])
    told = [measure.off_pin(circuit, leads, 0.5) for circuit in circuits for leads in LEADS]
    drying_Mohm = [measure.told_Mohm(circuit, electrode) for circuit in circuits for electrode in ("zp", "zn", "zr")]
    dry = {"zp": 1e6, "zn": 1e6, "zr": 1e6, "ce": 5e-9}
    quiet = [
        measure.off_pin(circuit.with_params(vdc=offset_V, **worn), "", mains_uA)[0]
        for circuit in in_climates(variant, variant.supply_V[0], variant.supply_V[2])
        for worn in ({}, dry)
        for offset_V in (-0.3, 0.3)
        for mains_uA in (0.0, 1.0)
    ]
    climates = "10 and 45 C"
    return [
        Row(
            f"pin tells that leads are off, any of three, mains of 0.5 uA, {climates}, latest",
            max(o for o, _ in told),
            "s",
            most=0.2,
        ),
        Row(f"pin tells that they are on again, {climates}, latest", max(o for _, o in told), "s", most=0.2),
        Row(
            f"pin at peace: +-300 mV, gel and dry, mains of up to 1 uA, either supply, {climates} (0: yes)",
            max(quiet),
            "",
            most=0.0,
        ),
        Row("an electrode that dries slowly is told from, any of three, earliest", min(drying_Mohm), "Mohm"),
        Row("the same, latest", max(drying_Mohm), "Mohm"),
    ]


def tolerances(variant: Variant, draws: int) -> list[Row]:
    """Monte Carlo and worst case over parts, temperature and age included."""
    circuits = list(variant.drawn(draws, seed=1))
    found = [band(one) for one in circuits]
    nominal, worst = band(variant.circuit), measure.worst_case(variant)
    out = []
    for name, key, least, most in (  # asked: 10 % around the nominal gain and around 20 and 450 Hz
        ("gain", "gain", 0.9 * nominal.gain, 1.1 * nominal.gain),
        ("lower edge", "low_Hz", 18.0, 22.0),
        ("upper edge", "high_Hz", 405.0, 495.0),
    ):
        unit, values = "" if name == "gain" else "Hz", [getattr(one, key) for one in found]
        out.append(Row(f"least {name} of {draws} drawn within tolerances", min(values), unit, least=least))
        out.append(Row(f"greatest {name} of {draws}", max(values), unit, most=most))
        low, high = worst[key]
        out.append(Row(f"{name} with all parts at their worst ends: least", low, unit))
        out.append(Row("the same, greatest", high, unit))
    rejections = [measure.cmrr_dB(one, 50.0) for one in circuits]
    what = f"common-mode rejection, 50 Hz, which 99 of 100 of {draws} drawn exceed"
    out.append(Row(what, float(np.percentile(rejections, 1)), "dB"))
    return out


def currents(variant: Variant, told: list[Fault]) -> list[Row]:
    """Patient currents without and with a fault."""
    normal, *others = told
    worst = max(others, key=lambda one: one.worst_uA)
    what = f"patient current, worst of {len(others)} single faults ({worst.name})"
    return [
        Row("patient current, no fault", normal.worst_uA, "uA DC", most=10.0),
        Row(what, worst.worst_uA, "uA DC", most=50.0),
    ]


def twitch_uV(rate_Hz: float) -> Floats:
    """A second of the simulated wearer with one twitch and nothing else, in uV."""
    device = Device(reference_mV=5000.0, gain=1000.0, bits=16)
    scene = Scenario(
        fs_Hz=rate_Hz,
        device=device,
        amplifier_noise_uV=0.0,
        electrode_noise_uV=0.0,
        schedule=(Scheduled(0.5, "twitch", 300.0),),
    )
    counts = Wearer(scene, seed=5).render(round(rate_Hz))[:, 0].astype(float)
    return np.asarray((counts - counts[:100].mean()) * device.uV_per_count)


def twitch_share(circuit: Circuit, of: Circuit) -> float:
    """Peak of a twitch behind `circuit` over that behind `of`, both at the electrodes."""
    rate_Hz = 4000.0
    signal = np.fft.rfft(twitch_uV(rate_Hz))
    f = np.fft.rfftfreq(round(rate_Hz), 1 / rate_Hz)

    def peak(one: Circuit) -> float:
        at, h = one.with_source("Vsignal", SIGNAL).ac("adc", "dec 100 0.2 20k")
        response = np.interp(f, at, h.real) + 1j * np.interp(f, at, h.imag)
        return float(np.abs(np.fft.irfft(signal * response)).max() / band(one).gain)

    return peak(circuit) / peak(of)


def twitch(variant: Variant) -> list[Row]:
    """What is left of a brief twitch."""
    share = twitch_share(variant.circuit, SHIELD.circuit)
    return [Row("peak of a single motor unit's twitch, share of the shield's", share, "")]


def sections(variant: Variant, draws: int, told: list[Fault]) -> dict[str, list[Row]]:
    """All figures of a front end by what they are about."""
    parts: dict[str, Callable[[Variant], list[Row]]] = {
        "Transfer": transfer,
        "Noise and mains": disturbances,
        "Settling": settling,
    }
    if variant is not MODULE:
        parts |= {"Driven reference": drive, "Tolerances": partial(tolerances, draws=draws)}
        parts[f"10 and 45 C, {variant.supply_V[0]:g} and {variant.supply_V[2]:g} V"] = climate
    if variant.lead_off:
        parts["Lead-off"] = lead_off
    if variant is not SHIELD:
        parts["Twitch"] = twitch
    out = {name: part(variant) for name, part in parts.items()}
    return out | {"Patient current": currents(variant, told)}
