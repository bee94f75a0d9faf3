"""A trigger that comes too late for the converter loses its scan, is counted, and shifts nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Counters, Samples, SetRate, Start, Stop
from firmware.sim.harness import CLOCK_HZ, ELF, Script, run_board
from tests.firmware.streams import check_waveform, heard, noise_waveform

LATE_100_US = ELF.parent / "variants/late.elf"
PRESSES = 290


@pytest.mark.parametrize(("rate_Hz", "channels", "oversampling"), [(2000, 4, 1), (1000, 2, 4), (1000, 1, 8)])
def test_a_missed_trigger_costs_one_scan_and_is_told(
    rate_Hz: int, channels: int, oversampling: int, tmp_path: Path
) -> None:
    script = Script().ask(0.5, SetRate(rate_Hz, channels, oversampling)).ask(0.7, Start())
    for n in range(PRESSES):
        script.at(1.0 + 0.0101357 * n, f"button {n % 2}")
    wave = noise_waveform(5.0)
    outcome = run_board(tmp_path, 4.5, script.ask(4.2, Stop()), LATE_100_US, wave)
    check_waveform(outcome.conversions, wave)
    per_scan = channels * oversampling
    triggered = outcome.conversions[outcome.conversions["triggered"] == 1]
    since = triggered["cycle"].astype(np.int64) - int(triggered["cycle"][0])
    slot = since // (CLOCK_HZ // (rate_Hz * per_scan))
    made = np.full((slot[-1] // per_scan + 1) * per_scan, np.nan)
    made[slot] = triggered["count"]
    scans = made.reshape(-1, oversampling, channels).sum(axis=1)  # nan where a conversion is missing
    samples = [record for record in frames(outcome.sent) if isinstance(record, Samples)]
    holes = end = 0
    for record in samples:
        counts = np.array(record.counts).reshape(-1, channels)
        np.testing.assert_array_equal(counts, scans[record.index : record.index + len(counts)])
        holes += record.index - end
        assert record.overruns == holes
        end = record.index + len(counts)
    missed = outcome.report["missed_flag"] + outcome.report["missed_busy"]
    assert missed >= 50
    (told,) = [record for record in frames(outcome.sent) if isinstance(record, Counters)][-1:]
    assert missed - 1 <= told.missed_triggers <= missed
    assert missed - 1 <= told.lost_scans <= missed + PRESSES
    assert heard(outcome.sent).rejected == 0
