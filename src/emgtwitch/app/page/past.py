"""Signal that memory does not hold, decoded anew from its recording through the detector's own filters."""

from __future__ import annotations

import copy
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.app.opened import Reading
from emgtwitch.app.page.survey import SERIES, Columns
from emgtwitch.app.page.tap import Tap
from emgtwitch.errors import EmgtwitchError
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.recording import segments

NEAR_BYTES = 1024  # of a piece at least: under a second of the sparsest stream
NEAR_S = 0.8  # of one at most: a detector keeps over a second of what it has filtered
FAR_BYTES = 1 << 16
LEAD_S = 60.0  # what is near begins so much earlier: longer than a far piece of the sparsest stream
BOOKMARK_S = 300.0  # between two, at first
MOST_BOOKMARKS = 32  # of about 0.4 MB a channel; a day's then lie 40 min apart, which take 0.2 s to decode
PATIENCE_S = 0.5  # with a survey, before an unfinished one is shown


@dataclass(frozen=True, slots=True)
class Source:
    """A recording, how it is read, and the settings that it was detected with."""

    path: Path
    reading: Reading = field(default_factory=Reading)
    settings: Settings | None = None


@dataclass(slots=True)
class _Run:
    """A pipeline on its way through a recording, from a bookmark or from the beginning."""

    pipeline: Pipeline
    ears: _Ears
    position: int = 0  # bytes fed

    @classmethod
    def new(cls, settings: Settings | None) -> _Run:
        ears = _Ears()
        return cls(Pipeline(settings, on_counts=ears), ears)

    def twin(self) -> _Run:
        """One that goes on from here in the same way, without a tap."""
        nobody: dict[int, Any] = {id(self.ears.tap): None}
        return copy.deepcopy(self, nobody)

    @property
    def now_s(self) -> float:
        return self.pipeline.progress.duration_s


@dataclass(slots=True)
class _Ears:
    """Passes a pipeline's counts on to the tap that is there at the time."""

    tap: Tap | None = None

    def __call__(self, first: int, counts: npt.NDArray[np.float64]) -> None:
        if self.tap is not None:
            self.tap.counts(first, counts)


class Past:
    """Of one recording at a time: where decoding may begin, and all of it at a glance. Asked from any thread."""

    def __init__(self, bookmark_s: float = BOOKMARK_S) -> None:
        self._bookmark_s = bookmark_s
        self._lock = threading.Lock()  # one decodes at a time: two cores, and acquisition comes first
        self._book: _Book | None = None

    def columns(self, source: Source, channel: int, from_s: float, to_s: float, points: int) -> Columns | None:
        """`points` columns or fewer of [from_s, to_s); None where the recording holds nothing of it.

        Raises UnreadableInputError.
        """
        with self._lock:
            book = self._opened(source)
            near_s = from_s - LEAD_S
            run = book.before(near_s)
            tap = Tap()
            run.ears.tap = tap if near_s <= run.now_s else None
            parts: list[Columns] = []
            start = per_column = 0
            for near in book.fed(run, near_s, to_s + 1.0):
                if run.ears.tap is None:
                    run.ears.tap = tap if near else None
                    continue
                tap.look(run.pipeline)
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

    def survey(
        self, source: Source, channel: int, from_s: float, to_s: float, points: int
    ) -> tuple[Columns | None, float]:
        """The same in columns of a survey or multiples of them, and how far the recording has been read for it, 0 to 1.

        Reading begins with the first call and goes on on a thread of its own.
        """
        with self._lock:
            book = self._opened(source)
            tap, done = book.surveying()
        done.wait(PATIENCE_S)
        columns = tap.survey(channel, from_s, to_s, points)
        return columns, 1.0 if done.is_set() else book.share

    def close(self) -> None:
        """Read no further."""
        if self._book is not None:
            self._book.closed = True

    def _opened(self, source: Source) -> _Book:
        files = _files(source.path)
        if self._book is None or self._book.source != source or not _goes_on(self._book.files, files):
            self.close()
            self._book = _Book(source, self._bookmark_s)
        self._book.files = files
        return self._book


