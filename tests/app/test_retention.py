"""Laws of the daily pruning: in time, by itself, and a failure is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emgtwitch.app.retention import DAY_S, EVERY_S, FIRST_S, Retention
from tests.app.kept import write_session


class Clock:
    """Since boot; the wall clock shows `wall_s` more."""

    now_s = 0.0
    wall_s = 1.7e9

    def __call__(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return self.now_s + self.wall_s


def retention(folder: Path, keep: dict[str, float]) -> tuple[Retention, Clock, list[str]]:
    clock, troubles = Clock(), list[str]()
    return Retention(folder, keep, troubles.append, clock, clock.wall), clock, troubles


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


def test_what_only_a_clock_that_was_set_forward_calls_old_is_dropped_a_day_later(tmp_path: Path) -> None:
    home = write_session(tmp_path, "old")
    before = sum(path.stat().st_size for path in home.iterdir())
    one, clock, troubles = retention(tmp_path, {"signal_days": 5, "around_event_s": 20})
    clock.now_s = FIRST_S
    clock.wall_s += 20_000 * DAY_S
    one.look()
    finish(one)
    assert sum(path.stat().st_size for path in home.iterdir()) == before
    assert len(troubles) == 1
    assert troubles[0].startswith("The computer's clock was set forward by 20000.0 days. ")
    clock.now_s += EVERY_S
    one.look()
    finish(one)
    assert sum(path.stat().st_size for path in home.iterdir()) < 0.75 * before
    assert len(troubles) == 1


@pytest.mark.parametrize(
    ("steps", "days"),
    [  # by how many days the wall clock is set after how many hours; how old signal must be at the first three prunings
        ({20.0: 365.0}, [5.0, 370.0, 5.0]),
        ({30.0: 365.0}, [5.0, 5.0, 370.0]),
        ({20.0: 365.0, 22.0: -365.0}, [5.0, 5.0, 5.0]),  # set right in time
        ({20.0: -365.0}, [5.0, 5.0, 5.0]),  # less is old by then
        ({0.1: -365.0, 20.0: 365.0}, [5.0, 370.0, 5.0]),
        ({0.1: 0.7}, [5.7, 5.0, 5.0]),  # a computer that was off overnight learns the time after its start
        ({0.1: 10.0, 20.0: 1.0}, [15.0, 16.0, 5.0]),
        ({20.0: 0.04}, [5.0, 5.0, 5.0]),  # less than an hour
        ({20.0: 0.04, 21.0: 0.04}, [5.0, 5.08, 5.0]),
    ],
)
def test_until_it_has_agreed_for_a_day_a_clock_that_was_set_forward_makes_nothing_old(
    steps: dict[float, float], days: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def begin(words: list[str], **_: object) -> None:
        asked.append(float(words[words.index("--days") + 1]))
        raise OSError(0, "only asked")

    monkeypatch.setattr("subprocess.Popen", begin)
    one, clock, troubles = retention(tmp_path, {"signal_days": 5})
    for tenth in range(490):
        clock.now_s = 360.0 * tenth
        clock.wall_s += steps.get(tenth / 10, 0.0) * DAY_S
        one.look()
    assert asked == pytest.approx(days)
    assert sum("was set forward" in trouble for trouble in troubles) == sum(at > 5.0 for at in days)
