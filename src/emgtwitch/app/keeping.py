"""Which recordings of a data folder there are, who may change them, and what prune and forget leave of each piece."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from emgtwitch.app.log_rows import Row
from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.recording import segments
from emgtwitch.store.folders import SESSIONS_NAME
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log_reader import PRUNED, LogReader, Selection
from emgtwitch.store.pieces import Piece, pieces
from emgtwitch.store.rewrite import Fate
from emgtwitch.store.span import Offsets, Span, offsets_of
from emgtwitch.wire.records import Clock

BESIDE_EDGES = 2  # pieces that stay on each side of where an epoch begins or ends: they place what follows in time
LATE_MS = 250  # from a sample to the clock note after it, at most
SHORT_S = 5.0  # by which an earlier pruning may have shortened it: its epochs are placed anew by the clock notes
FAR_MS = 2000  # from the first or last clock note to the end of the samples beside it
SET_MS = 3_600_000  # from a clock note to one that does not follow it: the clock was set, or nothing came for long
OF_THE_WEARER = ("board_errors", "guard", PRUNED)  # marks of these kinds are none of the wearer's

T = TypeVar("T")
Fates = list[tuple[Piece, Fate]]  # neighbours with the same fate as one, so that days are held as little as minutes
Stretches = list[tuple[float, float]]


def keeping_lock(folder: Path) -> DataLock:
    """Held by prune, forget and backup, so that none meets another's half-done work. Raises CannotWriteError."""
    return DataLock(folder, "keeping", "prunes, forgets or backs up", "Do the same again when it has ended.")


def recordings(folder: Path) -> list[Path]:
    """The session folders of a data folder."""
    home = folder / SESSIONS_NAME
    return sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def around(log: LogReader, recording_id: str, around_s: float) -> Stretches:
    """The seconds of a recording that hold events, the wearer's marks and labels, each `around_s` longer both ways."""
    chosen = Selection(recording=recording_id, all_runs=True)
    rows = [row for row in log.events(chosen) if row["recording_id"] == recording_id]
    found = [(row["onset_s"], row["onset_s"] if row["offset_s"] is None else row["offset_s"]) for row in rows]
    for row in log.marks(chosen):
        if row["recording_id"] == recording_id and row["at_s"] is not None and row["kind"] not in OF_THE_WEARER:
            found.append((row["at_s"], row["at_s"]))
    own = {row["id"] for row in log.sessions(chosen) if row["recording_id"] == recording_id}
    labels = log.rows("SELECT session, onset_s, offset_s FROM label")
    found += [(row["onset_s"], row["offset_s"]) for row in labels if row["session"] in own]
    return union((onset_s - around_s, offset_s + around_s) for onset_s, offset_s in found)


def union(stretches: Iterable[tuple[float, float]]) -> Stretches:
    """In order and without overlap."""
    out: Stretches = []
    for onset_s, offset_s in sorted(stretches):
        if out and onset_s <= out[-1][1]:
            out[-1] = (out[-1][0], max(offset_s, out[-1][1]))
        else:
            out.append((onset_s, offset_s))
    return out


def fates_of_pruning(path: Path, kept: Stretches, logged_s: float = 0.0) -> Fates:
    """What a pruning leaves of the recording at `path`: the pieces that meet `kept`, and those beside an epoch's edge.

    `logged_s` is how long the log says that it is. Raises UnreadableInputError where the recording cannot be decoded or
    is shorter than that, OSError where it cannot be read.
    """
    from emgtwitch.pipeline import Pipeline
    from emgtwitch.settings import Settings

    pipeline = Pipeline(Settings())  # only its time is wanted: settings that it could not use do not matter
    starts = [onset_s for onset_s, _ in kept]
    out: Fates = []
    waiting: list[tuple[Piece, bool]] = []  # an epoch is placed up to 2 s after its first sample
    now_s, seen = 0.0, 0

    def settle(until_s: float) -> None:
        place = bisect_right(starts, until_s) - 1
        near = place >= 0 and kept[place][1] >= now_s
        for piece, may_go in waiting:
            _join(out, piece, Fate.DROP if may_go and not near else Fate.KEEP)
        waiting.clear()

    for piece, data, beside_edge in _pieces(path):
        pipeline.feed(data)
        progress = pipeline.progress
        _join(waiting, piece, progress.scans_seen > seen and not beside_edge)
        seen = progress.scans_seen
        if (then_s := progress.duration_s) > now_s:
            settle(then_s)
            now_s = then_s
    pipeline.finish()
    settle(max(now_s, pipeline.progress.duration_s))
    if (missing_s := logged_s - pipeline.progress.duration_s) > SHORT_S:
        raise UnreadableInputError(  # where its beginning is missing, `kept` would lie elsewhere in what is left
            f"The log says that it is {missing_s:.0f} s longer, so that what lies around events cannot be told. "
            "`emgtwitch verify` says what is damaged."
        )
    return out