@dataclass(slots=True)
class _Book:
    """One recording with bookmarks."""

    source: Source
    apart_s: float
    files: list[os.stat_result] = field(default_factory=list)  # when it was last asked
    closed: bool = False
    share: float = 0.0
    _marks: list[tuple[float, _Run]] = field(default_factory=list)  # in order of time
    _survey: tuple[Tap, threading.Event] | None = None

    def before(self, at_s: float) -> _Run:
        """A run that has not come to the session time `at_s` yet, and is as near to it as a bookmark allows."""
        near = [run for mark_s, run in self._marks if mark_s <= at_s]
        return near[-1].twin() if near else _Run.new(self.source.settings)

    def fed(self, run: _Run, near_s: float, end_s: float = math.inf) -> Iterator[bool]:
        """Feed `run` up to `end_s` and leave bookmarks; whether it is near, so from `near_s` on in short pieces."""
        now_s, step = run.now_s, NEAR_BYTES
        for block in self.source.reading.blocks(self.source.path, FAR_BYTES, run.position):
            at = 0
            while at < len(block):
                near = now_s >= near_s
                piece = block[at : at + (step if near else FAR_BYTES)]
                run.pipeline.feed(piece)
                run.position += len(piece)
                at += len(piece)
                took_s, now_s = run.now_s - now_s, run.now_s
                if near and took_s < NEAR_S / 2:
                    step *= 2
                elif near and took_s > NEAR_S:
                    step = max(NEAR_BYTES, step // 2)
                self._mark(run, now_s)
                yield near
                if self.closed or now_s > end_s:
                    return
        run.pipeline.finish()
        yield True

    def surveying(self) -> tuple[Tap, threading.Event]:
        """What a thread reads all of the recording into, and whether it has."""
        if self._survey is None:
            self._survey = Tap(), threading.Event()
            threading.Thread(target=self._read_all, args=self._survey, name="survey", daemon=True).start()
        return self._survey

    def _read_all(self, tap: Tap, done: threading.Event) -> None:
        run = _Run.new(self.source.settings)
        run.ears.tap = tap
        size = max(1, sum(file.st_size for file in _files(self.source.path)))
        try:
            for _ in self.fed(run, 0.0):
                tap.look(run.pipeline)
                self.share = min(run.position / size, 0.99)
        except EmgtwitchError:
            pass  # what can be read is shown; who asks for a stretch is told of the damage
        finally:
            done.set()

    def _mark(self, run: _Run, now_s: float) -> None:
        marks = self._marks
        if now_s < (marks[-1][0] if marks else 0.0) + self.apart_s:
            return
        if len(marks) >= MOST_BOOKMARKS:
            marks = marks[1::2]
            self.apart_s *= 2
        self._marks = [*marks, (now_s, run.twin())]  # another thread may be reading the old list


def _files(path: Path) -> list[os.stat_result]:
    """What is to be read; a foreign file has about as many bytes as the wire's. Empty if it is not there."""
    try:
        return [file.stat() for file in (segments(path) if path.is_dir() else [path])]
    except OSError:  # whoever reads it says so
        return []


def _goes_on(before: list[os.stat_result], now: list[os.stat_result]) -> bool:
    """Whether bytes were added at most; where pruning has written segments anew, bookmarks point wrong."""
    if not before or len(now) < len(before):
        return not before
    *whole, last = zip(before, now, strict=False)
    same = all((a.st_ino, a.st_size, a.st_mtime_ns) == (b.st_ino, b.st_size, b.st_mtime_ns) for a, b in whole)
    return same and last[0].st_ino == last[1].st_ino and last[0].st_size <= last[1].st_size


def _joined(parts: list[Columns]) -> Columns | None:
    if not parts:
        return None
    arrays = [np.concatenate([getattr(part, name) for part in parts]) for name in SERIES]
    return Columns(parts[0].from_s, parts[0].step_s, *arrays)
