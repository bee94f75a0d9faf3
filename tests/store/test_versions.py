"""Laws of versions: what an older version wrote opens as it is and says the same; the fixtures are kept for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.verify import verify
from emgtwitch.detect.records import Event, Mark
from emgtwitch.errors import UnreadableInputError
from emgtwitch.pipeline import Pipeline
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader, Row
from emgtwitch.store.schema import migrations
from emgtwitch.wire.records import WIRE_VERSION

FIXTURES = Path(__file__).parent
VERSIONS = range(1, len(migrations()) + 1)
# Class, onset and offset in seconds of each event that a recording of that wire version holds.
HEARD = {
    1: [
        ("twitch", 1.500, 1.517),
        ("twitch", 2.383, 2.402),
        ("twitch", 2.801, 2.820),
        ("twitch", 3.999, 4.053),
        ("contraction", 5.499, 6.295),
    ]
}


def log_of(version: int, folder: Path, mode: str = "WAL") -> Path:
    path = folder / "log.sqlite3"
    db = sqlite3.connect(path)
    db.executescript((FIXTURES / f"logs/v{version}.sql").read_text())  # a missing fixture fails
    db.execute("INSERT INTO diary (kind, value, utc_ms, utc_offset_s) VALUES ('caffeine', 2.0, 1711800003000, 3600)")
    db.commit()
    db.execute(f"PRAGMA journal_mode = {mode}")
    db.close()
    return path


def said(path: Path) -> list[list[Row]]:
    """All that a log tells."""
    with LogReader(path) as log:
        assert log.rows("SELECT * FROM rating") == []  # a table that the first version had not
        return [log.sessions(), log.events(), log.intervals(), log.marks(), log.diary()]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_log_of_every_version_is_read_as_it_is_and_says_what_the_newest_says(
    version: int, mode: str, tmp_path: Path
) -> None:
    path = log_of(version, tmp_path, mode)
    before = path.read_bytes()
    told = said(path)
    assert path.read_bytes() == before
    assert [event["class"] for event in told[1]] == ["twitch", "spasm"]
    LogWriter(path).close()
    assert said(path) == told
    newest = tmp_path / "newest"
    newest.mkdir()
    assert said(log_of(VERSIONS[-1], newest))[1:] == told[1:]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "command",
    [
        *(["status"], ["events"], ["prune", "--days", "1"], ["mark", "felt"]),
        ["forget", "--yes", "--from", "2020-01-01", "--to", "2020-01-02"],
    ],
)
def test_every_command_takes_a_log_of_every_version(
    version: int, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log_of(version, tmp_path)
    code = main([*command, "--data", str(tmp_path)])
    assert code == (3 if command == ["status"] else 0), capsys.readouterr().err
    assert [event["class"] for event in said(path)[1]] == ["twitch", "spasm"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_log_of_every_version_can_be_verified(version: int, tmp_path: Path) -> None:
    log_of(version, tmp_path)
    found = verify(tmp_path)
    assert found["log_version"] == version
    (finding,) = found["findings"]
    assert finding["what"].endswith("r1 is missing.")  # the fixture is a log alone


def test_an_empty_file_is_no_log_of_an_older_version(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").touch()
    with pytest.raises(UnreadableInputError, match=r"is empty. `emgtwitch run` begins it"):
        LogReader(tmp_path / "log.sqlite3")


@pytest.mark.parametrize("version", range(1, WIRE_VERSION + 1))
def test_a_recording_of_every_wire_version_gives_the_same_events(version: int) -> None:
    (file,) = (FIXTURES / f"recordings/wire{version}").glob("*.emgw")
    pipeline = Pipeline()
    found = [one.record for one in (*pipeline.feed(file.read_bytes()), *pipeline.finish())]
    heard = [(one.event_class, one.onset_s, one.offset_s) for one in found if isinstance(one, Event)]
    assert [event_class for event_class, _, _ in heard] == [event_class for event_class, _, _ in HEARD[version]]
    for (_, *times_s), (_, *kept_s) in zip(heard, HEARD[version], strict=True):
        assert times_s == pytest.approx(kept_s, abs=0.02)  # a better detector may move an edge
    assert [one.kind for one in found if isinstance(one, Mark)] == ["felt"]
