"""Real recordings through the path of `emgtwitch replay` with default settings: what must come out.

Labels are made here by rules that share nothing with the detector: where the smoothed RMS of a recording is above a
share of its own highest. Nobody has labelled these recordings by hand; their README says what is in them.
"""

from __future__ import annotations

import numpy as np
import pytest

from emgtwitch.detect.records import Event
from tests.real.recordings import Floats, events, intervals, recording, replayed, signal

Span = tuple[float, float]
CONTRACTIONS = (0.25, 0.25, 0.25)  # smooth over s, share of the 99th percentile, join what is closer in s
LIFTS = (0.25, 0.25, 0.75)  # a lift goes up and down: its two halves are up to 0.5 s apart, two lifts 1.2 s or more


def spans(x: Floats, fs_Hz: float, smooth_s: float, share: float, join_s: float) -> list[Span]:
    """Where the RMS in 20-450 Hz, centred over `smooth_s`, is above `share` of its 99th percentile.

    Spans closer to each other than `join_s` are one, and those shorter than a tenth of a second are none.
    """
    f_Hz = np.fft.rfftfreq(len(x), 1 / fs_Hz)
    inside = (f_Hz >= 20.0) & (f_Hz <= min(450.0, 0.4 * fs_Hz))
    y = np.fft.irfft(np.where(inside, np.fft.rfft(x - x.mean()), 0.0), len(x))
    rms = np.sqrt(np.convolve(y * y, np.full(round(smooth_s * fs_Hz), 1 / round(smooth_s * fs_Hz)), "same").clip(0))
    above = np.concatenate(([False], rms > share * np.percentile(rms, 99), [False]))
    edges = np.flatnonzero(np.diff(above.astype(np.int8))) / fs_Hz
    joined: list[Span] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and start - joined[-1][1] < join_s:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [span for span in joined if span[1] - span[0] >= 0.1]


def in_span(found: list[Event], span: Span) -> list[Event]:
    return [e for e in found if e.onset_s < span[1] and e.offset_s > span[0]]


def assert_each_alone(found: list[Event], labels: list[Span]) -> None:
    """Each label has exactly one event, and no event has two labels."""
    matches = [in_span(found, label) for label in labels]
    assert [len(m) for m in matches] == [1] * len(labels), (labels, matches)
    assert len({m[0].number for m in matches}) == len(labels)


def test_four_strong_bursts_and_no_spasm() -> None:
    found = events(replayed(recording("biosppy", "emg_1.txt")))
    strong = [e for e in found if e.snr_dB > 15]
    assert [e.onset_s for e in strong] == pytest.approx([1.5, 15.55, 25.66, 26.43], abs=0.05)
    assert [e.duration_ms for e in strong] == pytest.approx([320, 1350, 170, 165], abs=50)
    assert {e.event_class for e in strong} == {"contraction"}
    weak = [e for e in found if e not in strong]
    assert all(e.snr_dB < 12 for e in weak)
    assert sum(e.duration_ms for e in weak) < 6000  # restlessness, most of it from 36 to 41 s


def test_little_but_real_weak_activity_in_a_quiet_recording() -> None:
    """100 s of baseline: 8 s of muscle 6 dB over it (50-58 s, EMG by its spectrum), restlessness, weak twitches."""
    found = events(replayed(recording("biosppy", "emg.txt")))
    assert [e.event_class for e in found].count("spasm") <= 2
    assert all(e.snr_dB < 15 for e in found)
    outside = [e for e in found if not (35 < e.onset_s < 42 or 44 < e.onset_s < 60)]
    assert len(outside) <= 20
    assert sum(e.duration_ms for e in outside) < 2000


@pytest.mark.parametrize("name", ["12_1.mat", "12_2.mat", "12_3.mat", "12_4.mat"])
def test_each_lift_is_one_event(name: str) -> None:
    """Eleven lifts of 1.7-3.5 s at 2 kHz, the last one cut by the end."""
    path = recording("shurun-wang", name)
    asked = {"fs_Hz": 2000.0, "units": "mV", "channel": "semg"}
    labels = spans(*signal(path, **asked), *LIFTS)  # type: ignore[arg-type]
    found = replayed(path, **asked)  # type: ignore[arg-type]
    assert len(labels) == 11
    sustained = events(found, "contraction", "spasm")
    lifts = [e for e in sustained if any(in_span([e], label) for label in labels)]
    assert_each_alone(lifts, labels)


def test_brief_bursts_and_no_spasm() -> None:
    path = recording("biosignalsnotebooks", "emg_1000_hz_16_bits_solo.h5")
    labels = spans(*signal(path), 0.1, 0.2, 0.1)
    found = [e for e in replayed(path) if isinstance(e, Event)]  # one of them begins in weak tone
    assert len(labels) == 21
    strong = [e for e in found if e.snr_dB > 30]
    matches = [in_span(strong, label) for label in labels]
    assert all(matches)
    assert sum(len(m) for m in matches) == len(strong) <= len(labels) + 1  # one comes in two pieces
    assert max(e.duration_ms for e in strong) <= 450
    assert not [e for e in found if e.event_class == "spasm"]


def test_contractions_of_about_a_second() -> None:
    """The recording's authors speak of 8; its picture and the rule show 9. Between them there is weak activity."""
    path = recording("biosignalsnotebooks", "emg_bursts.h5")
    labels = spans(*signal(path), *CONTRACTIONS)
    found = events(replayed(path))
    assert len(labels) == 9
    long = [e for e in found if e.event_class == "contraction" and e.duration_ms > 700]
    assert_each_alone(long, labels)
    assert len(long) == len(labels)
    assert not [e for e in found if e.event_class == "spasm"]


def test_long_contractions_are_spasms_none_missed_or_merged() -> None:
    path = recording("biosignalsnotebooks", "emg_fatigue.h5")
    labels = spans(*signal(path), *CONTRACTIONS)
    found = events(replayed(path))
    assert len(labels) == 30
    spasms = [e for e in found if e.event_class == "spasm"]
    assert_each_alone(spasms, labels)
    assert len(spasms) == len(labels)
    assert not [e for e in found if e.event_class == "contraction"]


def test_bursts_under_a_strong_heart() -> None:
    """56 bursts at 250 Hz, where the band ends at 100 Hz: each is found and no two are merged; few heart beats pass."""
    path = recording("emggo", "sample_data.mat")
    x, fs_Hz = signal(path)
    labels = spans(x, fs_Hz, *CONTRACTIONS)
    outputs = replayed(path)
    found = events(outputs)
    assert len(labels) == 56
    long = [e for e in found if e.duration_ms > 550]
    assert_each_alone(long, labels)
    assert len(found) - len(long) <= 12  # of about 640 heart beats
    beats = [one for one in intervals(outputs) if one.cause == "ecg"]
    assert len(beats) > 150  # the others do not stand out of the band


def test_brief_reaction_bursts_from_electrodes_far_from_zero() -> None:
    """Monopolar channels at -40 mV, subtracted in pairs: the strong bursts are found, and nothing becomes a spasm."""
    path = recording("myonset", "example_data.bdf")
    for pair in ("EXG1-EXG2", "EXG3-EXG4"):
        x, fs_Hz = signal(path, channel=pair)
        labels = [s for s in spans(x, fs_Hz, 0.05, 0.15, 0.1) if s[0] > 0.7 and s[1] < 57.5]
        found = events(replayed(path, channel=pair))
        assert len(labels) >= 9
        assert all(in_span(found, label) for label in labels)
        assert not [e for e in found if e.event_class == "spasm"]
