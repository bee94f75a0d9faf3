"""Peers run as they themselves would, their answers are remembered for the same samples only, and halves are halves."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import detectors, document, keep, peers, remembered
from benchmarks.accuracy.case import Case, Span, class_of
from benchmarks.accuracy.halves import as_json, as_markdown, as_text, halves
from benchmarks.accuracy.outcome import Outcome, judge
from benchmarks.accuracy.report import comparison
from benchmarks.accuracy.run import outcomes_of

FS_HZ = 1000.0


def bursts() -> Case:
    """Noise with three bursts."""
    x = np.random.default_rng(5).normal(size=12_000)
    truth = tuple(Span(start, stop, class_of(stop - start)) for start, stop in ((6.0, 6.1), (8.0, 8.4), (10.0, 11.0)))
    for one in truth:
        x[round(one.onset_s * FS_HZ) : round(one.offset_s * FS_HZ)] *= 30.0
    return Case("bursts", "bursts", 0, FS_HZ, x, 1.0, (float("nan"), float("nan")), truth)


def test_each_peer_is_a_detector_by_its_name() -> None:
    assert set(detectors.DETECTORS) == {"emgtwitch", *peers.PEERS}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # its own, of what it will need in years to come
def test_the_steps_of_neurokit_give_what_its_public_function_gives() -> None:
    neurokit2 = import_module("neurokit2")
    case = bursts()
    amplitude = np.asarray(neurokit2.emg_amplitude(peers.prepared(case)))
    level = float(np.median(amplitude) + 0.1 * amplitude.max())
    public, _ = neurokit2.emg_activation(
        emg_amplitude=amplitude, sampling_rate=1000, method="threshold", threshold=level, duration_min=10
    )
    steps = import_module("neurokit2.emg.emg_activation")
    told = steps._emg_activation_activations(steps._emg_activation_threshold(amplitude, level), duration_min=10)
    active = np.flatnonzero(np.asarray(public["EMG_Activity"]))
    assert len(active) > 1000
    assert np.array_equal(active, told["EMG_Activity"])


def test_a_very_strong_event_does_not_blind_the_plain_chain_to_the_rest() -> None:
    case = bursts()
    counts = case.counts.copy()
    counts[10_000:11_000] *= 1e5
    assert any(s.onset_s < 6.1 and s.offset_s > 6.0 for s in peers.scipy_chain(replace(case, counts=counts)))


class Asked:
    """A detector that counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, case: Case) -> list[Span]:
        self.times += 1
        return [Span(1.0, 1.1 + 1e-9 * case.counts[0], "twitch"), Span(2.0, 5.0, "spasm")]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(remembered, "FOLDER", tmp_path)
    return tmp_path


def test_a_peer_is_asked_once_about_the_same_samples_and_answers_the_same(folder: Path) -> None:
    asked, case = Asked(), bursts()
    again = remembered.remembered("one", asked)
    assert again(case) == again(case) == asked(case)
    assert asked.times == 2  # once for both, once by ourselves
    assert len(list(folder.rglob("*.json"))) == len(list(folder.rglob("*.*"))) == 1


def test_a_peer_is_asked_anew_about_anything_else_that_it_may_hear(folder: Path) -> None:
    asked, case = Asked(), bursts()
    changed = case.counts.copy()
    changed[7] += 1e-9
    cases = [case, replace(case, counts=changed), replace(case, fs_Hz=999.0), replace(case, uV_per_count=2.0)]
    for name in ("one", "another"):
        for one in (*cases, replace(case, rails=(0.0, 1.0)), replace(case, name="other", truth=())):
            remembered.remembered(name, asked)(one)
    assert asked.times == 2 * 5  # the last is the same to a detector


def test_a_peer_is_asked_anew_when_its_settings_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, case = Asked(), bursts()
    again = remembered.remembered("one", asked)
    again(case)
    monkeypatch.setattr(remembered, "settings_digest", lambda: "changed")
    again(case)
    assert asked.times == 2


def test_the_long_groups_are_not_asked_of_peers(folder: Path) -> None:
    class Long:
        def case(self) -> Case:
            return replace(bursts(), group="endurance", truth=())

    ours, theirs = outcomes_of(Long(), ("emgtwitch", "scipy chain"))
    assert ours is not None
    assert theirs is None
    table = comparison({"emgtwitch": [ours], "scipy chain": []})
    assert "scipy chain" not in table
    assert "nan" not in table  # where no true event is, nothing is shown of them


