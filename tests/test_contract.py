"""The command line as other programs use it: what needs no daemon."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from emgtwitch.app.cli import COMMANDS, overview, parser_for

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"numpy", "scipy", "numba", "matplotlib", "h5py", "edfio", "rich"}
HELP_CPU_S = 0.150

PROBE = """
import json, sys
from emgtwitch.app.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code
print(json.dumps({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}), file=sys.stderr)
"""


def run(*arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if data is not None:
        environment |= {"EMGTWITCH_DATA": str(data), "EMGTWITCH_CONFIG": str(data / "config")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def emgtwitch(*arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    return run("-m", "emgtwitch.app.cli", *arguments, data=data)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_imports_nothing_heavy(command: str) -> None:
    done = run("-c", PROBE, command, "--help")
    report = json.loads(done.stderr.splitlines()[-1])
    assert report["code"] == 0
    assert done.stdout.startswith(f"usage: emgtwitch {command}")
    assert HEAVY.intersection(report["modules"]) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_of_every_command_is_explained(command: str) -> None:
    unexplained = [action.dest for action in parser_for(command)._actions if not action.help]
    assert unexplained == []


@pytest.mark.parametrize("command", ["events", "status"])
def test_reading_an_empty_data_folder_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    done = run("-c", PROBE, command, data=tmp_path)
    report = json.loads(done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr
    assert HEAVY.intersection(report["modules"]) == set()


def test_help_takes_little_cpu() -> None:
    def cpu_s() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert emgtwitch("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_s() for _ in range(5)) < HELP_CPU_S


def test_the_overview_lists_every_command_and_every_exit_code() -> None:
    text = emgtwitch("--help").stdout
    assert text.rstrip("\n") == overview()
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  ")] == list(COMMANDS)
    assert "0 done, 2 usage, 65 unreadable input, 69 no board, 71 no memory, 73 cannot write" in text
    assert "Not a medical device." in text


def test_no_command_is_a_usage_error_and_shows_the_overview() -> None:
    done = emgtwitch()
    assert (done.returncode, done.stdout.rstrip("\n")) == (2, overview())


def test_an_unknown_command_is_a_usage_error_that_names_the_known_ones() -> None:
    done = emgtwitch("dance")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no command 'dance'" in done.stderr
    assert all(name in done.stderr for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_a_usage_error_without_a_traceback(command: str) -> None:
    done = emgtwitch(command, "--no-such-option")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"usage: emgtwitch {command}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_shows_every_command(command: str) -> None:
    assert f"emgtwitch {command}" in (ROOT / "README.md").read_text()
