"""The formats that can be exported: one row each. The command line, the docs and the tests iterate over FORMATS."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

from emgtwitch.app.export.material import Item


class Format(NamedTuple):
    """A format that can be written."""

    name: str
    writer: str  # 'module:function'; function(items, folder) writes into the empty folder
    signal: bool  # whether it holds signal
    help: str


_ROOM = "emgtwitch.app.export"
FORMATS = (
    Format("csv", f"{_ROOM}.tables:write_csv", False, "events and intervals as CSV"),
    Format("parquet", f"{_ROOM}.tables:write_parquet", False, "events and intervals as Parquet (needs pyarrow)"),
    Format("jsonl", f"{_ROOM}.tables:write_jsonl", False, "events, intervals and marks as JSON lines"),
    Format("edf", f"{_ROOM}.edf:write_edf", True, "signal as EDF+, 16 bits, with events as annotations"),
    Format("bdf", f"{_ROOM}.edf:write_bdf", True, "signal as BDF+, 24 bits, with events as annotations"),
    Format("bids", f"{_ROOM}.bids:write_bids", True, "an EMG-BIDS dataset"),
    Format("wav", f"{_ROOM}.wav:write_wav", True, "signal as WAV, to listen to"),
    Format("signal-csv", f"{_ROOM}.tables:write_signal_csv", True, "signal as CSV"),
    Format("signal-parquet", f"{_ROOM}.tables:write_signal_parquet", True, "signal as Parquet (needs pyarrow)"),
)


def write(form: Format, items: list[Item], folder: Path) -> None:
    """Write into the empty folder. Raises UsageError for what the format cannot hold."""
    module, function = form.writer.split(":")
    getattr(importlib.import_module(module), function)(items, folder)
