"""One channel of a session: its detector, what of it could not be seen, and the detector's rows as records.

The one gap policy: a stretch without samples of up to 100 ms leaves an open event and the noise floor alive, be it that
frames are missing or that values are no numbers. A longer one closes the event, truncated, and the detector starts
cold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from emgtwitch.detect.detector import Detector
from emgtwitch.detect.exposure import Exposure
from emgtwitch.detect.records import Announcement, Event, EventClass, Interval, IntervalKind
from emgtwitch.detect.state import ANNOUNCEMENT, CAUSES, INTERVAL
from emgtwitch.settings import Settings
from emgtwitch.timeline import Timeline
from emgtwitch.wire.sample_format import SampleFormat

SHORT_GAP_S = 0.1

Found = Event | Announcement | Interval


class Channel:
    """Channel `number` of the session; what it finds goes to `emit`, with the time that it concerns and `number`."""

    def __init__(self, number: int, timeline: Timeline, emit: Callable[[Found, float, int], None]) -> None:
        self.exposure = Exposure()
        self.detector: Detector | None = None
        self._number = number
        self._timeline = timeline
        self._emit = emit
        self._settings = Settings()
        self._rate_Hz = 0.0
        self._in_uV = False
        self._live = False  # the detector goes on where it stopped; else it starts cold with the next sample
        self._events = 0  # opened so far, by all detectors
        self._missing_s: float | None = 0.0  # since when there are no values; a channel may join a session under way
        self._off_s: float | None = None  # since when the electrode is off

    def begin(self, settings: Settings, form: SampleFormat) -> None:
        """A cold detector from the next sample on, after `close` where there was one. Raises SettingsError."""
        self._settings, self._rate_Hz = settings, form.rate_Hz
        self._in_uV = form.uV_per_count is not None
        rails = form.rails[self._number]
        at = self._timeline.next
        self.detector = Detector(settings, form.rate_Hz, form.uV_per_count, rails, at, self._events, form.step)
        self._live = False
        if self._missing_s is not None and self._missing_s >= self._timeline.now_s:
            self._missing_s = None

    def lack(self) -> None:
        """The epoch that begins has no such channel."""
        self.detector = None
        self._missing_s = self._timeline.now_s

    @property
    def electrode_off(self) -> bool:
        """Whether the board has said that the electrode is off."""
        return self._off_s is not None

    @property
    def has_contact(self) -> bool:
        """Whether there is something to hear at present: the electrode is on, the input neither flat nor at a rail."""
        return self.detector is not None and not self.electrode_off and self.detector.condition not in ("flat", "rail")

    @property
    def settled(self) -> float:
        """Whatever is still to come is decided at or after this session sample."""
        return self.detector.settled if self.detector is not None and self._live else math.inf

    def analysable_s(self, duration_s: float) -> float:
        """How much of the session so far could be analysed."""
        open_s = min((s for s in (self._missing_s, self._off_s) if s is not None), default=duration_s)
        return max(0.0, duration_s - self.exposure.total_s(duration_s, open_s))

    def feed(self, first: int, counts: npt.NDArray[np.float64]) -> None:
        """Take the next samples, the first of them session sample `first`; what is no number is missing."""
        if self._off_s is not None:
            return
        for start, stop, present in stretches(np.isfinite(counts)):
            if present:
                self._present(first + start, np.ascontiguousarray(counts[start:stop]))
            else:
                self._absent(first + start, first + stop)

    def electrode(self, off: bool, sample: int) -> None:
        """The electrode came off, or is on again, at the session sample `sample`."""
        if off and self._off_s is None:
            self.cut()
            self._off_s = self._timeline.seconds(min(sample, self._timeline.next), self._number)
        elif not off and self._off_s is not None:
            self._exclude("lead_off", "", self._off_s, max(sample, self._timeline.next))
            self._off_s = None

    def cut(self) -> None:
        """The samples that follow do not continue those before: close the open event, truncated."""
        if self.detector is not None and self._live:
            self._live = False
            self._take(self.detector.finish(self.detector.index))

    def close(self) -> None:
        """The epoch, or the session, ends here."""
        self.cut()
        now = self._timeline.next
        if self._missing_s is not None:
            self._exclude("gap", "missing", self._missing_s, now)
        if self._off_s is not None:
            self._exclude("lead_off", "", self._off_s, now)
        self._missing_s = self._off_s = None

    def _present(self, sample: int, counts: npt.NDArray[np.float64]) -> None:
        assert self.detector is not None
        if self._missing_s is not None:
            self._exclude("gap", "missing", self._missing_s, sample)
            self._missing_s = None
        gap = sample - self.detector.index
        if gap > SHORT_GAP_S * self._rate_Hz:
            self.cut()
        if not self._live:
            self.detector.finish(sample)  # has nothing open
            self._live = True
        elif gap > 0:
            self._take(self.detector.splice(gap))
        self._take(self.detector.feed(counts))

    def _absent(self, start: int, stop: int) -> None:
        assert self.detector is not None
        if self._missing_s is None:
            self._missing_s = self._timeline.seconds(start, self._number)
        if stop - self.detector.index > SHORT_GAP_S * self._rate_Hz:
            self.cut()

    def _exclude(self, kind: IntervalKind, cause: str, onset_s: float, until: int) -> None:
        """Time that cannot be analysed, up to session sample `until`."""
        offset_s = self._timeline.seconds(until, self._number)
        self.exposure.add(onset_s, offset_s)
        decided = min(until, self._timeline.next)
        self._emit(Interval(kind, self._number, onset_s, offset_s, cause, decided), onset_s, self._number)

    def _take(self, rows: list[np.void]) -> None:
        assert self.detector is not None
        for row in rows:
            record = self._record(row)
            if isinstance(record, Interval):
                self.exposure.add(record.onset_s, record.offset_s)
            self._emit(record, record.onset_s, self._number)
        self._events = self.detector.number

    def _record(self, row: np.void) -> Found:
        kind, cause, number, onset, offset, decided, peak, rms, snr_dB, on_tone, truncated = row.item()
        onset_s = max(self._timeline.seconds(onset, self._number), 0.0)
        if kind == ANNOUNCEMENT:
            return Announcement(self._number, number, onset_s, decided)
        offset_s = self._timeline.seconds(offset, self._number)
        if kind == INTERVAL:
            what, why = CAUSES[cause]
            return Interval(what, self._number, onset_s, offset_s, why, decided)  # type: ignore[arg-type]
        duration_ms = 1000 * (offset - onset) / self._rate_Hz
        return Event(
            event_class=classify(duration_ms, self._settings),
            channel=self._number,
            number=number,
            onset_s=onset_s,
            offset_s=offset_s,
            duration_ms=duration_ms,
            peak=peak,
            rms=rms,
            snr_dB=snr_dB,
            in_uV=self._in_uV,
            on_tone=bool(on_tone),
            truncated=bool(truncated),
            decided_sample=decided,
            settings_digest=self._settings.digest,
        )


def classify(duration_ms: float, settings: Settings) -> EventClass:
    """The class of an event, by how long it lasted and nothing else."""
    if duration_ms <= settings.twitch_max_ms:
        return "twitch"
    return "spasm" if duration_ms >= 1000 * settings.spasm_min_s else "contraction"


def stretches(finite: npt.NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """[start, stop) of each stretch that is all finite, or all not, and which of the two."""
    if finite.all():
        return [(0, len(finite), True)]
    changes = [0, *(np.flatnonzero(finite[1:] != finite[:-1]) + 1).tolist(), len(finite)]
    return [(start, stop, bool(finite[start])) for start, stop in pairwise(changes)]
