"""Laws of the log: what is written is there, once, and what cannot be read or written is left as it is."""

from __future__ import annotations

import dataclasses
import sqlite3
import stat
from pathlib import Path

import pytest

from emgtwitch.detect.records import Announcement, Event, Interval, Mark, Opened, Output, Progress, Stamped
from emgtwitch.errors import CannotWriteError, UnreadableInputError
from emgtwitch.store.folders import data_folder, make_data_folder
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader, Row, Selection
from emgtwitch.store.schema import connect_writer, migrations
from tests.store.processes import public_folder, run

__all__ = ["public_folder"]

NOON_MS = 1_711_800_000_000  # 2024-03-30 12:00 UTC
HOUR_S = 3600
OPENED = Opened("r1", {"worn": [{"muscle": "calf"}], "zone": "Europe/Berlin"}, "board 7", 1000.0, 2, 0.5, "digest")
EVENT = Event("twitch", 0, 1, 1.5, 1.55, 50.0, 40.0, 12.0, 9.0, True, False, False, 1700, "digest")
SPASM = dataclasses.replace(EVENT, event_class="spasm", number=2, onset_s=10.0, offset_s=17.0, duration_ms=7000.0)
ANNOUNCED = Announcement(0, 2, 10.2, 12_200)
GAP = Interval("gap", None, 3.0, 3.2, "lost", 3300)
RAIL = Interval("rail", 1, 4.0, 4.5, "", 4600)
BUTTON = Mark("button", None, 5.0, "board", 5000)
PROGRESS = Progress(20.0, (19.8, 19.3), 19_800, 200, 3, 12.5, 0.5)


def stamped(*records: Output) -> list[Stamped]:
    return [Stamped(record, NOON_MS + int(1000 * seconds(record)), HOUR_S) for record in records]


def seconds(record: Output) -> float:
    match record:
        case Opened():
            return 0.0
        case Mark():
            return record.at_s
    return record.onset_s


RUN = stamped(OPENED, EVENT, GAP, RAIL, BUTTON, ANNOUNCED, SPASM)


def write_run(path: Path, software: str = "1.0") -> None:
    with LogWriter(path, software=software) as log:
        log.begin(path.parent / "sessions" / "r1", {"mains_Hz": 50.0})
        log.write(RUN, PROGRESS)
        log.end()


def everything(path: Path) -> dict[str, list[Row]]:
    with LogReader(path) as log:
        every = Selection(all_runs=True)
        return {
            "sessions": log.sessions(every),
            "events": log.events(every),
            "intervals": log.intervals(every),
            "marks": log.marks(every),
        }


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_run(tmp_path / "log.sqlite3")
    found = everything(tmp_path / "log.sqlite3")
    session = found["sessions"][0]
    expected = {
        "recording_id": "r1",
        "path": str(tmp_path / "sessions" / "r1"),
        "settings": {"mains_Hz": 50.0},
        "worn": [{"muscle": "calf"}],
        "device": "board 7",
        "zone": "Europe/Berlin",
        "started_utc_ms": NOON_MS,
        "utc_offset_s": HOUR_S,
        "duration_s": 20.0,
        "analysable_s": [19.8, 19.3],
        "scans_lost": 200,
        "clock_ppm": 12.5,
        "state": "closed",
    }
    assert {key: session[key] for key in expected} == expected
    assert [(e["class"], e["onset_s"], e["offset_s"], e["utc_ms"]) for e in found["events"]] == [
        ("twitch", 1.5, 1.55, NOON_MS + 1500),
        ("spasm", 10.0, 17.0, NOON_MS + 10_000),
    ]
    assert [(i["kind"], i["channel"], i["cause"]) for i in found["intervals"]] == [
        ("gap", None, "lost"),
        ("rail", 1, ""),
    ]
    assert [(m["kind"], m["at_s"], m["source"]) for m in found["marks"]] == [("button", 5.0, "board")]


def test_a_run_repeated_adds_nothing(tmp_path: Path) -> None:
    write_run(tmp_path / "log.sqlite3")
    before = everything(tmp_path / "log.sqlite3")
    write_run(tmp_path / "log.sqlite3")
    assert everything(tmp_path / "log.sqlite3") == before


def test_a_run_of_another_version_stands_beside_and_only_the_newest_counts(tmp_path: Path) -> None:
    write_run(tmp_path / "log.sqlite3", "1.0")
    write_run(tmp_path / "log.sqlite3", "1.1")
    assert len(everything(tmp_path / "log.sqlite3")["events"]) == 4
    with LogReader(tmp_path / "log.sqlite3") as log:
        assert [s["software"] for s in log.sessions()] == ["1.1"]
        assert (len(log.events()), len(log.intervals()), len(log.marks())) == (2, 2, 1)


