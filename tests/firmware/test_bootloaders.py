"""Laws of bootloaders: the program runs under an Uno's and an old Nano's, with a watchdog only where it may."""

from __future__ import annotations

from pathlib import Path

from emgtwitch.wire.records import AskHello, Start, Stop
from firmware.sim.harness import ROOT, Outcome, Script, run_board
from tests.firmware.streams import Heard, check_epoch, check_waveform, converter_streams, heard, noise_waveform

OPTIBOOT = ROOT / "build/firmware/optiboot.hex"
ATMEGABOOT = Path("/usr/share/arduino/hardware/arduino/avr/bootloaders/atmega/ATmegaBOOT_168_atmega328.hex")
BOOT_S = 4.0  # of waiting for a programmer, at most


def run(folder: Path, bootloader: Path) -> tuple[Outcome, Heard]:
    """Power, a run, a reset by the host, a run, a hang, and a run if the board lives."""
    script = Script()
    for began_s, event in ((0.0, "reset"), (10.0, "reset"), (20.0, "hang")):
        script.at(began_s + (0.1 if began_s == 0 else 0.0), event)
        script.ask(began_s + BOOT_S, AskHello(), Start())
        script.ask(began_s + BOOT_S + 3, AskHello())
    script.ask(28.0, Stop())
    wave = noise_waveform(30.0, channels=1)
    outcome = run_board(folder, 29.0, script, wave=wave, options=["--bootloader", str(bootloader)])
    check_waveform(outcome.conversions, wave)
    got = heard(outcome.sent)
    for epoch, stream in zip(got.epochs, converter_streams(outcome.conversions), strict=True):
        assert check_epoch(epoch, stream) < 400
        assert epoch.scans > 2500
    return outcome, got


def test_under_optiboot_a_watchdog_brings_the_board_back(tmp_path: Path) -> None:
    outcome, got = run(tmp_path, OPTIBOOT)
    assert len(got.epochs) == 3
    assert outcome.report["resets"]["watchdog"] >= 1


def test_under_the_old_bootloader_there_is_no_watchdog_to_end_in_a_loop_of_resets(tmp_path: Path) -> None:
    outcome, got = run(tmp_path, ATMEGABOOT)
    assert len(got.epochs) == 2
    assert outcome.report["resets"]["watchdog"] == 0
