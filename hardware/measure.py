"""Measurements on a netlist: each takes a circuit and gives one figure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from hardware.spice import Circuit, Floats
from hardware.variants import FLICKER_HZ, SIGNAL, Variant, without_leads

Bools = npt.NDArray[np.bool_]

NOISE_BAND_HZ = (20.0, 450.0)
HIGH, LOW = 0.6, 0.3  # share of its supply from which on, and up to which, the board's pin surely reads 1 or 0


@dataclass(frozen=True, slots=True)
class Band:
    """Of a transfer: its greatest gain and where it has fallen by 3 dB."""

    gain: float
    low_Hz: float
    high_Hz: float


@cache
def response(circuit: Circuit) -> tuple[Floats, Floats]:
    """Frequencies in Hz and gain."""
    f, h = circuit.with_source("Vsignal", SIGNAL).ac("adc", "dec 100 0.2 20k")
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
    """RMS at the electrodes in NOISE_BAND_HZ, the electrodes' own included.

    Each amplifier's white noise is simulated; its 1/f part is that times the corner frequency over the frequency.
    """
    amplifiers = circuit.amplifiers()
    names = [f"r.{name.lower()}.rw" for name, _ in amplifiers]
    f, density, shares = circuit.noise("adc", "Vsignal", f"dec 200 {NOISE_BAND_HZ[0]:g} {NOISE_BAND_HZ[1]:g}", names)
    flicker = sum(share**2 * FLICKER_HZ[kind] / f for share, (_, kind) in zip(shares, amplifiers, strict=True))
    return float(1e6 * np.sqrt(np.trapezoid(density**2 + flicker, f)) / band(circuit).gain)


def stepped_uV(noise_uV: float, step_uV: float, rate_Hz: float, conversions: int) -> float:
    """RMS in NOISE_BAND_HZ of band-limited noise behind a converter's steps, the mean of `conversions` a sample.

    Noise smaller than a step does not spread its error evenly, and conversions that lie close together share theirs:
    so it is played, not computed, at rests from the middle of a step to its edge, and the worst counts. What a
    converter adds of its own is left out; it would help.
    """
    dense_Hz = rate_Hz * conversions
    count = round(60 * rate_Hz) * conversions

    def in_band(values: Floats, at_Hz: float) -> Floats:
        spectrum, f = np.fft.rfft(values), np.fft.rfftfreq(values.size, 1 / at_Hz)
        return np.fft.irfft(spectrum * ((f >= NOISE_BAND_HZ[0]) & (f <= NOISE_BAND_HZ[1])), values.size)

    noise = in_band(np.random.default_rng(1).normal(size=count), dense_Hz)
    noise *= noise_uV / step_uV / noise.std()
    read = [np.round(noise + rest).reshape(-1, conversions).mean(axis=1) for rest in (0.0, 0.25, 0.5)]
    return step_uV * max(float(in_band(one, rate_Hz).std()) for one in read)


def cmrr_dB(circuit: Circuit, mains_Hz: float) -> float:
    """Gain for the difference over gain for what a stiff source drives the body with, the reference's loop broken."""
    sweep = f"lin 1 {mains_Hz:g} {mains_Hz:g}"
    wanted = circuit.with_source("Vsignal", SIGNAL).ac("adc", sweep)[1][0]
    stiff = circuit.with_parts({"RR2": 1.0}).plus("Vstiff body 0 dc {vcc/2} ac 1").ac("adc", sweep)[1][0]
    return float(20 * np.log10(abs(wanted) / abs(stiff)))


def hum_uV(circuit: Circuit) -> float:
    """At the electrodes, from 0.5 uA that mains nearby drives through the body to earth (peak values)."""
    _, out = circuit.plus("Imains 0 body dc 0 ac 0.5u").ac("adc", "lin 1 50 50")
    return float(1e6 * abs(out[0]) / band(circuit).gain)


def ripple_uV(circuit: Circuit, supply_V: float) -> float:
    """At the electrodes, from 1 mV at 100 Hz on the supply, which is the converter's reference, too."""
    rippled = circuit.with_source("Vusb", "dc {vcc} ac 1m")
    _, out = rippled.ac("adc", "lin 1 100 100")
    return float(1e6 * abs(out[0] - 1e-3 * rest_V(circuit) / supply_V) / band(circuit).gain)


def settled_s(times: Floats, volts: Floats, from_s: float) -> float:
    """From `from_s` until the output rests within 50 mV of where it ends."""
    astray = times[(np.abs(volts - volts[-1]) > 0.05) & (times > from_s)]
    return float(astray.max() - from_s) if astray.size else 0.0


def recovery_s(circuit: Circuit) -> float:
    """From an electrode's return, after it drove the amplifier to its rail, until the output rests."""
    off = circuit.with_source("Voffset", "pulse(2 0 1 1m 1m 10 20)")
    return settled_s(*off.transient("adc", 1e-3, 5.0), 1.0)


def reattach_s(circuit: Circuit, leads: str) -> float:
    """From the return of `leads`, a second after they were torn off, until the output rests."""
    return settled_s(*without_leads(circuit, leads, 0.5, 1.5).transient("adc", 5e-4, 5.0, "0 1e-3"), 1.5)


