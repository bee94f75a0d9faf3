"""A month of simulated wear in a data folder: what a real one has, written through the log's own writer.

Days of 8 to 15 hours, most nights off, days off, losses of every kind, twitches that come in bursts and on some days
more than on others, contractions, spasms with pain and notes, labels, a diary, and a few minutes really recorded.
`python -m tests.app.month FOLDER` writes one to look at.
"""

from __future__ import annotations

import argparse
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from emgtwitch.app.days import utc_ms_of, wall_ms
from emgtwitch.detect.records import Event, EventClass, Interval, IntervalKind, Opened, Progress, Stamped
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import recorded
from emgtwitch.store.folders import LOG_NAME, SESSIONS_NAME, make_data_folder
from emgtwitch.store.keeper import Keeper
from emgtwitch.store.log import LogWriter
from emgtwitch.store.recording import SessionWriter
from emgtwitch.store.storage import Storage
from emgtwitch.store.told import add_diary, add_label, rate_spasm
from emgtwitch.wearer.scenario import Scenario, Scheduled, Spontaneous
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Clock, Session

ZONE = "Europe/London"
WORN = [{"muscle": "gastrocnemius", "side": "left", "placement": "belly, medial head"}]
FIRST = datetime.date(2026, 3, 9)  # summer time begins on the 29th
RECORDED_S = 180.0
SCENARIO = Scenario(
    spontaneous=(Spontaneous("twitch", 300, (40.0, 200.0)),),
    schedule=(
        Scheduled(50.0, "train", 150.0, 3.0),
        Scheduled(90.0, "contraction", 500.0, 1.2),
        Scheduled(120.0, "spasm", 700.0, 12.0),
    ),
    mains_uV=(3.0, 0.5, 1.5),
    drift_uV=20.0,
)
NOTES = (
    "woke me up, stretched it away",
    "after the long run, calf hard as wood for a minute; walked up and down the stairs until it let go",
    "at the desk",
    "",
    "in bed, tea afterwards",
)


def write_month(
    folder: Path, *, seed: int = 1, first: datetime.date = FIRST, days: int = 28, scale: float = 1.0
) -> None:
    """Write the days from `first` on; `scale` multiplies how many twitches there are. Some 9,000 events as it is."""
    rng = np.random.default_rng(seed)
    make_data_folder(folder)
    with LogWriter(folder / LOG_NAME) as log:
        for number in range(days):
            day = first + datetime.timedelta(days=number)
            if number in (5, 19):  # not worn
                continue
            busy = rng.lognormal(0.0, 0.45) * scale
            hours = [(rng.uniform(6.5, 8.5), rng.uniform(4.0, 6.0)), (rng.uniform(14.0, 15.0), rng.uniform(4.0, 8.0))]
            if number in (9, 10, 23):  # a night as well
                hours.append((22.9, rng.uniform(6.0, 7.5)))
            for start_h, length_h in hours:
                wear(log, rng, day, start_h, length_h, busy, _settings(number), WORN)
            _tell_diary(log, rng, day)
        _second_muscle(log, rng, first + datetime.timedelta(days=min(3, days - 1)))
        _rate_and_label(log, rng)
    _record(folder, at_ms(first + datetime.timedelta(days=min(14, days - 1)), 13.2), seed)


def _settings(day: int) -> Settings:
    return Settings() if day < 21 else Settings(min_ms=6.0, twitch_max_ms=200.0)


def at_ms(day: datetime.date, hour: float) -> int:
    shown = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(hours=hour)
    return utc_ms_of(wall_ms(shown), ZoneInfo(ZONE))


