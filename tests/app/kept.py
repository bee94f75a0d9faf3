"""A data folder with recordings as the daemon leaves them, for the laws of keeping and forgetting."""

from __future__ import annotations

import datetime
import functools
import math
from pathlib import Path

import numpy as np

from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import recorded
from emgtwitch.store.folders import LOG_NAME, SESSIONS_NAME
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader, Row
from emgtwitch.store.recording import SessionWriter
from emgtwitch.store.storage import Storage
from emgtwitch.wearer.scenario import Scenario, Scheduled, Spontaneous
from emgtwitch.wire.encode import note
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Clock, Note, Port, Record, Samples, Session

START_MS = 1_717_243_200_000  # 2024-06-01T12:00Z
OFFSET_S = 7200
EPOCH_S = 240.0
HOLE_S = 50.0  # between the two epochs of a session
SEGMENT_BYTES = 150_000
SCENARIO = Scenario(
    spontaneous=(Spontaneous("jerk", 30, (300.0, 600.0)),),
    schedule=(Scheduled(60.0, "contraction", 500.0, 0.8), Scheduled(150.0, "jerk", 500.0, 0.1)),
)
DAYS_LATER_MS = START_MS + 10 * 86_400_000
SECRET = "bitter-marzipan-4711"  # in the wearer's notes: no file may hold it once it is forgotten


@functools.cache
def _scans(seed: int) -> tuple[tuple[float, bytes], ...]:
    """Hello, and then the frames of EPOCH_S, in pieces of about a second, each with how many seconds it ends at."""
    out = []
    data = b"".join(recorded(SCENARIO, seed, EPOCH_S))
    chunks = [chunk + b"\0" for chunk in data.split(b"\0")[:-1]]
    scans = 0
    for n in range(0, len(chunks), 62):
        piece = b"".join(chunks[n : n + 62])
        scans += sum(len(record.counts) for record in frames(piece) if isinstance(record, Samples))
        out.append((scans / SCENARIO.fs_Hz, piece))
    return tuple(out)


def stream(
    name: str, start_ms: int, seed: int, back_s: float = math.inf, wrong: tuple[float, int] = (0.0, 0)
) -> list[bytes]:
    """A session of two epochs: an unplug lies between them. A note of the wearer stands in each. Summer time ends at
    `back_s`. Until `wrong[0]` seconds the wall clock is `wrong[1]` ms ahead.
    """
    told = {"recording_id": name, "segment": 0, "settings": Settings().as_dict(), "worn": [{}], "zone": "Europe/Berlin"}
    out, began_s = [note(Session(told), 0)], 0.0
    rng = np.random.default_rng(seed)
    for epoch in range(2):
        out.append(note(Port(1, "sim"), 0))
        for n, (until_s, piece) in enumerate(_scans(seed + epoch)):
            at_s = began_s + until_s + rng.uniform(0.0, 0.004)  # as late as a USB chip hands it on
            offset_s = OFFSET_S - 3600 * (at_s >= back_s)
            now_ns = round(1e9 * (1000 + at_s))
            utc_ms = start_ms + round(1000 * at_s) + wrong[1] * (at_s < wrong[0])
            out.append(piece + note(Clock(now_ns, now_ns, utc_ms, offset_s), 0))
            if n == 100:
                out.append(note(Note({"kind": "felt", "note": f"{SECRET} {name} {epoch}"}), 0))
        out.append(note(Port(0, "sim"), 0))
        began_s += EPOCH_S + HOLE_S
    return out


def write_session(
    folder: Path,
    name: str,
    start_ms: int = START_MS,
    seed: int = 1,
    end: bool = True,
    back_s: float = math.inf,
    wrong: tuple[float, int] = (0.0, 0),
) -> Path:
    """Record, detect and log a session; returns its folder. One that does not `end` looks crashed."""
    home = folder / SESSIONS_NAME / name
    log = LogWriter(folder / LOG_NAME)
    log.begin(home)
    day = functools.partial(datetime.date, 2024, 6, 1)
    writer = SessionWriter(home, {"recording_id": name}, local_day=day, max_segment_bytes=SEGMENT_BYTES)
    writer.hello(hello(seed))
    storage = Storage(log, writer, on_trouble=_fail)
    pipeline = Pipeline()
    for piece in stream(name, start_ms, seed, back_s, wrong):
        storage.store([piece], pipeline.feed(piece), pipeline.progress)
    if end:
        storage.store([], pipeline.finish(), pipeline.progress)
        storage.close()
    else:
        writer.close()
        log.close()
    return home


def hello(seed: int) -> bytes:
    """The body of the board's Hello."""
    first = frames(_scans(seed)[0][1])[0]
    assert hasattr(first, "pack")
    return first.pack()


def all_frames(home: Path) -> list[Record]:
    """Every sound frame of a session."""
    return frames(b"".join(path.read_bytes() for path in sorted(home.glob("*.emgw"))))


def rows(folder: Path, table: str) -> list[Row]:
    """All rows of a table of the log."""
    with LogReader(folder / LOG_NAME) as log:
        return log.rows(f"SELECT * FROM {table} ORDER BY 1")


def _fail(trouble: str) -> None:
    raise AssertionError(trouble)
