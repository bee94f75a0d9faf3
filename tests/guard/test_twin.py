"""The C of the board, under sanitizers, says after each count what the plain Python says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wearer.wearer import Wearer
from tests.guard import board, twin


def assert_twins(counts: npt.ArrayLike) -> board.Steps:
    steps = board.run(counts)
    naive = np.array(twin.run(np.asarray(counts).tolist()), board.STEP)
    differ = np.flatnonzero(steps != naive)
    assert len(differ) == 0, f"first at count {differ[0]}: the board {steps[differ[0]]}, its twin {naive[differ[0]]}"
    return steps


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_board_and_twin_agree_on_each_simulated_wearer(scenario: str) -> None:
    assert_twins(Wearer(SCENARIOS[scenario], 11).render(60_000)[:, 0])


def test_board_and_twin_agree_through_minutes_of_tone_and_mains() -> None:
    rng = np.random.default_rng(5)
    time_s = np.arange(70_000) / 1000
    quiet = rng.normal(0, 0.6, 5000)
    tone = rng.normal(0, 1, 70_000) * (20 + 10 * np.sin(2 * np.pi * 4 * time_s))  # shivers, or it were as even as mains
    hum = 30 * np.sin(2 * np.pi * 50 * time_s[:5000])
    x = np.concatenate([quiet, tone, quiet, hum, quiet])
    steps = assert_twins(np.clip(np.rint(512 + x), 0, 1023).astype(np.uint16))
    assert 64_000 < steps["longest_ms"][-1] < 70_000  # the floor was set anew within it


def test_board_and_twin_agree_around_each_limit_in_time() -> None:
    at = np.arange(300)
    quiet = np.zeros(700)
    bursts = [
        np.concatenate([quiet, 100 * np.sin(2 * np.pi * f_Hz / 1000 * at[:n])])
        for f_Hz, first, last in ((120, 120, 160), (25, 190, 300))  # quick ones to 150 ms, slow ones to 250 ms
        for n in range(first, last)
    ]
    quick = 100 * np.sin(2 * np.pi * 0.12 * at[:60])
    rails = [np.concatenate([quiet, quick, np.full(n, 600.0), quiet]) for n in range(9, 16)]
    after = [  # activity that begins about when it may, 300 ms after a rail
        np.concatenate([quiet, np.full(20, 600.0), np.zeros(n), quick]) for n in range(285, 310)
    ]
    x = np.concatenate([np.zeros(2100), *bursts, *rails, *after, quiet])
    steps = assert_twins(np.clip(np.rint(512 + x), 0, 1023).astype(np.uint16))
    assert steps["twitches"][-1] > 20
    assert steps["contractions"][-1] > 5


# Pieces of anything that a converter can give, of amplitudes from silence to the rails.
SHAPES = ("level", "noise", "hum", "square", "steps", "spikes", "rail", "bytes")
PIECES = st.lists(
    st.tuples(st.sampled_from(SHAPES), st.integers(1, 2500), st.floats(0, 1), st.integers(0, 2**32 - 1)),
    min_size=1,
    max_size=8,
)


def piece(shape: str, n: int, size: float, seed: int) -> npt.NDArray[np.uint16]:
    rng = np.random.default_rng(seed)
    peak = 0.2 * 5000**size
    at = np.arange(n)
    if shape == "bytes":
        return rng.integers(0, 65536, n).astype(np.uint16)
    if shape == "rail":
        return np.where((at // max(1, seed % 40)) % 2 & (seed >> 8), 0, 1023 * (seed >> 9 & 1)).astype(np.uint16)
    x: npt.NDArray[np.float64] = {
        "level": np.full(n, rng.uniform(-peak, peak)),
        "noise": rng.normal(0, peak, n),
        "hum": peak * np.sin(2 * np.pi * rng.uniform(1, 500) / 1000 * at),
        "square": peak * np.sign(np.sin(at * rng.uniform(0.01, np.pi))),
        "steps": peak * np.repeat(rng.normal(size=n // 30 + 1), 30)[:n],
        "spikes": np.where(rng.uniform(size=n) < 0.004, peak, 0.0),
    }[shape]
    counts: npt.NDArray[np.uint16] = np.clip(np.rint(512 + x), 0, 1023).astype(np.uint16)
    return counts


@settings(max_examples=60, deadline=None)
@given(pieces=PIECES)
def test_board_and_twin_agree_on_any_input(pieces: list[tuple[str, int, float, int]]) -> None:
    settled = np.full(2100, 512, np.uint16) if pieces[0][3] % 2 else np.empty(0, np.uint16)
    assert_twins(np.concatenate([settled, *(piece(*p) for p in pieces)]))


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.sampled_from([0, 1, 511, 512, 1022, 1023, 1024, 65535]), max_size=400))
def test_board_and_twin_agree_where_each_count_is_a_limit(counts: list[int]) -> None:
    assert_twins(np.repeat(np.array(counts, np.uint16), 9))


def test_the_worst_input_stays_within_the_stated_bound() -> None:
    """Each count at the end that adds most to y, as the impulse response tells (the twin asserts |y| <= 8300)."""
    bend = np.convolve([3, 1], [1, -2, 1])
    response = [0.0, 0.0]
    for k in range(400):
        new = 29981 * bend[k] if k < len(bend) else 0
        response.append((new + 29863 * response[-1] - 13716 * response[-2]) / 2**14)
    worst = np.where(np.array(response[:1:-1]) > 0, 1022, 1)  # a count short of the rails, lest it be lead-off
    watched = twin.Twin()
    highest = 0
    for count in worst:
        watched.push(int(count))
        assert watched.filter is not None
        highest = max(highest, abs(watched.filter[3]))
    assert 8000 < highest <= 8300
    assert_twins(np.concatenate([worst, 1023 - worst] * 10))
