"""What the guard must and must not report, on signals whose answer is plain."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emgtwitch.wearer.scenario import Device, Scenario, Scheduled
from emgtwitch.wearer.wearer import Wearer
from tests.guard import board

Floats = npt.NDArray[np.float64]


def counts(x: Floats) -> npt.NDArray[np.uint16]:
    return np.clip(np.rint(512 + x), 0, 1023).astype(np.uint16)


def noise(seconds: float, rms: float, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, rms, round(1000 * seconds))


def hum(seconds: float, peak: float, f_Hz: float = 50.0) -> Floats:
    x: Floats = peak * np.sin(2 * np.pi * f_Hz * np.arange(round(1000 * seconds)) / 1000 + 0.3)
    return x


def found(steps: board.Steps) -> tuple[int, int, int]:
    last = steps[-1]
    return int(last["twitches"]), int(last["contractions"]), int(last["spasms"])


def worn(*schedule: Scheduled, seconds: float, seed: int = 1) -> board.Steps:
    return board.run(Wearer(Scenario(schedule=schedule), seed).render(round(1000 * seconds))[:, 0])


def assert_nothing(x: Floats) -> None:
    steps = board.run(counts(x))
    assert found(steps) == (0, 0, 0)
    assert not steps["output"].any()


@pytest.mark.parametrize("rms", [0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 1.0, 3.0, 30.0, 150.0])
def test_steady_noise_of_any_strength_is_silence(rms: float) -> None:
    drift = 3 * np.sin(2 * np.pi * np.arange(300_000) / 17_000)  # moves the level through the converter's steps
    assert_nothing(noise(300, rms) + drift)


@pytest.mark.parametrize("period", [2, 3, 5, 8, 20, 50, 130, 400])
def test_flicker_between_two_counts_is_silence(period: int) -> None:
    flicker = (np.arange(20_000) % period < (period + 1) // 2).astype(np.float64)
    assert_nothing(np.concatenate([np.zeros(5000), flicker, np.zeros(5000), flicker]))


@pytest.mark.parametrize("f_Hz", [50.0, 60.0])
@pytest.mark.parametrize("peak", [1.0, 4.0, 20.0, 300.0])
def test_constant_mains_is_silence(peak: float, f_Hz: float) -> None:
    harmonic = hum(60, peak / 3, 3 * f_Hz)
    assert_nothing(hum(60, peak, f_Hz) + harmonic + noise(60, 0.6))


@pytest.mark.parametrize("f_Hz", [50.0, 60.0])
def test_mains_that_comes_and_goes_is_no_muscle_and_twitches_are_found_on_it(f_Hz: float) -> None:
    spells = [noise(5, 0.6), noise(20, 0.6) + hum(20, 6.0, f_Hz)] * 3
    twitch = 80 * np.hanning(15) * np.sin(np.arange(15) * 0.9)
    x = np.concatenate(spells)
    assert_nothing(x)
    x[45_000:45_015] += twitch
    assert found(board.run(counts(x))) == (1, 0, 0)


@pytest.mark.parametrize("rail", [-600.0, 600.0])
def test_electrode_that_comes_off_and_on_is_no_muscle(rail: float) -> None:
    off = np.full(4000, rail)
    on = noise(6, 0.6)
    assert_nothing(np.concatenate([on, off, on, off + noise(4, 2.0), on + 30.0, off[:13], on]))


def test_lead_off_that_takes_in_mains_from_rail_to_rail_is_no_muscle() -> None:
    on = noise(6, 0.6)
    steps = board.run(counts(np.concatenate([on, 1e6 * hum(20, 1.0), on, hum(5, 400.0), noise(20, 0.6)])))
    assert found(steps) == (0, 0, 0)


def test_nothing_is_reported_while_it_settles() -> None:
    x = noise(10, 0.6)
    x[500:515] += 100 * np.hanning(15)
    assert_nothing(x)


@pytest.mark.parametrize("seed", range(4))
def test_class_follows_duration(seed: int) -> None:
    schedule = (
        Scheduled(4.0, "twitch", 200.0),
        Scheduled(6.0, "jerk", 300.0, 0.08),
        Scheduled(8.0, "contraction", 500.0, 0.4),
        Scheduled(10.0, "contraction", 800.0, 1.5),
        Scheduled(13.0, "spasm", 900.0, 4.0),
    )
    steps = worn(*schedule, seconds=20, seed=seed)
    assert found(steps) == (2, 2, 1)
    told_s = np.flatnonzero(steps["output"] == board.SPASM) / 1000
    assert 14.6 < told_s[0] < 15.5  # weak firing comes before the true onset
    assert 16.5 < told_s[-1] < 17.5
    assert (np.diff(told_s) < 0.0015).all()  # without a break
    assert 3400 < steps[-1]["longest_ms"] < 4400
    assert steps[-1]["guarded_s"] == 20
    assert (steps["output"] == board.TWITCH_FOUND).sum() == 2


@pytest.mark.parametrize("rate_Hz", [2, 5, 10, 15, 20])
def test_train_of_twitches_never_becomes_a_spasm(rate_Hz: int) -> None:
    schedule = [Scheduled(4 + k / rate_Hz, "twitch", 300.0) for k in range(6 * rate_Hz)]
    steps = worn(*schedule, seconds=13)
    assert not (steps["output"] == board.SPASM).any()
    assert steps[-1]["spasms"] == 0
    assert steps[-1]["twitches"] > (0.9 * len(schedule) if rate_Hz <= 15 else 0)


@pytest.mark.parametrize(("pause_ms", "spasms", "contractions"), [(100, 1, 0), (270, 1, 0), (400, 0, 4)])
def test_pauses_up_to_300_ms_belong_to_a_spasm(pause_ms: int, spasms: int, contractions: int) -> None:
    piece = np.concatenate([noise(0.9, 30.0), noise(pause_ms / 1000, 0.6)])
    x = np.concatenate([noise(5, 0.6), piece, piece, piece, piece, noise(2, 0.6)])
    assert found(board.run(counts(x))) == (0, contractions, spasms)


def test_tone_that_stays_is_one_spasm_and_does_not_stick() -> None:
    shiver = 1 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(100_000) / 1000)
    x = np.concatenate([noise(5, 0.6), noise(100, 8.0) * shiver])
    x[95_000:95_020] += 150 * np.hanning(20) * np.sin(np.arange(20) * 0.9)
    steps = board.run(counts(x))
    assert found(steps) == (1, 0, 1)
    assert not (steps["output"][75_000:] == board.SPASM).any()
    assert 60_000 < steps[-1]["longest_ms"] < 72_000


def test_strong_contractions_over_weak_tone_stay_apart() -> None:
    """Real ones stand 40 dB and more over the floor: their end must be relative to them, not to the floor alone."""
    lift = np.concatenate([noise(1.5, 120.0), noise(2.0, 3.0)])
    steps = board.run(counts(np.concatenate([noise(5, 0.6), lift, lift, lift, noise(2, 0.6)])))
    assert steps[-1]["contractions"] >= 3
    assert steps[-1]["spasms"] == 0
    assert 1400 < steps[-1]["longest_ms"] < 1600


def test_twitches_are_found_soon_after_a_strong_spasm() -> None:
    schedule = [Scheduled(4.0, "spasm", 2000.0, 5.0), *(Scheduled(9.5 + k, "twitch", 150.0) for k in range(5))]
    assert found(worn(*schedule, seconds=16)) == (5, 0, 1)


def test_slow_waves_of_heart_and_motion_are_no_twitches() -> None:
    at_s = np.arange(60_000) / 1000
    beats = 30 * np.exp(-0.5 * ((at_s % 0.85 - 0.4) / 0.011) ** 2)
    sway = 150 * np.sin(2 * np.pi * 3 * at_s) * np.sin(np.pi * (at_s % 20) / 20)
    assert_nothing(beats + noise(60, 0.6))
    assert_nothing(sway + noise(60, 0.6))


def test_gain_of_the_front_end_does_not_change_what_is_found() -> None:
    schedule = tuple(Scheduled(4.0 + k, "twitch", 400.0) for k in range(10))
    for gain in (500.0, 1000.0, 2000.0, 4000.0):
        wearer = Wearer(Scenario(schedule=schedule, device=Device(gain=gain)), 3)
        assert found(board.run(wearer.render(15_000)[:, 0])) == (10, 0, 0)


def test_state_fits_96_bytes_on_the_board(tmp_path: Path) -> None:
    tools = [shutil.which(name) for name in ("avr-gcc", "avr-size")]
    assert all(tools), "The guard's size is measured with the board's compiler: apt-get install gcc-avr binutils-avr."
    source = tmp_path / "state.c"
    source.write_text('#include "guard.h"\nguard_t guard;\n')
    made = tmp_path / "state.o"
    flags = ["-mmcu=atmega328p", "-Os", f"-I{board.SOURCES}"]
    subprocess.run([str(tools[0]), *flags, "-c", str(source), "-o", str(made)], check=True)
    sizes = subprocess.run([str(tools[1]), str(made)], check=True, capture_output=True, text=True).stdout
    assert int(sizes.splitlines()[1].split()[2]) <= 96  # bss
