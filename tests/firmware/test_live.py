"""A real recording played into the board's converter gives the daemon what a replay of the file gives.

Tolerances. Against a replay of the file in the converter's 10 bits: none, since the board's first sample is the file's
first. Against the file itself, of 12 bits: whatever stands CLEAR_DB above the floor is found with the same class, its
ends within EDGE_S; of the fainter ones some cross a threshold in one and not in the other, or fall apart.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware.sim.harness import FULL_SCALE, LiveBoard, Waveform
from tests.app.nursery import Nursery
from tests.app.outputs import replayed
from tests.firmware.streams import heard
from tests.real.recordings import recording

CLEAR_DB = 9.0
EDGE_S = 0.025
SPEED = 2.0  # times true time: the sample index is the timebase
AVCC_MV, RAILS_MV = 5000.0, 200.0  # so much is left free at each end
FS_HZ = 1000.0
SECONDS = 63.8  # of the file; its last event must be over


def times(event: dict[str, Any]) -> tuple[str, float, float]:
    return event["class"], event["onset_s"], event["offset_s"]


def events(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are over before the file is, by onset."""
    found = [o for o in objects if o["type"] == "event" and o["offset_s"] < SECONDS]
    return sorted(found, key=lambda o: float(o["onset_s"]))


@pytest.mark.slow
def test_a_recording_played_into_the_board_is_logged_as_its_replay(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recording("biosppy", "emg_1.txt")
    values = np.loadtxt(file)
    span = values.max() - values.min()
    level_mV = RAILS_MV + (values - values.min()) * (AVCC_MV - 2 * RAILS_MV) / span
    wave = Waveform(level_mV[:, None].astype(np.float32), FS_HZ)
    link, data = tmp_path / "ttyBoard", tmp_path / "data"
    options = ["--speed", str(SPEED), "--wave-from-start", "--wave-once"]
    with LiveBoard(tmp_path, link, wave=wave, options=options) as board:
        live = nursery.start("run", "--source", link, "--json", "--data", data)
        live.wait_for(lambda live: scans(data) >= FS_HZ * SECONDS, timeout_s=90.0)
        assert live.end(signal.SIGINT) == 0
        board.quit()
    assert live.lines()[-1]["scans_lost"] == 0
    found = events(live.lines())
    converted = tmp_path / "converted.csv"
    np.savetxt(converted, np.floor(level_mV * FULL_SCALE / AVCC_MV), "%d", header="EMG", comments="")
    assert [times(o) for o in found] == [times(o) for o in events(replayed(capsys, converted, "--fs", "1000"))]
    in_file = events(replayed(capsys, file, "--fs", "1000"))
    expected = [o for o in in_file if o["snr_dB"] >= CLEAR_DB]
    assert len(expected) >= 4
    for event in expected:
        (same,) = (o for o in found if abs(o["onset_s"] - event["onset_s"]) <= EDGE_S)
        assert same["class"] == event["class"]
        assert abs(same["offset_s"] - event["offset_s"]) <= EDGE_S
    for event in found:  # where the file has no clear event it has a weak one, perhaps longer or in pieces
        clear = event["snr_dB"] >= CLEAR_DB + 1.0
        assert not clear or any(o["onset_s"] < event["offset_s"] and event["onset_s"] < o["offset_s"] for o in in_file)


def scans(data: Path) -> int:
    """How many the daemon's recording holds by now."""
    files = list((data / "sessions").glob("*/0000.emgw"))
    if not files or files[0].stat().st_size < 2 * FS_HZ * SECONDS:
        return 0
    return sum(epoch.scans for epoch in heard(files[0].read_bytes()).epochs)
