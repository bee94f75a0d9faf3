"""Bytes in, events and intervals out: the one path for live and for replay.

What comes out is ordered by the sample at which it was decided. Since a channel decides a little behind its newest
sample, an output waits until no channel can still decide anything before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.channel import Channel
from emgtwitch.detect.detector import Detector
from emgtwitch.detect.records import Interval, Mark, Opened, Output, Progress, Stamped
from emgtwitch.errors import UnreadableInputError
from emgtwitch.legible import legible, legible_session
from emgtwitch.settings import Settings, SettingsError
from emgtwitch.timeline import Timeline
from emgtwitch.wire import records as wire
from emgtwitch.wire.decode import Decoded, Decoder, Frame, Run, WrongVersion
from emgtwitch.wire.reports import ELECTRODES, Reports, electrodes_off
from emgtwitch.wire.sample_format import SampleFormat, board_format, import_format

# An epoch after the first waits for so much of it for the clock mark that places it.
HOLD_S = 2.0
HOLD_RECORDS = 256
BOARD_MARKS = {1: "button", 2: "electrode_off", 3: "electrode_on"}
ALL_CHANNELS = 255
OF_ALL = -1  # in the order of outputs of one sample: before those of a channel


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
        self._timeline = Timeline()
        self._override = settings
        self._settings = settings or Settings()
        self._session: dict[str, Any] = {}
        self._recording_id = recording_id
        self._on_counts = on_counts
        self._opened = False
        self._format: SampleFormat | None = None
        self._epoch: tuple[int, int, int] | None = None
        self._held: list[Decoded] = []  # of an epoch that is not placed yet
        self._port_lost = False
        self._electrodes_off = (False,) * ELECTRODES  # as the last Hello says
        self._reports = Reports()
        self._channels: list[Channel] = []
        self._records = 0  # taken so far
        self._out: list[tuple[int, int, int, Stamped]] = []

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
        """One for each channel of this epoch, for those who show levels."""
        return tuple(channel.detector for channel in self._channels if channel.detector is not None)

    @property
    def uV_per_count(self) -> float | None:
        """Of this epoch; None where the gain is unknown."""
        assert self._format is not None
        return self._format.uV_per_count

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels of the session so far, for those who show the signal."""
        return tuple(self._channels)

    def seconds(self, sample: int) -> float:
        """Session time of a session sample of this epoch."""
        return self._timeline.seconds(sample)

    def boottime_ns(self, at_s: float) -> int | None:
        """The host's CLOCK_BOOTTIME at a session time, by the fitted device clock; None without clock marks."""
        return self._timeline.clock.boottime_ns(at_s)

    @property
    def rejected(self) -> dict[str, int]:
        """Frames that the decoder rejected, by reason."""
        return self._decoder.rejected

    @property
    def counters(self) -> wire.Counters | None:
        """What went wrong at the board, as it counts; None until it has said so."""
        return self._reports.counters

    @property
    def progress(self) -> Progress:
        """How far the session has come."""
        duration_s = self._timeline.now_s
        fit = self._timeline.clock.fit()
        return Progress(
            duration_s=duration_s,
            analysable_s=tuple(channel.analysable_s(duration_s) for channel in self._channels),
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
            if isinstance(item, WrongVersion):
                raise WireVersionError(
                    f"The board speaks wire version {item.wire_version}; this program reads {wire.WIRE_VERSION}. "
                    "Update the older of the two."
                )
            if self._waits(item):
                self._hold(item)
            else:
                self._take(item)
        return self._decided(min((channel.settled for channel in self._channels), default=np.inf))

    def finish(self) -> list[Stamped]:
        """The stream has ended: what is still open is closed, truncated."""
        self._end_epoch()
        return self._decided(np.inf)

    # What comes out

    def _emit(self, record: Output, at_s: float, channel: int = OF_ALL) -> None:
        """Queue a record, stamped with the wall-clock time of `at_s`."""
        decided = 0 if isinstance(record, Opened) else record.decided_sample
        self._out.append((decided, self._records, channel, self._timeline.stamp(record, at_s)))

    def _decided(self, before: float) -> list[Stamped]:
        """The outputs decided before this sample, by sample, by the record of the stream they followed, by channel."""
        self._out.sort(key=lambda entry: entry[:3])
        ready = [stamped for decided, _, _, stamped in self._out if decided < before]
        del self._out[: len(ready)]
        return ready

    def _gap(self, onset_s: float, cause: str) -> None:
        """Up to now all channels lack samples."""
        now_s, now = self._timeline.now_s, self._timeline.next
        for channel in self._channels:
            channel.exposure.add(onset_s, now_s)
        self._emit(Interval("gap", None, onset_s, now_s, cause, now), onset_s)

    # What comes in

    def _take(self, item: Decoded) -> None:
        if isinstance(item, Run):
            self._run(item)
        elif isinstance(item, Frame):
            self._records += 1
            self._record(item.record)

    def _run(self, run: Run) -> None:
        timeline = self._timeline
        first = timeline.sample(run.index)
        if first > timeline.next:
            since_s, timeline.next = timeline.now_s, first
            self._gap(since_s, "unplugged" if self._port_lost else "lost")
        self._port_lost = False
        timeline.next = first + len(run.counts)
        if self._on_counts is not None:
            self._on_counts(first, run.counts)
        for k in range(run.counts.shape[1]):
            self._channels[k].feed(first, run.counts[:, k])

    def _record(self, record: wire.Record) -> None:
        if isinstance(record, wire.Hello):
            self._hello(record)
        elif isinstance(record, wire.Board) and self._format is None and len(record.hello) == wire.Hello.SIZE:
            self._hello(wire.Hello.unpack(record.hello))
        elif isinstance(record, wire.Import):
            self._announce(import_format(record))
        elif isinstance(record, wire.Session):
            self._begin_session(legible_session(record.json))
        elif isinstance(record, wire.Clock):
            self._clock_mark(record)
        elif isinstance(record, wire.Mark):
            self._board_mark(record)
        elif isinstance(record, wire.Counters):
            self._report("board_errors", self._reports.counted(record))
        elif isinstance(record, wire.Guard):
            self._report("guard", self._reports.guarded(record))
        elif isinstance(record, wire.Note) and "kind" in record.json:
            detail = legible(record.json)
            kind, at_s, now = str(detail.pop("kind")), self._timeline.now_s, self._timeline.next
            self._emit(Mark(kind, None, at_s, "host", now, detail), at_s)
        elif isinstance(record, wire.Change):
            self._change(legible(record.json))
        elif isinstance(record, wire.Port) and not record.opened:
            self._port_lost = True
            for channel in self._channels:
                channel.cut()  # at once: it may be hours until the board is back

    def _begin_session(self, session: dict[str, Any]) -> None:
        """The first Session note; the one at the head of each later segment repeats it."""
        if self._session or self._opened:
            return
        self._session = session
        self._recording_id = str(session.get("recording_id", self._recording_id))
        if self._override is None:
            self._settings = _recorded(session.get("settings", {}), None)

    def _change(self, change: dict[str, Any]) -> None:
        """New settings hold from the next sample on; the detectors start afresh with them."""
        if self._override is not None or "settings" not in change:
            return
        self._settings = _recorded(change["settings"], self._settings)
        if self._format is not None and self._timeline.running:
            for channel in self._channels[: self._format.channels]:
                channel.cut()
                channel.begin(self._settings, self._format)

    def _clock_mark(self, mark: wire.Clock) -> None:
        remarks = self._timeline.hear(mark)
        at_s, now = self._timeline.now_s, self._timeline.next
        for kind, amount_s in remarks if self._opened else []:
            self._emit(Interval(kind, None, at_s, at_s, f"{amount_s:+.1f} s", now), at_s)

    def _board_mark(self, mark: wire.Mark) -> None:
        assert self._format is not None
        sample = self._timeline.sample_near(mark.index)
        at_s = self._timeline.seconds(sample)
        number = None if mark.channel == ALL_CHANNELS else mark.channel
        kind = BOARD_MARKS.get(mark.kind, f"board {mark.kind}")
        self._emit(Mark(kind, number, at_s, "board", self._timeline.next), at_s)
        if kind in ("electrode_off", "electrode_on"):
            for k, channel in enumerate(self._channels[: self._format.channels]):
                if number in (None, k):
                    channel.electrode(kind == "electrode_off", sample)

    def _report(self, kind: str, news: dict[str, Any]) -> None:
        """A mark of what the board reports about itself, where that is news."""
        if news:
            at_s = self._timeline.now_s
            self._emit(Mark(kind, None, at_s, "board", self._timeline.next, news), at_s)

    def _mend_electrodes(self) -> None:
        """Each electrode is as the last Hello says from here on, whatever became of the board's marks."""
        assert self._format is not None
        for channel, off in zip(self._channels[: self._format.channels], self._electrodes_off, strict=False):
            channel.electrode(off, self._timeline.next)

    # Epochs

    def _hello(self, hello: wire.Hello) -> None:
        epoch = self._epoch_of(hello)
        if epoch != self._epoch:
            self._announce(board_format(hello))
            self._epoch = epoch
        self._reports.hello(hello)
        self._electrodes_off = electrodes_off(hello)
        if self._timeline.running:
            self._mend_electrodes()

    @staticmethod
    def _epoch_of(hello: wire.Hello) -> tuple[int, int, int]:
        return hello.device_id, hello.boot_count, hello.run_count

    def _announce(self, form: SampleFormat) -> None:
        """What comes next is of a new epoch; its first sample says where it begins."""
        self._end_epoch()
        self._format = form

    def _end_epoch(self) -> None:
        if self._held_runs():
            self._begin_epoch(None)
        self._held.clear()
        if self._timeline.running:
            for channel in self._channels:
                channel.close()
            self._timeline.end_epoch()

    def _waits(self, item: Decoded) -> bool:
        """Whether the item belongs to an epoch that is not placed yet. A clock mark places one that has samples."""
        if self._timeline.running:
            return False
        record = item.record if isinstance(item, Frame) else None
        if isinstance(record, wire.Clock) and self._held_runs():
            self._begin_epoch(record)
        if isinstance(record, (wire.Mark, wire.Counters, wire.Guard)) or isinstance(item, Run):
            return True
        if isinstance(record, wire.Hello) and self._epoch_of(record) != self._epoch:
            return False
        return bool(self._held) and isinstance(record, (wire.Note, wire.Change, wire.Hello))

    def _hold(self, item: Decoded) -> None:
        self._held.append(item)
        runs = self._held_runs()
        scans = sum(len(run.counts) for run in runs)
        full = len(self._held) - len(runs) >= HOLD_RECORDS
        if runs and (not self._opened or full or scans >= HOLD_S * self.rate_Hz):
            self._begin_epoch(None)
        elif full:
            del self._held[0]

    def _held_runs(self) -> list[Run]:
        return [item for item in self._held if isinstance(item, Run)]

    def _begin_epoch(self, mark: wire.Clock | None) -> None:
        """Place the epoch whose first samples are held; `mark` came after them."""
        assert self._format is not None
        runs, held, self._held = self._held_runs(), self._held, []
        timeline, form = self._timeline, self._format
        ended_s = timeline.now_s
        timeline.begin_epoch(form, runs[0].index, runs[-1].index + len(runs[-1].counts), mark)
        for k in range(len(self._channels), form.channels):
            self._channels.append(Channel(k, timeline, self._emit))
        for channel in self._channels[: form.channels]:
            channel.begin(self._settings, form)
        for channel in self._channels[form.channels :]:
            channel.lack()
        if self._opened:
            self._gap(ended_s, "unplugged" if self._port_lost else "reset")
        else:
            self._open(form)
        self._mend_electrodes()
        self._port_lost = False
        for item in held:
            self._take(item)

    def _open(self, form: SampleFormat) -> None:
        """The recording's first sample is here."""
        self._opened = True
        opened = Opened(
            recording_id=self._recording_id,
            session=self._session,
            device=form.device,
            rate_Hz=form.rate_Hz,
            channels=form.channels,
            uV_per_count=form.uV_per_count,
            settings_digest=self._settings.digest,
        )
        self._emit(opened, 0.0)


def _recorded(values: Any, base: Settings | None) -> Settings:
    """The settings that a recording holds. Raises SettingsError."""
    if not isinstance(values, dict):
        raise SettingsError(f"The recording's settings are {values!r}, no table. Name others with --preset.")
    try:
        return Settings.from_mapping(values, base)
    except SettingsError as error:
        raise SettingsError(f"In the recording: {error} Other settings than its own: --preset NAME.") from None
