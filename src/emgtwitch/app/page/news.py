"""What has happened lately, numbered: writers never wait, and a reader that fell behind is told so."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from emgtwitch.detect.records import CLASSES, Announcement, Event, Interval, Mark, Opened, Output, Stamped

KEPT = 1000
WAITING = 100  # marks that wait to be stored


class News:
    """Outputs that are stored, as the messages of the live socket."""

    def __init__(self, recording_id: str) -> None:
        self.recording_id = recording_id
        self.running: dict[tuple[int, int], dict[str, Any]] = {}  # spasms that go on, by channel and number
        self.started: tuple[int, int] | None = None  # UTC ms of the first sample, and local time minus UTC in s
        self.counts: dict[str, int] = dict.fromkeys(CLASSES, 0)
        self._items: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.Lock()
        self._awaited: list[tuple[str, dict[str, Any], Future[dict[str, Any]]]] = []

    @property
    def count(self) -> int:
        """Items so far: where a reader begins that wants only new ones."""
        return self._count

    def post(self, outputs: Sequence[Stamped]) -> None:
        """Tell of `outputs`; they are on the disk."""
        for stamped in outputs:
            record = stamped.record
            self._place(stamped)
            if isinstance(record, Opened):
                continue
            item = message(stamped, self.recording_id)
            with self._lock:
                if isinstance(record, Announcement):
                    self.running[record.channel, record.number] = item
                elif isinstance(record, Event):
                    self.running.pop((record.channel, record.number), None)
                    self.counts[record.event_class] += 1
                self._items.append(item)
                self._count += 1
            if isinstance(record, Mark):
                self._stored(record, item)

    def since(self, count: int) -> tuple[int, list[dict[str, Any]], bool]:
        """The items after the first `count`: the new count, those still kept, and whether some are not."""
        with self._lock:
            new = self._count - count
            items = list(self._items)
            return self._count, items[-new:] if new > 0 else [], new > len(items)

    def await_mark(self, kind: str, detail: dict[str, Any]) -> Future[dict[str, Any]]:
        """Done when a mark of the host's like this has been stored, with its message."""
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            self._awaited = [*self._awaited[1 - WAITING :], (kind, detail, future)]
        return future

    def _stored(self, mark: Mark, item: dict[str, Any]) -> None:
        with self._lock:
            alike = [entry for entry in self._awaited if entry[:2] == (mark.kind, mark.detail)]
            if mark.source != "host" or not alike:
                return
            self._awaited.remove(alike[0])
        future = alike[0][2]
        if future.set_running_or_notify_cancel():
            future.set_result(item)

    def _place(self, stamped: Stamped) -> None:
        if stamped.utc_ms is None or stamped.offset_s is None:
            return
        self.started = (stamped.utc_ms - round(1000 * begins_s(stamped.record)), stamped.offset_s)


def begins_s(record: Output) -> float:
    """Session time that the record concerns."""
    if isinstance(record, Opened):
        return 0.0
    return record.at_s if isinstance(record, Mark) else record.onset_s


def message(stamped: Stamped, recording_id: str) -> dict[str, Any]:
    """An output, but for Opened, as the live socket tells it."""
    record = stamped.record
    assert not isinstance(record, Opened)
    out = record.as_json() | {"utc_ms": stamped.utc_ms, "utc_offset_s": stamped.offset_s, "recording_id": recording_id}
    if isinstance(record, (Event, Announcement)):
        out["id"] = event_id(recording_id, record.channel, record.number)
    if isinstance(record, Interval):
        out.setdefault("cause", "")
    return out


def event_id(recording_id: str, channel: int, number: int) -> str:
    """Names an event of the newest run over a recording."""
    return f"{recording_id}.{channel}.{number}"
