"""Laws of the front end, on the netlist that the board is to be built from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hardware import verify
from hardware.spice import Circuit, SpiceError, number
from hardware.verify import Row, band, currents_uA, drawn, faults, phase_margin_deg, shield


@pytest.fixture(scope="module")
def figures() -> dict[str, Row]:
    return {row.what: row for row in verify.rows(draws=30)}


def test_every_figure_is_within_what_is_asked(figures: dict[str, Row]) -> None:
    assert [f"{row.what}: {row.value:g} {row.unit}" for row in figures.values() if not row.kept] == []
    assert sum(bool(row.asked) for row in figures.values()) >= 15


def test_the_page_is_what_the_netlist_says() -> None:
    """Figures of the page that no draw decides; `python -m hardware.verify` makes it anew."""
    text = (verify.DOCS / "hardware.md").read_text()
    nominal = band(shield())
    assert f"| gain | {nominal.gain:.4g}  |" in text
    assert f"| upper edge, -3 dB | {nominal.high_Hz:.4g} Hz |" in text
    for name, body, uA in faults():
        assert f"| {name} |" in text
        assert f" {uA:.2f} uA |" in text, (name, body)


def test_every_part_is_opened_and_shorted_with_the_body_floating_and_earthed() -> None:
    told = {(name, body) for name, body, _ in faults()}
    for part in shield().parts():
        for fault in ("open", "shorted"):
            assert {(f"{part} {fault}", body) for body in ("floating", "earthed")} <= told


def test_a_patient_without_the_resistors_would_not_be_safe() -> None:
    """The walk finds what it is there to find."""
    worst = shield().with_params(vcc=verify.WORST_V, **verify.WORST_GEL).plus("Rfault ip vcc 1\nRtouch body 0 1")
    assert currents_uA(worst) < 50
    assert currents_uA(worst.with_parts({"RP1": 1e3, "RP2": 1e3})) > 500


def test_a_reference_that_is_driven_too_fast_is_told_by_its_phase_margin() -> None:
    assert phase_margin_deg(shield()) > 45
    assert phase_margin_deg(shield().with_parts({"CR": 1e-9})) < 45


def test_the_seed_draws_the_same_parts_again() -> None:
    one, other = (next(drawn(1, seed=7)) for _ in range(2))
    assert one == other
    values, nominal = one.parts(), shield().parts()
    assert all(abs(values[name] / nominal[name] - 1) <= 0.2 for name in nominal)
    assert any(values[name] != nominal[name] for name in nominal)


@pytest.mark.parametrize(
    ("text", "value"), [("100n", 1e-7), ("6.2k", 6200.0), ("10u", 1e-5), ("1meg", 1e6), ("47p", 4.7e-11), ("5", 5.0)]
)
def test_numbers_read_as_spice_reads_them(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


def test_what_the_netlist_does_not_have_is_said() -> None:
    with pytest.raises(SpiceError, match="no number"):
        number("ten")
    with pytest.raises(SpiceError, match="0 parts 'RX9'"):
        shield().with_parts({"RX9": 1.0})
    with pytest.raises(SpiceError, match="0 parameters"):
        shield().with_params(nothing=1.0)
    with pytest.raises(SpiceError, match="0 sources"):
        shield().with_source("Vnone", "dc 0")
    with pytest.raises(SpiceError, match="gave nothing"):
        Circuit("* nothing\nR1 a 0 1k").ac("nowhere", "dec 10 1 10")


def test_noise_grows_with_the_input_resistors() -> None:
    more = shield().with_parts(dict.fromkeys(("RP1", "RP2", "RN1", "RN2"), 240000.0))
    assert verify.noise_uV(more) > 1.5 * verify.noise_uV(shield())


def test_a_figure_out_of_bounds_is_not_kept() -> None:
    row = Row("x", 2.5, "uV", most=2.0)
    assert (row.kept, row.asked) == (False, "at most 2")
    assert dataclasses.replace(row, value=1.5).kept
    assert np.isclose(verify.attenuation_dB(shield(), 110.0), 0.0, atol=0.5)