def test_a_session_whose_clock_is_known_only_later_gets_its_start_then(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with LogWriter(path) as log:
        log.write([Stamped(OPENED, None, None), Stamped(GAP, None, None)], PROGRESS)
        assert everything(path)["sessions"][0]["started_utc_ms"] is None
        log.write(stamped(BUTTON, EVENT))
        log.write([Stamped(RAIL, NOON_MS, 0)])
    session = everything(path)["sessions"][0]
    assert (session["started_utc_ms"], session["utc_offset_s"]) == (NOON_MS, HOUR_S)


def test_an_announced_spasm_is_in_the_log_without_an_offset_until_its_event_completes_it(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with LogWriter(path) as log:
        log.write(stamped(OPENED, ANNOUNCED), PROGRESS)
        (ongoing,) = everything(path)["events"]
        log.write(stamped(SPASM))
        (complete,) = everything(path)["events"]
    assert (ongoing["class"], ongoing["onset_s"], ongoing["offset_s"]) == ("spasm", 10.2, None)
    assert (complete["onset_s"], complete["offset_s"], complete["truncated"]) == (10.0, 17.0, 0)
    assert complete["id"] == ongoing["id"]


def test_a_spasm_that_a_crash_cut_off_is_closed_as_truncated_and_a_replay_completes_it(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with LogWriter(path, software="1.0") as log:
        log.write(stamped(OPENED, ANNOUNCED), dataclasses.replace(PROGRESS, duration_s=14.2))
    with LogWriter(path, software="1.0"):
        found = everything(path)
    assert found["sessions"][0]["state"] == "crashed"
    closed = found["events"][0]
    assert (closed["offset_s"], closed["duration_ms"], closed["truncated"]) == (14.2, pytest.approx(4000.0), 1)
    write_run(path)
    found = everything(path)
    spasm = found["events"][1]
    assert (spasm["offset_s"], spasm["truncated"], spasm["crash_closed"]) == (17.0, 0, 0)
    assert found["sessions"][0]["state"] == "closed"


def test_an_output_that_the_log_has_no_place_for_is_a_defect_and_not_a_full_disk(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "log.sqlite3") as log:
        log.write(stamped(OPENED))
        with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed: class"):
            log.write(stamped(EVENT, dataclasses.replace(EVENT, number=2, event_class="cramp")))  # type: ignore[arg-type]
        log.write(stamped(EVENT))
    assert len(everything(tmp_path / "log.sqlite3")["events"]) == 1


def test_a_stepped_clock_does_not_change_the_order_of_events(tmp_path: Path) -> None:
    hour_ms = 3_600_000
    back = [Stamped(SPASM, NOON_MS + 10_000 - hour_ms, HOUR_S)]
    with LogWriter(tmp_path / "log.sqlite3") as log:
        log.write(stamped(OPENED, EVENT) + back)
    events = everything(tmp_path / "log.sqlite3")["events"]
    assert [(e["class"], e["duration_ms"]) for e in events] == [("twitch", 50.0), ("spasm", 7000.0)]


def test_only_the_owner_may_read_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with LogWriter(path) as log:
        log.write(RUN)
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert modes == {"log.sqlite3": 0o600, "log.sqlite3-wal": 0o600, "log.sqlite3-shm": 0o600}


@pytest.mark.parametrize("running", [False, True])
def test_a_log_in_a_folder_without_write_rights_is_read_with_its_newest_rows(
    public_folder: Path, running: bool
) -> None:
    path = public_folder / "log.sqlite3"
    log = LogWriter(path)
    log.write(RUN)
    if running:  # the rows are in the -wal only; the -shm is of no use to one who may not write it
        (public_folder / "log.sqlite3-shm").chmod(0o600)
    else:
        log.close()
    path.chmod(0o644)
    if running:
        (public_folder / "log.sqlite3-wal").chmod(0o644)
    script = f"""
from tests.store.test_log import Path, everything
drop_rights()
print(len(everything(Path({str(path)!r}))["events"]))
"""
    public_folder.chmod(0o555)
    assert run(script) == "2\n"
    log.close()


def test_a_read_only_folder_is_refused_for_writing(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    script = f"""
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import make_data_folder
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter
from pathlib import Path
drop_rights()
folder = Path({str(public_folder)!r})
for attempt in (lambda: make_data_folder(folder), lambda: make_data_folder(folder / "new"), lambda: DataLock(folder),
                lambda: LogWriter(folder / "log.sqlite3")):
    try:
        attempt()
    except CannotWriteError as error:
        print(error.exit_code, "with --data or EMGTWITCH_DATA" in str(error))
"""
    assert run(script) == "73 True\n" * 4
    assert not list(public_folder.iterdir())


@pytest.mark.parametrize("use", [LogWriter, LogReader])
def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(
    tmp_path: Path, use: type[LogWriter] | type[LogReader]
) -> None:
    path = tmp_path / "log.sqlite3"
    write_run(path)
    whole = path.read_bytes()
    other = tmp_path / "other.sqlite3"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE recipe (name TEXT)")
    db.close()
    newer = bytearray(whole)
    newer[60:64] = (99).to_bytes(4, "big")  # user_version, see the SQLite file format
    for content, text in (
        (b"once upon a time " * 999, "is damaged"),
        (other.read_bytes(), "database of another program"),
        (bytes(newer), f"has version 99; this program reads up to {len(migrations())}. Update emgtwitch"),
    ):
        path.write_bytes(content)
        with pytest.raises(UnreadableInputError, match=text):
            use(path)
        assert path.read_bytes() == content
        lasting = [p.name for p in tmp_path.iterdir() if not p.name.endswith(("-wal", "-shm"))]
        assert sorted(lasting) == ["log.sqlite3", "other.sqlite3"]


def test_a_log_damaged_inside_is_refused_for_writing_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    write_run(path)
    content = path.read_bytes()
    for damaged in (content[:8192], content[:8192] + b"\x55" * (len(content) - 8192)):
        path.write_bytes(damaged)
        with pytest.raises(UnreadableInputError, match=r"is damaged .* left as it is"):
            LogWriter(path)
        assert path.read_bytes() == damaged


def test_a_missing_log_is_said_with_what_begins_one(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"There is no log at .*`emgtwitch run` begins one"):
        LogReader(tmp_path / "log.sqlite3")


def test_a_second_writer_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.lock import DataLock
lock = DataLock(Path({str(tmp_path)!r}))
if not os.fork():
    try:
        DataLock(Path({str(tmp_path)!r}))
    except CannotWriteError as error:
        print(f"(process {{os.getppid()}})" in str(error), flush=True)
    os._exit(0)
os.wait()
"""
    assert run(script) == "True\n"
    with DataLock(tmp_path), pytest.raises(CannotWriteError, match="Another emgtwitch"):
        DataLock(tmp_path)
    with DataLock(tmp_path), DataLock(tmp_path, "other.sqlite3"):
        assert (tmp_path / "other.sqlite3.lock").exists()


def test_a_log_of_every_earlier_version_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    fixtures = Path(__file__).parent / "logs"
    for version in range(1, len(migrations()) + 1):  # a missing fixture fails
        path = tmp_path / f"v{version}.sqlite3"
        db = sqlite3.connect(path)
        db.executescript((fixtures / f"v{version}.sql").read_text())
        db.close()
        LogWriter(path).close()
        found = everything(path)
        assert [len(found[table]) for table in ("sessions", "events", "intervals", "marks")] == [1, 2, 2, 1]
        assert [e["class"] for e in found["events"]] == ["twitch", "spasm"]


def test_a_migration_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    for number, step in enumerate(migrations(), start=1):
        (folder / f"{number:04d}_step.sql").write_text(step)
    following = folder / f"{len(migrations()) + 1:04d}_next.sql"
    write_run(tmp_path / "log.sqlite3")
    following.write_text("CREATE TABLE next (a); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(CannotWriteError, match="no such table: nowhere"):
        connect_writer(tmp_path / "log.sqlite3", folder)
    assert len(everything(tmp_path / "log.sqlite3")["events"]) == 2
    following.write_text("CREATE TABLE next (a); INSERT INTO next VALUES (1);")
    db = connect_writer(tmp_path / "log.sqlite3", folder)
    assert db.execute("SELECT a FROM next").fetchone() == (1,)
    assert db.execute("PRAGMA user_version").fetchone() == (len(migrations()) + 1,)
    db.close()


def test_a_selection_selects(tmp_path: Path) -> None:
    write_run(tmp_path / "log.sqlite3")
    local_ms = NOON_MS + 1000 * HOUR_S
    with LogReader(tmp_path / "log.sqlite3") as log:

        def classes(**selection: object) -> list[str]:
            return [e["class"] for e in log.events(Selection(**selection))]  # type: ignore[arg-type]

        assert classes(from_local_ms=local_ms + 1500, to_local_ms=local_ms + 10_000) == ["twitch"]
        assert classes(from_utc_ms=NOON_MS + 1501) == ["spasm"]
        assert classes(to_utc_ms=NOON_MS + 1501) == ["twitch"]
        assert classes(classes=("spasm", "contraction")) == ["spasm"]
        assert classes(channel=1) == []
        assert classes(recording="r") == ["twitch", "spasm"]
        assert classes(recording="x") == []
        assert [i["kind"] for i in log.intervals(Selection(channel=0))] == ["gap"]


def test_the_data_folder_is_the_option_then_the_variable_then_xdg(tmp_path: Path) -> None:
    environ = {"EMGTWITCH_DATA": "/b", "XDG_DATA_HOME": "/c"}
    assert data_folder("/a", environ) == Path("/a")
    assert data_folder(None, environ) == Path("/b")
    assert data_folder(None, {"XDG_DATA_HOME": "/c"}) == Path("/c/emgtwitch")
    assert data_folder(None, {"XDG_DATA_HOME": "relative"}) == Path.home() / ".local/share/emgtwitch"
    folder = make_data_folder(tmp_path / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
