"""What the log says of some days of one muscle, as numbers: what a report tells and draws."""

from __future__ import annotations

import bisect
import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.app.log_rows import REJECTED, Row, as_labelled
from emgtwitch.app.report.worn import HOUR_MS, LOSSES, Days, Span, Track, tracks, worn
from emgtwitch.app.study.rates import Rate, rate
from emgtwitch.app.trains import trains
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import UsageError
from emgtwitch.store.log_reader import LogReader, Selection
from emgtwitch.store.told import labels, ratings

CLOCK_SLACK_MS = 60_000  # between a session's start and what the clock's fit makes of it
LEAST_HOUR = 1 / 6  # analysable, before a cell of hour and day is told
LEAST_HOURS = 1.0  # before a rate is

Grid = npt.NDArray[np.float64]  # (days, 24)


@dataclass(frozen=True, slots=True)
class Facts:
    """One muscle over some days. Events are rows of the log as the wearer's labels have them, without the rejected."""

    days: Days
    site: str
    others: dict[str, float]  # the log's other sites and their analysable hours
    tracks: list[Track]
    undated: int  # recordings that carry no time of day: of none of the days
    recorded_h: Grid
    analysable_h: Grid
    counts: dict[str, Grid]  # by class
    events: list[Row]
    left_out: Counter[str]  # by label
    renamed: int  # events that count under the class that the wearer gave them
    trains: list[list[Row]]
    pauses_s: list[float]  # from a twitch's onset to the next, where nothing between them was lost
    rated: dict[int, Row]  # pain and note, by event
    diary: list[Row]

    @property
    def hours(self) -> float:
        """Analysable hours."""
        return float(self.analysable_h.sum())

    def of(self, name: str) -> list[Row]:
        """The events of a class."""
        return [event for event in self.events if event["class"] == name]

    def rate(self, name: str) -> Rate:
        """Events of a class per analysable hour, with whole days as the blocks that may differ."""
        hours = self.analysable_h.sum(axis=1)
        some = hours > 0
        return rate(self.counts[name].sum(axis=1)[some], hours[some])

    def lost_h(self) -> dict[str, float]:
        """Recorded hours that could not be analysed, by cause."""
        return {name: sum(t.lost_ms[name] for t in self.tracks) / HOUR_MS for name, _ in LOSSES}


def read(log: LogReader, days: Days, muscle: str | None) -> Facts:
    """The facts of `muscle`, or of the site with the most analysable time. Raises UsageError where there is nothing."""
    begin_ms, end_ms = (int(bound) for bound in days.span)
    everything = log.sessions()
    dated = [s for s in everything if s["started_utc_ms"] is not None]
    met = [s for s in dated if s["started_utc_ms"] < end_ms and _end_ms(s) > begin_ms]
    if not met:
        raise UsageError(f"Nothing was recorded from {days.first} to {days.last}. {_held(dated, days)}")
    earliest_ms = min(s["started_utc_ms"] for s in met) - CLOCK_SLACK_MS
    lost = log.intervals(Selection(from_utc_ms=earliest_ms, to_utc_ms=end_ms + CLOCK_SLACK_MS))
    by_session: dict[int, list[Row]] = {}
    for row in lost:
        by_session.setdefault(row["session"], []).append(row)
    every = [track for s in met for track in tracks(s, by_session.get(s["id"], []), days)]
    hours: dict[str, float] = {}
    for track in every:
        hours[track.site] = hours.get(track.site, 0.0) + track.clear_ms / HOUR_MS
    chosen = _chosen(hours, every, muscle)
    own = [track for track in every if track.site == chosen]
    channels = {(track.session["id"], track.channel) for track in own}
    within = log.events(Selection(from_utc_ms=begin_ms, to_utc_ms=end_ms))
    found = [e for e in within if (e["session"], e["channel"]) in channels]
    labelled = labels(log)
    said = {e["id"]: labelled[e["id"]]["class"] for e in found if e["id"] in labelled}
    kept = as_labelled(found, labelled)
    return Facts(
        days=days,
        site=chosen,
        others={name: hours[name] for name in hours if name != chosen},
        tracks=own,
        undated=len(everything) - len(dated),
        recorded_h=_spread([track.whole for track in own], days),
        analysable_h=_spread([stretch for track in own for stretch in track.clear], days),
        counts={name: _counted([e["utc_ms"] for e in kept if e["class"] == name], days) for name in CLASSES},
        events=kept,
        left_out=Counter(name for name in said.values() if name in REJECTED),
        renamed=sum(said.get(e["id"]) in CLASSES and said[e["id"]] != e["class"] for e in found),
        trains=_trains(own, kept),
        pauses_s=_pauses_s(own, kept),
        rated=ratings(log),
        diary=log.diary(Selection(from_utc_ms=begin_ms, to_utc_ms=end_ms)),
    )


