"""Laws of prune: what is kept is as it was, what goes is a gap, and the session goes on meaning the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.prune import prune
from emgtwitch.detect.records import Event, Interval, Output
from emgtwitch.errors import UsageError
from emgtwitch.pipeline import Pipeline
from emgtwitch.sources.recording import read_blocks
from emgtwitch.store.lock import DataLock
from emgtwitch.wire.records import Samples
from tests.app.kept import DAYS_LATER_MS, EPOCH_S, HOLE_S, SECRET, START_MS, all_frames, rows, write_session
from tests.page.desks import API, client, desk

AROUND_S = 20.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_session(folder, "old")
    write_session(folder, "new", START_MS + 9 * 86_400_000, seed=1)
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def decoded(home: Path) -> tuple[dict[int, float], list[Output], Pipeline]:
    """Every scan by its session sample, and what a replay finds."""
    scans: dict[int, float] = {}

    def keep(first: int, counts: object) -> None:
        for n, count in enumerate(counts[:, 0]):  # type: ignore[index]
            scans[first + n] = float(count)

    pipeline = Pipeline(on_counts=keep)
    found = [s.record for block in read_blocks(home) for s in pipeline.feed(block)]
    return scans, found + [s.record for s in pipeline.finish()], pipeline


def test_a_pruned_recording_is_the_same_stream_with_gaps(data: Path) -> None:
    home = data / "sessions" / "old"
    before, found_before, _ = decoded(home)
    others = [r for r in all_frames(home) if not isinstance(r, Samples)]
    size = sum(path.stat().st_size for path in home.iterdir())
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    after, found_after, pipeline = decoded(home)
    assert sum(path.stat().st_size for path in home.iterdir()) < 0.75 * size
    second = round(1000 * (EPOCH_S + HOLE_S / 2))  # the hole before the second epoch is measured by clock notes
    shift = max(after) - max(before)
    assert abs(shift) <= 3
    places = {sample - shift * (sample > second): count for sample, count in after.items()}
    assert {sample: before[sample] for sample in places} == places  # each scan in its place, with its value
    assert [r for r in all_frames(home) if not isinstance(r, Samples)] == others
    assert sum(pipeline.rejected.values()) == 0
    gaps = [(i.onset_s, i.offset_s) for i in found_after if isinstance(i, Interval) and i.kind == "gap"]
    missing = len(before) - len(after)
    assert missing == pytest.approx(sum(b - a for a, b in gaps if b - a > 0.0) * 1000 - 50_000, abs=1500)
    assert pipeline.progress.duration_s == pytest.approx(max(before) / 1000, abs=0.002)
    kept = [r for r in found_before if isinstance(r, Event)]
    assert len(kept) >= 4
    for event in kept:
        first, last = round(1000 * (event.onset_s - AROUND_S)), round(1000 * (event.offset_s + AROUND_S))
        around = [sample for sample in before if first <= sample <= last]
        assert all(sample in places for sample in around)


def test_a_replay_finds_the_kept_events_again(data: Path) -> None:
    home = data / "sessions" / "old"
    _, found_before, _ = decoded(home)
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    _, found_after, _ = decoded(home)
    again = {r.onset_s: r for r in found_after if isinstance(r, Event)}
    for event in (r for r in found_before if isinstance(r, Event)):
        onset_s = min(again, key=lambda at_s, e=event: abs(at_s - e.onset_s))  # type: ignore[misc]
        assert abs(onset_s - event.onset_s) < 0.005
        assert again[onset_s].event_class == event.event_class
        assert again[onset_s].duration_ms == pytest.approx(event.duration_ms, abs=10)


def test_events_intervals_and_marks_stay_and_the_log_says_what_went(data: Path) -> None:
    tables = ("event", "interval", "session", "diary")
    before = {table: rows(data, table) for table in tables}
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    assert {table: rows(data, table) for table in tables} == before
    marks = rows(data, "mark")
    assert sum(SECRET in mark["detail"] for mark in marks) == 4
    (said,) = [mark for mark in marks if mark["kind"] == "pruned"]
    detail = json.loads(said["detail"])
    assert detail.pop("note") == "kept are 20 s around events, marks and labels"
    assert detail == {"around_s": AROUND_S, "pruned_utc_ms": DAYS_LATER_MS, "done": True}


def test_only_old_sessions_lose_signal_and_only_once(data: Path) -> None:
    young = {path: path.read_bytes() for path in (data / "sessions" / "new").iterdir()}
    assert len(prune(data, 5, AROUND_S, DAYS_LATER_MS)) == 2
    pruned = {path: path.read_bytes() for path in (data / "sessions" / "old").iterdir()}
    assert prune(data, 5, AROUND_S, DAYS_LATER_MS)[:-1] == []
    assert {path: path.read_bytes() for path in young} == young
    prune(data, 5, AROUND_S / 2, DAYS_LATER_MS)
    assert all(path.stat().st_size <= len(pruned[path]) for path in pruned)


def test_a_dry_run_changes_nothing(data: Path) -> None:
    before = {path: path.read_bytes() for path in (data / "sessions").glob("*/*")}
    lines = prune(data, 5, AROUND_S, DAYS_LATER_MS, dry_run=True)
    assert "would be dropped" in lines[0]
    assert lines[-1].endswith("Nothing was changed.")
    assert {path: path.read_bytes() for path in (data / "sessions").glob("*/*")} == before
    assert not [mark for mark in rows(data, "mark") if mark["kind"] == "pruned"]


def test_of_a_session_that_goes_on_what_is_old_goes_and_the_segment_that_is_written_stays(data: Path) -> None:
    home = write_session(data, "open", START_MS, end=False)
    segments = sorted(home.iterdir())
    before = {path: path.read_bytes() for path in segments}
    with DataLock(data):
        lines = prune(data, 5, AROUND_S, DAYS_LATER_MS)
    assert [line.partition(" ")[0] for line in lines[:-1]] == ["old", "open"]
    assert segments[-1].read_bytes() == before[segments[-1]]
    assert sum(path.stat().st_size for path in segments[:-1]) < 0.75 * sum(len(before[path]) for path in segments[:-1])
    with DataLock(data):
        assert prune(data, 5, AROUND_S, DAYS_LATER_MS)[:-1] == []


def test_of_a_long_session_only_what_is_old_goes(data: Path) -> None:
    home = data / "sessions" / "old"
    before, _, pipeline = decoded(home)
    old_s = EPOCH_S / 2
    cut = round(old_s * pipeline.rate_Hz)
    now_ms = START_MS + round(1000 * old_s) + 5 * 86_400_000
    prune(data, 5, AROUND_S, now_ms)
    after, _, _ = decoded(home)
    assert {at: count for at, count in after.items() if at >= cut} == {k: v for k, v in before.items() if k >= cut}
    assert sum(at < cut for at in after) < 0.9 * cut
    notes = [json.loads(mark["detail"])["note"] for mark in rows(data, "mark") if mark["kind"] == "pruned"]
    assert notes == ["kept are 20 s around events, marks and labels, and all since 2024-06-01 14:02:00.0"]
    young = sum(at >= cut for at in after)
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    rest, _, _ = decoded(home)
    assert sum(at >= cut for at in rest) < 0.9 * young


@pytest.mark.parametrize("years", [-20, 20])
@pytest.mark.parametrize("until_s", [60.0, EPOCH_S + 10.0])
def test_a_session_in_which_the_clock_was_set_loses_nothing_too_early(
    until_s: float, years: int, tmp_path: Path
) -> None:
    """A computer without a clock of its own begins with an old date."""
    home = write_session(tmp_path, "unset", wrong=(until_s, years * 365 * 86_400_000))
    before = {path: path.read_bytes() for path in home.iterdir()}
    assert prune(tmp_path, 5, AROUND_S, DAYS_LATER_MS - 6 * 86_400_000)[:-1] == []
    assert {path: path.read_bytes() for path in home.iterdir()} == before
    prune(tmp_path, 5, AROUND_S, DAYS_LATER_MS + max(0, years) * 365 * 86_400_000)
    assert sum(path.stat().st_size for path in home.iterdir()) < 0.75 * sum(len(data) for data in before.values())


@pytest.mark.parametrize("lost", ["0000.emgw", "0001.emgw"])
def test_a_recording_without_its_beginning_is_left_as_it_is(lost: str, data: Path) -> None:
    """Events stand in the log in seconds from a first sample that is no longer there."""
    home = data / "sessions" / "old"
    (home / "0000.emgw").unlink()
    (home / lost).write_bytes(b"")
    before = {path: path.read_bytes() for path in home.iterdir()}
    (line, _) = prune(data, 5, AROUND_S, DAYS_LATER_MS)
    assert line.startswith("old: left as it is. The log says that it is ")
    assert {path: path.read_bytes() for path in home.iterdir()} == before
    assert not [mark for mark in rows(data, "mark") if mark["kind"] == "pruned"]


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "1e6"])
def test_days_that_cannot_be_are_refused_with_what_can(
    days: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prune", f"--days={days}", "--data", str(data)]) == UsageError.exit_code
    assert "both must be at least 0 and below 1000000." in capsys.readouterr().err


def test_without_a_number_of_days_all_is_kept(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")
    assert main(["prune", "--data", str(data), "--config", str(config)]) == UsageError.exit_code
    config.write_text("[keep]\nsignal_days = 30\naround_event_s = 12\n")
    assert main(["prune", "--data", str(data), "--config", str(config)]) == 0
    details = [json.loads(mark["detail"]) for mark in rows(data, "mark") if mark["kind"] == "pruned"]
    assert [detail["around_s"] for detail in details] == [12, 12]


@pytest.mark.parametrize("line", ["signal_days = -1", "signal_days = 'ten'", "days = 3", "around_event_s = true"])
def test_what_keep_may_hold(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"[keep]\n{line}\n")
    assert main(["prune", "--data", str(tmp_path), "--config", str(config)]) == UsageError.exit_code
    assert "[keep]" in capsys.readouterr().err


def test_a_plot_an_export_and_the_page_say_that_signal_is_no_longer_kept(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "The signal of this recording was pruned: kept are 20 s around"
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    chosen = ("--data", str(data), "--session", "old")
    assert main(["events", *chosen, "--plot", str(tmp_path / "old.png")]) == 0
    assert words in capsys.readouterr().out
    assert main(["export", *chosen, "--format", "wav", "-o", str(tmp_path / "out")]) == 0
    assert words in capsys.readouterr().out
    assert main(["events", *chosen, "--marks"]) == 0
    assert "kept are 20 s around" in capsys.readouterr().out
    empty_s = next(i["onset_s"] for i in gaps(data / "sessions" / "old")) + 5.0
    with desk(data) as found:
        page = client(found)
        asked: dict[str, str | float] = {
            "recording": "old",
            "channel": 0,
            "from_s": empty_s,
            "to_s": empty_s + 2.0,
            "points": 100,
        }
        answer = page.get(f"{API}/signal", params=asked)
        assert (answer.status_code, words in answer.json()["error"]) == (404, True)
        event = next(row for row in rows(data, "event") if row["session"] == 1)
        answer = page.get(f"{API}/event/old.0.{event['number']}")
        assert any(value is not None for value in answer.json()["signal"]["raw"]["min"])


def test_a_run_over_what_is_left_does_not_take_the_place_of_the_run_over_all(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prune(data, 5, AROUND_S, DAYS_LATER_MS)
    home, before = str(data / "sessions" / "old"), {table: rows(data, table) for table in ("session", "interval")}
    assert main(["replay", home, "--log", str(data / "log.sqlite3")]) == UsageError.exit_code
    assert "Name another log" in capsys.readouterr().err
    assert {table: rows(data, table) for table in before} == before
    assert main(["replay", home, "--log", str(tmp_path / "other.sqlite3")]) == 0


def gaps(home: Path) -> list[dict[str, float]]:
    """Those that pruning made: none of the session's own is so long."""
    _, found, _ = decoded(home)
    own = [i.as_json() for i in found if isinstance(i, Interval) and i.kind == "gap"]
    return [one for one in own if one["cause"] == "lost" and one["offset_s"] - one["onset_s"] > 10.0]
