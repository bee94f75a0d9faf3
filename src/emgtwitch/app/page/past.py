"""Signal that memory no longer holds, decoded anew from the recording, through the detector's own filters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emgtwitch.app.page.tap import Columns, Tap
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.recording import read_blocks

NEAR_BYTES = 1024  # of a block: under a second of the sparsest stream, which is what a detector keeps
FAR_BYTES = 16384
LEAD_S = 5.0
LONGEST_S = 3600.0

_one_at_a_time = threading.Lock()  # two cores, and acquisition comes first


def past(
    path: Path, channel: int, from_s: float, to_s: float, points: int, settings: Settings | None = None
) -> Columns | None:
    """`points` columns or fewer of [from_s, to_s) of the recording at `path`; None where it holds nothing of it.

    Raises UnreadableInputError.
    """
    with _one_at_a_time:
        tap = Tap()
        pipeline = Pipeline(settings, on_counts=tap.counts)
        parts: list[Columns] = []
        start = per_column = 0
        for _ in _fed(path, pipeline, from_s, to_s):
            tap.look(pipeline)
            epoch = tap.epoch
            if epoch is None or channel >= len(epoch.tracks) or epoch.seconds(epoch.ready) <= from_s:
                continue
            if not per_column:
                per_column = max(1, round((to_s - from_s) * epoch.rate_Hz / points))
                start = max(epoch.sample(from_s), epoch.kept_from)
            until = min(epoch.sample(to_s), epoch.ready)
            whole = (until - start) // per_column * per_column
            if whole > 0:
                piece = tap.read(channel, start, start + whole, per_column)
                if piece is not None:
                    parts.append(piece)
                start += whole
        return _joined(parts)


def _fed(path: Path, pipeline: Pipeline, from_s: float, to_s: float) -> Iterator[None]:
    """The recording fed block by block up to a little beyond `to_s`; small blocks where the signal is wanted."""
    for block in read_blocks(path, FAR_BYTES):
        far = pipeline.progress.duration_s < from_s - LEAD_S
        step = len(block) if far else NEAR_BYTES
        for at in range(0, len(block), step):
            pipeline.feed(block[at : at + step])
            yield
        if pipeline.progress.duration_s > to_s + 1.0:
            return
    pipeline.finish()
    yield


def _joined(parts: list[Columns]) -> Columns | None:
    if not parts:
        return None
    names = ("raw_min", "raw_max", "filtered_min", "filtered_max", "envelope", "on", "off")
    arrays = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return Columns(parts[0].from_s, parts[0].step_s, *arrays)
