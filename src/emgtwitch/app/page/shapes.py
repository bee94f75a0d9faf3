"""What the API takes: every query and body, with its limits. msgspec checks them and describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

LATEST_UTC_MS = 1 << 42

Kind = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
NoteText = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Utc = Annotated[int, Meta(ge=0, lt=LATEST_UTC_MS, description="UTC in ms since 1970")]
When = Annotated[
    str, Meta(max_length=40, description="today, yesterday, a date, or a date and time in ISO 8601; else today")
]
Seconds = Annotated[float, Meta(ge=0, le=1e9, description="s from the first sample of the recording")]
ChannelNumber = Annotated[int, Meta(ge=0, le=63)]
WholeRecording = Annotated[str, Meta(max_length=200, description="all of this one; from and to do not count then")]
Recording = Annotated[str, Meta(max_length=200, description="id of a recording; else the one that runs, or the last")]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """Nothing but what is named here."""


class Nothing(Strict):
    """No parameters."""


class Range(Strict):
    """A stretch of time on the wearer's clock."""

    from_: When = field(default="today", name="from")
    to: When = "today"


class EventQuery(Strict):
    """Which events."""

    from_: When = field(default="today", name="from")
    to: When = "today"
    class_: Literal["twitch", "contraction", "spasm"] | None = field(default=None, name="class")
    channel: ChannelNumber | None = None
    recording: WholeRecording | None = None
    limit: Annotated[int, Meta(ge=1, le=5000, description="the newest so many")] = 2000


class Day(Strict):
    """A calendar day on the wearer's clock."""

    day: When = "today"


class SignalQuery(Strict):
    """A stretch of signal."""

    from_s: Seconds
    to_s: Seconds
    channel: ChannelNumber = 0
    points: Annotated[int, Meta(ge=10, le=5000, description="most columns wanted")] = 1000
    recording: Recording | None = None


class NewMark(Strict):
    """A mark of the wearer's, now."""

    kind: Kind
    note: NoteText | None = None


class NewEntry(Strict):
    """A diary entry; without a time it is of now."""

    kind: Kind
    value: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    unit: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00]*$")] | None = None
    note: NoteText | None = None
    utc_ms: Utc | None = None


class ChangedEntry(Strict):
    """What is put right of a diary entry; what is left out stays."""

    kind: Kind | UnsetType = UNSET
    value: Annotated[float, Meta(ge=-1000000000.0, le=1000000000.0)] | UnsetType | None = UNSET
    unit: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00]*$")] | UnsetType | None = UNSET
    note: NoteText | UnsetType | None = UNSET
    utc_ms: Utc | UnsetType = UNSET


class NewLabel(Strict):
    """The wearer's word on an event: kept beside the detector's, never over it. `confirmed` takes one back."""

    event: Annotated[str, Meta(max_length=240, description="id of the event")]
    label: Literal["voluntary", "artefact", "twitch", "contraction", "spasm", "confirmed"]
    note: NoteText | None = None


class Rating(Strict):
    """How a spasm felt; what is left out stays."""

    pain: Annotated[int, Meta(ge=0, le=10)] | UnsetType | None = UNSET
    note: NoteText | UnsetType | None = UNSET


class Start(Strict):
    """Begin the guided minute."""

    channel: ChannelNumber = 0


class Read(Strict):
    """The text that was read, whole, so that a changed text is asked for again."""

    text: Annotated[str, Meta(max_length=4000)]
