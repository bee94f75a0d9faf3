"""Laws of the processor's time: cycles of the converter's interrupt, and the share of time that it is awake."""

from __future__ import annotations

from pathlib import Path

import pytest

from emgtwitch.wire.records import SetRate, Start
from firmware.sim.harness import Script, run_board
from firmware.sim.loads import LOADS, Load, measure, table
from tests.firmware.streams import noise_waveform

SINGLE_CHANNEL_ISR_CYCLES = 100
MOST_LOAD = {1000: 0.06, 4000: 0.22}


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_cycles_and_load_stay_within_their_budget(load: Load, tmp_path: Path) -> None:
    found = measure(load, tmp_path)
    print(table([found]))
    if load.channels == load.oversampling == 1:
        assert found.adc_max_cycles <= SINGLE_CHANNEL_ISR_CYCLES
        assert found.load <= MOST_LOAD.get(load.rate_Hz, 1.0)
    assert found.load < 0.75


def test_interrupts_leave_the_converter_its_time(tmp_path: Path) -> None:
    """The longest interrupt of all ends before the next conversion at the fastest rate, 2000 cycles, is half over."""
    script = Script().ask(0.5, SetRate(4000, 1, 1)).ask(1.0, Start())
    report = run_board(tmp_path, 3.0, script, wave=noise_waveform(3.0)).report
    assert max(isr["max"] for isr in report["isr"].values()) < 1000
