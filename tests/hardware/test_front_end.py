"""Laws of the front ends, on the netlists that the board is built from."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from hardware import figures, measure, verify
from hardware.faults import BODIES, Fault, current_uA, faults
from hardware.figures import Row
from hardware.spice import Circuit, SpiceError, number
from hardware.variants import DISCRETE, LOW_VOLTAGE, MODULE, SHIELD, VARIANTS, Variant, without_leads


@pytest.fixture(scope="module")
def told() -> list[Fault]:
    return list(faults(SHIELD))


@pytest.mark.parametrize("variant", [SHIELD, LOW_VOLTAGE], ids=lambda one: one.name)
def test_every_figure_of_the_sensor_is_within_what_is_asked(variant: Variant) -> None:
    rows = [row for some in figures.sections(variant, 30, list(faults(variant))).values() for row in some]
    assert [f"{row.what}: {row.value:g} {row.unit}" for row in rows if not row.kept] == []
    assert sum(bool(row.asked) for row in rows) >= 25


def test_what_the_cheaper_front_ends_do_not_keep_is_said() -> None:
    text = (verify.DOCS / "hardware.md").read_text()
    found = [measure.cmrr_dB(one, 50.0) for one in DISCRETE.drawn(20, seed=3)]
    assert min(found) < 90.0, "0.1 % resistors do not make 90 dB"
    assert figures.twitch_share(MODULE.circuit, SHIELD.circuit) < 0.2, "a band for the heart leaves little of a twitch"
    assert "**not kept**" in text.partition("## Module")[2]
    assert "**not kept**" not in text.partition("## Module")[0]


def test_the_page_is_what_the_netlists_say(told: list[Fault]) -> None:
    """Figures of the page that no draw decides; `python -m hardware.verify` makes it anew."""
    text = (verify.DOCS / "hardware.md").read_text()
    for variant in VARIANTS:
        nominal = measure.band(variant.circuit)
        part = text.partition(f"## {variant.name.capitalize()}: ")[2].partition("\n## ")[0]
        assert f"| gain | {nominal.gain:.4g}  |" in part
        assert f"| upper edge, -3 dB | {nominal.high_Hz:.4g} Hz |" in part
    assert verify.currents(SHIELD, told) in text
    assert verify.aliases() in text


def test_every_part_is_opened_and_shorted_and_every_pin_put_to_a_rail(told: list[Fault]) -> None:
    names = {one.name for one in told}
    for part in SHIELD.circuit.parts():
        assert {f"{part} open", f"{part} shorted"} <= names
    for amplifier, _ in SHIELD.circuit.amplifiers():
        assert sum(name.startswith(f"{amplifier} pin ") for name in names) >= 4
    assert all(set(one.uA) == set(BODIES) for one in told)


def test_a_patient_without_the_resistors_would_not_be_safe() -> None:
    """The walk finds what it is there to find."""
    gel = {"zp": 1e3, "zn": 1e3, "zr": 1e3}
    worst = SHIELD.circuit.with_params(vcc=5.5, **gel).plus("Rfault ip vcc 1\nRtouch body 0 1")
    assert current_uA(worst) < 50
    assert current_uA(worst.with_parts({"RP1": 1e3, "RP2": 1e3})) > 500


def test_what_all_electrodes_carry_together_counts() -> None:
    """One input and the driven reference at a rail, the body at the other: no more flows, whatever amplifiers do."""
    worst = SHIELD.circuit.with_params(vcc=5.5, zp=1e3, zn=1e3, zr=1e3).plus("Rfault in 0 1\nRtouch body vcc 1")

    def bound_uA(input_ohm: float) -> float:
        return 1e6 * 5.5 * (1 / (2 * input_ohm + 1e3) + 1 / (3 * SHIELD.circuit.parts()["RS1"] + 1e3))

    assert 5.5e6 / (2 * 68e3 + 1e3) < current_uA(worst) < bound_uA(SHIELD.circuit.parts()["RN1"]) < 50
    assert bound_uA(62e3) > 50, "although each electrode would keep to it"


def test_a_reference_that_is_driven_too_fast_is_told_by_its_phase_margin() -> None:
    assert measure.phase_margin_deg(SHIELD.circuit) > 45
    assert measure.phase_margin_deg(SHIELD.circuit.with_parts({"CR1": 10e-12})) < 45


def test_a_tap_that_is_loaded_costs_rejection_as_soon_as_its_halves_differ() -> None:
    """Why the driven reference takes the common mode through a megohm."""
    uneven = SHIELD.circuit.with_parts({"RG1": 6.2e3 * 1.01, "RG2": 6.2e3 * 0.99})
    assert measure.cmrr_dB(uneven, 50.0) > 75
    assert measure.cmrr_dB(uneven.with_parts({"RR1": 1e4}), 50.0) < 55


@pytest.mark.parametrize("leads", figures.LEADS)
def test_the_pin_tells_of_every_lead_that_is_off_and_the_signal_does_not(leads: str) -> None:
    off_s, on_s = measure.off_pin(SHIELD.circuit, leads, 0.5)
    assert 0 < off_s < 0.2
    assert 0 < on_s < 0.2
    t, v = without_leads(SHIELD.circuit, leads, 0.5, 1.5).transient("adc", 5e-4, 1.5, "0 1e-3")
    assert np.ptp(v[(t > 1.0) & (t < 1.45)]) < 0.05, "behind the high-pass a saturated amplifier is a flat line"


def test_a_pin_that_never_tells_and_one_that_tells_of_nothing_are_found() -> None:
    deaf = SHIELD.circuit.with_parts({"RT2": 1.0})
    assert measure.off_pin(deaf, "p", 0.0)[0] == float("inf")
    nervous = SHIELD.circuit.with_parts({"RT1": 1.0})
    assert measure.off_pin(nervous, "", 0.0)[0] == float("inf")


def test_a_threshold_that_forgets_the_diode_drop_is_never_at_peace() -> None:
    """The gain resistor lies above the inputs, so the driven reference rests below the middle."""
    middle_V, reference_V = LOW_VOLTAGE.circuit.operating_point("v(mid)", "v(ro)")
    assert middle_V - reference_V == pytest.approx(0.65 * 10 / 11, abs=0.06)
    third = LOW_VOLTAGE.circuit.with_parts({"RT2": 10e3})
    assert measure.off_pin(third.with_params(vdc=-0.3), "", 0.0)[0] == float("inf")


def test_an_amplifier_that_is_too_slow_in_the_heat_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(figures.CLIMATES, 45, figures.CLIMATES[45] | {"gbw": 2e4})
    assert "upper edge, least" in [row.what for row in figures.climate(SHIELD) if not row.kept]


def test_an_electrode_that_dries_is_told_the_sooner_the_greater_the_bias() -> None:
    told = [measure.told_Mohm(one, "zr") for one in figures.in_climates(SHIELD, 5.0)]
    assert 1 < told[0] < told[1]


def test_the_steps_of_a_converter_add_as_theory_says_only_where_noise_is_larger() -> None:
    alone_uV = 1 / np.sqrt(12) * np.sqrt((450 - 20) / 500)
    assert measure.stepped_uV(3.0, 1.0, 1000.0, 1) == pytest.approx(np.hypot(3.0, alone_uV), rel=0.01)
    eight_uV = measure.stepped_uV(0.3, 1.0, 1000.0, 8)
    assert np.hypot(0.3, alone_uV / np.sqrt(8)) < eight_uV < measure.stepped_uV(0.3, 1.0, 1000.0, 1)


def test_the_seed_draws_the_same_parts_again() -> None:
    one, other = (next(SHIELD.drawn(1, seed=7)) for _ in range(2))
    assert one == other
    values, nominal = one.parts(), SHIELD.circuit.parts()
    for name in nominal:
        assert abs(values[name] / nominal[name] - 1) <= SHIELD.tolerance_of(name) + 1e-12
    assert any(values[name] != nominal[name] for name in nominal)


def test_no_draw_decides_whether_the_band_is_kept() -> None:
    """Asked: 20 and 450 Hz within 10 %. Only all parts at their worst ends at once come to 0.3 % outside."""
    worst = measure.worst_case(SHIELD)
    assert worst["low_Hz"][0] > 18.0 * 0.997
    assert worst["low_Hz"][1] < 22.0
    assert 405.0 < worst["high_Hz"][0] < worst["high_Hz"][1] < 495.0
    for seed in range(20, 23):
        for one in map(measure.band, SHIELD.drawn(30, seed)):
            assert 18.0 < one.low_Hz < 22.0
            assert 405.0 < one.high_Hz < 495.0


@pytest.mark.parametrize("variant", [SHIELD, LOW_VOLTAGE, DISCRETE], ids=lambda one: one.name)
def test_every_amplifier_rests_in_the_middle(variant: Variant) -> None:
    """A place of rest at a rail would be one that the simulator took for one, or a latch."""
    for circuit in figures.in_climates(variant, *variant.supply_V):
        for worn in ({}, figures.UNEVEN, {"vdc": 0.3}, {"vdc": -0.3, **figures.UNEVEN}):
            g1_V, adc_V, mid_V = circuit.with_params(**worn).operating_point("v(g1)", "v(adc)", "v(mid)")
            assert g1_V == pytest.approx(mid_V, abs=0.15)
            assert adc_V == pytest.approx(mid_V, abs=0.25)


def test_the_worst_case_lies_beyond_what_is_drawn() -> None:
    worst = measure.worst_case(SHIELD)
    found = [measure.band(one) for one in SHIELD.drawn(20, seed=4)]
    for key, (low, high) in worst.items():
        assert low <= min(getattr(one, key) for one in found)
        assert high >= max(getattr(one, key) for one in found)


def test_low_voltage_is_the_same_board_with_other_values() -> None:
    one, other = SHIELD.circuit.parts(), LOW_VOLTAGE.circuit.parts()
    assert {name for name in one if one[name] != other[name]} == {"RG1", "RG2"}
    assert set(re.findall(r"RG\d", LOW_VOLTAGE.what)) == {"RG1", "RG2"}


@pytest.mark.parametrize(
    ("text", "value"), [("100n", 1e-7), ("6.2k", 6200.0), ("10u", 1e-5), ("1meg", 1e6), ("47p", 4.7e-11), ("5", 5.0)]
)
def test_numbers_read_as_spice_reads_them(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


def test_what_the_netlist_does_not_have_is_said() -> None:
    circuit = SHIELD.circuit
    with pytest.raises(SpiceError, match="no number"):
        number("ten")
    with pytest.raises(SpiceError, match="0 parts 'RX9'"):
        circuit.with_parts({"RX9": 1.0})
    with pytest.raises(SpiceError, match="0 parameters"):
        circuit.with_params(nothing=1.0)
    with pytest.raises(SpiceError, match="0 sources"):
        circuit.with_source("Vnone", "dc 0")
    with pytest.raises(SpiceError, match="No model"):
        circuit.with_models(nothing=1.0)
    with pytest.raises(SpiceError, match="0 leads 'x'"):
        without_leads(circuit, "x", 0.5, 1.5)
    with pytest.raises(SpiceError, match="gave nothing"):
        Circuit("* nothing\nR1 a 0 1k").ac("nowhere", "dec 10 1 10")


def test_noise_grows_with_the_input_resistors_and_with_the_1_f_corner() -> None:
    more = SHIELD.circuit.with_parts(dict.fromkeys(("RP1", "RP2", "RN1", "RN2"), 240000.0))
    assert measure.noise_uV(more) > 1.5 * measure.noise_uV(SHIELD.circuit)
    names = [f"r.{name.lower()}.rw" for name, _ in SHIELD.circuit.amplifiers()]
    f, density, shares = SHIELD.circuit.noise("adc", "Vsignal", "dec 200 20 450", names)
    white_uV = 1e6 * np.sqrt(np.trapezoid(density**2, f)) / measure.band(SHIELD.circuit).gain
    assert white_uV < measure.noise_uV(SHIELD.circuit) < 1.1 * white_uV
    assert all((share < density).all() for share in shares)


def test_a_figure_out_of_bounds_is_not_kept() -> None:
    row = Row("x", 2.5, "uV", most=2.0)
    assert (row.kept, row.asked) == (False, "at most 2")
    assert dataclasses.replace(row, value=1.5).kept
    assert np.isclose(measure.attenuation_dB(SHIELD.circuit, 110.0), 0.0, atol=0.5)
