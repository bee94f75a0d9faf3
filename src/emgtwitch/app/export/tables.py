"""Events, intervals and signal as CSV, Parquet and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch.app.export.material import EVENT_KEYS, INTERVAL_KEYS, Item
from emgtwitch.app.log_rows import Row
from emgtwitch.errors import UsageError

if TYPE_CHECKING:
    from emgtwitch.app.notebook import Segment

TEXT = ("recording", "muscle", "side", "class", "label", "note", "kind", "cause")
FLAGS = ("on_tone", "truncated")
WHOLE = ("channel", "pain", "utc_ms", "utc_offset_s")


def write_csv(items: list[Item], folder: Path) -> None:
    """events.csv and intervals.csv."""
    for name, keys, rows in _tables(items):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, keys)
            writer.writeheader()
            writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)


def _inert(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with the apostrophe that makes it none."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def write_parquet(items: list[Item], folder: Path) -> None:
    """events.parquet and intervals.parquet, with types."""
    pa, parquet = arrow()
    types = {**dict.fromkeys(TEXT, pa.string()), **dict.fromkeys(FLAGS, pa.bool_()), **dict.fromkeys(WHOLE, pa.int64())}
    for name, keys, rows in _tables(items):
        schema = pa.schema([(key, types.get(key, pa.float64())) for key in keys])
        parquet.write_table(pa.Table.from_pylist(rows, schema), folder / f"{name}.parquet")


def write_jsonl(items: list[Item], folder: Path) -> None:
    """events.jsonl: the objects of the command line, in the order of their times."""
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for item in items:
            rows = [(row["onset_s"], row) for row in (*item.events, *item.intervals)]
            rows += [(row["at_s"] or 0.0, row) for row in item.marks]
            for _, row in sorted(rows, key=lambda pair: pair[0]):
                file.write(json.dumps(row | {"recording": item.name}) + "\n")


def write_signal_csv(items: list[Item], folder: Path) -> None:
    """NAME_000.csv, ...: time and a column for each channel, one file for each contiguous segment."""
    for item, number, segment in _segments(items):
        with (folder / f"{item.stem}_{number:03d}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["time [s]", *columns(item, segment)])
            times = (f"{n / segment.rate_Hz:.9g}" for n in range(len(segment.counts)))
            values = segment.values
            writer.writerows([at, *map(_shown, scan)] for at, scan in zip(times, values.tolist(), strict=True))


def write_signal_parquet(items: list[Item], folder: Path) -> None:
    """NAME_000.parquet, ...: a column for each channel; rate and start in the schema's metadata."""
    pa, parquet = arrow()
    for item, number, segment in _segments(items):
        names = columns(item, segment)
        table = pa.table([pa.array(segment.values[:, k]) for k in range(len(names))], names=names)
        told = {"fs_Hz": repr(segment.rate_Hz), "from_s": repr(segment.from_s)}
        parquet.write_table(table.replace_schema_metadata(told), folder / f"{item.stem}_{number:03d}.parquet")


def columns(item: Item, segment: Segment) -> list[str]:
    """Their names, with the unit as our own reader finds it."""
    unit = "" if segment.uV_per_count is None else " [uV]"
    return [f"{item.label(place)}{unit}" for place in range(len(item.channels))]


def arrow() -> tuple[Any, Any]:
    """pyarrow and its Parquet. Raises UsageError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install 'emgtwitch[parquet]'. CSV needs nothing.") from None
    return pyarrow, pyarrow.parquet


def _tables(items: list[Item]) -> list[tuple[str, Sequence[str], list[Row]]]:
    events = [row for item in items for row in item.event_rows()]
    intervals = [row for item in items for row in item.interval_rows()]
    return [("events", EVENT_KEYS, events), ("intervals", INTERVAL_KEYS, intervals)]


def _segments(items: list[Item]) -> Iterable[tuple[Item, int, Segment]]:
    return ((item, number, segment) for item in items for number, segment in enumerate(item.load()))


def _shown(value: float) -> str:
    return "" if value != value else f"{value:.9g}"
