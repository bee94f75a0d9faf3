"""docs/speed.md says what was measured, what was asked for and what falls short of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.document import write
from benchmarks.figures import Figure, save
from benchmarks.growth import CURVES
from benchmarks.paired import Comparison


@pytest.mark.slow  # imports matplotlib
def test_the_page_tells_every_part_and_what_falls_short(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    save("growth", [curve.figure(at, 2.0) for curve in CURVES for at in curve.places], folder=results)
    save("ratios", [Comparison("a / b", 3, 1.0, 2.0, 2.0, (2.0, 2.0), 1.0, (0.9, 1.1), 2.5)], folder=results)
    save("daemon", [Figure("daemon", 0.4, "% of a core", 0.5)], folder=results)
    lines = write(results, docs).read_text().splitlines()
    assert "- a / b: 2.00 x, asked for >= 2.5" in lines
    assert "| a / b | 2.00 x | >= 2.5 | null 1.00 (0.90 to 1.10) |" in lines
    assert "| daemon | 0.4 % of a core | < 0.5 |  |" in lines
    assert "| channels | 1 | 2 | 4 | 8 | 16 |" in lines
    assert (docs / "speed" / "growth.png").stat().st_size > 10_000


def test_without_results_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"growth\.json"):
        write(tmp_path, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()
