"""What an LSL inlet gets is what was recorded, on the device's clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import emgtwitch
from emgtwitch.app.notebook import Recording

PATIENCE_S = 90.0
# Everything stays on this machine.
CONFIG = """
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
SessionID = emgtwitch-test
"""
# An inlet in a process of its own, since the library reads its configuration once.
INLET = """
import json, sys, time, pylsl
found = {}
until = time.monotonic() + 90
while len(found) < 2 and time.monotonic() < until:
    found = {one.name(): one for one in pylsl.resolve_streams(1.0) if one.name().startswith("emgtwitch")}
signal, events = (pylsl.StreamInlet(found[name]) for name in ("emgtwitch", "emgtwitch-events"))
info = signal.info()
signal.open_stream(), events.open_stream()
out = {"rate": info.nominal_srate(), "unit": info.desc().child("channels").child("channel").child_value("unit"),
       "samples": [], "times": [], "events": [], "event_times": [], "late": []}
ends = time.monotonic() + float(sys.argv[1])
while time.monotonic() < ends:
    samples, times = signal.pull_chunk(0.2, 4096)
    if times:
        out["late"].append(pylsl.local_clock() - times[-1])
    out["samples"] += [one[0] for one in samples]
    out["times"] += times
    texts, times = events.pull_chunk(0.0)
    out["events"] += [json.loads(one[0]) for one in texts]
    out["event_times"] += times
json.dump(out, sys.stdout)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "lsl_api.cfg").write_text(CONFIG)
    return {**os.environ, "LSLAPICFG": str(tmp_path / "lsl_api.cfg")}


@pytest.fixture
def daemon(tmp_path: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    words = ["run", "--source", "sim:demo:1", "--data", str(tmp_path / "data"), "--no-page", "--json", "--lsl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "emgtwitch.app.cli", *words, "--muscle", "calf"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def test_an_inlet_hears_what_is_recorded(
    daemon: subprocess.Popen[str], environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", INLET, "16"], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    heard = json.loads(done.stdout)
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=PATIENCE_S)
    session = next((tmp_path / "data" / "sessions").iterdir())
    recording = emgtwitch.open(session)
    assert isinstance(recording, Recording)
    assert (heard["rate"], heard["unit"]) == (1000.0, "microvolts")

    samples, signal_uV = np.array(heard["samples"], np.float32), recording.signal()
    assert len(samples) > 10_000
    begins = [n for n in range(len(signal_uV) - len(samples)) if np.array_equal(signal_uV[n : n + 200], samples[:200])]
    assert len(begins) == 1
    np.testing.assert_array_equal(samples, signal_uV[begins[0] : begins[0] + len(samples)])

    times = np.array(heard["times"])
    assert (np.diff(times) > 0).all()
    settled = times[-4000:]  # the clock is fitted from 10 s on
    slope, start = np.polyfit(np.arange(4000), settled, 1)
    assert slope == pytest.approx(0.001, rel=5e-3)
    astray_s = np.abs(settled - slope * np.arange(4000) - start)
    assert np.median(astray_s) < 0.005
    assert astray_s.max() < 0.05  # a busy machine hears late, and the fit follows
    assert 0.0 < np.median(heard["late"]) < 1.0

    events = [event for event in heard["events"] if event["type"] == "event"]
    assert len(events) >= 3
    known = set(recording.events["onset_s"].tolist())
    assert all(event["onset_s"] in known for event in events)
    for event, at_s in zip(heard["events"], heard["event_times"], strict=True):
        if event["type"] == "event" and event["onset_s"] > begins[0] / 1000:
            onset = round(event["onset_s"] * 1000) - begins[0]
            assert at_s == pytest.approx(times[onset], abs=0.1)  # while the clock is not fitted, times still move


def test_nothing_leaves_without_being_asked(tmp_path: Path, environ: dict[str, str]) -> None:
    words = ["run", "--source", "sim:demo:1", "--data", str(tmp_path / "data"), "--no-page", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "emgtwitch.app.cli", *words],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it runs
    time.sleep(0.5)
    sockets = [
        link
        for link in Path(f"/proc/{process.pid}/fd").iterdir()
        if link.is_symlink() and os.readlink(link).startswith("socket:")
    ]
    inodes = {os.readlink(link)[8:-1] for link in sockets}
    network = "".join(Path(f"/proc/{process.pid}/net/{kind}").read_text() for kind in ("tcp", "udp", "tcp6", "udp6"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert not any(inode in network.split() for inode in inodes)
