"""Laws of the notebook's functions: what they give is what the command line prints."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import emgtwitch
from emgtwitch.app.cli import main
from emgtwitch.app.notebook import EVENT, INTERVAL, Recording
from emgtwitch.errors import UnreadableInputError, UsageError
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from tests.page.test_tap import stream

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "demo.emgw"
    path.write_bytes(b"".join(recorded(SCENARIOS["demo"], 6, 25.0)))
    return path


def test_a_recording_opens_with_what_replay_prints(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = emgtwitch.open(recording)
    assert isinstance(found, Recording)
    assert main(["replay", str(recording), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = sorted((line for line in lines if line["type"] == "event"), key=lambda line: float(line["onset_s"]))
    assert found.events.dtype == EVENT
    for name in ("class", "channel", "onset_s", "offset_s", "duration_ms", "snr_dB", "on_tone", "truncated"):
        assert found.events[name].tolist() == [event[name] for event in events]
    assert found.events["peak"].tolist() == [event["peak_uV"] for event in events]
    assert len(found.intervals) == sum(line["type"] == "interval" for line in lines)
    assert found.intervals.dtype == INTERVAL
    assert (found.rate_Hz, found.unit, found.channels) == (1000.0, "uV", 1)
    assert len(found.signal()) == len(found.times()) == 25_000


def test_signal_that_was_lost_is_nan_and_parts_the_segments(tmp_path: Path) -> None:
    path = tmp_path / "gap.emgw"
    path.write_bytes(stream(lost=(5000, 5900)))
    found = emgtwitch.open(path)
    assert isinstance(found, Recording)
    first, second = found.segments
    again = round(second.from_s * 1000)
    assert 5900 <= again < 5920  # the frame after a jump of the sequence is not trusted
    assert np.flatnonzero(np.isnan(found.signal())).tolist() == list(range(5000, again))
    assert (first.from_s, len(first.counts), len(second.counts)) == (0.0, 5000, 12_000 - again)
    assert first.cut(1.0, 2.5).counts.tolist() == first.counts[1000:2500].tolist()
    assert len(first.cut(6.0, 7.0).counts) == 0


def test_a_plain_array_gives_what_the_recording_gives(recording: Path) -> None:
    found = emgtwitch.open(recording)
    assert isinstance(found, Recording)
    events = emgtwitch.detect_events(found.signal(), 1000.0, settings=found.settings)
    np.testing.assert_array_equal(events["onset_s"], found.events["onset_s"])
    np.testing.assert_array_equal(events["class"], found.events["class"])
    both = emgtwitch.detect_events(np.stack([found.signal(), 0 * found.signal()], axis=1), 1000.0)
    assert set(both["channel"]) == {0}
    counts = emgtwitch.detect_events(found.segments[0].counts[:, 0], 1000.0, units="counts")
    assert not counts["in_uV"].any()


@pytest.mark.parametrize(
    ("signal", "fs_Hz", "units", "said"),
    [
        (np.zeros((2, 3, 4)), 1000.0, "uV", "must be"),
        (np.zeros(0), 1000.0, "uV", "must be"),
        (np.zeros(100), 0.0, "uV", "rate in Hz"),
        (np.zeros(100), 1000.0, "mV", "uV or counts"),
    ],
)
def test_what_is_no_signal_is_refused(signal: object, fs_Hz: float, units: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        emgtwitch.detect_events(signal, fs_Hz, units=units)  # type: ignore[arg-type]


def test_a_path_that_is_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="does not exist"):
        emgtwitch.open(tmp_path / "nowhere.csv")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, emgtwitch; print([m for m in ('numpy', 'numba', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "docs" / "examples" / "notebook.py"))
    assert "twitches" in capsys.readouterr().out
