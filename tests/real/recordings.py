"""Where the real recordings are, and how they go through the path of `emgtwitch replay`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emgtwitch.detect.records import Event, Interval, Output
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.foreign.as_wire import wire_bytes
from emgtwitch.sources.foreign.table import open_foreign

ROOT = Path(__file__).resolve().parents[2]
Floats = npt.NDArray[np.float64]


def folders() -> list[Path]:
    """Folders that may hold real recordings, the first that is there wins."""
    asked = os.environ.get("EMGTWITCH_REAL_DATA")
    return [*([Path(asked)] if asked else []), ROOT.parent / "shared" / "data", ROOT / "build"]


def recording(group: str, name: str) -> Path:
    """The file `name` anywhere in the folder `group`; skips the test, with the reason, if it is not there."""
    for folder in folders():
        for path in sorted((folder / group).rglob(name)):
            return path
    hint = " (python -m tests.real.fetch gets it)" if group == "biosignalsnotebooks" else ""
    pytest.skip(f"The recording {group}/{name} is not here{hint}.")


def replayed(
    path: Path,
    fs_Hz: float | None = None,
    units: str | None = None,
    channel: str | None = None,
    settings: Settings | None = None,
) -> list[Output]:
    """Everything that `emgtwitch replay PATH` finds."""
    pipeline = Pipeline(settings or Settings())
    stamped = [s for data in wire_bytes(open_foreign(path, fs_Hz, units, channel)) for s in pipeline.feed(data)]
    return [s.record for s in [*stamped, *pipeline.finish()]]


def signal(
    path: Path, fs_Hz: float | None = None, units: str | None = None, channel: str | None = None
) -> tuple[Floats, float]:
    """The first channel as the file holds it, and its rate in Hz."""
    foreign = open_foreign(path, fs_Hz, units, channel)
    return np.concatenate([block.values[:, 0] for block in foreign.blocks]), float(foreign.rate)


def events(outputs: list[Output], *classes: str, channel: int = 0) -> list[Event]:
    """The events of a channel, or those of the classes named, twitches on tone left out, by onset."""
    out = [e for e in outputs if isinstance(e, Event) and e.channel == channel and not e.on_tone]
    return sorted((e for e in out if not classes or e.event_class in classes), key=lambda e: e.onset_s)


def intervals(outputs: list[Output]) -> list[Interval]:
    """The intervals."""
    return [one for one in outputs if isinstance(one, Interval)]