def fates_of_forgetting(path: Path, span: Span) -> tuple[Fates, Offsets]:
    """What a forgetting leaves of the recording at `path`, by the clock notes in it, and local time minus UTC by these.

    Of a piece that may hold any moment of `span` nothing stays. A recording without clock notes is in no range. Raises
    OSError.
    """
    out: Fates = []
    waiting: list[tuple[Piece, bool]] = []  # since the last clock note
    told: list[tuple[int, int]] = []
    before: Clock | None = None

    def settle(first: Clock, after: Clock, slack_ms: int) -> None:
        early_ms, late_ms = sorted((first.utc_ms, after.utc_ms))
        lies = any(span.meets(early_ms - slack_ms, late_ms + slack_ms, clock.offset_s) for clock in (first, after))
        for piece, beside_edge in waiting:
            _join(out, piece, Fate.KEEP if not lies else Fate.BLANK if beside_edge else Fate.FORGET)
        waiting.clear()

    for piece, _, beside_edge in _pieces(path):
        _join(waiting, piece, beside_edge)
        if (after := piece.clock) is None:
            continue
        settle(before or after, after, LATE_MS if before else FAR_MS)
        goes_on = before and after.offset_s == before.offset_s and 0 <= after.utc_ms - before.utc_ms <= SET_MS
        if not goes_on:
            told.append((after.utc_ms, after.offset_s))
        before = after
    if before is None:
        return [(piece, Fate.KEEP) for piece, _ in waiting], []
    settle(before, before, FAR_MS)
    if all(fate is not Fate.KEEP for _, fate in out):
        out = [(piece, Fate.FORGET) for piece, _ in out]
    return out, offsets_of(told)


def by_segment(path: Path, fates: Fates) -> list[tuple[Path, Fates]]:
    """The fates of each segment that loses something."""
    out = []
    for number, segment in enumerate(segments(path)):
        own = [(piece, fate) for piece, fate in fates if piece.file == number]
        if any(fate is not Fate.KEEP for _, fate in own):
            out.append((segment, own))
    return out


def lost_bytes(fates: Fates) -> int:
    """About how many bytes go."""
    return sum(piece.stop - piece.start for piece, fate in fates if fate is not Fate.KEEP)


def shown_bytes(count: int) -> str:
    """A size for people."""
    power = min(3, int(math.log(count, 1000))) if count else 0
    return f"{count / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"


def session_rows(log: LogReader) -> dict[str, list[Row]]:
    """All runs of the log by the absolute path of their recording."""
    out: dict[str, list[Row]] = {}
    for row in log.sessions(Selection(all_runs=True)):
        if row["path"] is not None:
            out.setdefault(str(Path(row["path"]).resolve()), []).append(row)
    return out


def _pieces(path: Path) -> Iterator[tuple[Piece, bytes, bool]]:
    """Every piece of the recording at `path` with its bytes, and whether it lies beside an edge: where an epoch begins
    or ends, or the recording does.
    """
    waiting: deque[tuple[Piece, bytes, bool]] = deque()
    more = 1 + BESIDE_EDGES  # pieces beside an edge that are yet to come
    for piece, data in pieces(segments(path)):
        if piece.edge:
            more = 1 + BESIDE_EDGES
            for n in range(max(0, len(waiting) - BESIDE_EDGES), len(waiting)):
                waiting[n] = (*waiting[n][:2], True)
        waiting.append((piece, data, more > 0))
        more -= 1
        if len(waiting) > 1 + BESIDE_EDGES:
            yield waiting.popleft()
    for piece, data, _ in waiting:
        yield piece, data, True


def _join(found: list[tuple[Piece, T]], piece: Piece, what: T) -> None:
    """Append a piece; where the same holds for the one before it, as one with that."""
    if found and found[-1][1] == what and found[-1][0].file == piece.file:
        before = found[-1][0]
        piece = piece._replace(start=before.start, edge=before.edge or piece.edge)
        found[-1] = (piece, what)
    else:
        found.append((piece, what))