def start_up_s(circuit: Circuit) -> float:
    """From power-on, everything empty before, until the output rests."""
    ramp = circuit.with_source("Vusb", "pwl(0 0 1m {vcc})")
    return settled_s(*ramp.transient("adc", 1e-3, 8.0, "0 2e-3"), 0.0)


def tug_s(circuit: Circuit) -> float:
    """From a step of 20 mV in the skin's potential, as of a tug at a lead, until the output rests."""
    tugged = circuit.with_source("Voffset", "pulse(0 20m 1 1m 1m 10 20)")
    return settled_s(*tugged.transient("adc", 1e-3, 5.0), 1.0)


def phase_margin_deg(circuit: Circuit) -> float:
    """Of the driven reference's loop, opened where the common mode is taken; 180 if it never amplifies."""
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


def room_mV(circuit: Circuit, supply_V: float) -> float:
    """The least distance of the amplifier's output from its rails at rest, in mV."""
    (out_V,) = circuit.with_params(vcc=supply_V).operating_point("v(o1)")
    return 1e3 * (min(out_V, supply_V - out_V) - 0.15)


def common_mode_mV(circuit: Circuit, supply_V: float) -> float:
    """The least distance of the inputs at rest from the ends of their range, in mV."""
    inputs_V = circuit.with_params(vcc=supply_V).operating_point("v(ip)", "v(in)")
    return 1e3 * min(min(v, supply_V - 1.0 - v) for v in inputs_V)


def rest_V(circuit: Circuit) -> float:
    """The output at rest."""
    return circuit.operating_point("v(adc)")[0]


def full_swing_distortion(circuit: Circuit, span_V: float) -> float:
    """Share of the harmonics in a sine of 200 Hz that takes 80 % of `span_V` at the converter: slew rates, rails."""
    peak_V = 0.4 * span_V / float(np.interp(200.0, *response(circuit)))
    t, v = circuit.with_source("Vsignal", f"dc 0 sin(0 {peak_V!r} 200)").transient("adc", 1e-5, 0.4, "0 2e-5")
    even = np.arange(0.3, 0.4, 1e-5)
    spectrum = np.abs(np.fft.rfft(np.interp(even, t, v) * np.hanning(even.size)))
    tone = 20  # 200 Hz in steps of 10
    harmonics = [spectrum[k * tone - 2 : k * tone + 3].max() for k in range(2, 8)]
    return float(np.sqrt(np.sum(np.square(harmonics))) / spectrum[tone])


def off_pin(circuit: Circuit, leads: str, mains_uA: float) -> tuple[float, float]:
    """Seconds until the board's pin surely reads 'off' for good after `leads` came off, and 'on' after their return.

    Infinite if it does not within a second. With `leads` empty: 0 if it read 'on' all the time, otherwise infinite.
    """
    hummed = circuit.plus(f"Imains 0 body dc 0 sin(0 {mains_uA!r}u 50)")
    t, v = without_leads(hummed, leads, 0.5, 1.5).transient("off", 5e-4, 2.5, "0 1e-3")
    supply_V = circuit.operating_point("v(v5)")[0]
    worn, torn, again = (t > 0.2) & (t < 0.5), (t >= 0.5) & (t < 1.5), t >= 1.5

    def until(wrong: Bools, part: Bools, from_s: float, end_s: float) -> float:
        late = t[part & wrong]
        if late.size == 0:
            return 0.0
        return float(late.max() - from_s) if late.max() < end_s - 0.01 else float("inf")

    not_off, not_on = v < HIGH * supply_V, v > LOW * supply_V
    if not_on[worn].any():
        return float("inf"), float("inf")
    if not leads:
        return (float("inf"),) * 2 if not_on[t > 0.2].any() else (0.0, 0.0)
    return until(not_off, torn, 0.5, 1.5), until(not_on, again, 1.5, 2.5)


def told_Mohm(circuit: Circuit, electrode: str) -> float:
    """From what resistance of an electrode (`zp`, `zn` or `zr`) on the board's pin reads 'off', without mains."""
    supply_V, low, high = circuit.operating_point("v(v5)")[0], 0.0, 5.0  # decades over 1 Mohm
    for _ in range(8):
        middle = (low + high) / 2
        off = circuit.with_params(**{electrode: 1e6 * 10**middle}).operating_point("v(off)")[0] > HIGH * supply_V
        low, high = (low, middle) if off else (middle, high)
    return float(10**high)


def worst_case(variant: Variant) -> dict[str, tuple[float, float]]:
    """Least and greatest gain and edges with every part at the end of its tolerance that moves the figure that way."""
    figures = ("gain", "low_Hz", "high_Hz")
    nominal = band(variant.circuit)
    slopes = {name: band(variant.moved({name: 1.0})) for name in variant.circuit.parts()}
    out = {}
    for figure in figures:
        signs = {n: float(np.sign(getattr(b, figure) - getattr(nominal, figure))) for n, b in slopes.items()}
        ends = [getattr(band(variant.moved({n: way * s for n, s in signs.items()})), figure) for way in (-1, 1)]
        out[figure] = (ends[0], ends[1])
    return out
