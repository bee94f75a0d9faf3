"""Laws of comparing days: symmetric, exact where few, right as often as promised, and silent where it cannot tell."""

from __future__ import annotations

import datetime
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.study import Wear, compared, coverage
from emgtwitch.app.cli import main
from emgtwitch.app.study.compare import compare
from emgtwitch.app.study.factor_days import factor_days
from emgtwitch.app.study.schedule import draw
from emgtwitch.errors import UsageError
from tests.app.month import write_month

NOON_MS = 1_773_057_600_000  # 2026-03-09T12:00Z


def entry(day: int, kind: str, value: float | None = None) -> dict[str, object]:
    return {"utc_ms": NOON_MS + 86_400_000 * day, "utc_offset_s": 0, "kind": kind, "value": value}


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(1.0, 20.0), st.booleans()), min_size=4, max_size=9))
def test_naming_the_arms_the_other_way_turns_the_ratio_round(days: list[tuple[int, float, bool]]) -> None:
    events, hours, arm = (np.array(column) for column in zip(*days, strict=True))
    arm[:2] = True, False
    one, other = compare(events, hours, arm), compare(events, hours, ~arm)
    assert one.ratio * other.ratio == pytest.approx(1.0)
    assert one.p == pytest.approx(other.p)
    assert 0.0 < one.p <= 1.0
    assert one.low <= one.ratio <= one.high


def test_few_days_are_parted_in_every_way() -> None:
    events, hours = [5, 9, 30, 2, 14, 11], [4.0, 6.0, 8.0, 3.0, 7.0, 5.0]
    arm = [True, False, True, True, False, False]

    def far(chosen: tuple[int, ...]) -> float:
        rates = []
        for side in (chosen, tuple(set(range(6)) - set(chosen))):
            rates.append(math.log((sum(events[n] for n in side) + 0.5) / sum(hours[n] for n in side)))
        return abs(rates[0] - rates[1])

    ways = list(itertools.combinations(range(6), 3))
    expected = sum(far(way) >= far((0, 2, 3)) - 1e-12 for way in ways) / len(ways)
    found = compare(events, hours, arm)
    assert (found.exact, found.ways) == (True, 20)
    assert found.p == pytest.approx(expected)


def test_under_ten_days_an_arm_nothing_is_said_however_far_apart_they_are() -> None:
    hours = [8.0] * 19
    found = compare([1] * 9 + [1000] * 10, hours, [True] * 9 + [False] * 10)
    assert found.p < 0.001
    assert found.verdict == "too few days"
    assert compare([1] * 10 + [1000] * 10, [8.0] * 20, [True] * 10 + [False] * 10).verdict == "fewer"
    assert compare([7] * 20, [8.0] * 20, [True] * 10 + [False] * 10).verdict == "cannot tell"


def test_the_same_days_give_the_same_answer() -> None:
    days = Wear(20.0, 0.5).days(28, np.random.default_rng(77))
    arm = np.arange(28) % 2 == 0
    assert compare(*days, arm) == compare(*days, arm)


def test_days_alike_are_rarely_told_apart_and_a_halving_often() -> None:
    """400 and 100 runs: five in a hundred and a half give or take three standard errors."""
    small, told, _ = compared(Wear(20.0, 0.5), 1.0, 400, seed=99)
    assert told <= small < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    _, found, held = compared(Wear(20.0, 0.3), 0.5, 100, seed=98)
    assert found > 0.9
    assert held > 0.85


def test_the_interval_of_a_rate_holds_it_as_often_as_promised() -> None:
    for days in (7, 14):
        held, _ = coverage(Wear(20.0, 0.5), days, 1000, seed=900 + days)
        assert abs(held - 0.95) < 0.02 + 3 * math.sqrt(0.95 * 0.05 / 1000)


def test_a_day_counts_as_without_only_if_the_diary_says_something() -> None:
    diary = [entry(0, "Coffee", 2.0), entry(1, "nothing"), entry(2, "coffee", 0.0), entry(4, "sleep", 7.0)]
    first = datetime.date(2026, 3, 9)
    found = factor_days(diary, "coffee")
    assert {(day - first).days: has for day, has in found.items()} == {0: True, 1: False, 2: False, 4: False}
    assert factor_days(diary, "coffee", lag=1)[datetime.date(2026, 3, 10)] is True


@pytest.mark.parametrize(("days", "block"), [(28, 4), (14, 2), (12, 6)])
def test_lots_are_even_within_each_block_and_the_seed_draws_them_again(days: int, block: int) -> None:
    drawn = draw(days, block, 5)
    assert [sum(drawn[at : at + block]) for at in range(0, days, block)] == [block // 2] * (days // block)
    assert drawn == draw(days, block, 5)
    assert len({tuple(draw(days, block, seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize(("days", "block"), [(27, 4), (28, 3), (0, 2), (28, 0), (1000, 2)])
def test_lots_that_do_not_come_out_even_are_refused(days: int, block: int) -> None:
    with pytest.raises(UsageError, match="must be"):
        draw(days, block, 1)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    write_month(folder)
    return folder


def test_a_month_is_compared_by_its_own_days(month: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "--data", str(month), "--factor", "coffee"]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    used = [day for day in told["days"] if day["counts"]]
    for arm, name in ((True, "with"), (False, "without")):
        own = [day for day in used if day["with"] is arm]
        assert told[f"days_{name}"] == len(own) >= 10
        rate = sum(day["events"] for day in own) / sum(day["hours"] for day in own)
        assert told[f"per_hour_{name}"][0] == pytest.approx(rate, rel=1e-3)
    assert told["verdict"] in ("more", "fewer", "cannot tell")
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "random 9999 ways to part the days" in text
    assert "caus" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--factor", "beer"], "The diary has no entry 'beer'. It knows: coffee"),
        (["--factor", "coffee", "--lag", "9"], "--lag is 9"),
        (["--factor", "coffee", "--from", "2026-05-01", "--to", "2026-04-01"], "can be compared"),
        (["--factor", "coffee", "--muscle", "tongue"], "tongue"),
        (["--factor", "coffee", "--from", "2030-01-01", "--to", "2030-01-09"], "Nothing was recorded"),
    ],
)
def test_a_bad_request_is_said(words: list[str], said: str, month: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--data", str(month), *words]) == 2
    assert said in capsys.readouterr().err
