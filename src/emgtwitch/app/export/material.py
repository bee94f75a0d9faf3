"""What is to be exported of one recording: its rows and, where a format wants it, its signal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from emgtwitch.app.log_rows import Row

if TYPE_CHECKING:
    from emgtwitch.app.notebook import Segment

EVENT_KEYS = (
    *("recording", "muscle", "side", "class", "channel", "onset_s", "offset_s", "duration_ms", "peak_uV", "rms_uV"),
    *("peak_counts", "rms_counts", "snr_dB", "on_tone", "truncated", "label", "pain", "note", "utc_ms", "utc_offset_s"),
)
INTERVAL_KEYS = ("recording", "kind", "channel", "onset_s", "offset_s", "cause", "utc_ms", "utc_offset_s")
SECRET_KEYS = ("recording_id", "note", "utc_ms", "utc_offset_s")


@dataclass(frozen=True, slots=True)
class Item:
    """One recording, or the part of it that was asked for. Channels keep their numbers in the rows."""

    name: str
    channels: tuple[int, ...]
    worn: tuple[dict[str, str], ...]  # of each of these channels
    events: tuple[Row, ...]
    intervals: tuple[Row, ...]
    marks: tuple[Row, ...]
    device: str | None
    settings: dict[str, Any]
    software: str
    started_utc_ms: int | None
    utc_offset_s: int | None
    load: Callable[[], list[Segment]] = field(repr=False)  # decodes; raises UnreadableInputError

    @property
    def stem(self) -> str:
        """How its files' names begin: a recording may be called anything, a path included."""
        plain = re.sub(r"[^\w.-]", "_", self.name, flags=re.ASCII).lstrip(".")[:60]
        return (
            plain
            if plain == self.name
            else f"{plain}-{hashlib.sha256(self.name.encode('utf-8', 'replace')).hexdigest()[:8]}"
        )

    def label(self, place: int) -> str:
        """What the channel at `place` of `channels` is called."""
        worn = self.worn[place]
        where = " ".join(worn[key] for key in ("muscle", "side") if worn.get(key))
        return f"EMG {where or self.channels[place]}"

    def event_rows(self) -> list[Row]:
        """Under EVENT_KEYS; None where there is nothing to say."""
        return [{key: row.get(key) for key in EVENT_KEYS} for row in map(self._placed, self.events)]

    def interval_rows(self) -> list[Row]:
        """Under INTERVAL_KEYS."""
        return [{key: row.get(key) for key in INTERVAL_KEYS} for row in map(self._placed, self.intervals)]

    def _placed(self, row: Row) -> Row:
        worn = self.worn[self.channels.index(row["channel"])] if row["channel"] in self.channels else {}
        return row | {"recording": self.name, "muscle": worn.get("muscle"), "side": worn.get("side")}


def anonymous(items: Sequence[Item]) -> list[Item]:
    """The same without names, notes, places of the body in the wearer's words, devices and absolute times."""
    return [_nameless(item, f"recording-{number}") for number, item in enumerate(items, start=1)]


def _nameless(item: Item, name: str) -> Item:
    def bare(rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple({key: value for key, value in row.items() if key not in SECRET_KEYS} for row in rows)

    return replace(
        item,
        name=name,
        worn=tuple({key: worn[key] for key in ("muscle", "side") if key in worn} for worn in item.worn),
        events=bare(item.events),
        intervals=bare(item.intervals),
        marks=tuple(
            {"type": "mark", "kind": "mark", "channel": row["channel"], "at_s": row["at_s"]} for row in item.marks
        ),
        device=None,
        started_utc_ms=None,
        utc_offset_s=None,
    )
