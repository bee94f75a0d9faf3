"""What the detector promises of twitches that ride on tone, on tone made of noise."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detect.common import Floats, events, found


def toned(level_uV: Floats, seed: int) -> Floats:
    """Noise of 2 uV and, in 60-250 Hz, tone of the given RMS at 1 kHz."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(0, 1, len(level_uV)))
    f_Hz = np.fft.rfftfreq(len(level_uV), 0.001)
    tone = np.fft.irfft(np.where((f_Hz > 60) & (f_Hz < 250), spectrum, 0), len(level_uV))
    x: Floats = rng.normal(0, 2, len(level_uV)) + level_uV * tone / tone.std()
    return x


def held(peak_uV: float = 20.0) -> Floats:
    """Tone from 4 to 9 s of 14."""
    level_uV = np.zeros(14000)
    level_uV[4000:9000] = peak_uV
    return level_uV


def with_twitch(x: Floats, at: int, peak_uV: float) -> Floats:
    time = np.arange(18)
    x[at : at + 18] += peak_uV * np.sin(2 * np.pi * time / 9) * np.sin(np.pi * time / 18)
    return x


@pytest.mark.parametrize("seed", range(71001, 71007))
@pytest.mark.parametrize("at", [5000, 6500, 8400])
def test_a_twitch_on_tone_is_told_in_time_and_leaves_the_tone_alone(seed: int, at: int) -> None:
    seen = events(found(with_twitch(toned(held(), seed), at, 250.0), 1000.0))
    riding = [e for e in seen if e.on_tone]
    (tone,) = (e for e in seen if not e.on_tone and e.offset_s - e.onset_s > 0.2)
    assert (tone.onset_s, tone.offset_s) == pytest.approx((4.0, 9.0), abs=0.05)
    assert len(riding) == 1
    assert riding[0].onset_s == pytest.approx(at / 1000, abs=0.01)
    assert riding[0].decided_s - at / 1000 - 0.018 < 0.15


@pytest.mark.parametrize("seed", range(72001, 72007))
@pytest.mark.parametrize("what", ["swells", "pauses", "dips"])
def test_tone_that_changes_has_no_twitch(seed: int, what: str) -> None:
    """It becomes 12 dB stronger at once, pauses for 150 ms, or is 14 dB weaker for a while."""
    level_uV = held()
    start, stop, factor = {"swells": (6500, 9000, 4.0), "pauses": (6500, 6650, 0.0), "dips": (6000, 6500, 0.2)}[what]
    level_uV[start:stop] *= factor
    assert not [e for e in events(found(toned(level_uV, seed), 1000.0)) if e.on_tone]


@pytest.mark.parametrize("seed", range(73001, 73007))
def test_what_is_no_higher_than_the_tone_before_its_decline_is_tone(seed: int) -> None:
    """In the last second of a contraction its units fire one by one, each as strong as it was among the others."""
    level_uV = held()
    level_uV[8000:9000] *= 0.25
    seen = events(found(with_twitch(toned(level_uV, seed), 8450, 100.0), 1000.0))
    assert not [e for e in seen if e.on_tone]


@pytest.mark.parametrize("seed", range(74001, 74007))
def test_a_unit_that_fires_again_and_again_is_tone(seed: int) -> None:
    x = toned(held(10.0), seed)
    for at in range(4100, 8900, 170):
        x = with_twitch(x, at, 150.0)
    assert not [e for e in events(found(x, 1000.0)) if e.on_tone]
