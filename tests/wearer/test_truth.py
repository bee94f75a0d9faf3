"""The truth against what anyone can measure on a noise-free signal."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

from emgtwitch.wearer.scenario import SCENARIOS, Device, Kind, Scenario, Scheduled, Spontaneous
from emgtwitch.wearer.truth import class_of, labels, measure
from emgtwitch.wearer.wearer import Wearer
from tests.wearer.common import SILENT, Floats, band_rms, signal_uV

FS = 4000.0


def band_passed(x: Floats) -> Floats:
    """20-450 Hz by scipy's filter run both ways."""
    y: Floats = signal.sosfiltfilt(signal.butter(2, [20.0, 450.0], "bandpass", fs=FS, output="sos"), x)
    return y


def edges(x: Floats) -> tuple[float, float, Floats]:
    """Onset and offset in s by the definition, written down anew: another filter, a running sum."""
    y = band_passed(x)
    half = int(0.0025 * FS)
    total = np.concatenate([np.zeros(half), np.cumsum(y**2), np.full(half, np.sum(y**2))])
    rms = np.sqrt(np.maximum(total[2 * half :] - total[: -2 * half], 0) / (2 * half))
    above = np.flatnonzero(rms > 0.1 * rms.max())
    return above[0] / FS, above[-1] / FS, y


@pytest.mark.parametrize(
    ("kind", "duration_s", "tolerance_s"),
    [
        ("twitch", None, 0.002),
        ("doublet", None, 0.002),
        ("jerk", 0.03, 0.002),
        ("jerk", 0.06, 0.003),
        ("jerk", 0.12, 0.003),
        ("contraction", 0.5, 0.010),
        ("spasm", 4.0, 0.020),
    ],
)
def test_truth_is_what_an_independent_measurement_finds(
    kind: Kind, duration_s: float | None, tolerance_s: float
) -> None:
    for seed in range(4):
        one = replace(SILENT, fs_Hz=FS, schedule=(Scheduled(2.0, kind, 400.0, duration_s),))
        truth = Wearer(one, seed).truth(10)[0]
        onset_s, offset_s, y = edges(signal_uV(one, 7, seed))
        assert truth.onset_s == 2.0
        assert onset_s == pytest.approx(2.0, abs=tolerance_s)
        assert offset_s == pytest.approx(truth.offset_s, abs=tolerance_s)
        assert np.abs(y).max() == pytest.approx(truth.peak_uV, rel=0.1)
        assert truth.peak_uV == pytest.approx(400.0)


@pytest.mark.parametrize("asked_s", [0.03, 0.06, 0.12])
def test_a_jerk_lasts_about_as_long_as_asked(asked_s: float) -> None:
    got = [
        Wearer(replace(SILENT, schedule=(Scheduled(1.0, "jerk", 300.0, asked_s),)), seed).truth(2)[0].duration_s
        for seed in range(12)
    ]
    assert np.median(got) == pytest.approx(asked_s, rel=0.25)


@pytest.mark.parametrize("snr_dB", [3.0, 20.0, 40.0])
@pytest.mark.parametrize(("kind", "duration_s"), [("twitch", None), ("jerk", 0.06), ("contraction", 0.4)])
def test_an_event_has_the_snr_that_it_was_given(kind: Kind, duration_s: float | None, snr_dB: float) -> None:
    """The same wearer with and without the event: the difference is the event, the rest the floor."""
    resting = Scenario(fs_Hz=FS, device=Device(bits=16))
    one = replace(resting, schedule=(Scheduled(1.0, kind, duration_s=duration_s, snr_dB=snr_dB),))
    truth = Wearer(one, 2).truth(5)[0]
    assert truth.snr_dB == pytest.approx(snr_dB)
    floor = signal_uV(resting, 20, 2)
    y = band_passed(signal_uV(one, 20, 2) - floor)
    inside = y[int(truth.onset_s * FS) : int(truth.offset_s * FS)]
    measured_dB = 20 * np.log10(np.sqrt(np.mean(inside**2)) / band_rms(floor, FS))
    assert measured_dB == pytest.approx(snr_dB, abs=0.7)


def test_pauses_within_a_spasm_are_short() -> None:
    longest = []
    for seed in range(6):
        one = replace(SILENT, fs_Hz=FS, schedule=(Scheduled(2.0, "spasm", 800.0, 12.0),))
        truth = Wearer(one, seed).truth(3)[0]
        x = signal_uV(one, 16, seed)[int(truth.onset_s * FS) : int(truth.offset_s * FS)]
        width = int(0.05 * FS)
        rms = np.sqrt(np.convolve(x**2, np.full(width, 1 / width), "same"))
        active = np.flatnonzero(rms > 0.05 * rms.max())
        longest.append(float(np.diff(active).max() / FS))
    assert max(longest) < 0.3
    assert max(longest) > 0.03  # and there are some


