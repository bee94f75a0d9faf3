"""Laws of the device clock: a straight line through marks of which many come late, in bounded memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from emgtwitch.clock import MOST_MARKS, DeviceClock
from emgtwitch.timeline import Timeline
from emgtwitch.wire.records import Clock

BOOT_NS, UTC_MS = 7_000_000_000_000, 1_790_000_000_000


def mark(host_s: float, utc_step_ms: int = 0, asleep_s: float = 0.0, offset_s: int = 7200) -> Clock:
    boot_ns = BOOT_NS + round(1e9 * host_s)
    return Clock(boot_ns, boot_ns - round(1e9 * asleep_s), UTC_MS + round(1e3 * host_s) + utc_step_ms, offset_s)


def lateness(kind: str, rng: random.Random) -> float:
    """Seconds that the host reads a mark after the sample was made."""
    usual = abs(rng.gauss(0, 0.3e-3))
    if kind == "ftdi":  # the latency timer: any delay up to 16 ms, now and then
        return usual + (rng.uniform(0, 16e-3) if rng.random() < 0.25 else 0.0)
    if kind == "bunches":  # USB hands frames over in bunches, and at times the host is busy
        return usual + rng.uniform(0, 1e-3) + (rng.uniform(5e-3, 80e-3) if rng.random() < 0.15 else 0.0)
    return usual


def marks(seconds: int, ppm: float, kind: str, seed: int, every_s: float = 1.0) -> Iterator[tuple[float, Clock]]:
    rng = random.Random(seed)
    for k in range(int(seconds / every_s)):
        host_s = k * every_s
        yield host_s * (1 + ppm * 1e-6), mark(host_s + lateness(kind, rng))


def fitted(pairs: Iterator[tuple[float, Clock]]) -> DeviceClock:
    clock = DeviceClock()
    for device_s, at in pairs:
        clock.add(device_s, at)
    return clock


@pytest.mark.parametrize("ppm", [-300.0, 0.0, 42.0, 1500.0])
@pytest.mark.parametrize("kind", ["steady", "ftdi", "bunches"])
@pytest.mark.parametrize("seconds", [60, 900])
def test_the_boards_rate_is_found_within_its_stated_uncertainty(ppm: float, kind: str, seconds: int) -> None:
    errors = []
    for seed in range(20):
        fit = fitted(marks(seconds, ppm, kind, seed)).fit()
        assert fit is not None
        errors.append((fit.ppm - ppm) / fit.ppm_uncertainty)
    assert np.sqrt(np.mean(np.square(errors))) < 1.6
    assert max(map(abs, errors)) < 5


@pytest.mark.parametrize("kind", ["ftdi", "bunches"])
def test_late_marks_do_not_move_the_time_of_an_event(kind: str) -> None:
    clock = fitted(marks(300, 120.0, kind, 3))
    for host_s in (0.0, 10.5, 150.25, 299.0):
        utc_ms = clock.utc_ms(host_s * (1 + 120e-6))
        assert utc_ms == pytest.approx(UTC_MS + 1000 * host_s, abs=8)


def test_the_same_marks_give_the_same_fit() -> None:
    a, b = (fitted(marks(300, 77.0, "bunches", 5)) for _ in range(2))
    assert a.fit() == b.fit()
    for device_s in np.linspace(0, 400, 23):
        assert a.utc_ms(device_s) == b.utc_ms(device_s)


def test_asking_does_not_change_the_answer() -> None:
    asked, silent = DeviceClock(), DeviceClock()
    for device_s, at in marks(120, 5.0, "ftdi", 1):
        asked.add(device_s, at)
        silent.add(device_s, at)
        asked.fit()
        asked.utc_ms(device_s + 1)
    assert asked.fit() == silent.fit()


def test_a_week_of_marks_takes_no_more_memory_than_an_hour() -> None:
    clock = fitted(marks(7 * 86400, 42.0, "bunches", 2, every_s=10.0))
    assert len(clock._device) == len(clock._host) <= MOST_MARKS
    fit = clock.fit()
    assert fit is not None
    assert fit.ppm == pytest.approx(42.0, abs=0.01)
    assert clock._device[0] == 0.0  # the span stays
    assert clock._device[-1] > 7 * 86400 - 60


def test_few_or_near_marks_give_no_rate() -> None:
    assert DeviceClock().fit() is None
    assert fitted(marks(9, 0.0, "steady", 1)).fit() is None
    assert fitted(marks(30, 0.0, "steady", 1, every_s=10.0)).fit() is None
    assert fitted(marks(12, 0.0, "steady", 1)).fit() is not None


def test_before_there_is_a_rate_the_last_mark_and_the_nominal_rate_tell_the_time() -> None:
    clock = fitted(marks(3, 0.0, "none", 1))
    assert clock.utc_ms(2.5) == pytest.approx(UTC_MS + 2500, abs=1)
    assert DeviceClock().utc_ms(1.0) is None
    assert DeviceClock().boottime_ns(1.0) is None
    assert DeviceClock().offset_s is None


def test_marks_while_no_sample_comes_say_nothing_of_the_rate() -> None:
    clock = fitted(marks(60, 20.0, "steady", 1))
    before = clock.fit()
    for k in range(600):
        clock.add(59 * (1 + 20e-6), mark(62.0 + 3 * k))
    assert clock.fit() == before
    assert clock.utc_ms(30.0) == pytest.approx(UTC_MS + 30_000, abs=3)


def test_the_rate_outlives_a_reset_and_the_place_does_not() -> None:
    clock = fitted(marks(300, 400.0, "steady", 1))
    known = clock.fit()
    clock.restart()
    assert clock.fit() == known
    clock.add(300.0, mark(1000.0))  # the board's seconds go on at 300, the host's clock at 1000
    clock.add(300.0 + 1.0 * (1 + 400e-6), mark(1001.0))
    assert clock.utc_ms(300.0 + 10.0 * (1 + 400e-6)) == pytest.approx(UTC_MS + 1_010_000, abs=2)
    for k in range(3, 100):
        clock.add(300.0 + k * (1 - 50e-6), mark(1000.0 + k))
    fit = clock.fit()
    assert fit is not None
    assert fit.ppm == pytest.approx(-50.0, abs=2)


def test_utc_is_told_by_the_hosts_last_word_on_it() -> None:
    clock = fitted(marks(60, 0.0, "none", 1))
    clock.add(60.0, mark(60.0, utc_step_ms=-3_600_000, offset_s=3600))
    assert clock.utc_ms(61.0) == pytest.approx(UTC_MS + 61_000 - 3_600_000, abs=2)
    assert clock.offset_s == 3600


def test_a_step_of_the_wall_clock_does_not_touch_the_fit() -> None:
    plain, stepped = DeviceClock(), DeviceClock()
    for k in range(100):
        plain.add(float(k), mark(float(k)))
        stepped.add(float(k), mark(float(k), utc_step_ms=5_000_000 if k > 50 else 0))
    assert plain.fit() == stepped.fit()


def test_a_suspend_is_no_step_and_a_step_is_no_suspend() -> None:
    timeline = Timeline()

    def hear(at: Clock) -> list[tuple[str, int]]:
        return [(kind, round(amount_s)) for kind, amount_s in timeline.hear(at)]

    assert hear(mark(0.0)) == hear(mark(1.0)) == []
    assert hear(mark(101.0, asleep_s=99.0)) == [("suspend", 99)]
    assert hear(mark(102.0, asleep_s=99.0)) == []
    assert hear(mark(103.0, utc_step_ms=-60_000, asleep_s=99.0)) == [("clock_step", -60)]
    assert hear(mark(104.0, utc_step_ms=-60_000, asleep_s=99.0)) == []
    assert hear(mark(204.0, utc_step_ms=0, asleep_s=198.0)) == [("suspend", 99), ("clock_step", 60)]
    assert hear(mark(205.0, utc_step_ms=900, asleep_s=198.0)) == []  # what NTP corrects is no step


def test_travel_and_summer_time_change_the_offset_and_nothing_else() -> None:
    clock = fitted(marks(100, 0.0, "none", 1))
    clock.add(100.0, mark(100.0, offset_s=3600))
    assert (clock.offset_s, clock.utc_ms(100.0)) == (3600, UTC_MS + 100_000)
    timeline = Timeline()
    timeline.hear(mark(0.0, offset_s=7200))
    assert timeline.hear(mark(1.0, offset_s=-18000)) == []
