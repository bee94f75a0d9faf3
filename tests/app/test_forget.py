"""Laws of forget: what lay in the range is in no file any more, what lay outside is as it was."""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.verify import verify
from emgtwitch.errors import CannotWriteError, UsageError
from emgtwitch.pipeline import Pipeline
from emgtwitch.sources.recording import read_blocks
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.lock import DataLock
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.span import Span
from emgtwitch.store.told import add_diary, add_label
from emgtwitch.wire.records import Clock, Note, Samples
from tests.app.kept import EPOCH_S, OFFSET_S, SECRET, START_MS, all_frames, rows, write_session

DAY_MS = 86_400_000
FIRST_EPOCH = ("--from", "2024-06-01T14:00", "--to", "2024-06-01T14:04:30")  # on the wearer's clock
HALF = ("--from", "2024-06-01T14:02", "--to", "2024-06-01T14:04:30")
WHOLE_DAY = ("--from", "2024-06-01", "--to", "2024-06-01")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "a")
    write_session(folder, "b", START_MS + DAY_MS, seed=1)
    key = ("a", 0, rows(folder, "event")[0]["number"])
    with LogWriter(folder / LOG_NAME) as log:
        for n, day in enumerate((0, 1)):
            entry = {"kind": "felt", "value": None, "unit": None, "note": f"{SECRET} diary {n}", "zone": None}
            when = {"utc_ms": START_MS + 150_000 + day * DAY_MS, "utc_offset_s": OFFSET_S}
            log.change(lambda db, told=entry | when: add_diary(db, told, START_MS))  # type: ignore[misc]
        log.change(lambda db: add_label(db, key, "twitch", f"{SECRET} label", START_MS))
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def forget(data: Path, *span: str) -> int:
    return main(["forget", "--data", str(data), "--yes", *span])


def occurrences(data: Path, text: str) -> list[str]:
    return [
        str(p.relative_to(data)) for p in sorted(data.rglob("*")) if p.is_file() and text.encode() in p.read_bytes()
    ]


def scans(home: Path) -> dict[int, float]:
    """Counts by session sample."""
    found: dict[int, float] = {}

    def keep(first: int, counts: object) -> None:
        found.update((first + n, float(count)) for n, count in enumerate(counts[:, 0]))  # type: ignore[index]

    pipeline = Pipeline(on_counts=keep)
    for block in read_blocks(home):
        pipeline.feed(block)
    pipeline.finish()
    return found


def test_no_byte_of_a_forgotten_day_is_left(data: Path) -> None:
    with LogWriter(data / LOG_NAME) as log:  # so that deleted bytes would stand in a WAL, too
        log.mark("felt", {"note": f"{SECRET} of the day"}, START_MS + 9000, OFFSET_S)
        assert forget_beside(data) == CannotWriteError.exit_code
    assert forget(data, *WHOLE_DAY) == 0
    assert not (data / "sessions" / "a").exists()
    for text in ("a 0", "a 1", "label", "of the day", "diary 0"):
        assert occurrences(data, f"{SECRET} {text}") == []
    assert occurrences(data, f"{SECRET} b 0") == [LOG_NAME, "sessions/b/0001.emgw"]
    assert {row["recording_id"] for row in rows(data, "session")} == {"b"}
    for table in ("event", "interval", "mark"):
        assert {row["session"] for row in rows(data, table)} == {2}
    assert rows(data, "label") == rows(data, "rating") == []
    assert len(rows(data, "diary")) == 1
    assert verify(data)["findings"] == []


def forget_beside(data: Path) -> int:
    with DataLock(data):
        return forget(data, *WHOLE_DAY)


def test_the_samples_and_notes_of_a_range_are_gone_and_the_others_are_in_their_places(data: Path) -> None:
    home = data / "sessions" / "a"
    before = scans(home)
    assert forget(data, *HALF) == 0
    after = scans(home)
    first, last = 120_000, 270_000
    assert {s: before[s] for s in after if s < first} == {s: c for s, c in after.items() if s < first}
    assert min(s for s in before if s not in after) > first - 2500
    inside = {count for sample, count in after.items() if first <= sample < last}
    assert inside <= {0.0}  # zeros where an epoch ended, to place the next one
    second = [s for s in after if s > last]
    assert abs(max(second) - max(before)) <= 3
    assert len(second) == sum(s > last for s in before)
    clocks = [r for r in all_frames(home) if isinstance(r, Clock)]
    assert len(clocks) > 2 * EPOCH_S - 20  # these stay


def test_notes_in_the_range_go_and_those_outside_stay(data: Path) -> None:
    home = data / "sessions" / "a"
    told = [r.json["note"] for r in all_frames(home) if isinstance(r, Note)]
    assert told == [f"{SECRET} a 0", f"{SECRET} a 1"]
    assert forget(data, *FIRST_EPOCH) == 0
    assert [r.json["note"] for r in all_frames(home) if isinstance(r, Note)] == told[1:]
    assert occurrences(data, f"{SECRET} a 0") == occurrences(data, f"{SECRET} label") == []
    assert any(any(r.counts) for r in all_frames(home) if isinstance(r, Samples))


