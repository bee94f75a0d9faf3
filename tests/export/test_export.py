"""Laws of the exports: another program reads the same samples and events, and back into replay they give the same."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pyarrow.parquet
import pyedflib
import pytest

import emgtwitch
from emgtwitch.app.cli import main
from emgtwitch.app.export.edf import record_length
from emgtwitch.app.export.formats import FORMATS
from emgtwitch.app.notebook import Log, Recording
from emgtwitch.errors import UsageError
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from tests.page.desks import SPASM, client, desk

SECONDS = 50.3  # no whole number of data records


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "demo.emgw"
    path.write_bytes(b"".join(recorded(SCENARIOS["demo"], 5, SECONDS)))
    return path


@pytest.fixture(scope="module")
def original(recording: Path) -> Recording:
    return opened(recording)


@pytest.fixture
def log_folder(tmp_path: Path) -> Path:
    """A log with a run whose recording is not there any more, a label, a pain and secrets in notes."""
    with desk(tmp_path) as served:
        page = client(served)
        page.post("http://127.0.0.1:8765/api/v1/spasm/" + SPASM, json={"pain": 6, "note": "SECRET-NOTE"})
        page.post("http://127.0.0.1:8765/api/v1/marks", json={"kind": "felt", "note": "SECRET-NOTE"})
    return tmp_path


def opened(path: Path) -> Recording:
    found = emgtwitch.open(path)
    assert isinstance(found, Recording)
    return found


def export(out: Path, *words: object) -> int:
    return main(["export", "-o", str(out), *map(str, words)])


@pytest.mark.parametrize("form", ["edf", "bdf", "signal-csv", "signal-parquet", "wav"])
def test_what_is_exported_replays_to_the_same_events(
    form: str, recording: Path, original: Recording, tmp_path: Path
) -> None:
    assert export(tmp_path / "out", recording, "--format", form) == 0
    path = next(path for path in (tmp_path / "out").iterdir() if path.suffix != ".json")
    again = opened(path)
    assert len(again.events) == len(original.events) > 20
    times = ("onset_s", "offset_s", "snr_dB") if form != "wav" else ("onset_s", "offset_s")
    for name in ("class", "channel"):
        np.testing.assert_array_equal(again.events[name], original.events[name])
    for name in times:
        np.testing.assert_allclose(again.events[name], original.events[name], atol=0.02 if name == "snr_dB" else 1e-3)
    if form != "wav":
        np.testing.assert_allclose(again.events["peak"], original.events["peak"], rtol=1e-4)


@pytest.mark.parametrize(("form", "suffix"), [("edf", "edf"), ("bdf", "bdf")])
def test_edf_and_bdf_open_in_another_reader_with_equal_samples_and_annotations(
    form: str, suffix: str, recording: Path, original: Recording, tmp_path: Path
) -> None:
    assert export(tmp_path / "out", recording, "--format", form) == 0
    with pyedflib.EdfReader(str(tmp_path / "out" / f"demo_000.{suffix}")) as file:
        digital = file.readSignal(0, digital=True)
        counts = original.segments[0].counts[:, 0]
        np.testing.assert_array_equal(digital[: len(counts)], counts)
        assert (digital[len(counts) :] == counts[-1]).all()
        np.testing.assert_allclose(file.readSignal(0)[: len(counts)], original.signal(), rtol=1e-5, atol=1e-3)
        assert file.getPhysicalDimension(0) == "uV"
        onsets, durations, texts = file.readAnnotations()
    told = {
        (round(float(at), 4), round(float(length), 4), str(text).split("@@")[0])
        for at, length, text in zip(onsets, durations, texts, strict=True)
    }
    rows = original.event_rows
    expected = {(round(r["onset_s"], 4), round(r["offset_s"] - r["onset_s"], 4), r["class"]) for r in rows}
    assert expected <= told
    assert any(text == "signal ends" for _, _, text in told)


@pytest.mark.parametrize(("form", "read"), [("edf", mne.io.read_raw_edf), ("bdf", mne.io.read_raw_bdf)])
def test_edf_and_bdf_open_in_a_third_reader(
    form: str, read: Any, recording: Path, original: Recording, tmp_path: Path
) -> None:
    assert export(tmp_path / "out", recording, "--format", form) == 0
    raw = read(tmp_path / "out" / f"demo_000.{form}", verbose="error")
    signal = original.signal()
    step_V = 1e-6 * 5e6 / 1024 / 1000
    np.testing.assert_allclose(raw.get_data()[0, : len(signal)], 1e-6 * signal, atol=step_V / 100)
    assert raw.info["sfreq"] == original.rate_Hz
    told = {(round(one["onset"], 4), one["description"].split("@@")[0]) for one in raw.annotations}
    assert {(round(row["onset_s"], 4), row["class"]) for row in original.event_rows} <= told


def test_the_dataset_is_sound_for_the_validator(recording: Path, tmp_path: Path) -> None:
    assert export(tmp_path / "bids", recording, "--format", "bids") == 0
    tool = Path(sys.executable).with_name("bids-validator-deno")
    assert tool.exists(), "bids-validator-deno is missing: make test installs it."
    done = subprocess.run(
        [tool, "--json", tmp_path / "bids"], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    errors = [issue for issue in issues if issue["severity"] == "error"]
    assert errors == []
    assert any(issue["severity"] == "warning" for issue in issues)  # so it has looked


def test_tables_hold_each_event_once_with_its_values(recording: Path, original: Recording, tmp_path: Path) -> None:
    for form in ("csv", "parquet", "jsonl"):
        assert export(tmp_path / form, recording, "--format", form) == 0
    with (tmp_path / "csv" / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["onset_s"]) for row in rows] == original.events["onset_s"].tolist()
    assert [row["class"] for row in rows] == original.events["class"].tolist()
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / "events.parquet").to_pydict()
    assert table["onset_s"] == original.events["onset_s"].tolist()
    assert table["peak_uV"] == original.events["peak"].tolist()
    lines = [json.loads(line) for line in (tmp_path / "jsonl" / "events.jsonl").read_text().splitlines()]
    assert [line["onset_s"] for line in lines if line["type"] == "event"] == original.events["onset_s"].tolist()


@pytest.mark.parametrize("form", [form for form in FORMATS if not form.signal], ids=lambda form: form.name)
def test_a_log_is_exported_with_the_wearers_words_or_without_any(form: Any, log_folder: Path, tmp_path: Path) -> None:
    for folder, words in (("named", []), ("bare", ["--anonymous"])):
        assert export(tmp_path / folder, "--data", log_folder, "--format", form.name, *words) == 0
    named, bare = (
        b"".join(path.read_bytes() for path in sorted((tmp_path / folder).rglob("*")) if path.is_file())
        for folder in ("named", "bare")
    )
    assert b"SECRET-NOTE" in named
    for secret in (b"SECRET-NOTE", b"r1", b"board 7", b"1711796", str(log_folder).encode()):
        assert secret not in bare, secret


@pytest.mark.parametrize("form", [form for form in FORMATS if form.signal], ids=lambda form: form.name)
def test_signal_without_names_tells_no_device_and_no_time(form: Any, tmp_path: Path) -> None:
    board = b"".join(recorded(SCENARIOS["demo"], 5, 10.0))
    path = tmp_path / "SECRET-NAME.emgw"
    path.write_bytes(board)
    assert export(tmp_path / "out", path, "--format", form.name, "--anonymous") == 0
    files = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
    device = opened(path).device.encode()
    for secret in (b"SECRET-NAME", device, str(tmp_path).encode()):
        assert all(secret not in one.read_bytes() and secret.decode() not in one.name for one in files), secret


def test_a_range_of_the_log_gives_its_rows_alone(log_folder: Path, tmp_path: Path) -> None:
    words = ["--data", log_folder, "--format", "csv", "--from", "2024-03-30T12:00:05+00:00"]
    assert export(tmp_path / "out", *words) == 0
    assert "spasm" in (tmp_path / "out" / "events.csv").read_text()
    assert "twitch" not in (tmp_path / "out" / "events.csv").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--from", "2030-01-01"], 2, "no recording in this range"),
        (["--muscle", "tongue"], 2, "Nothing was recorded on the muscle"),
        (["--fs", "1000"], 2, "--fs is for a foreign file"),
        (["--format", "edf"], 65, "cannot be read"),  # the recording is gone
    ],
)
def test_a_bad_request_says_what_to_do_and_leaves_nothing(
    words: list[str], code: int, said: str, log_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(log_folder), *([] if "--format" in words else ["--format", "csv"]), *words]
    target = tmp_path / "new" / "out"
    assert export(target, *words) == code
    assert said in capsys.readouterr().err or code == 65
    assert not target.exists()
    assert list((tmp_path / "new").glob("*")) == [] if (tmp_path / "new").exists() else True


def test_a_folder_that_holds_something_is_left_as_it_is(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    assert export(tmp_path, recording, "--format", "csv") == 2
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_half_a_log_is_refused(log_folder: Path, tmp_path: Path) -> None:
    path = log_folder / "log.sqlite3"
    for beside in log_folder.glob("log.sqlite3-*"):
        beside.unlink()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert export(tmp_path / "out", "--data", log_folder, "--format", "csv") == 65
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rate_Hz", [250.0, 512.0, 976.5625, 1000.0, 1024.0, 2000.0, 4000.0])
def test_a_data_record_can_be_written_exactly(rate_Hz: float) -> None:
    samples, length_s = record_length(rate_Hz)
    assert samples == length_s * rate_Hz
    assert len(f"{length_s:g}") <= 8
    assert 0.4 < length_s < 2.1


def test_a_rate_that_no_header_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="Export as CSV"):
        record_length(1000.123456789)


def test_the_export_of_a_log_opens_its_recordings(recording: Path, original: Recording, tmp_path: Path) -> None:
    shutil.copy(recording, tmp_path / "demo.emgw")
    assert main(["replay", str(tmp_path / "demo.emgw"), "--log", str(tmp_path / "log.sqlite3")]) == 0
    log = emgtwitch.open(tmp_path)
    assert isinstance(log, Log)
    np.testing.assert_array_equal(log.events["onset_s"], original.events["onset_s"])
    again = log.open(log.recordings[0])
    np.testing.assert_array_equal(again.signal(), original.signal())
    assert export(tmp_path / "out", "--data", tmp_path, "--format", "bdf") == 0
    with contextlib.closing(pyedflib.EdfReader(str(next((tmp_path / "out").glob("*.bdf"))))) as file:
        assert file.getNSamples()[0] >= len(original.segments[0].counts)
