"""Laws of sampling: every sample is the waveform at its trigger, triggers come at exact intervals, nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emgtwitch.wire import records  # pytest would take a TestSignal here for a test
from emgtwitch.wire.records import AskHello, SetRate, Start, Stop
from firmware.sim.harness import ELF, Script, run_board
from tests.firmware.streams import TAIL_SCANS, check_epoch, check_whole, converter_streams, heard, noise_waveform

VARIANTS = ELF.parent / "variants"
AT_500000 = VARIANTS / "baud500000.elf"
ARDUINO = ELF.parent / "arduino/emgtwitch.elf"  # the same sources through the Arduino core
HOST_EVERY_S = 10  # asks for a Hello, as the daemon does
RUN_S = 4.0

# rate in Hz, channels, oversampling, firmware
COMBINATIONS = [
    (1000, 1, 1, ELF),
    (1000, 2, 1, ELF),
    (1000, 3, 1, ELF),
    (1000, 4, 1, ELF),
    (1000, 1, 4, ELF),
    (1000, 1, 8, ELF),
    (1000, 2, 4, ELF),
    (2000, 1, 1, ELF),
    (2000, 1, 4, ELF),
    (2000, 2, 1, ELF),
    (4000, 1, 1, ELF),
    (500, 1, 1, ELF),
    (500, 4, 1, ELF),
    (500, 1, 8, ELF),
    (500, 2, 4, ELF),
    (2000, 4, 1, AT_500000),
    (4000, 2, 1, AT_500000),
    (1000, 4, 1, ARDUINO),
    (4000, 1, 1, ARDUINO),
]


@pytest.mark.parametrize(("rate_Hz", "channels", "oversampling", "elf"), COMBINATIONS)
def test_every_sample_is_the_waveform_at_its_trigger(
    rate_Hz: int, channels: int, oversampling: int, elf: Path, tmp_path: Path
) -> None:
    script = Script().ask(0.5, SetRate(rate_Hz, channels, oversampling)).ask(1.0, Start()).ask(1.0 + RUN_S, Stop())
    wave = noise_waveform(7.0)
    outcome = run_board(tmp_path, 1.5 + RUN_S, script, elf, wave)
    got = check_whole(outcome, wave)
    assert [answer.status for answer in got.answers] == [0, 0, 0]
    (epoch,) = got.epochs
    assert (epoch.hello.channels, epoch.hello.oversampling) == (channels, oversampling)
    assert epoch.scans >= RUN_S * rate_Hz - 300


def test_each_start_begins_a_run_of_its_own(tmp_path: Path) -> None:
    script = Script()
    for n, rate in enumerate((SetRate(1000, 4, 1), SetRate(4000, 1, 1), SetRate(1000, 1, 8), SetRate(1000, 1, 1))):
        script.ask(0.5 + 3 * n, rate).ask(1.0 + 3 * n, Start()).ask(2.5 + 3 * n, Stop())
    wave = noise_waveform(12.5)
    got = check_whole(run_board(tmp_path, 12.5, script, wave=wave), wave)
    assert [epoch.runs[0].index for epoch in got.epochs] == [0, 0, 0, 0]
    runs = [epoch.hello.run_count for epoch in got.epochs]
    assert runs == list(range(runs[0], runs[0] + 4))


@pytest.mark.parametrize(("rate_Hz", "channels", "oversampling"), [(1000, 1, 1), (1000, 4, 1), (1000, 2, 4)])
def test_the_test_signal_goes_through_the_whole_chain(
    rate_Hz: int, channels: int, oversampling: int, tmp_path: Path
) -> None:
    script = Script().ask(0.5, SetRate(rate_Hz, channels, oversampling), records.TestSignal(1)).ask(1.0, Start())
    outcome = run_board(tmp_path, 4.0, script, wave=noise_waveform(4.0))
    (epoch,) = heard(outcome.sent).epochs
    (stream,) = converter_streams(outcome.conversions)
    number = np.arange(len(stream), dtype=np.uint32)
    stream["count"] = (number * 7 + 129 * stream["channel"].astype(np.uint32)) & 0x3FF
    assert epoch.hello.flags & 2
    assert check_epoch(epoch, stream) <= TAIL_SCANS


@pytest.mark.slow
def test_ten_minutes_at_1_kHz_are_exact(tmp_path: Path) -> None:
    """And an hour in `make board-hour`, which sets EMGTWITCH_SOAK_S."""
    seconds = float(os.environ.get("EMGTWITCH_SOAK_S", "600"))
    script = Script().ask(0.5, SetRate(1000, 1, 1)).ask(1.0, Start())
    for n in range(1, int(seconds / HOST_EVERY_S) + 1):
        script.ask(1.0 + HOST_EVERY_S * n, AskHello())
    script.ask(1.0 + seconds, Stop())
    wave = noise_waveform(61.0, channels=1)
    got = check_whole(run_board(tmp_path, seconds + 1.5, script, wave=wave), wave)
    (epoch,) = got.epochs
    assert epoch.scans >= 1000 * seconds - 300
    assert not got.marks
    assert all(c.lost_scans == c.missed_triggers == c.line_errors == c.rejected_requests == 0 for c in got.counters)
