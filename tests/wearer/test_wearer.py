"""Laws of the simulated wearer as a whole."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgtwitch.wearer.scenario import SCENARIOS, Device, Scenario, Scheduled, Spontaneous
from emgtwitch.wearer.wearer import Wearer, floor_uV
from tests.wearer.common import FINE, SILENT, at_rate, band_rms, signal_uV

ALL_AT_ONCE = replace(
    SCENARIOS["confounders"],
    channels=2,
    tone_uV=4.0,
    schedule=(
        Scheduled(0.5, "twitch"),
        Scheduled(1.1, "train", 300.0, 0.8),
        Scheduled(2.2, "spasm", 900.0, 2.5),
        Scheduled(5.2, "lead_off", 1.0, 0.4),
        Scheduled(2.0, "contraction", 200.0, 0.5, channel=1),
        Scheduled(3.0, "motion", 500.0, channel=1),
    ),
)
LONG = 7000
WHOLE = Wearer(ALL_AT_ONCE, 5).render(LONG)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, LONG), max_size=12).map(sorted))
def test_counts_do_not_depend_on_how_the_calls_are_cut(cuts: list[int]) -> None:
    wearer = Wearer(ALL_AT_ONCE, 5)
    parts = [wearer.render(int(n)) for n in np.diff([0, *cuts, LONG])]
    assert np.array_equal(np.concatenate(parts), WHOLE)


def test_counts_are_the_same_scan_by_scan() -> None:
    wearer = Wearer(ALL_AT_ONCE, 5)
    assert np.array_equal(np.concatenate([wearer.render(1) for _ in range(2100)]), WHOLE[:2100])


def test_one_seed_gives_one_wearer_and_another_seed_another() -> None:
    assert np.array_equal(Wearer(ALL_AT_ONCE, 5).render(LONG), WHOLE)
    other = Wearer(ALL_AT_ONCE, 6).render(LONG)
    assert abs(float(np.corrcoef(other[:900, 0], WHOLE[:900, 0])[0, 1])) < 0.9
    assert Wearer(ALL_AT_ONCE, 5).truth(600) != Wearer(ALL_AT_ONCE, 6).truth(600)


def test_channels_are_muscles_of_their_own() -> None:
    truth = Wearer(replace(SCENARIOS["twitches"], channels=2), 0).truth(120)
    first = [e.onset_s for e in truth if e.channel == 0]
    second = [e.onset_s for e in truth if e.channel == 1]
    assert len(first) > 20
    assert len(second) > 20
    assert not set(first) & set(second)


def test_a_channel_is_sampled_its_share_of_an_interval_later() -> None:
    """Channel k of n is sampled at (index + k/n) / rate: an event at one true time, seen by both channels."""
    both = replace(
        SILENT, channels=2, motor_units=1, schedule=(Scheduled(0.5, "twitch"), Scheduled(0.5, "twitch", channel=1))
    )
    alone = replace(both, channels=1)
    first, skewed = Wearer(both, 0).render(1000), Wearer(at_rate(alone, 2000.0), 0).render(2000)
    assert np.max(np.abs(first[:, 0].astype(int) - skewed[::2, 0].astype(int))) <= 30  # of 2600 counts at the peak
    twice = Wearer(replace(both, channels=1, schedule=(Scheduled(0.5, "twitch"),)), 0).render(1000)
    assert np.array_equal(first[:, 0], twice[:, 0])


@pytest.mark.parametrize("fs_Hz", [500.0, 2000.0, 4000.0])
def test_the_same_wearer_does_the_same_at_every_rate(fs_Hz: float) -> None:
    demo = replace(SCENARIOS["demo"], device=FINE)
    assert Wearer(at_rate(demo, fs_Hz), 3).truth(60) == Wearer(demo, 3).truth(60)
    slow, fast = sorted([1000.0, fs_Hz])
    step = int(fast / slow)
    a = signal_uV(at_rate(demo, slow), 16, 3)
    spectrum = np.fft.rfft(signal_uV(at_rate(demo, fast), 16, 3))[: len(a) // 2 + 1] / step
    same_band = np.fft.rfftfreq(len(a), 1 / slow) < 0.39 * slow  # below the roll-off of the slower rate
    b = np.fft.irfft(spectrum * same_band, len(a))
    a = np.fft.irfft(np.fft.rfft(a) * same_band, len(a))
    assert np.std(a - b) < 0.02 * np.std(b)


@pytest.mark.parametrize("fs_Hz", [333.3, 512.0, 1024.0, 8000.0])
def test_any_rate_will_do(fs_Hz: float) -> None:
    odd = at_rate(replace(SCENARIOS["demo"], device=FINE), fs_Hz)
    n = int(10 * fs_Hz)
    wearer = Wearer(odd, 3)
    parts = np.concatenate([wearer.render(n // 3), wearer.render(n - n // 3)])
    assert np.array_equal(parts, Wearer(odd, 3).render(n))
    x = (parts[:, 0] - 32768.0) * FINE.uV_per_count
    at_1000 = signal_uV(replace(SCENARIOS["demo"], device=FINE), 10, 3)
    assert band_rms(x, fs_Hz, 20, 130) == pytest.approx(band_rms(at_1000, 1000.0, 20, 130), rel=0.01)


def test_the_boards_clock_error_stretches_its_seconds() -> None:
    events = (Scheduled(20.0, "twitch"),)
    right, fast = replace(SILENT, schedule=events), replace(SILENT, schedule=events, clock_ppm=5000.0)
    assert Wearer(fast).truth(30)[0].onset_s == pytest.approx(20.0 * 1.005)
    late = int(np.argmax(signal_uV(fast, 22))) - int(np.argmax(signal_uV(right, 22)))
    assert late == pytest.approx(0.005 * 20.0 * 1000, abs=1)


def test_memory_does_not_grow_with_time() -> None:
    wearer = Wearer(SCENARIOS["demo"], 1)
    wearer.render(100_000)
    tracemalloc.start()
    try:
        wearer.render(1000)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(150):
            wearer.render(1000)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 3_000_000  # the discharges of a spasm that is under way
    assert peak < 60_000_000


def test_every_named_scenario_renders_within_the_converters_range() -> None:
    for name, scenario in SCENARIOS.items():
        counts = Wearer(scenario, 2).render(20_000)
        assert counts.dtype == np.uint16
        assert counts.shape == (20_000, scenario.channels), name
        assert counts.max() <= 1023, name
        assert 480 < float(np.median(counts)) < 544, name


def test_the_demo_is_lively_in_every_minute_and_from_its_first_seconds() -> None:
    truth = Wearer(SCENARIOS["demo"], 0).truth(400)
    for start_s in range(0, 300, 7):
        inside = [e for e in truth if e.onset_s >= start_s and e.offset_s < start_s + 60]
        classes = [e.event_class for e in inside]
        assert classes.count("twitch") >= 5
        assert classes.count("contraction") >= 1
        assert classes.count("spasm") >= 1
    first = [e.event_class for e in truth if e.offset_s < 10]
    assert first.count("twitch") >= 3
    assert first.count("contraction") >= 1


def test_the_quiet_wearer_has_no_events() -> None:
    assert Wearer(SCENARIOS["quiet"], 0).truth(3600) == []


def test_oversampling_gives_finer_counts_of_the_same_signal() -> None:
    coarse = Scenario(schedule=(Scheduled(0.5, "twitch", 400.0),))
    fine = replace(coarse, device=Device(oversampling=8))
    assert fine.device.count_bits == 13
    assert np.max(np.abs(signal_uV(coarse, 2) - signal_uV(fine, 2))) < coarse.device.uV_per_count


def test_the_floor_is_what_remains_without_events() -> None:
    resting = Scenario(tone_uV=6.0, tone_variability_dB=0.0, device=Device(oversampling=4))
    assert band_rms(signal_uV(resting, 60), 1000.0) == pytest.approx(floor_uV(resting), rel=0.03)
    wandering = replace(resting, tone_variability_dB=3.0)
    assert band_rms(signal_uV(wandering, 120), 1000.0) == pytest.approx(floor_uV(resting), rel=0.15)


def test_nonsense_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="fs_Hz > 0"):
        Scenario(fs_Hz=0.0)
    with pytest.raises(ValueError, match=r"'wink' are unknown; known are twitch"):
        Scenario(spontaneous=(Spontaneous("wink", 1, (1, 2)),))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 16 bits"):
        Scenario(device=Device(bits=16, oversampling=4))
    with pytest.raises(ValueError, match=r"0 \.\. 0\.5"):
        Scenario(mains_wander_Hz=2.0)
    with pytest.raises(ValueError, match="beyond its period of 5 s"):
        Scenario(schedule=(Scheduled(6.0, "twitch"),), schedule_period_s=5)
