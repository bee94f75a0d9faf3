"""Wire bytes: through the decoder alone, its kernels interpreted, and through the pipeline to log and terminal."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emgtwitch.app.show import json_line, line
from emgtwitch.detect.detector import _designed
from emgtwitch.errors import CannotWriteError
from emgtwitch.pipeline import Pipeline
from emgtwitch.store.log import LogWriter
from emgtwitch.wire.decode import Decoder
from tests.fuzz import streams
from tests.fuzz.law import Target
from tests.fuzz.scratch import scratch

_FRESH_AFTER = 500  # inputs in one log
_DESIGN_S = 0.1


def _decode(data: bytes) -> None:
    decoder = Decoder()
    if os.environ.get("NUMBA_DISABLE_JIT"):  # Python reaches a record's fields by name only so
        decoder._state = decoder._state.view(np.recarray)
        decoder._items = decoder._items.view(np.recarray)
    decoder.feed(streams.stream(data))


@functools.cache
def _log(_: int) -> LogWriter:
    return LogWriter(scratch() / "log.sqlite3")


def _counter() -> Callable[[], int]:
    count = 0

    def next_number() -> int:
        nonlocal count
        count += 1
        return count // _FRESH_AFTER

    return next_number


_number = _counter()


def _detect(data: bytes) -> None:
    pipeline = Pipeline(recording_id="fuzzed")
    outputs = [*pipeline.feed(streams.stream(data)), *pipeline.finish()]
    progress = pipeline.progress
    for stamped in outputs:
        line(stamped.record, "")
        json.loads(json_line(stamped.record) or "{}")
    log = _log(_number())
    log.begin(Path("/nowhere/fuzzed"))
    with contextlib.suppress(CannotWriteError):
        log.write(outputs, progress)
    log.end()


def _designing_s() -> float:
    """What all designs of filters so far may have taken: a stream that changes settings pays for each."""
    return _DESIGN_S * _designed.cache_info().misses


TARGETS = (
    Target("decoder", _decode, streams.seeds, interpreted=True),
    Target("pipeline", _detect, streams.seeds, streams.WORDS, extra_s=_designing_s),
)
