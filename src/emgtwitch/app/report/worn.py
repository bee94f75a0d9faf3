"""Where the sensor sat, and which seconds of it could be analysed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from emgtwitch.app.days import day_bounds_utc_ms
from emgtwitch.app.log_rows import Row
from emgtwitch.app.strip import NOT_WORN

HOUR_MS = 3_600_000

# What takes time from the analysis, in the order in which a second that is lost twice is told; the rest is artefact.
LOSSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lost on the way", ("gap",)),
    ("electrodes off or saturated", NOT_WORN),
    ("settling after a start", ("settling",)),
    ("artefact (motion, mains, heart, taps)", ("artefact",)),
)

Span = tuple[float, float]  # from and to, UTC in ms


@dataclass(frozen=True, slots=True)
class Days:
    """Whole local calendar days, and their hours on the wearer's clock."""

    first: datetime.date
    last: datetime.date
    zone: datetime.tzinfo

    @property
    def all(self) -> list[datetime.date]:
        """Every day, in order."""
        return [self.first + datetime.timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def span(self) -> Span:
        """The first moment and the first after it."""
        return day_bounds_utc_ms(self.first, self.zone)[0], day_bounds_utc_ms(self.last, self.zone)[1]

    def hours(self) -> list[tuple[int, int, Span]]:
        """The number of the day, the hour that the clock shows and its span. An hour may come twice or never a day."""
        out = []
        for number, day in enumerate(self.all):
            begin_ms, end_ms = day_bounds_utc_ms(day, self.zone)
            for at_ms in range(begin_ms, end_ms, HOUR_MS):
                hour = datetime.datetime.fromtimestamp(at_ms / 1000, self.zone).hour
                out.append((number, hour, (float(at_ms), float(min(at_ms + HOUR_MS, end_ms)))))
        return out


@dataclass(frozen=True, slots=True)
class Track:
    """One channel of one session within the days."""

    session: Row
    channel: int
    site: str
    whole: Span
    clear: list[Span]  # what could be analysed, in order and without overlap
    lost_ms: dict[str, float] = field(default_factory=dict)  # by the names of LOSSES

    @property
    def clear_ms(self) -> float:
        """How long it could be analysed."""
        return length_ms(self.clear)


def site(session: Row, channel: int) -> str:
    """What the channel was worn on, as `left calf`."""
    told = worn(session, channel)
    words = [told.get(key, "").strip() for key in ("side", "muscle")]
    return " ".join(word for word in words if word) or "muscle not told"


def worn(session: Row, channel: int) -> dict[str, str]:
    """What the session tells of the channel's muscle, side and placement."""
    told = session["worn"]
    if isinstance(told, list) and channel < len(told):
        return {key: str(value) for key, value in told[channel].items() if value}
    return {}


def tracks(session: Row, intervals: Iterable[Row], days: Days) -> list[Track]:
    """The session's channels within the days; none where it does not meet them."""
    began_ms = session["started_utc_ms"]
    ended_ms = began_ms + 1000 * session["duration_s"]
    from_ms, to_ms = max(began_ms, days.span[0]), min(ended_ms, days.span[1])
    if to_ms <= from_ms:
        return []
    own = [i for i in intervals if i["session"] == session["id"] and i["offset_s"] > i["onset_s"]]
    out = []
    for channel in range(session["channels"]):
        parts: dict[str, list[Span]] = {name: [] for name, _ in LOSSES}
        for interval in own:
            if interval["channel"] in (None, channel):
                stretch = (began_ms + 1000 * interval["onset_s"], began_ms + 1000 * interval["offset_s"])
                parts[_loss(interval["kind"])].append(stretch)
        # A program that died, or still runs, has logged no interval that was open; its count knew of it.
        every = [stretch for stretches in parts.values() for stretch in stretches]
        if channel < len(session["analysable_s"]):
            unlogged_ms = length_ms(remains(every, (began_ms, ended_ms))) - 1000 * session["analysable_s"][channel]
            if session["state"] != "closed" and unlogged_ms > 1000:
                parts[LOSSES[1][0]].append((ended_ms - unlogged_ms, ended_ms))
        lost_ms, taken, left_ms = {}, list[Span](), to_ms - from_ms
        for name, stretches in parts.items():
            taken += stretches
            now_ms = length_ms(remains(taken, (from_ms, to_ms)))
            lost_ms[name], left_ms = left_ms - now_ms, now_ms
        clear = remains(taken, (from_ms, to_ms))
        out.append(Track(session, channel, site(session, channel), (from_ms, to_ms), clear, lost_ms))
    return out


def remains(lost: Iterable[Span], within: Span) -> list[Span]:
    """What the stretches leave of `within`, in order."""
    out, reached = [], within[0]
    for onset, offset in sorted(lost):
        if onset >= within[1]:
            break
        if onset > reached:
            out.append((reached, onset))
        reached = max(reached, offset)
    if reached < within[1]:
        out.append((reached, within[1]))
    return out


def length_ms(spans: Sequence[Span]) -> float:
    """How long they are together."""
    return sum(to - from_ for from_, to in spans)


def _loss(kind: str) -> str:
    return next((name for name, kinds in LOSSES if kind in kinds), LOSSES[-1][0])
