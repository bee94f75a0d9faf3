"""A recording may come from anybody: nothing in it is run, printed raw, or written where it says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.legible import legible
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Clock, Note, Record, Session

EVIL = "\x1b[31m\x07\x9b2Jevil<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
SIGNAL = ("signal-csv", "signal-parquet")
DAY_MS = 1_700_000_000_000  # 2023-11-14


def written(record: Record) -> bytes:
    return note(record, 0)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A sound stream with words that were meant for terminals, browsers, spreadsheets and file systems."""
    worn = [{"muscle": FORMULA + EVIL, "side": EVIL, "placement": "@x"}]
    session = {"recording_id": "../../../pwned" + EVIL, "segment": 0, "software": EVIL, "settings": {}, "worn": worn}
    data = written(Session(session | {"zone": EVIL, "started_utc_ms": DAY_MS}))
    for piece in recorded(SCENARIOS["demo"], 1, 20.0):
        data += written(Clock(10**12, 10**12, DAY_MS, 0)) + piece
        data += written(Note({"kind": "=1+1" + EVIL, "note": "+cmd" + EVIL, EVIL: [EVIL, {"deep": EVIL}]}))
    path = tmp_path / "hostile.emgw"
    path.write_bytes(data)
    return path


def test_every_word_of_a_recording_reaches_terminal_log_and_files_without_control_characters(
    hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    before = set(tmp_path.parent.iterdir())
    commands = [
        ["replay", str(hostile), "--log", str(data / "log.sqlite3")],
        ["events", "--marks", "--intervals", "--data", str(data)],
        ["export", "--format", "csv", "-o", str(tmp_path / "csv"), "--data", str(data)],
        ["export", "--format", "jsonl", "-o", str(tmp_path / "jsonl"), "--data", str(data)],
        ["report", "-o", str(tmp_path / "r.html"), "--from", "2023-11-14", "--to", "2023-11-14", "--data", str(data)],
    ]
    for command in commands:
        assert main(command) == 0, command
    assert main(["status", "--data", str(data)]) == 3
    out, err = capsys.readouterr()
    texts = [out, err]
    for path in (*(tmp_path / "csv").iterdir(), *(tmp_path / "jsonl").iterdir(), tmp_path / "r.html"):
        texts.append(path.read_text())
    for text in texts:
        assert [c for c in text if c not in "\n\t\r" and (c < " " or "\x7f" <= c < "\xa0")] == []
    assert "evil" in out, "the words themselves are shown"
    assert "<script>alert" not in (tmp_path / "r.html").read_text()
    for form in ("edf", "bdf", "wav", "bids", *SIGNAL):
        assert main(["export", str(hostile), "--format", form, "-o", str(tmp_path / form)]) == 0, form
        assert len(list((tmp_path / form).rglob("*"))) >= 1
    assert set(tmp_path.parent.iterdir()) == before
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*pwned*")} <= {"edf", "bdf", "wav", *SIGNAL}


def test_no_cell_of_an_exported_table_is_a_formula(hostile: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    assert main(["replay", str(hostile), "--log", str(data / "log.sqlite3")]) == 0
    assert main(["export", "--format", "csv", "-o", str(tmp_path / "csv"), "--data", str(data)]) == 0
    with (tmp_path / "csv/events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {row["muscle"][:6] for row in rows} == {"'=cmd|"}
    for row in rows:
        assert [key for key, cell in row.items() if cell.startswith(("=", "@")) or cell[:4] == "+cmd"] == []


def test_legible_leaves_everything_else_as_it_is() -> None:
    value = {"a": ["Wade ü 漢", 1.5, None, True], "line\nbreak\t": {"b": "x"}}
    assert legible(value) == value
    assert legible("\x00\x1b\x7f\x9f") == "\ufffd" * 4


@pytest.mark.parametrize("name", ["/elsewhere", "../elsewhere", "..", ".hidden", "a\0b", "x" * 300, ""])
def test_an_exported_file_lies_in_its_folder_whatever_the_recording_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = {"recording_id": str(tmp_path) + name if name == "/elsewhere" else name, "segment": 0, "settings": {}}
    path = tmp_path / "a.emgw"
    path.write_bytes(written(Session(session)) + b"".join(recorded(SCENARIOS["demo"], 1, 2.0)))
    assert main(["export", str(path), "--format", "signal-csv", "-o", "out/in/it"]) == 0
    (made,) = (file for file in tmp_path.rglob("*") if file.is_file() and file != path)
    assert made.parent == tmp_path / "out/in/it"
    assert not made.name.startswith(".")


ODD = (5, None, True, [1], {"a": "b"}, 1e308, 2**70, "\x00", "\ud800", "Wädchen")
COMMANDS = (
    ("replay", "FILE", "--log", "DATA/log.sqlite3"),
    ("events", "--json", "--marks", "--data", "DATA"),
    ("export", "--format", "csv", "--muscle", "calf", "-o", "csv", "--data", "DATA"),
    ("export", "FILE", "--format", "edf", "-o", "edf"),
    ("export", "FILE", "--format", "parquet", "-o", "parquet"),
    ("report", "--from", "2023-11-14", "--to", "2023-11-14", "-o", "report.html", "--data", "DATA"),
)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("whole", [True, False])
def test_a_recording_that_tells_things_of_another_kind_is_read_all_the_same(
    odd: object, whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    worn = odd if whole else [odd, {"muscle": odd}]
    told = {"settings": {}, "worn": worn} | dict.fromkeys(("recording_id", "zone", "software", "started_utc_ms"), odd)
    data = written(Session(told)) + written(Note({"kind": odd, "note": odd}))
    for piece in recorded(SCENARIOS["demo"], 1, 3.0):
        data += written(Clock(10**12, 10**12, DAY_MS if whole else 0, 0)) + piece  # EDF knows no 1970
    (tmp_path / "a.emgw").write_bytes(data)
    (tmp_path / "data").mkdir()
    for command in COMMANDS:  # a result or a sentence; whatever else is raised is a defect
        assert main([part.replace("DATA", "data").replace("FILE", "a.emgw") for part in command]) in (0, 2)