def test_classes_go_by_duration_alone() -> None:
    assert [class_of(s) for s in (0.01, 0.15, 0.1501, 1.999, 2.0, 60.0)] == [
        *("twitch", "twitch", "contraction", "contraction", "spasm", "spasm")
    ]
    truth = Wearer(SCENARIOS["spasms"], 0).truth(900)
    assert {e.event_class for e in truth} >= {"contraction", "spasm"}
    assert all(e.event_class == class_of(e.duration_s) for e in truth)


def test_the_twitches_of_a_train_are_events_of_their_own() -> None:
    truth = Wearer(replace(SILENT, schedule=(Scheduled(1.0, "train", 300.0, 2.0),)), 1).truth(10)
    steps = np.diff([e.onset_s for e in truth])
    assert len(truth) >= 3
    assert {e.event_class for e in truth} == {"twitch"}
    assert 0.04 < steps.min() < steps.max() < 0.6
    assert all(a.offset_s < b.onset_s for a, b in pairwise(truth))


def test_a_twitch_on_tone_lies_within_the_tone_and_above_it() -> None:
    for seed in range(5):
        one = replace(SILENT, schedule=(Scheduled(1.0, "twitch_on_tone", 400.0, 4.0),))
        tone, *twitches = Wearer(one, seed).truth(10)
        assert tone.event_class == "spasm"
        assert not tone.on_tone
        assert twitches
        for twitch in twitches:
            assert twitch.on_tone
            assert twitch.event_class == "twitch"
            assert tone.onset_s < twitch.onset_s < twitch.offset_s < tone.offset_s
            assert 9 < 20 * np.log10(twitch.rms_uV / tone.rms_uV) < 16


def test_scheduled_events_stand_where_they_were_put_and_come_again_with_the_period() -> None:
    one = replace(SILENT, schedule=(Scheduled(1.0, "twitch"), Scheduled(3.0, "jerk")), schedule_period_s=10.0)
    truth = Wearer(one, 0).truth(35)
    assert [e.onset_s for e in truth] == [1.0, 3.0, 11.0, 13.0, 21.0, 23.0, 31.0, 33.0]


def test_random_events_come_as_often_as_asked_and_keep_apart() -> None:
    busy = replace(
        SILENT,
        spontaneous=(Spontaneous("twitch", 600, (50.0, 200.0)), Spontaneous("contraction", 60, (50.0, 200.0))),
        schedule=(Scheduled(100.0, "spasm", 300.0, 30.0),),
    )
    truth = Wearer(busy, 4).truth(3600)
    kinds = [e.kind for e in truth]
    assert kinds.count("contraction") == pytest.approx(60, abs=25)
    assert kinds.count("twitch") == pytest.approx(560, abs=90)  # a little fewer: they wait for each other
    assert all(b.onset_s - a.offset_s > 0.1 for a, b in pairwise(truth))


def test_one_kind_does_not_disturb_anothers_random_numbers() -> None:
    twitches = (Spontaneous("twitch", 60, (50.0, 200.0)),)
    alone = Wearer(replace(SILENT, spontaneous=twitches), 0).truth(300)
    with_taps = Wearer(replace(SILENT, spontaneous=(*twitches, Spontaneous("tap", 60, (50.0, 200.0)))), 0).truth(300)
    assert alone == with_taps


def test_truth_until_is_a_beginning_of_the_truth() -> None:
    demo = Wearer(SCENARIOS["demo"], 0)
    whole = demo.truth(200)
    assert demo.truth(77) == [e for e in whole if e.onset_s < 77]
    demo.render(5000)  # and does not depend on what was rendered
    assert demo.truth(200) == whole


def test_labels_are_json_lines_with_the_command_lines_keys() -> None:
    wearer = Wearer(SCENARIOS["confounders"], 1)
    lines = [json.loads(line) for line in labels([*wearer.truth(300), *wearer.intervals(300)])]
    events = [line for line in lines if line["type"] == "event"]
    intervals = [line for line in lines if line["type"] == "interval"]
    assert len(lines) == len(events) + len(intervals)
    assert [line["onset_s"] for line in lines] == sorted(line["onset_s"] for line in lines)
    assert {"class", "channel", "onset_s", "offset_s", "duration_ms", "peak_uV", "rms_uV", "snr_dB"} <= set(events[0])
    assert {"kind", "channel", "onset_s", "offset_s", "cause"} <= set(intervals[0])


def test_silence_has_no_edges() -> None:
    with pytest.raises(ValueError, match="no event in silence"):
        measure(np.zeros(100), 1000.0)


def test_the_truth_of_a_burst_of_noise_is_where_the_burst_is() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros(4000)
    x[1000:3000] = rng.standard_normal(2000)
    seen = measure(x, 2000.0)
    assert seen.onset_s == pytest.approx(0.5, abs=0.005)
    assert seen.offset_s == pytest.approx(1.5, abs=0.005)
    assert seen.rms_uV == pytest.approx(band_rms(x[1000:3000], 2000.0), rel=0.05)
