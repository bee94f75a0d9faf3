"""The guide's figures are those of the simulation, and its commands and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from hardware import figures, measure
from hardware.faults import faults
from hardware.power import LOADS, run_time_h
from hardware.variants import LOW_VOLTAGE, MODULE, SHIELD, without_leads

GUIDE = Path(figures.__file__).with_name("README.md")
ROOT = GUIDE.parents[1]


@pytest.fixture(scope="module")
def text() -> str:
    return " ".join(GUIDE.read_text().split())


def step(number: int) -> str:
    """What step `number` of the test expects."""
    (line,) = re.findall(rf"(?m)^\| {number} \|.*$", GUIDE.read_text())
    return str(line.split("|")[3].strip())


def test_the_readings_are_what_the_circuit_does() -> None:
    joined = SHIELD.circuit.with_params(zp=10.0, zn=10.0, zr=10.0)
    middle_V, amplifier_V, adc_V, pin_V = joined.operating_point("v(mid)", "v(o1)", "v(adc)", "v(off)")
    assert step(2) == f"{middle_V:.2f} V"
    assert step(3) == f"{amplifier_V:.2f} V and {adc_V:.2f} V"
    assert step(4) == f"{pin_V:.2f} V"
    apart = without_leads(SHIELD.circuit, "pnr", 0.5, 9.0)
    for number, node in ((5, "off"), (6, "adc")):
        t, v = apart.transient(node, 1e-3, 6.0, "0 2e-3")
        assert step(number) == f"{v[t > 5.5].mean():.2f} V"


def test_the_resistors_that_the_wearer_checks_are_those_of_the_board() -> None:
    parts = SHIELD.circuit.parts()
    inputs = [sum(parts[f"R{side}{n}"] for n in (1, 2)) / 1e3 for side in "PN"]
    reference = sum(parts[f"RS{n}"] for n in (1, 2, 3)) / 1e3
    assert step(7) == f"{inputs[0]:g} k, {inputs[1]:g} k, {reference:g} k"


def test_gains_and_limits_are_the_simulated_ones(text: str) -> None:
    uneven = {name: one.circuit.with_params(**figures.UNEVEN) for name, one in (("us", SHIELD), ("module", MODULE))}
    ours_dB, theirs_dB = (measure.cmrr_dB(uneven[name], 50.0) for name in ("us", "module"))
    shielded_dB = measure.cmrr_dB(SHIELD.circuit.with_params(cc=100e-12, **figures.UNEVEN), 50.0)
    worst_uA = max(one.worst_uA for one in faults(MODULE))
    noise = {row.what: row.value for row in figures.disturbances(SHIELD)}
    (stepped_uV,) = (uV for what, uV in noise.items() if what.endswith("conversions a sample: 8"))
    for said in (
        f"--gain {measure.band(SHIELD.circuit).gain:.0f}",
        f"gain {measure.band(LOW_VOLTAGE.circuit).gain:.0f},",
        f"{figures.twitch_share(MODULE.circuit, SHIELD.circuit):.2f} of a single motor unit's twitch",
        f"band is {measure.band(MODULE.circuit).low_Hz:.1f} to {measure.band(MODULE.circuit).high_Hz:.0f} Hz",
        f"settles for {measure.tug_s(MODULE.circuit):.1f} s, after a lost electrode for "
        f"{measure.recovery_s(MODULE.circuit):.1f} s, where the shield takes {measure.tug_s(SHIELD.circuit):.1f} s",
        f"rejected by {theirs_dB:.0f} dB with electrodes 50 k apart, where the shield does {ours_dB:.0f} dB",
        f"shielded cable costs {ours_dB - shielded_dB:.0f} dB",
        f"lets {worst_uA / 1000:.1f} mA through",
        f"({stepped_uV:.1f} uV simulated)",
        f"about {run_time_h(1000, sum(one.usual_mA for one in LOADS)):.0f} h (computed, 1000 mAh",
    ):
        assert said in text, said


def test_the_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    source = GUIDE.read_text()
    for command, option in re.findall(r"emgtwitch (\w+)[^`\n]*?(--[\w-]+)", source):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert option in capsys.readouterr().out, (command, option)
    makefile = (ROOT / "firmware/firmware.mk").read_text()
    for variant in re.findall(r"build/firmware/variants/([\w-]+)\.hex", source):
        assert f"variants/{variant}" in makefile


def test_links_and_pictures_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text()):
        assert (GUIDE.parent / target).exists(), target
