"""From the skin to the log: SPICE's voltage at the converter, the real firmware on the virtual board, the detector."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from emgtwitch.app.cli import main
from emgtwitch.wearer.scenario import Device, Scenario, Scheduled
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.records import SetRate, Start, Stop
from firmware.sim.harness import ELF, Script, Waveform, build, run_board
from hardware.measure import off_pin
from hardware.spice import Circuit
from hardware.variants import LOW_VOLTAGE, SHIELD, Variant, without_leads

RATE_HZ = 2000.0  # of the muscle's signal
LEVELS_HZ = 8000.0  # of what the converter is played
SHIELD_ELF = ELF.parent / "variants/lead-off.elf"
STARTED_S = 0.5
MICRO = Device(reference_mV=5000.0, gain=1000.0, bits=16)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build()


def on_the_skin(schedule: tuple[Scheduled, ...], seconds: float) -> npt.NDArray[np.float64]:
    """A muscle without any noise, in V."""
    quiet = Scenario(fs_Hz=RATE_HZ, device=MICRO, amplifier_noise_uV=0, electrode_noise_uV=0, schedule=schedule)
    counts = Wearer(quiet, seed=11).render(round(seconds * RATE_HZ))[:, 0].astype(float)
    return np.asarray(1e-6 * MICRO.uV_per_count * (counts - counts[:100].mean()))


def worn(circuit: Circuit, skin_V: npt.NDArray[np.float64]) -> Circuit:
    """With that muscle, 300 mV between the electrodes, 50 k between their resistances and mains nearby."""
    points = [f"+ {k / RATE_HZ:.6f} {v:.4e}" for k, v in enumerate(skin_V)]
    wave = "dc 0 pwl(\n" + "\n".join(points) + "\n+ )"
    hummed = circuit.with_params(vdc=0.3, zn=70e3).plus("Imains 0 body dc 0 sin(0 0.5u 50)")
    return hummed.with_source("Vsignal", wave)


def logged(circuit: Circuit, supply_V: float, seconds: float, script: Script, folder: Path) -> list[dict[str, Any]]:
    """What the detector says of what the board sends of what the circuit gives."""
    t, v = circuit.transient("adc", 2e-4, seconds, "0 2.5e-4")
    level_mV = 1000 * np.interp(np.arange(0, seconds, 1 / LEVELS_HZ), t, v)
    wave = Waveform(level_mV.astype(np.float32)[:, None], LEVELS_HZ)
    script.ask(0.3, SetRate(1000, 1, 8)).ask(STARTED_S, Start()).ask(seconds, Stop())
    sent = run_board(folder, seconds + 1, script, SHIELD_ELF, wave, ["--avcc", str(1000 * supply_V)]).sent
    (folder / "session.emgw").write_bytes(sent)
    return [json.loads(line) for line in told(folder / "session.emgw").splitlines()]


def told(file: Path) -> str:
    """What `emgtwitch replay --json` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["replay", str(file), "--json"]) == 0
    return out.getvalue()


@pytest.mark.parametrize("variant", [SHIELD, LOW_VOLTAGE], ids=lambda one: one.name)
def test_a_twitch_on_the_skin_is_an_event_in_the_log(variant: Variant, tmp_path: Path) -> None:
    brief = (Scheduled(2.5, "twitch", 300.0), Scheduled(3.5, "twitch", 40.0))
    schedule = (*brief, Scheduled(5.0, "spasm", 400.0, 2.4))
    circuit = worn(variant.circuit, on_the_skin(schedule, 9.0))
    said = logged(circuit, variant.supply_V[1], 9.0, Script(), tmp_path)
    events = [one for one in said if one["type"] == "event"]
    assert [one["class"] for one in events] == ["twitch", "twitch", "spasm"]
    for event, planned in zip(events, schedule, strict=True):
        assert event["onset_s"] == pytest.approx(planned.onset_s - STARTED_S, abs=0.03)
    assert said[-1]["scans_lost"] == 0


def test_a_lead_that_comes_off_is_an_interval_in_the_log(tmp_path: Path) -> None:
    off_s, on_s = off_pin(SHIELD.circuit, "p", 0.5)  # after 0.5 and 1.5 s
    torn = without_leads(worn(SHIELD.circuit, on_the_skin((), 5.0)), "p", 3.0, 4.0)
    script = Script().at(3.0 + off_s, "electrode 0 off").at(4.0 + on_s, "electrode 0 on")
    said = logged(torn, 5.0, 5.0, script, tmp_path)
    intervals = [one for one in said if one["type"] == "interval" and one["kind"] == "lead_off"]
    (interval,) = intervals
    assert interval["onset_s"] == pytest.approx(3.0 - STARTED_S, abs=0.08)
    assert interval["offset_s"] == pytest.approx(4.0 - STARTED_S, abs=0.08)
    assert [one for one in said if one["type"] == "event"] == []
