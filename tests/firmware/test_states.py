"""Laws of what the board says of itself: marks, identity, supply, resets, refusals, and its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from emgtwitch.wire.encode import note as request_frame
from emgtwitch.wire.records import (
    AskHello,
    ResetCounters,
    SetRate,
    Start,
    Stop,
    WriteIdentity,
)
from firmware.sim.harness import ELF, BoardError, Script, run_board
from tests.firmware.streams import TAIL_SCANS, check_epoch, check_whole, converter_streams, heard, noise_waveform

LEAD_OFF = ELF.parent / "variants/lead-off.elf"
BUTTON, ELECTRODE_OFF, ELECTRODE_ON = 1, 2, 3
STREAMING = 1
PORF, EXTRF, WDRF = 1, 2, 8
DEBOUNCE_SCANS = 60  # at 1 kHz: 30 ms, and a look every few


def test_a_press_is_one_mark_at_its_scan_however_the_button_bounces(tmp_path: Path) -> None:
    script = Script().ask(0.5, Start())
    began_s = 2.0
    for n in range(10):
        script.at(began_s + 0.0015 * n, f"button {(n + 1) % 2}")
    script.at(began_s + 0.016, "button 1").at(began_s + 0.4, "button 0").at(3.5, "button 1").at(3.7, "button 0")
    wave = noise_waveform(5.0)
    outcome = run_board(tmp_path, 5.0, script.ask(4.8, Stop()), wave=wave)
    got = check_whole(outcome, wave)
    first, second = got.marks
    assert first.kind == second.kind == BUTTON
    started_s = converter_streams(outcome.conversions)[0]["cycle"][0] / 16e6
    assert 0 <= first.index - 1000 * (began_s - started_s) <= DEBOUNCE_SCANS
    assert 0 <= second.index - 1000 * (3.5 - started_s) <= DEBOUNCE_SCANS


def test_a_pulled_electrode_is_marked_with_its_channel_and_stands_in_every_hello(tmp_path: Path) -> None:
    script = Script().ask(0.5, SetRate(1000, 4, 1)).ask(0.7, Start())
    script.at(2.0, "electrode 2 off").at(3.0, "electrode 0 off").at(4.0, "electrode 2 on").at(5.0, "electrode 0 on")
    for n in range(5):
        script.ask(1.5 + n, AskHello())
    wave = noise_waveform(6.0)
    got = check_whole(run_board(tmp_path, 6.0, script.ask(5.9, Stop()), LEAD_OFF, wave), wave)
    expected = [(ELECTRODE_OFF, 2), (ELECTRODE_OFF, 0), (ELECTRODE_ON, 2), (ELECTRODE_ON, 0)]
    assert [(mark.kind, mark.channel) for mark in got.marks] == expected
    electrodes = [hello.flags >> 2 for hello in got.hellos if hello.flags & STREAMING]
    assert [bits for n, bits in enumerate(electrodes) if n == 0 or bits != electrodes[n - 1]] == [0, 4, 5, 1, 0]


def test_identity_and_gain_outlive_a_loss_of_power_and_boots_are_counted(tmp_path: Path) -> None:
    script = Script().ask(0.5, WriteIdentity(0x0123456789ABCDEF, 1_234_567)).at(1.5, "power").at(2.5, "reset")
    options = ["--eeprom", str(tmp_path / "eeprom.bin")]
    first = heard(run_board(tmp_path / "1", 3.5, script, options=options).sent)
    again = heard(run_board(tmp_path / "2", 1.0, options=options).sent)
    assert first.hellos[0].device_id == 2**64 - 1
    for hello in (first.hellos[-1], again.hellos[-1]):
        assert (hello.device_id, hello.gain_milli) == (0x0123456789ABCDEF, 1_234_567)
    boots = [hello.boot_count for hello in first.hellos] + [hello.boot_count for hello in again.hellos]
    assert sorted(set(boots)) == list(range(boots[0], boots[0] + 4))
    assert boots == sorted(boots)


def test_a_reset_in_the_midst_of_a_frame_does_not_cost_the_next_boot_its_hello(tmp_path: Path) -> None:
    """At 4 kHz nearly three quarters of the line's time is inside a frame."""
    script, boots = Script(), 10
    for n in range(boots):
        began_s = 0.5071 * n
        if n > 0:
            script.at(began_s, "reset")
        script.ask(began_s + 0.1, SetRate(4000, 1, 1)).ask(began_s + 0.2, Start())
    got = heard(run_board(tmp_path, 0.5071 * boots, script).sent)
    at_boot = {hello.boot_count for hello in got.hellos if not hello.flags & STREAMING}
    assert len(at_boot) == boots