def test_what_is_left_is_counted_as_less_time_and_not_as_time_without_events(data: Path) -> None:
    with LogReader(data / LOG_NAME) as log:
        whole = log.sessions()[0]["analysable_s"][0]
    assert forget(data, *HALF) == 0
    with LogReader(data / LOG_NAME) as log:
        session = log.sessions()[0]
        gaps = [i for i in log.intervals() if i["cause"] == "forgotten"]
        assert all(not 120 <= e["onset_s"] < 270 for e in log.events() if e["session"] == session["id"])
    assert [(gap["kind"], gap["session"]) for gap in gaps] == [("gap", session["id"])]
    assert gaps[0]["onset_s"] == pytest.approx(120, abs=1.5)
    assert session["analysable_s"][0] == pytest.approx(whole - 120, abs=3)


def test_where_summer_time_ends_within_a_session_the_gap_stands_where_the_signal_went(tmp_path: Path) -> None:
    home = write_session(tmp_path, "autumn", back_s=EPOCH_S)  # the second epoch runs from 13:04:50 to 13:08:50
    with contextlib.closing(sqlite3.connect(tmp_path / LOG_NAME)) as db, db:
        for at_s in (100.0, 390.0):  # of what the detector missed
            label = (at_s, at_s + 1, "twitch")
            db.execute(
                "INSERT INTO label (session, onset_s, offset_s, class, made_utc_ms) VALUES (1, ?, ?, ?, 0)", label
            )
    before = scans(home)
    assert forget(tmp_path, "--from", "2024-06-01T13:06", "--to", "2024-06-01T13:07") == 0
    went = sorted(set(before) - set(scans(home)))
    assert [went[0] / 1000, went[-1] / 1000] == pytest.approx([360, 420], abs=3)
    (gap,) = [row for row in rows(tmp_path, "interval") if row["cause"] == "forgotten"]
    assert [gap["onset_s"], gap["offset_s"]] == pytest.approx([360, 420], abs=1)
    assert gap["utc_offset_s"] == OFFSET_S - 3600
    assert [label["onset_s"] for label in rows(tmp_path, "label")] == [100.0]


def test_an_hour_that_comes_twice_is_two_parts_and_one_that_never_comes_is_none() -> None:
    quarter = Span(15 * 60_000, 30 * 60_000)  # 0:15 to 0:30 on a clock that is put back from 1:00 to 0:00
    assert quarter.within_s(0, [(0, 0), (3_600_000, -3600)], 9000.0) == [(900, 1800, 0), (4500, 5400, -3600)]
    whole = Span(0, 3_600_000)
    assert whole.within_s(0, [(0, 0), (3_600_000, -3600)], 9000.0) == [(0, 7200, 0)]
    skipped = Span(3_600_000, 7_200_000)  # 1:00 to 2:00 on a clock that is put forward then
    assert skipped.within_s(0, [(0, 0), (3_600_000, 3600)], 9000.0) == []


def test_what_an_interrupted_backup_left_and_what_else_lies_there_goes_as_well(data: Path) -> None:
    (data / f"{LOG_NAME}.new").write_text(SECRET)
    strange = data / "sessions" / "a" / "pictures"
    strange.mkdir()
    (strange / "calf.jpg").write_text(SECRET)
    assert forget(data, "--from", "1900-01-01", "--to", "2999-01-01") == 0
    assert occurrences(data, SECRET) == []


def test_forgetting_again_changes_nothing(data: Path) -> None:
    assert forget(data, *HALF) == 0
    once = {p: p.read_bytes() for p in (data / "sessions").glob("*/*")}
    sessions = rows(data, "session"), rows(data, "interval")
    assert forget(data, *HALF) == 0
    assert {p: p.read_bytes() for p in (data / "sessions").glob("*/*")} == once
    assert (rows(data, "session"), rows(data, "interval")) == sessions
    assert verify(data)["sound"] is True


def test_it_asks_and_takes_only_yes(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in (data / "sessions").glob("*/*")}
    for said in ("y\n", "no\n", "\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        assert main(["forget", "--data", str(data), *WHOLE_DAY]) == 0
        assert "Nothing was deleted." in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["forget", "--data", str(data), *WHOLE_DAY]) == UsageError.exit_code
    assert main(["forget", "--data", str(data), "--dry-run", *WHOLE_DAY]) == 0
    assert "Would delete" in capsys.readouterr().out
    assert {p: p.read_bytes() for p in (data / "sessions").glob("*/*")} == before
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["forget", "--data", str(data), *WHOLE_DAY]) == 0
    assert not (data / "sessions" / "a").exists()


def test_it_refuses_beside_a_daemon_and_says_what_to_do(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DataLock(data):
        assert forget(data, *WHOLE_DAY) == CannotWriteError.exit_code
    assert "Stop it first" in capsys.readouterr().err
    assert (data / "sessions" / "a").exists()


def test_a_recording_that_the_log_does_not_know_is_forgotten_as_well(data: Path) -> None:
    (data / LOG_NAME).unlink()
    assert forget(data, *WHOLE_DAY) == 0
    assert [p.name for p in (data / "sessions").iterdir()] == ["b"]


def test_an_instant_with_an_offset_is_understood(data: Path) -> None:
    assert forget(data, "--from", "2024-06-01T12:02+00:00", "--to", "2024-06-01T12:04:30+00:00") == 0
    with LogReader(data / LOG_NAME) as log:
        assert [round(i["onset_s"]) for i in log.intervals() if i["cause"] == "forgotten"] == [120]
    backwards = ("--from", "2024-06-02", "--to", "2024-05-30")
    assert forget(data, *backwards) == UsageError.exit_code
