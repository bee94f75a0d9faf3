"""Records in, events and intervals out: the one gap policy, the one timeline, for live and for replay.

The session's time runs from its first sample. Within an epoch it is index / rate. From one epoch to the next (the
board was reset or started anew) the host's clock marks bridge the hole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.clock import DeviceClock
from emgtwitch.detect.detector import Detector
from emgtwitch.detect.exposure import Exposure
from emgtwitch.detect.records import Announcement, Event, EventClass, Interval, Mark, Opened, Output, Progress, Stamped
from emgtwitch.detect.state import ANNOUNCEMENT, CAUSES, INTERVAL
from emgtwitch.errors import UnreadableInputError
from emgtwitch.settings import Settings
from emgtwitch.wire import records as wire
from emgtwitch.wire.decode import Decoded, Decoder, Run, WrongVersion
from emgtwitch.wire.sample_format import SampleFormat, board_format, import_format

SHORT_GAP_S = 0.1  # leaves an open event and the noise floor alive
CLOCK_STEP_S = 1.0
SUSPEND_S = 1.0
# Kinds whose time cannot be analysed; the others are remarks.
EXCLUDING = frozenset({"gap", "lead_off", "rail", "flat", "settling", "artefact"})
BOARD_MARKS = {1: "button", 2: "electrode_off", 3: "electrode_on"}


class WireVersionError(UnreadableInputError):
    """The board, or the board that made the recording, speaks another version of the wire."""


class Pipeline:
    """Decodes bytes and detects in every channel.

    `settings` overrides those in the recording, `recording_id` names one that has no name of its own, `on_counts` is
    given every run of scans with its place in the session, for those who show the signal.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        recording_id: str = "",
        on_counts: Callable[[int, npt.NDArray[np.float64]], None] | None = None,
    ) -> None:
        self._decoder = Decoder()
        self._clock = DeviceClock()
        self._override = settings
        self._use(settings or Settings())
        self._session: dict[str, Any] = {}
        self._recording_id = recording_id
        self._on_counts = on_counts
        self._opened = False
        self._format: SampleFormat | None = None
        self._epoch: tuple[int, int, int] | None = None
        self._fresh_epoch = False  # announced, no sample of it seen yet
        self._index_to_sample = 0  # session sample of index 0 of this epoch
        self._origin_sample = 0  # session sample and second at which this epoch's samples begin
        self._origin_s = 0.0
        self._next = 0  # session sample expected next
        self._last_mark: tuple[float, wire.Clock] | None = None
        self._newest_mark: wire.Clock | None = None
        self._port_lost = False
        self._detectors: list[Detector] = []
        self._lead_off: dict[int, int] = {}
        self._exposure: list[Exposure] = []
        self._out: list[tuple[int, Output]] = []

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def rate_Hz(self) -> float:
        """Scans a second in this epoch."""
        assert self._format is not None
        return self._format.rate_Hz

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """One for each channel, for those who show levels."""
        return tuple(self._detectors)

    @property
    def rejected(self) -> dict[str, int]:
        """Frames that the decoder rejected, by reason."""
        return self._decoder.rejected

    @property
    def progress(self) -> Progress:
        """How far the session has come."""
        duration = self._seconds(self._next) if self._format and not self._fresh_epoch else self._origin_s
        fit = self._clock.fit()
        return Progress(
            duration_s=duration,
            analysable_s=tuple(max(0.0, duration - e.total_s(duration)) for e in self._exposure),
            scans_seen=self._decoder.seen,
            scans_lost=self._decoder.lost,
            frames_rejected=sum(self._decoder.rejected.values()),
            clock_ppm=fit.ppm if fit else None,
            clock_ppm_uncertainty=fit.ppm_uncertainty if fit else None,
        )

    def feed(self, data: bytes | bytearray | memoryview) -> list[Stamped]:
        """Everything that these bytes decide, in the order in which it was decided.

        Raises WireVersionError for a board of another wire version and SettingsError for settings it cannot use.
        """
        return self.detect(self.decode(data))

    def decode(self, data: bytes | bytearray | memoryview) -> list[Decoded]:
        """The first half of `feed`, which may run ahead of the second in another thread."""
        return self._decoder.feed(data)

    def detect(self, items: list[Decoded]) -> list[Stamped]:
        """The second half of `feed`."""
        for item in items:
            if isinstance(item, Run):
                self._run(item)
            elif isinstance(item, WrongVersion):
                raise WireVersionError(
                    f"The board speaks wire version {item.wire_version}; this program reads {wire.WIRE_VERSION}. "
                    "Update the older of the two."
                )
            else:
                self._record(item.record)
        return self._take()

    def finish(self) -> list[Stamped]:
        """The stream has ended: what is still open is closed, truncated."""
        for channel in range(len(self._detectors)):
            self._restart(channel, self._next)
            if channel in self._lead_off:
                self._interval("lead_off", channel, self._lead_off[channel], self._next)
        self._lead_off.clear()
        return self._take()

    def _use(self, settings: Settings) -> None:
        self._settings, self._digest = settings, settings.digest

    # The timeline

    def _seconds(self, sample: int, channel: int = 0) -> float:
        """Session time of a session sample; channel k of n is sampled k/n of a scan later."""
        assert self._format is not None
        later = channel / self._format.channels
        return self._origin_s + (sample - self._origin_sample + later) / self._format.rate_Hz

    def _take(self) -> list[Stamped]:
        """What was found, ordered by decision whatever the channel; events of one decision keep the channels' order."""
        found, self._out = sorted(self._out, key=lambda entry: entry[0]), []
        return [self._stamp(record) for _, record in found]

    def _stamp(self, record: Output) -> Stamped:
        if isinstance(record, Mark):
            at_s = record.at_s
        elif isinstance(record, Opened):
            at_s = 0.0
        else:
            at_s = record.onset_s
        return Stamped(record, self._clock.utc_ms(at_s), self._clock.offset_s)

    def _interval(self, kind: Any, channel: int | None, onset: int, offset: int, cause: str = "") -> None:
        onset_s, offset_s = (self._seconds(sample, channel or 0) for sample in (onset, offset))
        if kind in EXCLUDING:
            for k in range(len(self._exposure)) if channel is None else (channel,):
                self._exposure[k].add(max(onset_s, 0.0), offset_s)
        self._out.append((self._next, Interval(kind, channel, onset_s, offset_s, cause, self._next)))

    # Samples

    def _run(self, run: Run) -> None:
        if self._format is None:
            return
        if self._fresh_epoch:
            self._begin_epoch(run.index)
        first = run.index + self._index_to_sample
        if first > self._next:
            missed_from, self._next = self._next, first
            self._interval("gap", None, missed_from, first, "lost")
        self._next = first + len(run.counts)
        if self._on_counts is not None:
            self._on_counts(first, run.counts)
        rows: list[tuple[int, int, np.void]] = []
        for channel in range(self._format.channels):
            if channel not in self._lead_off:
                counts = np.ascontiguousarray(run.counts[:, channel])
                self._channel(channel, first, counts, rows)
        rows.sort(key=lambda row: row[:2])
        for decided, channel, row in rows:
            self._out.append((decided, self._output(channel, row)))

    def _channel(
        self, channel: int, first: int, counts: npt.NDArray[np.float64], rows: list[tuple[int, int, np.void]]
    ) -> None:
        """Feed what there is; a value that is not a number is a missing sample of this channel."""
        finite = np.isfinite(counts)
        for start, stop in [(0, len(counts))] if finite.all() else _spans(finite):
            detector = self._detectors[channel]
            gap = first + start - detector.index
            if gap > SHORT_GAP_S * self.rate_Hz:
                rows += [(int(row["decided"]), channel, row) for row in detector.finish(first + start)]
            elif gap > 0:
                rows += [(int(row["decided"]), channel, row) for row in detector.splice(gap)]
            rows += [(int(row["decided"]), channel, row) for row in detector.feed(counts[start:stop])]
        for start, stop in [] if finite.all() else _spans(~finite):
            onset_s, offset_s = self._seconds(first + start, channel), self._seconds(first + stop, channel)
            self._exposure[channel].add(onset_s, offset_s)
            decided = first + stop
            self._out.append((decided, Interval("gap", channel, onset_s, offset_s, "missing", decided)))

    def _output(self, channel: int, row: np.void) -> Output:
        """A detector's row as a record."""
        decided, number = int(row["decided"]), int(row["number"])
        onset, offset = int(row["onset"]), int(row["offset"])
        onset_s, offset_s = max(self._seconds(onset, channel), 0.0), self._seconds(offset, channel)
        if row["type"] == ANNOUNCEMENT:
            return Announcement(channel, number, onset_s, decided)
        if row["type"] == INTERVAL:
            kind, cause = CAUSES[row["cause"]]
            self._exposure[channel].add(onset_s, offset_s)
            return Interval(kind, channel, onset_s, offset_s, cause, decided)  # type: ignore[arg-type]
        duration_ms = 1000 * (offset - onset) / self.rate_Hz
        return Event(
            event_class=classify(duration_ms, self._settings),
            channel=channel,
            number=number,
            onset_s=onset_s,
            offset_s=offset_s,
            duration_ms=duration_ms,
            peak=float(row["peak"]),
            rms=float(row["rms"]),
            snr_dB=float(row["snr_dB"]),
            in_uV=self._format is not None and self._format.uV_per_count is not None,
            on_tone=bool(row["on_tone"]),
            truncated=bool(row["truncated"]),
            decided_sample=decided,
            settings_digest=self._digest,
        )

    def _restart(self, channel: int, sample: int) -> None:
        """Close what is open in a channel and start its detector cold at `sample`."""
        for row in self._detectors[channel].finish(sample):
            self._out.append((int(row["decided"]), self._output(channel, row)))

    # Records

    def _record(self, record: wire.Record) -> None:
        if isinstance(record, wire.Hello):
            self._hello(record)
        elif isinstance(record, wire.Board) and self._format is None and len(record.hello) == wire.Hello.SIZE:
            self._hello(wire.Hello.unpack(record.hello))
        elif isinstance(record, wire.Import):
            self._format = import_format(record)
            self._fresh_epoch = True
        elif isinstance(record, wire.Session):
            self._begin_session(record.json)
        elif isinstance(record, wire.Clock):
            self._clock_mark(record)
        elif isinstance(record, wire.Mark):
            self._board_mark(record)
        elif isinstance(record, wire.Note):
            detail = {k: v for k, v in record.json.items() if k != "kind"}
            self._mark(Mark(str(record.json.get("kind", "mark")), None, self._now_s(), "host", self._next, detail))
        elif isinstance(record, wire.Change):
            self._change(record.json)
        elif isinstance(record, wire.Port):
            self._port_lost |= not record.opened

    def _now_s(self) -> float:
        return self._seconds(self._next) if self._format and not self._fresh_epoch else self._origin_s

    def _mark(self, mark: Mark) -> None:
        self._out.append((self._next, mark))

    def _begin_session(self, session: dict[str, Any]) -> None:
        """The first Session note; the one at the head of each later segment repeats it."""
        if self._session or self._opened:
            return
        self._session = session
        self._recording_id = str(session.get("recording_id", self._recording_id))
        if self._override is None:
            self._use(Settings.from_mapping(session.get("settings", {})))

    def _hello(self, hello: wire.Hello) -> None:
        epoch = (hello.device_id, hello.boot_count, hello.run_count)
        if epoch == self._epoch:
            return
        if self._format is not None and not self._fresh_epoch:
            self._end_epoch()
        self._epoch = epoch
        self._format = board_format(hello)
        self._fresh_epoch = True

    def _end_epoch(self) -> None:
        """Close everything; the next epoch's first sample says where it begins."""
        for channel in range(len(self._detectors)):
            self._restart(channel, self._next)
        self._origin_s = self._seconds(self._next)
        self._origin_sample = self._next
        self._newest_mark = None

    def _begin_epoch(self, index: int) -> None:
        """Place the first sample of an epoch: at 0, or after the hole that the host's clock measured."""
        assert self._format is not None
        self._fresh_epoch = False
        first_ever = not self._opened
        if not first_ever:
            hole_s = 0.0
            if self._last_mark and self._newest_mark:
                device_s, mark = self._last_mark
                since_ns = self._newest_mark.boottime_ns - mark.boottime_ns
                hole_s = max(0.0, device_s + since_ns / 1e9 - self._origin_s)
            hole = round(hole_s * self._format.rate_Hz)
            end_s, self._origin_sample = self._origin_s, self._next + hole
            self._origin_s = end_s + hole / self._format.rate_Hz
            self._clock.restart()
        self._index_to_sample = self._origin_sample - index
        before, self._next = self._next, self._origin_sample
        form = self._format
        self._exposure += [Exposure() for _ in range(form.channels - len(self._exposure))]
        self._detectors = self._new_detectors(form)
        if first_ever:
            self._opened = True
            opened = Opened(
                recording_id=self._recording_id,
                session=self._session,
                device=form.device,
                rate_Hz=form.rate_Hz,
                channels=form.channels,
                uV_per_count=form.uV_per_count,
                settings_digest=self._digest,
            )
            self._out.append((self._next, opened))
        elif self._next > before:
            self._interval("gap", None, before, self._next, "unplugged" if self._port_lost else "reset")
        self._port_lost = False
        if self._newest_mark is not None:  # made while the board was starting
            self._last_mark = (self._seconds(self._next), self._newest_mark)
            self._clock.add(*self._last_mark)

    def _new_detectors(self, form: SampleFormat) -> list[Detector]:
        """Cold detectors from the next sample on; their events are numbered on from the old ones'."""
        numbers = [old.number for old in self._detectors] + [0] * form.channels
        return [
            Detector(self._settings, form.rate_Hz, form.uV_per_count, form.rails[k], self._next, numbers[k])
            for k in range(form.channels)
        ]

    def _clock_mark(self, mark: wire.Clock) -> None:
        now_s = self._now_s()
        before = self._newest_mark or (self._last_mark[1] if self._last_mark else None)
        if before is not None:
            boot_s = (mark.boottime_ns - before.boottime_ns) / 1e9
            asleep_s = boot_s - (mark.monotonic_ns - before.monotonic_ns) / 1e9
            stepped_s = (mark.utc_ms - before.utc_ms) / 1e3 - boot_s
            remarks = (("suspend", asleep_s, SUSPEND_S), ("clock_step", stepped_s, CLOCK_STEP_S))
            for kind, amount_s, limit_s in remarks:
                if abs(amount_s) > limit_s:
                    cause = f"{amount_s:+.1f} s"
                    self._out.append((self._next, Interval(kind, None, now_s, now_s, cause, self._next)))  # type: ignore[arg-type]
        self._newest_mark = mark
        if self._format is not None and not self._fresh_epoch:
            self._last_mark = (now_s, mark)
            self._clock.add(now_s, mark)

    def _board_mark(self, mark: wire.Mark) -> None:
        if self._format is None or self._fresh_epoch:
            return
        sample = self._next + _signed32(mark.index - (self._next - self._index_to_sample))
        channel = None if mark.channel == 255 else mark.channel
        kind = BOARD_MARKS.get(mark.kind, f"board {mark.kind}")
        self._mark(Mark(kind, channel, self._seconds(sample), "board", self._next))
        for k in range(self._format.channels) if channel is None else [channel]:
            if k >= self._format.channels:
                continue
            if kind == "electrode_off" and k not in self._lead_off:
                self._restart(k, self._next)
                self._lead_off[k] = min(sample, self._next)
            elif kind == "electrode_on" and k in self._lead_off:
                self._interval("lead_off", k, self._lead_off.pop(k), max(sample, self._next))
                self._restart(k, self._next)

    def _change(self, change: dict[str, Any]) -> None:
        """New settings hold from the next sample on; the detectors start afresh with them."""
        if self._override is not None or not isinstance(change.get("settings"), dict):
            return
        for channel in range(len(self._detectors)):
            self._restart(channel, self._next)
        self._use(Settings.from_mapping(change["settings"], self._settings))
        if self._format is not None and not self._fresh_epoch:
            self._detectors = self._new_detectors(self._format)


def classify(duration_ms: float, settings: Settings) -> EventClass:
    """The class of an event, by how long it lasted and nothing else."""
    if duration_ms <= settings.twitch_max_ms:
        return "twitch"
    return "spasm" if duration_ms >= 1000 * settings.spasm_min_s else "contraction"


def _signed32(x: int) -> int:
    return (x + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def _spans(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
