"""Electrodes without contact: a sensor that hears nothing is not well, however well its board streams."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from emgtwitch.app import daemon as daemons
from emgtwitch.app.kernels import warm_up
from emgtwitch.app.unattended.sleep import Inhibitor
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import SimLink
from emgtwitch.store.channel import ask
from emgtwitch.wearer.scenario import Scenario, Scheduled
from tests.sources.fake_board import wait_for

OFF = Scenario(schedule=(Scheduled(3.0, "lead_off", duration_s=5.0),))


def test_electrodes_without_contact_are_told_and_let_the_computer_sleep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(daemons, "NO_CONTACT_S", 1.0)
    awake: list[bool] = []
    monkeypatch.setattr(Inhibitor, "hold", lambda self: awake.append(True))
    monkeypatch.setattr(Inhibitor, "release", lambda self: awake.append(False))
    session = {"recording_id": "r", "settings": Settings().as_dict(), "worn": [], "started_utc_ms": 0}
    stop = threading.Event()
    warm_up()
    link = SimLink(OFF, started=False)
    daemon = daemons.Daemon(lambda: link, tmp_path, session, {}, stop, inhibit_sleep=True)
    thread = threading.Thread(target=daemon.run)
    thread.start()

    def is_so(contact: bool) -> bool:
        told = ask(tmp_path, {"command": "status"})
        return told is not None and (told["contact"], told["well"], awake[-1]) == (contact,) * 3

    try:
        wait_for(lambda: is_so(True))
        wait_for(lambda: is_so(False))
        wait_for(lambda: is_so(True))
    finally:
        stop.set()
        thread.join()
    said = capfd.readouterr().err
    assert said.count("No electrode has contact: press them on.") == 1
    assert said.count("The electrodes have contact again.") == 1
