"""Laws of `replay`: no answer depends on blocks or pace, a recording's own settings hold, and a log grows once."""

from __future__ import annotations

import io
import json
import os
import re
import select
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.app import replay
from emgtwitch.app.cli import main
from emgtwitch.detect.records import Stamped
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from emgtwitch.wire.encode import note
from emgtwitch.wire.records import Clock, Session
from tests.app.nursery import ROOT, Nursery
from tests.app.outputs import canonical, replayed

OWN = Settings(twitch_max_ms=80.0, preset="myoclonus")
SECONDS = 20.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of the demo in two channels' worth of events, damaged here and there, with settings of its own."""
    path = tmp_path_factory.mktemp("recording") / "night.emgw"
    stream = bytearray(b"".join(recorded(SCENARIOS["demo"], 5, SECONDS)))
    for at in range(7000, len(stream), 9001):
        stream[at] ^= 0x55
    del stream[20_000:20_600]
    session = Session({"recording_id": "r5", "settings": OWN.as_dict(), "worn": [], "segment": 0})
    path.write_bytes(note(session, 0) + note(Clock(10**12, 10**12, 1_700_000_000_000, 3600), 1) + bytes(stream))
    return path


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "emg.csv"
    lines = [f"{(n * 7919 % 11) - 5},{(n * 104729 % 13) - 6}" for n in range(4000)]
    path.write_text("left,right\n" + "\n".join(lines) + "\n")
    return path