def kept(events: int, f1: float | None, onset_ms: float | None, false: float, recall: float | None) -> dict[str, Any]:
    figures = {"f1": f1, "onset_mae_ms": onset_ms, "false_per_hour": false, "recall": recall}
    return {"events": events, "figures": figures}


def test_half_the_error_is_of_the_best_peer_in_each_figure_alone() -> None:
    rows = halves(
        {
            "emgtwitch": {"g": kept(9, 0.97, 6.0, 1.0, 0.97)},
            "a": {"g": kept(9, 0.92, 10.0, 9.0, 0.95)},
            "b": {"g": kept(9, 0.80, 20.0, 2.0, 0.7)},
        }
    )
    assert [(r.what, r.peer, r.met) for r in rows] == [
        ("1 - F1", "a", True),
        ("onset MAE, ms", "a", False),
        ("false/h", "b", True),
    ]
    assert rows[0].ratio == pytest.approx(0.03 / 0.08)
    assert "in 2 of 3 rows" in as_text(rows)
    assert as_markdown(rows).count("falls short") == 1
    assert not rows[1].why  # the best peer finds as much: no excuse
    assert [row["met"] for row in as_json(rows)] == [True, False, True]


def test_a_row_falls_short_with_the_reason_that_the_figures_give() -> None:
    rows = halves({"emgtwitch": {"g": kept(9, 0.95, 6.0, 1.0, 0.9)}, "a": {"g": kept(9, 0.8, 7.0, 0.0, 0.6)}})
    fewer = "the peer finds fewer events"
    assert [r.why for r in rows] == ["", fewer, f"half of none is none; {fewer}"]
    assert not halves({"emgtwitch": {"g": kept(9, 0.9, 6.0, 1.0, 0.9)}, "a": {"g": kept(9, 0.9, 7.0, 1.0, 0.9)}})[1].why


def test_a_peer_that_finds_less_than_half_is_no_measure_of_silence_or_onsets() -> None:
    rows = halves(
        {"emgtwitch": {"g": kept(9, 0.9, 6.0, 1.0, 0.9)}, "deaf": {"g": kept(9, 0.1, 0.1, 0.0, 0.05)}},
    )
    assert [r.what for r in rows] == ["1 - F1"]


@pytest.mark.parametrize(("ours", "met"), [(0.0, True), (0.1, False)])
def test_half_of_nothing_is_nothing(ours: float, met: bool) -> None:
    (row,) = halves(
        {"emgtwitch": {"quiet": kept(0, 0.0, None, ours, None)}, "a": {"quiet": kept(0, 0.0, None, 0.0, None)}}
    )
    assert (row.what, row.met, row.ratio) == ("false/h", met, None)


def test_what_is_kept_and_the_page_name_the_half_and_how_peers_were_set(tmp_path: Path) -> None:
    case = bursts()
    outcomes: dict[str, list[Outcome]] = {
        "emgtwitch": [judge(case, case.truth)],
        "scipy chain": [judge(case, case.truth[:2])],
    }
    stored = keep.keep(outcomes, tmp_path / "kept.json")
    assert [row["met"] for row in stored["half_of_best_peer"]] == [True, True, True]
    assert keep.load(tmp_path / "kept.json") == stored
    assert stored["detectors"]["scipy chain"]["bursts"]["detector"] == remembered.settings_digest()
    page = document.write(stored, tmp_path).read_text()
    assert "in 3 of 3 rows" in page
    assert f"median + {peers.CHAIN:g} median deviations" in page
    assert all(f"- {name}: " in page for name in peers.PEERS)


def test_missing_recordings_are_told_in_one_line_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.accuracy.recordings.ROOT", tmp_path / "elsewhere")
    monkeypatch.setenv("EMGTWITCH_REAL_DATA", str(tmp_path))
    monkeypatch.setattr(keep, "FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path)
    groups = ["lively", "real", "real twitches pasted"]
    monkeypatch.setattr(sys, "argv", ["accuracy", "--short", "--jobs", "1", "--only", *groups])
    assert command.main() == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if line.startswith("Left out")]
    assert len(told) == 1
    assert "20 of 20 recordings of 'real', 6 of 6 recordings of 'real twitches pasted'" in told[0]
    assert any(line.startswith("lively") for line in lines)
    assert not any(line.startswith("real") for line in lines)


def test_peers_that_are_not_installed_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, "find_spec", lambda _package: None)
    gone = detectors.missing(detectors.DETECTORS)
    assert set(detectors.DETECTORS) - set(gone) == {"emgtwitch", "scipy chain", "rbdtector-like"}