def _offset_s(utc_ms: float) -> int:
    offset = datetime.datetime.fromtimestamp(utc_ms / 1000, ZoneInfo(ZONE)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def wear(
    log: LogWriter,
    rng: np.random.Generator,
    day: datetime.date,
    hour: float,
    hours: float,
    busy: float,
    settings: Settings,
    worn: list[dict[str, str]],
    *,
    spasms_per_hour: float = 0.06,
) -> None:
    """One session of rows, without a recording; `busy` multiplies its twitches."""
    start_ms, duration_s = at_ms(day, hour), 3600 * hours
    told = {"settings": settings.as_dict(), "worn": worn, "zone": ZONE}
    opened = Opened(f"r{start_ms}", told, "53494d0000000001", 1000.0, 1, 1.22, settings.digest)
    lost = _intervals(rng, duration_s)
    clear = _clear(lost, duration_s)
    events = list(_events(rng, clear, busy, spasms_per_hour, settings.digest))
    outputs: list[Event | Interval] = sorted([*lost, *events], key=lambda output: output.decided_sample)
    stamped = [Stamped(opened, start_ms, _offset_s(start_ms))]
    for output in outputs:
        onset_ms = start_ms + round(1000 * output.onset_s)
        stamped.append(Stamped(output, onset_ms, _offset_s(onset_ms)))
    analysable_s = sum(b - a for a, b in clear)
    progress = Progress(duration_s, (analysable_s,), round(1000 * duration_s), 900, 4, 12.0, 0.4)
    log.begin(None)
    log.write(stamped, progress)
    log.end()


def _intervals(rng: np.random.Generator, duration_s: float) -> list[Interval]:
    out = [Interval("settling", None, 0.0, 4.0, "", 4000)]
    hours = duration_s / 3600
    kinds: list[tuple[IntervalKind, int | None, str, float, float]] = [
        ("gap", None, "lost", 3.0, 1.5),
        ("artefact", 0, "motion", 8.0, 6.0),
        ("artefact", 0, "mains", 0.5, 60.0),
        ("lead_off", 0, "", 0.35, 500.0),
        ("rail", 0, "", 1.0, 2.0),
    ]
    for kind, channel, cause, per_hour, mean_s in kinds:
        for onset_s in rng.uniform(5.0, duration_s, rng.poisson(per_hour * hours)):
            offset_s = min(duration_s, onset_s + 0.1 + rng.exponential(mean_s))
            out.append(Interval(kind, channel, float(onset_s), float(offset_s), cause, int(1000 * offset_s)))
    return out


def _clear(lost: list[Interval], duration_s: float) -> list[tuple[float, float]]:
    out, reached_s = [], 0.0
    for interval in sorted(lost, key=lambda i: i.onset_s):
        if interval.onset_s > reached_s:
            out.append((reached_s, interval.onset_s))
        reached_s = max(reached_s, interval.offset_s)
    return [*out, (reached_s, duration_s)] if reached_s < duration_s else out


def _events(
    rng: np.random.Generator, clear: list[tuple[float, float]], busy: float, spasms_per_hour: float, digest: str
) -> Iterator[Event]:
    number = 0
    for begin_s, end_s in clear:
        taken_s = begin_s
        for onset_s, name, length_s in sorted(_wanted(rng, begin_s, end_s, busy, spasms_per_hour)):
            if onset_s < taken_s + 0.05 or onset_s + length_s > end_s:
                continue
            taken_s = onset_s + length_s
            number += 1
            peak = float(rng.lognormal(4.0 if name == "twitch" else 5.0, 0.5))
            yield Event(
                *(name, 0, number, onset_s, taken_s, 1000 * length_s, peak, 0.4 * peak, 12.0, True, False, False),
                int(1000 * taken_s) + 300,
                digest,
            )


def _wanted(
    rng: np.random.Generator, begin_s: float, end_s: float, busy: float, spasms_per_hour: float
) -> Iterator[tuple[float, EventClass, float]]:
    hours = (end_s - begin_s) / 3600
    for burst_s in rng.uniform(begin_s, end_s, rng.poisson(6.0 * busy * hours)):
        at_s = float(burst_s)
        for _ in range(rng.geometric(0.3)):
            yield at_s, "twitch", float(np.clip(rng.lognormal(-3.3, 0.35), 0.005, 0.149))
            at_s += 0.06 + float(rng.exponential(1.5))
    for onset_s in rng.uniform(begin_s, end_s, rng.poisson(10.0 * hours)):
        yield float(onset_s), "contraction", float(rng.uniform(0.2, 1.9))
    for onset_s in rng.uniform(begin_s, end_s, rng.poisson(spasms_per_hour * hours)):
        yield float(onset_s), "spasm", float(2.0 + rng.exponential(25.0))


def _tell_diary(log: LogWriter, rng: np.random.Generator, day: datetime.date) -> None:
    def tell(kind: str, hour: float, value: float | None, unit: str | None, text: str | None = None) -> None:
        told_ms = at_ms(day, hour)
        entry = {"kind": kind, "value": value, "unit": unit, "note": text}
        entry |= {"utc_ms": told_ms, "utc_offset_s": _offset_s(told_ms), "zone": ZONE}
        log.change(lambda db: add_diary(db, entry, told_ms))

    tell("sleep", 7.0, round(float(rng.uniform(5.0, 8.5)) * 2) / 2, "h")
    for hour in rng.uniform(7.0, 17.0, rng.integers(0, 4)):
        tell("coffee", float(hour), 1.0, "cups")
    if rng.random() < 0.35:
        tell("exercise", 18.0, float(rng.integers(2, 10) * 10), "min", "easy run")
    if rng.random() < 0.5:
        tell("stress", 20.0, float(rng.integers(1, 9)), "of 10")
    if rng.random() < 0.3:
        tell("supplement", 8.0, None, None, "magnesium")


def _second_muscle(log: LogWriter, rng: np.random.Generator, day: datetime.date) -> None:
    worn = [{"muscle": "tibialis anterior", "side": "left", "placement": "upper third"}]
    wear(log, rng, day, 20.5, 1.5, 1.0, Settings(), worn)


def _rate_and_label(log: LogWriter, rng: np.random.Generator) -> None:
    """Pain and notes for most spasms; some twitches were movements or knocks, some contractions twitches."""
    asked = (
        "SELECT recording_id, channel, number, class, event.utc_ms FROM event "
        "JOIN session ON session.id = event.session ORDER BY event.id"
    )

    def tell(db: sqlite3.Connection) -> None:
        for recording, channel, number, name, utc_ms in db.execute(asked).fetchall():
            key = (recording, channel, number)
            if name == "spasm" and rng.random() < 0.8:
                told = {"pain": int(rng.integers(0, 10)), "note": NOTES[rng.integers(len(NOTES))] or None}
                rate_spasm(db, key, told, utc_ms)
            elif name == "twitch" and number % 50 == 0:
                add_label(db, key, "voluntary" if rng.random() < 0.6 else "artefact", None, utc_ms)
            elif name == "contraction" and number % 200 == 0:
                add_label(db, key, "twitch", None, utc_ms)

    log.change(tell)


def _record(folder: Path, start_ms: int, seed: int) -> None:
    """RECORDED_S of a simulated wearer, detected and stored as the daemon does it."""
    name = f"r{start_ms}"
    told = {
        "recording_id": name,
        "segment": 0,
        "settings": Settings().as_dict(),
        "worn": WORN,
        "zone": ZONE,
        "started_utc_ms": start_ms,
    }
    home = folder / SESSIONS_NAME / name
    log = LogWriter(folder / LOG_NAME)
    log.begin(home)
    keeper = Keeper(Storage(log, SessionWriter(home, told)), on_trouble=_fail)
    pipeline = Pipeline()
    head = note(Session(told), 0)
    keeper.put(head, pipeline.feed(head), None)
    for minute, piece in enumerate(recorded(SCENARIO, seed, RECORDED_S)):  # the first is a Hello alone
        now_ns = (1000 + 60 * minute) * 10**9
        data = bytes(piece) + note(Clock(now_ns, now_ns, start_ms + 60_000 * minute, _offset_s(start_ms)), 0)
        keeper.put(data, pipeline.feed(data), pipeline.progress)
    keeper.put(b"", pipeline.finish(), pipeline.progress)
    keeper.close()


def _fail(trouble: str) -> None:
    raise AssertionError(trouble)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.app.month", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the data folder is made")
    write_month(parser.parse_args().folder)
