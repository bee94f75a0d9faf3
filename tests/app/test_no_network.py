"""No request leaves this computer unless one was asked for: under a hook that sees every connection and every name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.nursery import ROOT

# Python tells its audit hooks of each connection and each look-up, whoever makes them.
WATCHED = """
import sys
def watch(event, args):
    if event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        if args[1][0] not in ("127.0.0.1", "::1"):
            raise RuntimeError(f"a connection to {args[1]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and args[0] not in (None, "", "127.0.0.1", "::1"):
        raise RuntimeError(f"a look-up of {args[0]!r}")
    elif event == "urllib.Request":
        raise RuntimeError(f"a request of {args[0]!r}")
sys.addaudithook(watch)
from emgtwitch.app.cli import main
sys.exit(main(sys.argv[1:]))
"""


def watched(*arguments: str | Path, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """`emgtwitch ARGUMENTS` under the hook, interrupted after `seconds`."""
    before = ["timeout", "--preserve-status", "-s", "INT", str(seconds)] if seconds else []
    command = [*before, sys.executable, "-c", WATCHED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"HTTP_PROXY": ""})


def isolation() -> list[str]:
    """What begins a command in a network namespace with nothing but a loopback interface. Skips where none is given."""
    up = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    refused = "unshare or ip is missing"
    if shutil.which("unshare") and shutil.which("ip"):
        for options in ("-n", "-rn"):
            tried = subprocess.run(["unshare", options, *up, "true"], capture_output=True, text=True)
            if tried.returncode == 0:
                return ["unshare", options, *up]
            refused = tried.stderr.strip()
    pytest.skip(f"no network namespace of one's own here: {refused}")


@pytest.mark.slow
def test_a_day_with_the_program_needs_no_network_at_all(tmp_path: Path) -> None:
    before, data = isolation(), tmp_path / "data"

    def alone(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "emgtwitch.app.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)

    seen = subprocess.run([*before, "ip", "-brief", "link"], capture_output=True, text=True).stdout
    assert [line.split()[0] for line in seen.splitlines()] == ["lo"]
    run = [*before, sys.executable, "-m", "emgtwitch.app.cli", "run", "--source", "sim:demo:1", "--port", "0"]
    with subprocess.Popen([*run, "--data", str(data)], stderr=subprocess.PIPE, text=True, cwd=ROOT) as daemon:
        assert daemon.stderr is not None
        said = next(line for line in daemon.stderr if "the page is at" in line)
        ask = f"import urllib.request as u; print(u.urlopen({said.split()[-1]!r} + 'api/v1/state').status)"
        inside = [
            "nsenter",
            "-t",
            str(daemon.pid),
            *(["-U", "--preserve-credentials"] if "-rn" in before else []),
            "-n",
            sys.executable,
            "-c",
            ask,
        ]
        asked = subprocess.run(inside, capture_output=True, text=True, timeout=60)
        daemon.send_signal(signal.SIGINT)
        daemon.stderr.read()
    assert (asked.stdout, daemon.returncode) == ("200\n", 0), asked.stderr
    (recording,) = (data / "sessions").iterdir()
    for command in (("replay", recording), ("report", "-o", tmp_path / "r.html", "--data", data)):
        done = alone(*command)
        assert done.returncode == 0, (command, done.stderr)


@pytest.mark.slow
def test_a_day_with_the_program_asks_nobody_anything(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ran = watched("run", "--source", "sim:demo:1", "--data", data, "--port", "0", seconds=8)
    assert "the page is at" in ran.stderr
    (recording,) = (data / "sessions").iterdir()
    for command in (
        ("replay", recording),
        ("events", "--data", data),
        ("status", "--data", data),
        ("mark", "felt", "--data", data),
        ("export", "--format", "csv", "-o", tmp_path / "csv", "--data", data),
        ("report", "-o", tmp_path / "r.html", "--data", data),
        ("doctor", "--source", "sim", "--seconds", "1", "--data", data),
    ):
        done = watched(*command)
        assert "RuntimeError" not in done.stderr, (command, done.stderr)
        assert done.returncode in (0, 3), (command, done.stderr)
    assert "RuntimeError" not in ran.stderr


def test_the_hook_would_see_a_request() -> None:
    script = (
        WATCHED.partition("from emgtwitch")[0] + "import urllib.request; urllib.request.urlopen('http://127.0.0.2/')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "a request of" in done.stderr
