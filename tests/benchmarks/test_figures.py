"""Figures, their limits, the files that keep them and the table made of those."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from benchmarks.figures import Figure, machine, save
from benchmarks.paired import Comparison
from benchmarks.table import table

RATIO = Comparison("decode / loop", 5, 0.5, 1.0, 2.0, (1.9, 2.1), 1.0, (0.98, 1.03), 2.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.5, "replay: 4.5 s (limit 5 s)"),
        (5.0, "replay: 5 s (OVER the limit of 5 s)"),
    ],
)
def test_a_figure_says_whether_it_stays_below_its_limit(value: float, text: str) -> None:
    assert str(Figure("replay", value, "s", 5.0)) == text


def test_a_figure_without_a_limit_is_within_it() -> None:
    figure = Figure("replay", 1e9, "s")
    assert (figure.within, str(figure)) == (True, "replay: 1e+09 s")


def test_what_is_saved_can_be_read_with_what_it_was_measured_on(tmp_path: Path) -> None:
    path = save("decode", [RATIO, Figure("start", 80.0, "ms", 150.0)], folder=tmp_path / "results")
    kept = json.loads(path.read_text())
    assert kept["measured"][0]["ratio"] == 2.0
    assert kept["measured"][1] == {"name": "start", "value": 80.0, "unit": "ms", "limit": 150.0}
    assert kept["machine"].keys() == machine().keys()


def test_what_it_ran_on_is_told_without_the_name_of_the_machine() -> None:
    told = machine()
    assert set(told) == {"python", "system", "processor", "cores", "load"}
    assert platform.node() not in told.values()


def test_a_quick_run_overwrites_nothing_that_was_measured_with_patience(tmp_path: Path) -> None:
    patient = save("day", [Figure("day", 4.0, "s")], folder=tmp_path)
    quick = save("day", [Figure("day", 9.0, "s")], quick=True, folder=tmp_path)
    assert patient != quick
    assert json.loads(patient.read_text())["measured"][0]["value"] == 4.0


def test_the_table_shows_limit_null_and_throughput_beside_the_figures(tmp_path: Path) -> None:
    save("day", [Figure("replay", 6.0, "s", 5.0), Figure("memory", 90.0, "MB", 250.0)], folder=tmp_path)
    save("ratios", [RATIO], folder=tmp_path)
    speed = {"name": "test_decode", "stats": {"median": 0.25}, "extra_info": {"samples": 500_000, "MB": 1.0}}
    (tmp_path / "speed.json").write_text(json.dumps({"machine_info": {"load": 0.5}, "benchmarks": [speed]}))
    lines = [" ".join(line.split()) for line in table(tmp_path).splitlines()]
    assert "replay 6 s < 5: OVER" in lines
    assert "memory 90 MB < 250" in lines
    assert "decode / loop 2.00 x >= 2.5: UNDER null 1.00 (0.98 to 1.03)" in lines
    assert "decode 250 ms 2 million samples/s, 4 MB/s" in lines
    assert "speed (load 0.5)" in lines