def together(entries: Sequence[Row]) -> float | None:
    """What diary entries of one kind come to: the sum of their numbers, on a scale (`of 10`) the mean."""
    told = [(entry["value"], entry["unit"] or "") for entry in entries if entry["value"] is not None]
    if not told:
        return None
    total = sum(value for value, _ in told)
    return float(total / len(told) if told[0][1].startswith("of ") else total)


def _end_ms(session: Row) -> float:
    return float(session["started_utc_ms"] + 1000 * session["duration_s"])


def _held(dated: Sequence[Row], days: Days) -> str:
    if not dated:
        return "The log holds no recording that knows its time of day."
    first, last = min(s["started_utc_ms"] for s in dated), max(map(_end_ms, dated))
    shown = [datetime.datetime.fromtimestamp(ms / 1000, days.zone).date() for ms in (first, last)]
    return f"The log holds {shown[0]} to {shown[1]}: choose --from and --to there."


def _chosen(hours: dict[str, float], every: Sequence[Track], muscle: str | None) -> str:
    if muscle is None:
        return max(hours, key=lambda name: hours[name])
    asked = " ".join(muscle.split()).casefold()
    fits = {track.site for track in every if asked in (track.site.casefold(), _muscle(track).casefold())}
    if not fits:
        raise UsageError(
            f"--muscle is {muscle!r}; in these days the log holds: {', '.join(sorted(hours))}. Name one of them."
        )
    return max(sorted(fits), key=lambda name: hours[name])


def _muscle(track: Track) -> str:
    return worn(track.session, track.channel).get("muscle", "").strip()


def _spread(spans: Sequence[Span], days: Days) -> Grid:
    """Hours of the spans in each hour of each day."""
    out = np.zeros((len(days.all), 24))
    cells = days.hours()
    ends = [to for _, _, (_, to) in cells]
    for from_, to in spans:
        for day, hour, (begin, end) in cells[bisect.bisect_right(ends, from_) :]:
            if begin >= to:
                break
            out[day, hour] += (min(to, end) - max(from_, begin)) / HOUR_MS
    return out


def _counted(times_ms: Sequence[int], days: Days) -> Grid:
    out = np.zeros((len(days.all), 24))
    cells = days.hours()
    ends = [to for _, _, (_, to) in cells]
    for at_ms in times_ms:
        day, hour, _ = cells[bisect.bisect_right(ends, at_ms)]
        out[day, hour] += 1
    return out


def _trains(own: Sequence[Track], kept: Sequence[Row]) -> list[list[Row]]:
    by_session: dict[int, list[Row]] = {}
    for event in kept:
        by_session.setdefault(event["session"], []).append(event)
    settings = {track.session["id"]: track.session["settings"] for track in own}
    out = []
    for session, events in by_session.items():
        told = settings[session]
        out += trains(events, told.get("train_gap_s", 1.0), told.get("train_min_count", 3))
    return out


def _pauses_s(own: Sequence[Track], kept: Sequence[Row]) -> list[float]:
    out: list[float] = []
    clear = {(t.session["id"], t.channel): (t.session["started_utc_ms"], [to for _, to in t.clear]) for t in own}
    before: dict[tuple[int, int], tuple[float, int]] = {}
    for event in kept:
        if event["class"] != "twitch":
            continue
        key = (event["session"], event["channel"])
        began_ms, ends = clear[key]
        piece = bisect.bisect_right(ends, began_ms + 1000 * event["onset_s"])
        if key in before and before[key][1] == piece:
            out.append(event["onset_s"] - before[key][0])
        before[key] = event["onset_s"], piece
    return out
