"""The kernel against clear and slow twins: scipy's filter, a sort, a direct search, plain Python."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from emgtwitch.detect.detector import TICK_S, Detector, parameters
from emgtwitch.detect.floor import FLOOR_QUANTILE, take_entry
from emgtwitch.detect.state import EVENT, HOP_TICKS, LANES, LEVELS, OUT, STATE
from emgtwitch.settings import Settings
from tests.detect.common import Floats, burst, rows

ROOT = Path(__file__).resolve().parents[2]
RATES_HZ = [500.0, 1000.0, 2000.0, 4000.0]


def band_passed(x: Floats, fs_Hz: float) -> Floats:
    """The detector's band-pass by scipy, started as if the first sample had always been there."""
    sos = signal.butter(2, [40.0, min(300.0, 0.4 * fs_Hz)], "bandpass", fs=fs_Hz, output="sos")
    out: Floats = signal.sosfilt(sos, x, zi=signal.sosfilt_zi(sos) * x[0])[0]
    return out


def without_canceller(fs_Hz: float) -> Detector:
    detector = Detector(Settings(), fs_Hz, 1.0)
    detector._params["mu"] = 0.0
    return detector


def last(detector: Detector, n: int) -> Floats:
    """The last `n` samples of what the events are found in."""
    pos = int(detector._state["pos"][0])
    out: Floats = detector._state["ring"][0][np.arange(pos - n, pos) & int(detector._params["ring_mask"][0])]
    return out


@pytest.mark.parametrize("fs_Hz", RATES_HZ)
def test_the_band_pass_is_scipys_from_the_first_sample_on(fs_Hz: float) -> None:
    hop = HOP_TICKS * round(TICK_S * fs_Hz)
    x = np.random.default_rng(71001).normal(500, 30, 12 * hop)
    detector = without_canceller(fs_Hz)
    list(detector.feed(x))
    np.testing.assert_allclose(last(detector, len(x)), band_passed(x, fs_Hz), atol=1e-8)


@pytest.mark.parametrize("fs_Hz", RATES_HZ)
def test_window_energies_are_sums_of_squares(fs_Hz: float) -> None:
    tick = round(TICK_S * fs_Hz)
    x = np.random.default_rng(71002).normal(500, 30, 50 * HOP_TICKS * tick)
    detector = without_canceller(fs_Hz)
    list(detector.feed(x))
    y = band_passed(x, fs_Hz)
    direct = [np.sum(y[-(tick << level) :] ** 2) for level in range(LEVELS)]
    np.testing.assert_allclose(detector._state["window"][0], direct, rtol=1e-9)


@pytest.mark.parametrize("mains_Hz", [50.0, 60.0])
def test_the_canceller_is_least_mean_squares_with_sine_and_cosine(mains_Hz: float) -> None:
    """Widrow et al. 1975, adapted once a hop; before the floor is known its error is not clipped."""
    fs_Hz, hops = 1000.0, 6  # before its frequency is tuned for the first time
    hop = HOP_TICKS * round(TICK_S * 1000)
    time = np.arange(hops * hop)
    x = 40 * np.sin(2 * np.pi * mains_Hz / fs_Hz * time + 1) + np.random.default_rng(71003).normal(0, 3, len(time))
    detector = Detector(Settings(mains_Hz=mains_Hz), fs_Hz, 1.0)
    list(detector.feed(x))
    orders = np.array([order for order in range(1, LANES + 1) if order * mains_Hz < 0.42 * fs_Hz])
    unused = LANES - len(orders)  # sinusoids of frequency 0: together they follow the mean
    angle = 2 * np.pi * np.concatenate([orders, np.zeros(unused)])[:, None] * mains_Hz / fs_Hz * time
    cosine, sine = np.cos(angle), np.sin(angle)
    in_phase, quadrature = np.zeros(LANES), np.zeros(LANES)
    step = 2 * float(detector._params["mu"][0])
    y = band_passed(x, fs_Hz)
    for start in range(0, len(x), hop):
        part = slice(start, start + hop)
        y[part] -= in_phase @ cosine[:, part] + quadrature @ sine[:, part]
        in_phase += step * cosine[:, part] @ y[part]
        quadrature += step * sine[:, part] @ y[part]
    np.testing.assert_allclose(last(detector, len(x)), y, atol=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e5])
def test_the_floor_is_a_quantile_of_what_came_last(unit: float) -> None:
    """Against a sort, whatever the unit: within a bin of an eighth of an octave of energy."""
    params = parameters(Settings(), 1000.0, 1.0, (math.nan, math.nan))
    state = np.zeros(1, dtype=STATE)
    look_back = int(params["floor_entries"][0])
    energies = (
        unit * np.random.default_rng(71004).gamma(3.0, 1.0, 4 * look_back) * np.repeat([1, 30, 2, 0.1], look_back)
    )
    for n, energy in enumerate(energies, 1):
        take_entry(params[0], state[0], energy)
        recent = np.sort(energies[max(0, n - look_back) : n])
        if n % 17 == 0 and n >= 40:
            index = int(FLOOR_QUANTILE * len(recent))
            floor = state["floor"][0] / params["floor_gain"][0]
            assert recent[max(index - 2, 0)] * 2 ** (-1 / 8) <= floor <= recent[index + 2] * 2 ** (1 / 8)


