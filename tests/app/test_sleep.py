"""Laws of --inhibit-sleep: what is asked for is given back, and a computer that refuses is told of once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from emgtwitch.app.unattended import sleep
from emgtwitch.app.unattended.sleep import Inhibitor
from tests.app.nursery import Nursery
from tests.sources.fake_board import wait_for

FAKE = """#!/bin/sh
echo "$@" >> {said}
cat
echo released >> {said}
"""


def test_sleep_is_held_off_while_wanted_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, program = tmp_path / "said", tmp_path / "systemd-inhibit"
    program.write_text(FAKE.format(said=said))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    troubles: list[str] = []
    inhibitor = Inhibitor(troubles.append)
    inhibitor.release()
    for _ in range(2):
        inhibitor.hold()
        inhibitor.hold()
        wait_for(lambda: said.exists() and "--what=sleep:idle" in said.read_text().splitlines()[-1])
        inhibitor.release()
    assert [line == "released" for line in said.read_text().splitlines()] == [False, True, False, True]
    assert troubles == []


@pytest.mark.parametrize(("program", "why"), [(None, "is not installed"), ("#!/bin/sh\nexit 1\n", "refuses")])
def test_a_computer_that_does_not_hold_off_sleep_is_told_of_once(
    program: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program is not None:
        (tmp_path / "systemd-inhibit").write_text(program)
        (tmp_path / "systemd-inhibit").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    troubles: list[str] = []
    inhibitor = Inhibitor(troubles.append)

    def told() -> bool:
        inhibitor.hold()
        return bool(troubles)

    wait_for(told)
    inhibitor.hold()
    assert len(troubles) == 1
    assert why in troubles[0]
    inhibitor.release()


def test_an_inhibitor_that_hangs_or_cannot_be_started_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sleep, "PATIENCE_S", 0.05)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "systemd-inhibit"
    program.write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    program.chmod(0o755)
    troubles: list[str] = []
    inhibitor = Inhibitor(troubles.append)
    inhibitor.hold()
    inhibitor.release()
    assert troubles == []
    program.write_text("no program at all")
    for _ in range(2):
        inhibitor.hold()
    assert [text.split(":")[1] for text in troubles] == [
        " systemd-inhibit cannot be started (Exec format error). A suspend will be an interval in the log."
    ]


def test_a_daemon_whose_computer_refuses_to_stay_awake_says_so(tmp_path: Path, nursery: Nursery) -> None:
    program = tmp_path / "systemd-inhibit"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    run = nursery.start(
        *("run", "--source", "sim", "--no-page", "--inhibit-sleep", "--data", tmp_path / "data"),
        environ={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    run.wait_for(lambda child: "Sleep is not held off: systemd-inhibit refuses." in child.said())
    assert run.end(signal.SIGINT) == 0
    assert run.said().count("Sleep is not held off") == 1