def test_no_answer_depends_on_the_block_size(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = set()
    for size in (1 << 20, 4096, 997, 61, 1):
        monkeypatch.setattr(replay, "BLOCK_BYTES", size)
        assert main(["replay", "--json", str(recording)]) == 0
        answers.add(capsys.readouterr().out)
    (answer,) = answers
    assert answer.count('"type": "event"') >= 5
    assert answer.count('"type": "interval"') >= 3


def test_no_answer_depends_on_the_pace(recording: Path, text_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, options in ((recording, []), (text_file, ["--fs", "1000", "--units", "uV"])):
        at_once = replayed(capsys, path, *options)
        assert replayed(capsys, path, *options, "--speed", "1e6") == at_once


def test_several_files_are_shown_and_logged_in_their_order_as_each_alone(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for n, (name, seconds) in enumerate((("demo", 8.0), ("quiet", 3.0), ("demo", 4.0), ("quiet", 5.0))):
        files.append(tmp_path / f"{n}.emgw")
        files[-1].write_bytes(b"".join(recorded(SCENARIOS[name], n, seconds)))
    files.insert(1, recording)
    alone = []
    for path in files:
        assert main(["replay", "--json", str(path)]) == 0
        alone.append(capsys.readouterr().out)
    for cores in (1, 2, 8):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        log = tmp_path / f"{cores}.sqlite3"
        assert main(["replay", "--json", "--log", str(log), *map(str, files)]) == 0
        assert capsys.readouterr().out == "".join(alone)
        with sqlite3.connect(log) as connection:
            logged = [row[0] for row in connection.execute("SELECT path FROM session ORDER BY id")]
        assert [Path(path).name for path in logged] == [path.name for path in files]


def test_what_stands_before_an_unreadable_file_is_shown_and_nothing_after_it(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--json", str(recording)]) == 0
    once = capsys.readouterr().out
    nothing = tmp_path / "nothing.emgw"
    assert main(["replay", "--json", str(recording), str(nothing), str(recording)]) == 65
    told = capsys.readouterr()
    assert told.out == once
    assert str(nothing) in told.err


def test_each_piece_waits_for_its_time(recording: Path) -> None:
    now_s, slept = 0.0, []

    def sleep(duration_s: float) -> None:
        nonlocal now_s
        slept.append(duration_s)
        now_s += duration_s

    pipeline = Pipeline()
    data = recording.read_bytes()

    def pieces() -> Iterator[list[Stamped]]:
        for at in range(0, len(data), 512):
            nonlocal now_s
            now_s += 0.001  # the work takes time, too
            yield pipeline.feed(data[at : at + 512])

    for _ in replay._paced(pieces(), pipeline, 4.0, clock=lambda: now_s, sleep=sleep):
        assert now_s >= pipeline.progress.duration_s / 4.0 - 1e-9
    assert now_s == pytest.approx(pipeline.progress.duration_s / 4.0, abs=0.01)
    assert pipeline.progress.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert min(slept) >= 0.0


def digests(lines: list[dict[str, Any]]) -> set[str]:
    return {line["settings_digest"] for line in lines if line["type"] == "event"}


def test_a_recording_brings_its_settings_unless_told_otherwise(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[detector]\nmin_ms = 9\n")
    monkeypatch.setenv("EMGTWITCH_CONFIG", str(config))  # the wearer's present wish is not the recording's
    assert digests(replayed(capsys, recording)) == {OWN.digest}
    changed = Settings.from_mapping({"spasm_min_s": 1.0}, OWN)
    assert digests(replayed(capsys, recording, "--set", "spasm_min_s=1")) == {changed.digest}
    assert digests(replayed(capsys, recording, "--config", config)) == {Settings(min_ms=9.0).digest}
    fasciculation = digests(replayed(capsys, recording, "--preset", "fasciculation"))
    assert fasciculation
    assert not fasciculation & {OWN.digest, Settings().digest}


def rows(log: Path) -> list[int]:
    with sqlite3.connect(log) as db:
        counts = [db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("session", "event", "interval")]
    db.close()
    return counts


def test_a_replay_into_a_log_adds_each_run_once(
    recording: Path, text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.sqlite3"
    found = canonical(replayed(capsys, recording, "--log", log))
    once = rows(log)
    assert once == [1, sum('"event"' in f for f in found), sum('"interval"' in f for f in found)]
    assert canonical(replayed(capsys, recording, "--log", log)) == found
    assert rows(log) == once
    replayed(capsys, recording, "--log", log, "--set", "min_ms=5")
    assert rows(log)[0] == 2
    for channel in ("left", "right", "left"):  # the same bytes, read otherwise, are another run
        replayed(capsys, text_file, "--fs", "1000", "--units", "uV", "--channel", channel, "--log", log)
    assert rows(log)[0] == 4


def test_an_interrupted_replay_into_a_log_is_completed_by_the_next(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, log = tmp_path / "whole.sqlite3", tmp_path / "log.sqlite3"
    replayed(capsys, recording, "--log", whole)
    part = tmp_path / "part.emgw"
    part.write_bytes(recording.read_bytes()[:30_000])
    replayed(capsys, part, "--log", log)
    with sqlite3.connect(log) as db:
        db.execute("UPDATE session SET state = 'crashed'")
    db.close()
    replayed(capsys, recording, "--log", log)
    assert rows(log)[0] == 1
    assert rows(log)[1] >= rows(whole)[1]


def test_a_log_that_takes_no_more_is_said_and_all_is_shown_all_the_same(
    recording: Path, tmp_path: Path, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.sqlite3"
    assert main(["mark", "--data", str(tmp_path), "felt"]) == 0
    run = nursery.run("replay", "--json", recording, "--log", log, file_bytes=33_000)  # it opens, but takes no batch
    assert run.code == 73
    assert "nothing is logged twice" in run.said()
    assert canonical(run.lines()) == canonical(replayed(capsys, recording))


def test_several_files_have_a_summary_each(
    recording: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = replayed(capsys, recording, recording)
    assert [o["file"] for o in again if o["type"] == "summary"] == [str(recording)] * 2
    half = len(again) // 2
    assert again[:half] == again[half:]


def test_a_folder_of_segments_is_one_recording(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = recording.read_bytes()
    cut = len(whole) // 2
    (tmp_path / "0000.emgw").write_bytes(whole[:cut])
    (tmp_path / "0001.emgw").write_bytes(whole[cut:])
    assert canonical(replayed(capsys, tmp_path)) == canonical(replayed(capsys, recording))


def test_people_get_words(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["replay", str(recording)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ +\d+\.\d{3} s  twitch +\d+ ms  peak \d", out, re.MULTILINE)
    assert re.search(r"\[gap \(lost\), \d+ ms\]", out)
    assert out.splitlines()[-1].endswith("could be analysed.")


def terminal(*arguments: str | Path, out: int | None) -> str:
    """What `replay` writes to a terminal that its standard error, and without `out` its standard output, is."""
    master, slave = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "emgtwitch.app.cli", "replay", *map(str, arguments)],
        stdout=slave if out is None else out,
        stderr=slave,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(slave)
        seen = io.BytesIO()
        while select.select([master], [], [], 60)[0]:
            try:
                seen.write(os.read(master, 1 << 16))
            except OSError:  # so a terminal says that nobody has it open any more
                break
        assert process.wait(60) == 0
    os.close(master)
    return seen.getvalue().decode()


def test_a_bar_shows_on_a_terminal_only_and_never_between_the_lines(recording: Path, tmp_path: Path) -> None:
    with (tmp_path / "out.json").open("wb") as out:
        assert "100%" in terminal("--json", recording, out=out.fileno())
    lines = [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]
    assert lines[-1]["type"] == "summary"
    assert "%" not in terminal(recording, out=None)


def test_no_replay_of_a_recording_imports_what_it_does_not_need(recording: Path) -> None:
    script = (
        "import sys\nfrom emgtwitch.app.cli import main\n"
        f"assert main(['replay', {str(recording)!r}]) == 0\n"
        "heavy = ('scipy', 'matplotlib', 'h5py', 'edfio', 'rich', 'serial')\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & set(heavy)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_no_run_imports_scipy(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, threading\nfrom emgtwitch.app.cli import main\n"
        "threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        f"assert main(['run', '--source', 'sim', '--data', {str(tmp_path)!r}]) == 0\n"
        "print('scipy' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "False"
