"""Laws of the daily pruning: in time, by itself, and a failure is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emgtwitch.app.retention import EVERY_S, FIRST_S, Retention
from tests.app.kept import write_session


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def retention(folder: Path, keep: dict[str, float]) -> tuple[Retention, Clock, list[str]]:
    clock, troubles = Clock(), list[str]()
    return Retention(folder, keep, troubles.append, clock), clock, troubles


def finish(one: Retention) -> None:
    deadline_s = time.monotonic() + 120
    while one.running and time.monotonic() < deadline_s:
        time.sleep(0.05)
        one.look()
    assert not one.running


def test_what_is_too_old_goes_ten_minutes_after_the_start_and_then_daily(tmp_path: Path) -> None:
    home = write_session(tmp_path, "old")
    before = sum(path.stat().st_size for path in home.iterdir())
    one, clock, troubles = retention(tmp_path, {"signal_days": 5, "around_event_s": 20})
    clock.now_s = FIRST_S - 1
    one.look()
    assert not one.running
    clock.now_s = FIRST_S
    one.look()
    assert one.running
    finish(one)
    assert sum(path.stat().st_size for path in home.iterdir()) < 0.75 * before
    clock.now_s = FIRST_S + EVERY_S - 1
    one.look()
    assert not one.running
    clock.now_s = FIRST_S + EVERY_S
    one.look()
    assert one.running
    one.close()
    assert troubles == []


def test_what_keep_asked_for_is_done_whatever_the_configuration_has_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = write_session(tmp_path, "old")
    before = sum(path.stat().st_size for path in home.iterdir())
    monkeypatch.setenv("EMGTWITCH_CONFIG", str(tmp_path / "gone.toml"))
    one, clock, troubles = retention(tmp_path, {"signal_days": 5, "around_event_s": 20})
    clock.now_s = FIRST_S
    one.look()
    finish(one)
    assert troubles == []
    assert sum(path.stat().st_size for path in home.iterdir()) < 0.75 * before


def test_a_pruning_that_fails_is_told(tmp_path: Path) -> None:
    one, clock, troubles = retention(tmp_path, {"signal_days": 5})
    clock.now_s = FIRST_S
    one.look()
    finish(one)
    assert len(troubles) == 1
    assert troubles[0].startswith("Old signal was not dropped. There is no log at ")


def test_without_a_number_of_days_nothing_is_begun(tmp_path: Path) -> None:
    one, clock, _ = retention(tmp_path, {"around_event_s": 20})
    clock.now_s = FIRST_S + EVERY_S
    one.look()
    assert not one.running