@pytest.mark.parametrize("avcc_mV", [4500, 4750, 5000, 5250])
def test_the_supply_is_measured_before_a_run_and_stays_as_its_scale(avcc_mV: int, tmp_path: Path) -> None:
    script = Script().at(0.3, f"avcc {avcc_mV}").ask(0.5, Start()).at(2.0, "avcc 5400").ask(2.5, AskHello())
    got = heard(run_board(tmp_path, 3.0, script, wave=noise_waveform(3.0), options=["--noise", "2000"]).sent)
    started = [hello for hello in got.hellos if hello.flags & STREAMING]
    assert len(started) >= 2
    assert {hello.reference_mV for hello in started} == {started[0].reference_mV}
    assert 0 < started[0].reference_uncertainty_mV <= 500
    # The virtual bandgap is 1.1 V exactly; one count of it is 0.44 % of the supply.
    assert abs(started[0].reference_mV - avcc_mV) <= 0.006 * avcc_mV


def test_a_reset_says_its_cause_and_a_run_ends_with_it(tmp_path: Path) -> None:
    script = Script().ask(0.5, Start()).at(2.0, "reset").ask(2.5, Start()).at(4.0, "hang").ask(7.0, Start())
    outcome = run_board(tmp_path, 8.5, script.ask(8.0, Stop()), wave=noise_waveform(9.0))
    got = heard(outcome.sent)
    causes = [hello.reset_cause & (PORF | EXTRF | WDRF) for hello in got.hellos]
    assert [c for n, c in enumerate(causes) if n == 0 or c != causes[n - 1]] == [PORF, EXTRF, WDRF]
    assert outcome.report["resets"] == {"power_on": 1, "external": 1, "watchdog": 1}
    streams = converter_streams(outcome.conversions)
    assert len(got.epochs) == len(streams) == 3
    for epoch, stream in zip(got.epochs, streams, strict=True):
        assert check_epoch(epoch, stream) <= TAIL_SCANS + 200  # what a reset found in the ring and on the line
    assert got.counters[-1].watchdog_resets == 1


def test_what_is_too_fast_is_refused_with_its_reason_and_nothing_changes(tmp_path: Path) -> None:
    line, converter, running, out_of_range = 3, 4, 5, 2
    cases = [
        (SetRate(4000, 4, 1), converter),
        (SetRate(2000, 4, 8), converter),
        (SetRate(4000, 1, 4), converter),
        (SetRate(1500, 1, 1), out_of_range),
        (SetRate(1000, 5, 1), out_of_range),
        (SetRate(1000, 0, 1), out_of_range),
        (SetRate(1000, 1, 2), out_of_range),
        (SetRate(1000, 2, 1), 0),
    ]
    script = Script()
    for n, (request, _) in enumerate(cases):
        script.ask(0.5 + 0.1 * n, request)
    script.ask(2.0, Start()).ask(2.5, SetRate(1000, 1, 1)).ask(2.6, WriteIdentity(1, 1)).ask(
        2.7, Start(), Stop(), Stop()
    )
    got = heard(run_board(tmp_path, 3.5, script, wave=noise_waveform(4.0)).sent)
    statuses = [answer.status for answer in got.answers]
    assert statuses[: len(cases)] == [status for _, status in cases]
    assert statuses[len(cases) : len(cases) + 3] == [0, running, running]
    assert got.answers[-1].status == 0
    assert got.hellos[-1].channels == 2
    slow = Script().ask(0.5, SetRate(2000, 4, 1))
    refused = heard(run_board(tmp_path, 1.0, slow).sent).answers
    assert [answer.status for answer in refused] == [line]


def test_garbage_from_the_host_is_counted_and_harms_no_sample(tmp_path: Path) -> None:
    script = Script().ask(0.5, Start())
    spoilt = bytearray(request_frame(SetRate(4000, 1, 1), 9))
    spoilt[4] ^= 0x10
    for n in range(20):
        script.at(1.0 + 0.1 * n, f"host {bytes((7 * n + k * k) & 0xFF for k in range(200)).hex()}")
        script.at(1.05 + 0.1 * n, f"host {spoilt.hex()}")
    script.ask(4.0, AskHello()).ask(4.5, ResetCounters(), Stop())
    wave = noise_waveform(5.0)
    got = check_whole(run_board(tmp_path, 5.0, script, wave=wave), wave)
    assert got.counters[-2].rejected_requests >= 20
    assert got.counters[-1].rejected_requests == 0


def test_a_board_without_any_program_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="cannot be read"):
        run_board(tmp_path, 1.0, elf=tmp_path / "absent.elf")
