"""Laws of the virtual board itself, on programs of a few lines: it does what the data sheet says, also what hurts."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import numpy as np
import pytest

from firmware.sim.harness import BoardError, LiveBoard, Outcome, Script, Waveform, run_board

HEAD = """
#include <avr/boot.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/delay.h>
static inline void line(void) { UCSR0A = _BV(U2X0); UBRR0 = 7; UCSR0B = _BV(TXEN0) | _BV(RXEN0); }
static inline void send(uint8_t byte) { while (!(UCSR0A & _BV(UDRE0))) { } UDR0 = byte; }
static inline void timed_conversions(void)
{
    OCR1A = OCR1B = 15999;
    ADMUX = _BV(REFS0);
    ADCSRB = _BV(ADTS2) | _BV(ADTS0);
    ADCSRA = _BV(ADEN) | _BV(ADATE) | _BV(ADIE) | 7;
    TCCR1A = 0;
    TCCR1B = _BV(WGM12) | _BV(CS10);
    sei();
}
static inline uint16_t convert(uint8_t mux)
{
    ADMUX = _BV(REFS0) | mux;
    ADCSRA = _BV(ADEN) | _BV(ADSC) | 7;
    while (ADCSRA & _BV(ADSC)) { }
    return ADC;
}
"""
SLEEP = "set_sleep_mode(SLEEP_MODE_IDLE); for (;;) sleep_mode();"
BYTE_S = 10 / 250_000


def program(folder: Path, main: str, above: str = "") -> Path:
    """An ELF of `main`'s body."""
    source, elf = folder / "program.c", folder / "program.elf"
    source.write_text(f"{HEAD}{above}\nint main(void) {{ {main} }}\n")
    command = ["avr-gcc", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-Wall", "-Werror", "-Wno-unused-function"]
    subprocess.run([*command, "-o", str(elf), str(source)], check=True)
    return elf


def run(folder: Path, for_s: float, main: str, above: str = "", script: Script | None = None, *options: str) -> Outcome:
    wave = Waveform(np.full((10, 4), 2500.0, dtype=np.float32), 10.0)
    return run_board(folder, for_s, script, program(folder, main, above), wave, options)


def test_a_byte_takes_ten_bits_on_the_line(tmp_path: Path) -> None:
    whole = run(tmp_path, 0.1, "line(); for (;;) send(85);")
    assert abs(len(whole.sent) - 0.1 / BYTE_S) <= 2


def test_a_trigger_flag_that_nobody_clears_starts_one_conversion_only(tmp_path: Path) -> None:
    forgetful = run(tmp_path, 1.0, f"timed_conversions(); {SLEEP}", "ISR(ADC_vect) { (void)ADC; }")
    assert len(forgetful.conversions) == 1
    assert forgetful.report["missed_flag"] >= 998
    careful = run(tmp_path, 1.0, f"timed_conversions(); {SLEEP}", "ISR(ADC_vect) { (void)ADC; TIFR1 = _BV(OCF1B); }")
    assert len(careful.conversions) >= 999
    assert careful.report["missed_flag"] == 0
    assert set(np.diff(careful.conversions["cycle"].astype(np.int64)).tolist()) == {16_000}


def test_a_trigger_during_a_conversion_is_missed_and_counted(tmp_path: Path) -> None:
    hasty = "timed_conversions(); OCR1A = OCR1B = 999; TCNT1 = 0; "
    outcome = run(tmp_path, 0.1, f"{hasty}{SLEEP}", "ISR(ADC_vect) { (void)ADC; TIFR1 = _BV(OCF1B); }")
    assert outcome.report["missed_busy"] + outcome.report["missed_flag"] > 500
    assert len(outcome.conversions) <= 0.1 * 16e6 / 1664


def test_a_receiver_that_is_not_read_holds_three_bytes_and_says_that_it_lost_some(tmp_path: Path) -> None:
    deaf = "line(); _delay_ms(20); uint8_t n = 0, s = UCSR0A; while (UCSR0A & _BV(RXC0)) { (void)UDR0; n++; } "
    outcome = run(tmp_path, 0.05, f"{deaf} send(n); send(s); for (;;) {{ }}", "", Script().at(0.01, "host 0102030405"))
    held, status = outcome.sent
    assert held == 3
    assert status & 0x08  # DOR
    assert outcome.report["rx_overruns"] == 2


def test_fuses_tell_whether_a_reset_runs_a_bootloader(tmp_path: Path) -> None:
    tell = "line(); send(boot_lock_fuse_bits_get(GET_HIGH_FUSE_BITS)); send(MCUSR); for (;;) { }"
    assert run(tmp_path, 0.01, tell).sent == bytes((0xDF, 0x01))


def test_memory_is_chance_after_power_and_kept_over_a_reset(tmp_path: Path) -> None:
    tell = "line(); send(kept); kept = 7; for (;;) { }"
    script = Script().at(0.01, "reset").at(0.02, "power")
    above = 'static uint8_t kept __attribute__((section(".noinit")));'
    seen = [run(tmp_path, 0.03, tell, above, script, "--seed", str(seed)).sent for seed in range(4)]
    assert {sent[1] for sent in seen} == {7}
    assert len({sent[0] for sent in seen} | {sent[2] for sent in seen}) > 4


def test_the_bandgap_takes_time_to_settle(tmp_path: Path) -> None:
    tell = "line(); convert(0); uint16_t a = convert(14), b; _delay_ms(2); b = convert(14); "
    outcome = run(tmp_path, 0.02, f"{tell} send(a >> 2); send(b >> 2); for (;;) {{ }}")
    at_once, settled = outcome.sent
    assert settled == int(1100 / 5000 * 1024) >> 2
    assert at_once > 1.5 * settled


def test_a_program_that_hangs_is_restarted_only_by_a_watchdog(tmp_path: Path) -> None:
    start = "line(); uint8_t why = MCUSR; MCUSR = 0; wdt_disable(); send(why); "
    script = Script().at(0.1, "hang")
    assert run(tmp_path, 1.0, start + "for (;;) { }", "", script).sent == b"\1"
    guarded = run(tmp_path, 1.0, start + "wdt_enable(WDTO_120MS); for (;;) wdt_reset();", "", script)
    assert guarded.sent == b"\1\x08"
    assert guarded.report["resets"]["watchdog"] == 1


def test_a_sleep_without_interrupts_ends_the_run_in_words(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="slept with interrupts off"):
        run(tmp_path, 1.0, "cli(); sleep_enable(); for (;;) sleep_cpu();")


def test_opening_the_port_resets_the_board_and_a_reader_gets_all_bytes(tmp_path: Path) -> None:
    elf = program(tmp_path, "line(); for (uint8_t n = 0; n < 100; n++) send(n); for (;;) { }")
    with LiveBoard(tmp_path, tmp_path / "tty", elf) as board:
        for _ in range(3):
            port = os.open(board.link, os.O_RDWR | os.O_NOCTTY)
            got = b""
            while len(got) < 100 and select.select([port], [], [], 10.0)[0]:
                got += os.read(port, 4096)
            os.close(port)
            assert got == bytes(range(100))
        _, report = board.quit()
    assert report["resets"]["external"] == 3


def test_a_host_that_does_not_read_loses_bytes_that_are_counted(tmp_path: Path) -> None:
    elf = program(tmp_path, "line(); for (;;) send(85);")
    with LiveBoard(tmp_path, tmp_path / "tty", elf, options=["--speed", "50"]) as board:
        port = os.open(board.link, os.O_RDWR | os.O_NOCTTY)
        select.select([], [], [], 2.0)  # the stall itself; a pty holds a quarter of what is sent meanwhile
        got = 0
        board.say("unplug")
        while chunk := _read(port):
            got += len(chunk)
        os.close(port)
        _, report = board.quit()
    assert report["dropped_bytes"] > 0
    assert got + report["dropped_bytes"] + report["unheard_bytes"] <= report["sent_bytes"] + 1


def _read(port: int) -> bytes:
    try:
        return os.read(port, 4096)
    except OSError:  # the other end is gone
        return b""
