"""The helper that compares two ways: its clock is injected, so these laws hold on any machine."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.paired import Comparison, compare


class Machine:
    """A clock that only its tasks move, times a load that may change from one task to the next."""

    def __init__(self, load: Callable[[int], float] = lambda _: 1.0) -> None:
        self.now_s = 0.0
        self.ran: list[str] = []
        self.load = load

    def task(self, name: str, cost_s: float) -> Callable[[], None]:
        def run() -> None:
            self.now_s += cost_s * self.load(len(self.ran))
            self.ran.append(name)

        return run

    def compare(self, new_s: float, base_s: float, rounds: int) -> Comparison:
        new, base = self.task("new", new_s), self.task("base", base_s)
        return compare("x", new, base, rounds=rounds, clock=lambda: self.now_s)


def test_the_ratio_says_how_many_times_as_fast_the_new_way_is() -> None:
    found = Machine().compare(new_s=0.25, base_s=1.0, rounds=5)
    assert (found.ratio, found.null, found.new_s, found.base_s) == (4.0, 1.0, 0.25, 1.0)
    assert str(found) == "x: 4.00 times as fast (base against base 1.00, 1.00 to 1.00)"
    assert "times as fast, the 4 asked for (" in str(replace(found, least=4.0))
    assert "times as fast, NOT the 4.1 asked for (" in str(replace(found, least=4.1))


def test_a_load_that_grows_all_the_time_falls_on_both() -> None:
    found = Machine(load=lambda n: 1.01**n).compare(new_s=1.0, base_s=2.0, rounds=60)
    assert found.ratio == pytest.approx(2.0, rel=0.03)
    assert found.base_s / found.new_s == pytest.approx(2.0, rel=0.03)


def test_a_burst_of_load_moves_neither_the_ratio_nor_the_null() -> None:
    found = Machine(load=lambda n: 9.0 if 20 <= n < 24 else 1.0).compare(new_s=1.0, base_s=3.0, rounds=20)
    assert (found.ratio, found.null) == (3.0, 1.0)


def test_the_null_shows_a_machine_too_noisy_to_measure_on() -> None:
    found = Machine(load=lambda n: 4.0 if n % 5 < 2 else 1.0).compare(new_s=1.0, base_s=1.0, rounds=30)
    low, high = found.null_quartiles
    assert low < found.ratio_quartiles[1]
    assert high - low > 0.5


def test_every_task_comes_in_every_place_of_the_round() -> None:
    machine = Machine()
    machine.compare(1.0, 1.0, rounds=5)
    assert {machine.ran[i : i + 3].index("new") for i in range(0, 18, 3)} == {0, 1, 2}


def test_the_first_round_does_not_count() -> None:
    found = Machine(load=lambda n: 1000.0 if n < 3 else 1.0).compare(1.0, 2.0, rounds=2)
    assert (found.ratio, found.ratio_quartiles) == (2.0, (2.0, 2.0))


def test_the_garbage_collector_runs_again_afterwards_also_when_a_task_fails() -> None:
    def failing() -> None:
        raise RuntimeError("broken task")

    with pytest.raises(RuntimeError, match="broken task"):
        compare("x", failing, failing, rounds=2)
    assert gc.isenabled()


def test_one_round_is_refused() -> None:
    with pytest.raises(ValueError, match="rounds is 1; quartiles need at least 2"):
        Machine().compare(1.0, 1.0, rounds=1)
