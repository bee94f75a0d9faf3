"""What a day was like, in sentences and beside the days before."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from emgtwitch.store.log import LogWriter
from tests.page.desks import API, DAY, SPASM, client, desk
from tests.store.test_log import NOON_MS, write_run

DAY_MS = 86_400_000


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """A log of one run at noon, and of five days before it with 2, 4, 6, 8 and 10 twitches in two hours each."""
    path = tmp_path / "log.sqlite3"
    write_run(path)
    with LogWriter(path) as log:
        for back in range(1, 6):
            log.change(lambda db, back=back: _day(db, back))  # type: ignore[misc]
    return tmp_path


def _day(db: sqlite3.Connection, back: int) -> None:
    names = [row[1] for row in db.execute("PRAGMA table_info(session)") if row[1] != "id"]
    start_ms = NOON_MS - back * DAY_MS
    row = dict(zip(names, db.execute(f"SELECT {', '.join(names)} FROM session").fetchone(), strict=True))
    row |= {"recording_id": f"day{back}", "started_utc_ms": start_ms, "duration_s": 7200.0}
    row |= {"analysable_s": json.dumps([7200.0, 7200.0])}
    marks = ", ".join("?" * len(row))
    session = db.execute(f"INSERT INTO session ({', '.join(row)}) VALUES ({marks})", tuple(row.values())).lastrowid
    for number in range(2 * back):
        at_s = 60.0 * number
        db.execute(
            "INSERT INTO event (session, channel, number, class, onset_s, offset_s, duration_ms, in_uV, decided_sample,"
            " settings_digest, utc_ms, utc_offset_s) VALUES (?, 0, ?, 'twitch', ?, ?, 50, 1, 0, '', ?, 3600)",
            (session, number, at_s, at_s + 0.05, start_ms + round(1000 * at_s)),
        )


def sentences(folder: Path, day: str) -> str:
    with desk(folder) as served:
        return " ".join(client(served).get(f"{API}/digest", params={"day": day}).json()["sentences"])


def test_a_day_stands_beside_the_days_before_it(days: Path) -> None:
    assert "10 twitches, 5.0 an hour of good signal." in sentences(days, "2024-03-25")  # nothing came before
    assert "2 twitches, 1.0 an hour of good signal; on the 4 days before, 2.0 to 5.0, half under 3.5." in sentences(
        days, "2024-03-29"
    )


def test_a_minute_of_signal_gives_no_rate(days: Path) -> None:
    told = sentences(days, DAY)  # 20 s
    assert "an hour" not in told
    assert "1 spasm, the longest 7.00 s." in told


def test_pain_and_diary_are_told(days: Path) -> None:
    with desk(days) as served:
        page = client(served)
        page.post(f"{API}/spasm/{SPASM}", json={"pain": 6})
        for _ in range(2):
            page.post(f"{API}/diary", json={"kind": "coffee", "utc_ms": NOON_MS})
        told = page.get(f"{API}/digest", params={"day": DAY}).json()["sentences"]
    assert told[-2:] == ["1 spasm, the longest 7.00 s; pain up to 6 of 10.", "Diary: coffee 2 times."]


def test_what_the_wearer_says_of_an_event_counts(days: Path) -> None:
    with desk(days) as served:
        page = client(served)

        def counts() -> list[dict[str, int]]:
            day = {"from": "2024-03-29", "to": "2024-03-29"}
            whole = page.get(f"{API}/hours", params={"day": "2024-03-29"}).json()["whole"]
            return [whole["counts"], page.get(f"{API}/events", params=day).json()["counts"]]

        assert counts() == [{"twitch": 2, "contraction": 0, "spasm": 0}] * 2
        page.post(f"{API}/labels", json={"event": "day1.0.0", "label": "voluntary"})
        page.post(f"{API}/labels", json={"event": "day1.0.1", "label": "contraction"})
        assert counts() == [{"twitch": 0, "contraction": 1, "spasm": 0}] * 2
        told = page.get(f"{API}/digest", params={"day": "2024-03-29"}).json()["sentences"]
        assert "Left out, as you called them voluntary or artefacts: 1 event." in told
        page.post(f"{API}/labels", json={"event": "day1.0.0", "label": "confirmed"})
        assert counts()[0]["twitch"] == 1


def test_trains_leave_out_what_was_voluntary(days: Path) -> None:
    with desk(days) as served, LogWriter(days / "log.sqlite3") as log:
        log.change(lambda db: db.execute("UPDATE event SET onset_s = onset_s / 100 WHERE duration_ms = 50"))
        page = client(served)
        day = {"from": "2024-03-25", "to": "2024-03-25"}
        assert [one["twitches"] for one in page.get(f"{API}/trains", params=day).json()["trains"]] == [10]
        page.post(f"{API}/labels", json={"event": "day5.0.4", "label": "artefact"})
        assert [one["twitches"] for one in page.get(f"{API}/trains", params=day).json()["trains"]] == [4, 5]


def test_an_empty_day_says_so(days: Path) -> None:
    assert sentences(days, "2024-04-02") == "Nothing was recorded."


def test_a_recording_gives_all_its_events_whatever_the_day(days: Path) -> None:
    with desk(days) as served:
        page = client(served)
        told = {one["recording_id"]: one for one in page.get(f"{API}/recordings").json()["recordings"]}
        found = page.get(f"{API}/events", params={"recording": "day3"}).json()
        assert page.get(f"{API}/events", params={"recording": "day"}).json()["total"] == 0  # no beginning of a name
    assert list(told) == ["day5", "day4", "day3", "day2", "day1", "r1"]
    assert found["total"] == 6
    assert found["counts"]["twitch"] == 6
