"""One table of the newest results: `python -m benchmarks.table [--quick]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import RESULTS, Figure, results_folder

SPEED = "speed"  # pytest-benchmark's file, with a form of its own


class Row(NamedTuple):
    """What was measured, how much it is, what is asked for and whether it is met, and what stands beside it."""

    what: str
    value: str
    asked: str
    beside: str  # of a ratio the base against itself with its quartiles, of an absolute time the throughput


def rows(name: str, kept: dict[str, Any]) -> Iterator[Row]:
    """The rows of one result file."""
    if name == SPEED:
        for one in kept["benchmarks"]:
            median_s, told = one["stats"]["median"], one["extra_info"]
            rates = [f"{told['samples'] / median_s / 1e6:.3g} million samples/s"]
            rates += [f"{told['MB'] / median_s:.3g} MB/s"] if "MB" in told else []
            yield Row(one["name"].removeprefix("test_"), f"{1000 * median_s:.4g} ms", "", ", ".join(rates))
        return
    for one in kept["measured"]:
        if "ratio" in one:
            low, high = one["null_quartiles"]
            least = one.get("least")
            asked = "" if least is None else f">= {least:g}{'' if one['ratio'] >= least else ': UNDER'}"
            yield Row(one["name"], f"{one['ratio']:.2f} x", asked, f"null {one['null']:.2f} ({low:.2f} to {high:.2f})")
        else:
            figure = Figure(**one)
            asked = "" if figure.limit is None else f"< {figure.limit:g}{'' if figure.within else ': OVER'}"
            yield Row(figure.name, f"{figure.value:.4g} {figure.unit}", asked, "")


def parts(folder: Path) -> Iterator[tuple[str, float, list[Row]]]:
    """Of each result file in `folder`: its name, the load of the machine when it was written, its rows."""
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text())
        machine = kept["machine_info" if path.stem == SPEED else "machine"]
        yield path.stem, machine["load"], list(rows(path.stem, kept))


def table(folder: Path) -> str:
    """All result files in `folder`, for a terminal."""
    found = [Row("", "value", "asked for", "base against itself, or throughput")]
    for name, load, of in parts(folder):
        found += [Row("", "", "", ""), Row(f"{name} (load {load})", "", "", "")]
        found += [row._replace(what=f"  {row.what}") for row in of]
    widths = [max(len(row[column]) for row in found) for column in range(3)]
    return "\n".join(
        f"{row.what:<{widths[0]}}  {row.value:>{widths[1]}}  {row.asked:<{widths[2]}}  {row.beside}".rstrip()
        for row in found
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="those of quick runs")
    print(table(results_folder(parser.parse_args().quick, RESULTS)))


if __name__ == "__main__":
    main()
