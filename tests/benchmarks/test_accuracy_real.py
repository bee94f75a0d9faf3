"""The labels of the real recordings are what their rule and corrections say, and the peers do what they are said to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import real
from benchmarks.accuracy.case import Case, Span
from benchmarks.accuracy.labelling import RULE_VERSION, Floats, label
from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.recordings import RECORDINGS, Recording, load
from tests.real.recordings import recording as or_skip

FS_HZ = 1000.0
BURSTS_S = ((6.0, 6.1), (9.0, 9.4), (13.0, 15.5))
BY_NAME = pytest.mark.parametrize("one", RECORDINGS, ids=[one.name for one in RECORDINGS])


def bursts(level: float = 30.0) -> Floats:
    """Noise of 1 with bursts of `level`."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=20_000)
    for start, stop in BURSTS_S:
        x[round(start * FS_HZ) : round(stop * FS_HZ)] *= level
    return x


def tiny(x: Floats) -> Case:
    return Case("tiny", "tiny", 0, FS_HZ, x, 1.0, (float("nan"), float("nan")), ())


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_finds_three_plain_bursts(name: str) -> None:
    found = PEERS[name](tiny(bursts()))
    pairs = [(max(start, s.onset_s), min(stop, s.offset_s)) for start, stop in BURSTS_S for s in found]
    covered_s = [sum(max(0.0, b - a) for a, b in pairs if start <= a < stop) for start, stop in BURSTS_S]
    assert all(covered_s), found
    assert sum(covered_s) > 0.5 * sum(stop - start for start, stop in BURSTS_S)


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_takes_lost_samples(name: str) -> None:
    x = bursts()
    x[17_000:17_100] = np.nan
    assert any(s.onset_s < 9.4 and s.offset_s > 9.0 for s in PEERS[name](tiny(x)))


def test_the_rule_labels_three_plain_bursts_where_they_are_and_nothing_else() -> None:
    said = label(bursts(), FS_HZ)
    assert np.asarray(said.events) == pytest.approx(np.asarray(BURSTS_S), abs=0.004)
    assert sum(b - a for a, b in said.doubtful) < 0.2


def test_the_rule_labels_nothing_in_noise() -> None:
    assert label(np.random.default_rng(6).normal(size=60_000), FS_HZ).events == []


def test_a_weak_rest_beside_a_strong_burst_is_not_part_of_it() -> None:
    x = bursts(1000.0)
    x[9400:10_400] *= 8.0
    events, doubtful = label(x, FS_HZ)
    assert np.asarray(events) == pytest.approx(np.asarray(BURSTS_S), abs=0.004)
    assert 0.95 < sum(b - a for a, b in doubtful) < 1.7  # a band-pass smears the 60 dB of each burst's ends


@BY_NAME
def test_each_recording_has_labels_in_order_of_this_rule_with_reasons(one: Recording) -> None:
    said = json.loads(real.file_of(one).read_text())
    assert said["rule_version"] == RULE_VERSION
    assert all(c["reason"] and c["to_s"] > c["from_s"] for c in said["corrections"])
    edges = [edge for event in said["events"] for edge in event]
    assert edges == sorted(edges)
    assert all(b > a for a, b in said["events"] + said["doubtful"])


def test_no_label_file_is_without_its_recording() -> None:
    assert {path.stem for path in real.LABELS.glob("*.json")} == {one.name for one in RECORDINGS}


@BY_NAME
def test_rule_and_corrections_give_the_committed_labels(one: Recording) -> None:
    if one.group == "biosignalsnotebooks":
        or_skip(one.group, one.file)
    said = real.relabelled(one, load(one))
    committed = json.loads(real.file_of(one).read_text())
    assert len(said["events"]) == len(committed["events"])
    assert np.asarray(said["events"]) == pytest.approx(np.asarray(committed["events"]), abs=0.002)


def test_doubtful_time_leaves_the_events_judged() -> None:
    events = [(1.0, 2.0), (3.0, 3.1)]
    clear = real.clear_of([(0.5, 3.5)], events)
    assert [(round(a, 6), round(b, 6)) for a, b in clear] == [(0.5, 0.94), (2.06, 2.94), (3.16, 3.5)]


def test_a_correction_changes_the_labels_it_names_only() -> None:
    events, doubtful = [(1.0, 2.0), (2.1, 2.5), (4.0, 5.0)], [(6.0, 6.5)]
    joined, _ = real.corrected(events, doubtful, {"action": "join", "from_s": 1.9, "to_s": 2.2})
    assert sorted(joined) == [(1.0, 2.5), (4.0, 5.0)]
    left, more = real.corrected(events, doubtful, {"action": "doubt", "from_s": 3.9, "to_s": 4.2})
    assert (left, more) == ([(1.0, 2.0), (2.1, 2.5)], [(6.0, 6.5), (3.9, 4.2)])
    put, _ = real.corrected(events, doubtful, {"action": "event", "from_s": 4.1, "to_s": 4.4})
    assert sorted(put) == [(1.0, 2.0), (2.1, 2.5), (4.1, 4.4)]


def test_a_missing_recording_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.accuracy.recordings.ROOT", tmp_path / "elsewhere")
    monkeypatch.setenv("EMGTWITCH_REAL_DATA", str(tmp_path))
    assert real.main(["biosppy_emg_1"]) == 65
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "biosppy/emg_1.txt is not here" in told
    assert "EMGTWITCH_REAL_DATA" in told


def test_pasted_twitches_stay_clear_of_the_labels_of_their_host_and_are_as_strong_as_asked() -> None:
    from benchmarks.accuracy.pasted import Pasted

    source = Pasted("biosppy_emg_1", 20.0, 1, False)
    host, case = real.cases(["biosppy_emg_1"])[0], source.case()
    assert len(case.truth) == len(case.labels) > 20
    own = [t for t, k in zip(case.truth, case.labels, strict=True) if k.kind == "own"]
    assert own == list(host.truth)
    added: list[Span] = [t for t, k in zip(case.truth, case.labels, strict=True) if k.kind == "pasted"]
    changed = case.counts - host.counts
    for span in added:
        part = changed[round(span.onset_s * case.fs_Hz) : round(span.offset_s * case.fs_Hz)]
        assert np.sqrt(np.mean(part**2)) > 3 * np.std(host.counts[50_000:60_000])
    assert all(a.offset_s < b.onset_s for a, b in zip(case.truth[:-1], case.truth[1:], strict=True))
    again = source.case()
    assert np.array_equal(case.counts, again.counts)
