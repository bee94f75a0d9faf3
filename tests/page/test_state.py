"""The state's word: each on a wearer who must get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emgtwitch.app.page.state import STATES, channel_state, state
from emgtwitch.app.page.tap import Tap
from emgtwitch.pipeline import Pipeline
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import Scenario, Scheduled
from tests.page.desks import desk, status

BLOCK_BYTES = 1500


def word(scenario: Scenario, after_s: float) -> str:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    for block in recorded(scenario, 3, after_s):
        for at in range(0, len(block), BLOCK_BYTES):
            pipeline.feed(block[at : at + BLOCK_BYTES])
            tap.look(pipeline)
    return channel_state(tap.conditions[0], in_uV=True)


@pytest.mark.parametrize(
    ("scenario", "after_s", "expected"),
    [
        (Scenario(), 0.4, "settling"),
        (Scenario(), 30.0, "good"),
        (Scenario(mains_uV=(150.0, 20.0, 60.0)), 30.0, "good"),
        (Scenario(mains_uV=(400.0, 60.0, 160.0)), 30.0, "mains"),
        (Scenario(schedule=(Scheduled(20.0, "lead_off", duration_s=10.0),)), 27.0, "poor_contact"),
        (Scenario(schedule=(Scheduled(20.0, "flat", duration_s=10.0),)), 27.0, "poor_contact"),
        (Scenario(schedule=(Scheduled(20.0, "spasm", 800.0, 10.0),)), 27.0, "good"),
    ],
)
def test_the_word_is_the_wearers(scenario: Scenario, after_s: float, expected: str) -> None:
    assert word(scenario, after_s) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"connected": False}, "no_board"),
        ({"connected": True}, "settling"),
        ({"connected": True, "hears": False}, "not_understood"),
    ],
)
def test_the_board_comes_before_the_electrodes(told: dict[str, bool], expected: str, tmp_path: Path) -> None:
    with desk(tmp_path, note=lambda kind, detail: None) as one:
        one.status = lambda: status() | told
        assert state(one)["state"] == expected


def test_each_word_says_what_to_do() -> None:
    assert all(headline and do for headline, do in STATES.values())