@pytest.mark.parametrize("fs_Hz", RATES_HZ)
@pytest.mark.parametrize("duration_s", [0.03, 0.3, 3.0])
def test_onset_and_offset_are_those_of_a_direct_search(fs_Hz: float, duration_s: float) -> None:
    """5 ms RMS above 10 % of its peak, or 1.6 times the floor if that is higher; levels stand in steps of 0.75 dB."""
    seconds = duration_s + 4
    x = np.random.default_rng(71005).normal(0, 2, int(seconds * fs_Hz))
    x += 150 * burst(fs_Hz, 2.5, duration_s, seconds, np.random.default_rng(71006))
    detector = without_canceller(fs_Hz)
    found = [row for row in [*detector.feed(x), *detector.finish(0)] if row["type"] == EVENT and not row["on_tone"]]
    assert len(found) == 1
    width = int(detector._params["rms5"][0])
    power = np.convolve(band_passed(x, fs_Hz) ** 2, np.ones(width))[: len(x)]  # of the `width` samples up to each
    late = int(detector._params["delay"][0]) + width // 2
    onsets, offsets = [], []
    for factor in (2**-0.3, 2**0.3):
        above = np.flatnonzero(power > factor * 0.01 * power.max())
        onsets.append(int(above[0]) - late)
        offsets.append(int(above[-1]) + 1 - late)
    assert onsets[0] - 1 <= found[0]["onset"] <= onsets[1] + 1
    assert offsets[1] - 1 <= found[0]["offset"] <= offsets[0] + 1


PLAIN = """
import json
from emgtwitch.detect import kernel
from emgtwitch.detect.detector import Detector
from emgtwitch.settings import Settings
from tests.detect.test_twin import Rows, sample_of_everything
start = kernel.start
kernel.start = lambda params, state: start(Rows(params), Rows(state))
x, fs_Hz = sample_of_everything()
detector = Detector(Settings(), fs_Hz, 1.0, (0.0, 1023.0))
kernel.start = start
for name in ("_params", "_state", "_out"):
    setattr(detector, name, Rows(getattr(detector, name)))
print(json.dumps([row.item() for row in [*detector.feed(x), *detector.finish(len(x))]]))
"""


class Row:
    """A row of a structured array whose fields are attributes, as in compiled code."""

    def __init__(self, row: np.void) -> None:
        object.__setattr__(self, "row", row)

    def __getattr__(self, name: str) -> Any:
        return self.row[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self.row[name] = value

    __getitem__, __setitem__ = __getattr__, __setattr__


class Rows:
    """A structured array whose rows are of that kind."""

    def __init__(self, array: npt.NDArray[np.void]) -> None:
        self.array = array
        self.size = array.size

    def __getitem__(self, key: int | str | slice) -> Any:
        return Row(self.array[key]) if isinstance(key, int) else self.array[key]

    def __setitem__(self, key: str | slice, value: Any) -> None:
        self.array[key] = value


def sample_of_everything() -> tuple[Floats, float]:
    """5 s at 500 Hz with a twitch, a contraction that holds a twitch, mains, a rail and a flat part."""
    fs_Hz, seconds = 500.0, 5.0
    rng = np.random.default_rng(71007)
    x = 512 + rng.normal(0, 2, int(seconds * fs_Hz)) + 4 * np.sin(0.2 * np.pi * np.arange(int(seconds * fs_Hz)))
    for onset_s, duration_s, rms in ((0.9, 0.03, 40.0), (1.3, 1.2, 15.0), (2.0, 0.02, 200.0)):
        x += rms * burst(fs_Hz, onset_s, duration_s, seconds, rng)
    x = x.round()
    x[1500:1540], x[1900:2100] = 1023, 512
    return x, fs_Hz


def test_compiled_and_plain_python_give_the_same_rows() -> None:
    """Compiled code may fuse a multiplication and an addition: amplitudes agree to a millionth, times exactly."""
    x, fs_Hz = sample_of_everything()
    compiled = rows(x, fs_Hz, 1.0, (0.0, 1023.0))
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "ignore", "-c", PLAIN]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=ROOT, env=environment)
    plain = json.loads(done.stdout)
    assert len(compiled) >= 5
    assert {row[0] for row in compiled} >= {EVENT}
    assert len(plain) == len(compiled)
    whole = [k for k, name in enumerate(OUT.names or ()) if OUT[name].kind == "i"]
    for slow, fast in zip(plain, compiled, strict=True):
        assert [slow[k] for k in whole] == [fast[k] for k in whole]
        assert slow == pytest.approx(fast, rel=1e-6)
