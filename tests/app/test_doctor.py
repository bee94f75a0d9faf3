"""The doctor on machines made of files, with a board on a pty: each check finds what it is for, with a remedy."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emgtwitch.app import board_checks, doctor, machine_checks
from emgtwitch.app.case import Case, Check, Finding
from emgtwitch.app.checks import CHECKS
from emgtwitch.app.safety import SAFETY
from emgtwitch.errors import UsageError
from emgtwitch.wire.pattern import scan
from tests.sources.fake_board import FakeBoard, wait_for

BRLTTY = 'ENV{PRODUCT}=="1a86/7523/*", ENV{BRLTTY_BRAILLE_DRIVER}="bm"'
LAPTOP = {"sys/class/power_supply/BAT0/type": "Battery", "sys/class/power_supply/AC/type": "Mains"}
ON_BATTERY = {**LAPTOP, "sys/class/power_supply/AC/online": "0"}
MOUSE = {"sys/class/power_supply/hid/type": "Battery", "sys/class/power_supply/hid/scope": "Device"}
TIMER = "sys/bus/usb-serial/devices/ttyUSB0/latency_timer"
RULE = "etc/udev/rules.d/99-emgtwitch.rules"


def machine(root: Path, files: dict[str, str]) -> Case:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n" if text else "")
        if name.startswith("bin/"):
            (root / name).chmod(0o755)
    environ = {"PATH": str(root / "bin"), "EMGTWITCH_DATA": str(root / "data"), "XDG_CACHE_HOME": str(root / "cache")}
    return Case(root=root, environ=environ, seconds=1.0)


# check, files, state, what the remedy contains
CASES: list[tuple[Check, dict[str, str], str, str]] = [
    (machine_checks.port, {}, "bad", "cable that carries data"),
    (machine_checks.port, {"sys/bus/usb/devices/1-1/idVendor": "1a86"}, "bad", "sudo modprobe"),
    (machine_checks.port, {"dev/ttyUSB0": ""}, "ok", ""),
    (machine_checks.permission, {"dev/ttyUSB0": ""}, "ok", ""),
    (machine_checks.brltty, {}, "ok", ""),
    (machine_checks.brltty, {"proc/7/comm": "brltty"}, "warn", "apt purge brltty"),
    (
        machine_checks.brltty,
        {"usr/lib/udev/rules.d/85-brltty.rules": BRLTTY},
        "warn",
        "/etc/udev/rules.d/85-brltty.rules",
    ),
    (
        machine_checks.brltty,
        {"usr/lib/udev/rules.d/85-brltty.rules": BRLTTY, "etc/udev/rules.d/85-brltty.rules": ""},
        *("ok", ""),
    ),
    (machine_checks.modem_manager, {}, "ok", ""),
    (machine_checks.modem_manager, {"proc/8/comm": "ModemManager"}, "warn", "disable --now ModemManager"),
    (machine_checks.modem_manager, {"proc/8/comm": "ModemManager", RULE: 'ENV{ID_MM_DEVICE_IGNORE}="1"'}, "ok", ""),
    (machine_checks.latency_timer, {TIMER: "16"}, "warn", f"echo 1 | sudo tee /{TIMER}"),
    (machine_checks.latency_timer, {TIMER: "1"}, "ok", ""),
    (machine_checks.power, ON_BATTERY, "ok", ""),
    (machine_checks.power, {**ON_BATTERY, **MOUSE}, "ok", ""),
    (machine_checks.power, {**LAPTOP, "sys/class/power_supply/AC/online": "1"}, "warn", "Unplug the charger"),
    (machine_checks.power, MOUSE, "warn", "hobby USB isolator"),
    (machine_checks.power, {}, "warn", "hobby USB isolator"),
    (machine_checks.data, {}, "ok", ""),
    (machine_checks.data, {"data": "a file"}, "bad", "EMGTWITCH_DATA"),
    (machine_checks.cache, {}, "ok", ""),
    (machine_checks.cache, {"cache": "a file"}, "warn", "XDG_CACHE_HOME"),
    (machine_checks.avrdude, {}, "warn", "sudo apt install avrdude"),
    (machine_checks.avrdude, {"bin/avrdude": "#!/bin/sh"}, "ok", ""),
    (board_checks.board, {}, "bad", "firmware of wire version 1"),
]


@pytest.mark.parametrize(
    ("check", "files", "state", "remedy"), CASES, ids=[f"{c[0].__name__}-{c[2]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_check_finds_what_it_is_for(
    tmp_path: Path, check: Check, files: dict[str, str], state: str, remedy: str
) -> None:
    (found,) = check(machine(tmp_path, files))
    assert found.state == state
    assert remedy in found.remedy
    assert bool(found.remedy) == (state != "ok")


def test_every_check_is_in_the_table_says_what_it_asks_and_is_tested() -> None:
    by_signal = {board_checks.loss, board_checks.clock, board_checks.signal, board_checks.test_signal}
    assert {case[0] for case in CASES} | by_signal == set(CHECKS)
    assert all((check.__doc__ or "").strip().endswith((".", ".\n")) for check in CHECKS)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_port_of_another_group_is_denied_with_the_command_that_helps(tmp_path: Path) -> None:
    port = tmp_path / "dev/ttyUSB0"
    port.parent.mkdir()
    port.touch()
    os.chown(port, 0, 20)
    os.chmod(port, 0o660)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    script = (
        "import os\nfrom pathlib import Path\nfrom emgtwitch.app.case import Case\n"
        "from emgtwitch.app.machine_checks import permission\n"
        f"os.setgroups([]); os.setgid(65534); os.setuid(65534)\nprint(*permission(Case(root=Path({str(tmp_path)!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "state='bad'" in done.stdout
    assert "sudo usermod -aG" in done.stdout
    assert "exit_code=69" in done.stdout


def wave(noise: float, mains: float) -> Callable[[int], int]:
    """Counts of white noise and a square-ish mains of 50 Hz at 1 kHz, in counts RMS about mid-scale."""
    rng = random.Random(1)
    table = [rng.gauss(0, noise) for _ in range(997)]
    return lambda index: round(512 + table[index % 997] + (mains if index // 10 % 2 else -mains))


def of_test_signal(tmp_path: Path, spoils: Callable[[int], int]) -> Finding:
    """What the doctor says of the test signal of a board with 3 channels."""
    case = machine(tmp_path, {"dev/empty": ""})
    case.test_signal = True
    with FakeBoard(tmp_path / "dev/ttyUSB0") as board:
        board.channels, board.spoils = 3, spoils
        (found,) = board_checks.test_signal(case)
        assert (board.streaming, board.testing) == (False, False)
    return found


def test_a_test_signal_that_arrives_whole_is_good(tmp_path: Path) -> None:
    found = of_test_signal(tmp_path, lambda count: count)
    assert (found.state, found.text) == ("ok", "3024 counts of 3 x 1000 Hz, every one as agreed")


def test_one_wrong_count_of_the_test_signal_is_seen(tmp_path: Path) -> None:
    """A line of the converter that sticks: the counts with all its bits set come out otherwise."""
    found = of_test_signal(tmp_path, lambda count: count & ~1 if count == 1023 else count)
    assert found.state == "bad"
    sticking = sum(count == 1023 for n in range(1008) for count in scan(n, 3))
    assert f": {sticking} wrong, 0 scans lost" in found.text
    assert "emgtwitch flash" in found.remedy


def test_the_test_signal_is_asked_for_only_on_demand(tmp_path: Path) -> None:
    case = machine(tmp_path, {"dev/empty": ""})
    with FakeBoard(tmp_path / "dev/ttyUSB0") as board:
        assert list(board_checks.test_signal(case)) == []
        assert board.requests == []


def heard(tmp_path: Path, signal: Callable[[int], int]) -> dict[str, Finding]:
    """What the doctor finds on a board that sends `signal`."""
    case = machine(tmp_path, {"dev/empty": ""})
    with FakeBoard(tmp_path / "dev/ttyUSB0", signal=signal) as board:
        found = {f.check: f for check in CHECKS for f in check(case)}
        wait_for(lambda: not board.streaming)  # left as it was found
    return found


def test_a_good_board_is_told_with_clock_noise_and_mains(tmp_path: Path) -> None:
    found = heard(tmp_path, wave(noise=1.0, mains=1.0))
    assert (found["board"].state, found["loss"].state) == ("ok", "ok")
    assert "board 000000000000e316, firmware 1.2, 1000 Hz, 1 channel, gain 1000" in found["board"].text
    assert "ppm, give or take" in found["clock"].text
    assert (found["signal"].state, found["mains"].state) == ("ok", "ok")
    assert "at 50 Hz" in found["mains"].text


def test_noise_and_mains_beyond_their_limits_are_warned_of(tmp_path: Path) -> None:
    found = heard(tmp_path, wave(noise=20.0, mains=30.0))
    assert (found["signal"].state, found["mains"].state) == ("warn", "warn")
    assert "fresh electrodes" in found["signal"].remedy
    assert "reference electrode" in found["mains"].remedy
    assert found["clock"].state == "warn"  # this board makes samples three times as fast as it says
    assert "crystal" in found["clock"].remedy


def test_an_electrode_that_is_off_is_seen(tmp_path: Path) -> None:
    found = heard(tmp_path, lambda index: 1023 if index % 100 else 900)
    assert "is at its rail 99 % of the time" in found["signal"].text
    assert "mains" not in found


def arguments(**options: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    return argparse.Namespace(**{**vars(parser.parse_args([])), **options})


def test_json_is_one_object_a_line_and_no_board_is_69(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor.main(arguments(json=True), machine(tmp_path, {"proc/7/comm": "brltty", **ON_BATTERY}))
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 69
    assert [row["check"] for row in rows if row.get("state") == "bad"] == ["port", "board"]
    assert rows[-1] == {"type": "summary", "ok": 4, "warn": 2, "bad": 2}
    assert err.strip() == SAFETY


def test_plain_lines_carry_state_check_finding_remedy_and_the_safety_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor.main(arguments(), machine(tmp_path, {"proc/7/comm": "brltty"}))
    lines = capsys.readouterr().out.splitlines()
    assert "warn  brltty        brltty runs and may take the board's port away" in lines
    assert "-> Unless you read Braille" in lines[lines.index(next(x for x in lines if " brltty " in x)) + 1]
    assert lines[-1] == SAFETY


@pytest.mark.parametrize(
    ("bad", "code"), [([], 0), ([73], 73), ([73, 69], 69), ([1], 1)], ids=["none", "folder", "board", "other"]
)
def test_the_exit_code_is_that_of_the_worst(bad: list[int], code: int) -> None:
    found = [Finding("x", "warn", "t", "r"), *(Finding("x", "bad", "t", "r", n) for n in bad)]
    assert doctor.exit_code(found) == code


def test_a_simulated_board_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(arguments(source="sim:quiet", seconds=1.0, test_signal=True)) in (0, 73)
    out = capsys.readouterr().out
    assert "board 53494d" in out
    assert "1008 counts of 1 x 1000 Hz, every one as agreed" in out


def test_a_senseless_time_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--seconds is 0; it must be from 1 to 3600"):
        doctor.main(arguments(seconds=0.0))


@pytest.mark.parametrize("module", ["emgtwitch.app.doctor", "emgtwitch.app.ports"])
def test_it_starts_light(module: str) -> None:
    heavy = {"numpy", "scipy", "numba", "rich", "matplotlib", "h5py", "edfio"}
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert module in done.stdout.split()
    assert not heavy & set(done.stdout.split())
