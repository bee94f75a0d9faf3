"""Commands in processes of their own, without the second that each start takes: one process imports everything and
compiles, then forks a child for each command.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.fake_board import wait_for

ROOT = Path(__file__).parents[2]
NOBODY = 65534
PATIENCE_S = 30.0

# Reads one JSON object a line: how to start a child; answers with its pid, and later with its exit status.
SCRIPT = """
import importlib, json, os, pathlib, pkgutil, resource, signal, sys, threading, tomllib
from emgtwitch.app.kernels import prepare_kernels, warm_up
prepare_kernels()
import emgtwitch
for module in pkgutil.walk_packages(emgtwitch.__path__, "emgtwitch."):
    importlib.import_module(module.name)
warm_up()
from emgtwitch.app import cli

def child(order):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever began the tests may have had it ignored
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, order["out"], os.O_WRONLY | os.O_CREAT),
                                (2, order["err"], os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(path, flags, 0o600), number)
    os.environ.update(order["environ"])
    if order["file_bytes"] is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"],) * 2)
    if order["segment_bytes"]:
        from emgtwitch.store.recording import SessionWriter
        SessionWriter.__init__.__kwdefaults__["max_segment_bytes"] = order["segment_bytes"]
    if order["dev"]:
        from emgtwitch.sources.discover import Finder
        defaults = Finder.__init__.__defaults__
        Finder.__init__.__defaults__ = tuple(
            pathlib.Path(order["dev"]) if isinstance(one, pathlib.Path) else one for one in defaults)
    if order["uid"] is not None and os.geteuid() == 0:
        os.setgroups([]), os.setgid(order["uid"]), os.setuid(order["uid"])
    try:
        code = cli.main(order["arguments"])
    except SystemExit as stop:
        code = stop.code
    sys.stdout.flush()
    return code

say = os.fdopen(os.dup(1), "w", buffering=1)
lock = threading.Lock()
def reap(pid):
    _, status = os.waitpid(pid, 0)
    with lock:
        say.write(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}) + "\\n")
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        try:
            os._exit(child(json.loads(line)))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(70)
    with lock:
        say.write(json.dumps({"born": pid}) + "\\n")
    threading.Thread(target=reap, args=(pid,), daemon=True).start()
"""


class Child:
    """One command while it runs and after it has ended."""

    def __init__(self, out: Path, err: Path) -> None:
        self.out, self.err = out, err
        self.pid = 0
        self.code = 0
        self.born, self.ended = threading.Event(), threading.Event()

    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects printed so far; a line that is no JSON object fails the test."""
        return self.parse(self.out.read_text())

    @staticmethod
    def parse(text: str) -> list[dict[str, Any]]:
        """The JSON objects in the whole lines of `text`."""
        whole, _, _ = text.rpartition("\n")
        objects = [json.loads(line) for line in whole.splitlines()]
        assert all(isinstance(o, dict) for o in objects)
        return objects

    def of_type(self, *types: str) -> list[str]:
        """The lines of these types as canonical JSON."""
        return [json.dumps(o, sort_keys=True) for o in self.lines() if o["type"] in types]

    def said(self) -> str:
        """What stands on standard error so far."""
        return self.err.read_text()

    def wait_for(self, condition: Callable[[Child], bool], timeout_s: float = PATIENCE_S) -> None:
        """Until `condition` holds; fails the test if the command ends first, or never comes so far."""
        wait_for(lambda: condition(self) or self.ended.is_set(), timeout_s)
        assert condition(self), f"it ended with {self.code}: {self.said()}"

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals | None = None, traces: bool = False) -> int:
        """Send a signal if one is given, wait for the end and give the exit code; it may have ended by itself.

        A traceback on standard error fails the test, but where `traces` are allowed.
        """
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                self.send(number)
        assert self.ended.wait(PATIENCE_S), f"still running after {PATIENCE_S} s: {self.said()}"
        assert traces or "Traceback" not in self.said(), self.said()
        return self.code


class Nursery:
    """Where children come from; `preload` is a library that comes before the C library."""

    def __init__(self, folder: Path, preload: Path | None = None) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | ({"LD_PRELOAD": str(preload)} if preload else {}),
        )
        self._children: list[Child] = []
        self._waiting: list[Child] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def start(
        self,
        *arguments: str | Path,
        uid: int | None = None,
        environ: dict[str, str] | None = None,
        file_bytes: int | None = None,
        segment_bytes: int = 0,
        dev: Path | None = None,
        out: Path | None = None,
    ) -> Child:
        """Start `emgtwitch ARGUMENTS`; `file_bytes` is the longest file that it may write, `segment_bytes` when it is
        to begin the next segment of a recording (0: as usual), `dev` the folder in place of /dev where it looks for
        ports.
        """
        number = len(self._children)
        child = Child(out or self._folder / f"{number}.out", self._folder / f"{number}.err")
        child.err.touch()
        if out is None:
            child.out.touch()
        order = {
            "arguments": [str(argument) for argument in arguments],
            "out": str(child.out),
            "err": str(child.err),
            "environ": {"EMGTWITCH_CONFIG": "", "XDG_CONFIG_HOME": "/nonexistent", **(environ or {})},
            "uid": uid,
            "file_bytes": file_bytes,
            "segment_bytes": segment_bytes,
            "dev": str(dev or ""),
        }
        self._children.append(child)
        self._waiting.append(child)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert child.born.wait(10 * PATIENCE_S), "no child was born"  # the first one waits for the compiler
        return child

    def run(self, *arguments: str | Path, **options: Any) -> Child:
        """Start a command and wait for its end."""
        child = self.start(*arguments, **options)
        child.end()
        return child

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "born" in told:
                child = self._waiting.pop(0)
                child.pid = told["born"]
                child.born.set()
            else:
                (child,) = (c for c in self._children if c.pid == told["ended"] and not c.ended.is_set())
                child.code = told["code"]
                child.ended.set()

    def close(self) -> None:
        """End what still runs."""
        for child in self._children:
            if child.born.is_set() and not child.ended.is_set():  # one that is not has no pid: 0 would be this group
                with contextlib.suppress(ProcessLookupError):
                    child.send(signal.SIGKILL)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One for all tests of a run; its folder is readable by all, since some children are somebody else."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        nursery = Nursery(Path(name))
        yield nursery
        nursery.close()
