"""What comes out of the pipeline. Only the standard library, so that reading a log starts light.

Times are seconds from the first sample of the recording; samples count the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

EventClass = Literal["twitch", "contraction", "spasm"]
CLASSES: tuple[EventClass, ...] = ("twitch", "contraction", "spasm")

IntervalKind = Literal["gap", "lead_off", "rail", "flat", "settling", "artefact", "clock_step", "suspend"]


@dataclass(frozen=True, slots=True)
class Event:
    """One contraction, [onset, offset). Amplitudes are of the band-passed signal."""

    event_class: EventClass
    channel: int
    number: int  # counts what the detector opened in this channel; ties a spasm to its announcement
    onset_s: float
    offset_s: float
    duration_ms: float
    peak: float  # in uV, or in counts where the gain is unknown
    rms: float
    snr_dB: float  # RMS in the event over RMS of the noise floor
    in_uV: bool
    on_tone: bool  # a twitch riding on a longer event
    truncated: bool  # closed by a gap or by the end of the recording
    decided_sample: int  # when nothing could change it any more; the log is in this order
    settings_digest: str

    def as_json(self) -> dict[str, Any]:
        """The object of the command-line contract."""
        unit = "uV" if self.in_uV else "counts"
        amplitudes: dict[str, float | None] = {"peak_uV": None, "rms_uV": None}
        amplitudes[f"peak_{unit}"] = round(self.peak, 3)
        amplitudes[f"rms_{unit}"] = round(self.rms, 3)
        return {
            "type": "event",
            "class": self.event_class,
            "channel": self.channel,
            "onset_s": round(self.onset_s, 6),
            "offset_s": round(self.offset_s, 6),
            "duration_ms": round(self.duration_ms, 3),
            **amplitudes,
            "snr_dB": round(self.snr_dB, 2),
            "on_tone": self.on_tone,
            "truncated": self.truncated,
            "decided_sample": self.decided_sample,
            "settings_digest": self.settings_digest,
        }


@dataclass(frozen=True, slots=True)
class Announcement:
    """A contraction has lasted long enough to be a spasm and goes on; its Event follows with the same number."""

    channel: int
    number: int
    onset_s: float  # as known now: a later, higher peak may still move it
    decided_sample: int

    def as_json(self) -> dict[str, Any]:
        return {
            "type": "announcement",
            "class": "spasm",
            "channel": self.channel,
            "onset_s": round(self.onset_s, 6),
            "decided_sample": self.decided_sample,
        }


@dataclass(frozen=True, slots=True)
class Interval:
    """Time that is not analysable, [onset, offset), or a zero-length remark: on the host's clock, on a heart seen."""

    kind: IntervalKind
    channel: int | None  # None: all channels
    onset_s: float
    offset_s: float
    cause: str  # of an artefact: motion, ecg, mains, noise, tap; of a gap: lost, reset, unplugged, missing; else empty
    decided_sample: int

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "type": "interval",
            "kind": self.kind,
            "channel": self.channel,
            "onset_s": round(self.onset_s, 6),
            "offset_s": round(self.offset_s, 6),
        }
        if self.cause:
            out["cause"] = self.cause
        return out


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the wearer, from the board's button or from the host."""

    kind: str
    channel: int | None
    at_s: float
    source: Literal["board", "host"]
    decided_sample: int
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"type": "mark", "kind": self.kind, "channel": self.channel, "at_s": round(self.at_s, 6), **self.detail}


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording began: what the log needs to know of it before its first event."""

    recording_id: str
    session: dict[str, Any]  # the Session frame's object: software, settings, worn, zone; {} for a bare stream
    device: str  # identity of the board, or the imported file's format
    rate_Hz: float
    channels: int
    uV_per_count: float | None  # None: gain unknown
    settings_digest: str


Output = Event | Announcement | Interval | Mark | Opened


@dataclass(frozen=True, slots=True)
class Stamped:
    """An output with the wall-clock time that the device clock's fit gave it; None without clock marks."""

    record: Output
    utc_ms: int | None  # of the onset of an event or interval, of a mark, of the first sample of a recording
    offset_s: int | None  # local time minus UTC then


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    duration_s: float  # from the first sample, gaps included
    analysable_s: tuple[float, ...]  # per channel
    scans_seen: int
    scans_lost: int
    frames_rejected: int
    clock_ppm: float | None  # device clock against the host's, None until known
    clock_ppm_uncertainty: float | None
