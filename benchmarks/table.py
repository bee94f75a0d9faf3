"""One table of the newest results: `python -m benchmarks.table [--quick]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, Figure, results_folder

Row = tuple[str, str, str]  # what, how much, beside it: the null, the limit or the throughput

SPEED = "speed"  # pytest-benchmark's file, with a form of its own


def rows(name: str, kept: dict[str, Any]) -> Iterator[Row]:
    """The rows of one result file."""
    if name == SPEED:
        for one in kept["benchmarks"]:
            median_s, told = one["stats"]["median"], one["extra_info"]
            rates = [f"{told['samples'] / median_s / 1e6:.3g} million samples/s"]
            rates += [f"{told['MB'] / median_s:.3g} MB/s"] if "MB" in told else []
            yield one["name"].removeprefix("test_"), f"{1000 * median_s:.4g} ms", ", ".join(rates)
        return
    for one in kept["measured"]:
        if "ratio" in one:
            low, high = one["null_quartiles"]
            least = one.get("least")
            asked = "" if least is None else f", {'>=' if one['ratio'] >= least else 'UNDER'} {least:g}"
            yield one["name"], f"{one['ratio']:.2f} x", f"null {one['null']:.2f} ({low:.2f} to {high:.2f}){asked}"
        else:
            figure = Figure(**one)
            limit = "" if figure.limit is None else f"{'<' if figure.within else 'OVER'} {figure.limit:g}"
            yield figure.name, f"{figure.value:.4g} {figure.unit}", limit


def table(folder: Path) -> str:
    """All result files in `folder`, each under its name and the load of the machine when it was written."""
    found: list[Row] = []
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text())
        machine = kept["machine_info" if path.stem == SPEED else "machine"]
        found += [("", "", ""), (f"{path.stem} (load {machine['load']})", "", "")]
        found += [(f"  {what}", figure, beside) for what, figure, beside in rows(path.stem, kept)]
    widths = [max((len(row[column]) for row in found), default=0) for column in range(2)]
    return "\n".join(f"{what:<{widths[0]}}  {figure:>{widths[1]}}  {beside}".rstrip() for what, figure, beside in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="those of quick runs")
    print(table(results_folder(parser.parse_args().quick, RESULTS)))


if __name__ == "__main__":
    main()
