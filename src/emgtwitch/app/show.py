"""Outputs as lines: JSON for programs, words for people."""

from __future__ import annotations

import json
from collections.abc import Iterable

from emgtwitch.app.board_words import report_text
from emgtwitch.app.log_rows import counted, shown_duration
from emgtwitch.app.trains import TrainCounter
from emgtwitch.detect.records import CLASSES, Announcement, Event, Interval, Mark, Opened, Output, Progress, Stamped
from emgtwitch.settings import Settings


class Tally:
    """Counts what a run found, for its summary."""

    def __init__(self, settings: Settings) -> None:
        self.counts = dict.fromkeys(CLASSES, 0)
        self._trains = TrainCounter(settings.train_gap_s, settings.train_min_count)

    def add(self, outputs: Iterable[Stamped]) -> None:
        """Count the events among `outputs`."""
        for stamped in outputs:
            if isinstance(stamped.record, Event):
                self.counts[stamped.record.event_class] += 1
                self._trains.add(stamped.record)

    def summary(self, progress: Progress) -> dict[str, object]:
        """The last object of `--json`: `analysable_s` is the mean over the channels."""
        by_channel = [round(part, 6) for part in progress.analysable_s]
        return {
            "type": "summary",
            "duration_s": round(progress.duration_s, 6),
            "analysable_s": round(sum(by_channel) / len(by_channel), 6) if by_channel else 0.0,
            "analysable_s_by_channel": by_channel,
            "counts": dict(self.counts),
            "trains": self._trains.count,
            "scans_seen": progress.scans_seen,
            "scans_lost": progress.scans_lost,
            "frames_rejected": progress.frames_rejected,
        }


def json_line(record: Output, stored: bool = True) -> str | None:
    """The record's line of `--json`, or None where it has none; what is shown and not stored says so."""
    if isinstance(record, Opened):
        return None
    return json.dumps(record.as_json() | ({} if stored else {"stored": False}))


def line(record: Output, label: str) -> str:
    """The record for a person, after `label`, which says when."""
    if isinstance(record, Event):
        unit = "uV" if record.in_uV else "counts"
        remarks = [text for yes, text in ((record.on_tone, "on tone"), (record.truncated, "cut off")) if yes]
        text = (
            f"{record.event_class:<11}  {shown_duration(record.duration_ms / 1000):>8}  "
            f"peak {record.peak:.4g} {unit}, {record.snr_dB:.0f} dB over rest"
        )
        text = ", ".join([text, *remarks])
    elif isinstance(record, Announcement):
        text = "spasm        goes on"
    elif isinstance(record, Interval):
        cause = f" ({record.cause})" if record.cause else ""
        text = f"[{record.kind.replace('_', '-')}{cause}, {shown_duration(record.offset_s - record.onset_s)}]"
    elif isinstance(record, Mark):
        text = report_text(record.kind, record.source, record.detail) or f"mark: {record.kind}"
    else:
        gain = "gain unknown" if record.uV_per_count is None else f"{record.uV_per_count:.4g} uV a count"
        text = f"{record.device}, {counted(record.channels, 'channel')} at {record.rate_Hz:g} Hz, {gain}"
    channel = getattr(record, "channel", None)
    return f"{label}  {'' if not channel else f'channel {channel}  '}{text}"


def summary_line(tally: Tally, progress: Progress, as_json: bool, **more: object) -> str:
    """A run's last line, for a program (with the keys `more`) or for a person."""
    summary = tally.summary(progress)
    return json.dumps(summary | more) if as_json else _sentence(summary)


def _sentence(summary: dict[str, object]) -> str:
    counts = summary["counts"]
    assert isinstance(counts, dict)
    found = ", ".join(counted(n, name) for name, n in counts.items())
    duration_s, analysable_s = summary["duration_s"], summary["analysable_s"]
    assert isinstance(duration_s, float)
    assert isinstance(analysable_s, float)
    trains = summary["trains"]
    assert isinstance(trains, int)
    return (
        f"{found}; {counted(trains, 'train')}. "
        f"{shown_duration(analysable_s)} of {shown_duration(duration_s)} could be analysed."
    )
