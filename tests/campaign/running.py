"""A daemon on a pty board that faults are done to while it runs, and what holds at its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emgtwitch.store.channel import ask
from tests.app.nursery import Child, Nursery
from tests.campaign.board import PtyBoard
from tests.campaign.laws import LawBrokenError, check_shown, check_sound, logged

PATIENCE_S = 30.0


@dataclass
class Running:
    """One daemon; `folder` is its data folder, `control` where the files lie that disk.c reads."""

    child: Child
    board: PtyBoard
    folder: Path
    control: Path

    def status(self) -> dict[str, Any]:
        """What the daemon answers; at most a few seconds late."""
        answer = ask(self.folder, {"command": "status"})
        if answer is None:
            raise LawBrokenError(f"the daemon is gone: {self.child.said()}")
        return answer

    def port(self) -> int:
        """Where the page is served, once it is."""
        self.until("the page", lambda: "the page is at" in self.child.said())
        return page_port(self.child)

    def events(self) -> int:
        """How many events were printed so far."""
        return len(self.child.of_type("event"))

    def until(self, what: str, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait. Raises LawBrokenError, named after `what`, where it does not come about."""
        deadline_s = time.monotonic() + patience_s
        while not condition():
            if self.child.ended.is_set():
                raise LawBrokenError(
                    f"waiting for {what}, the daemon ended with {self.child.code}: {self.child.said()}"
                )
            if time.monotonic() > deadline_s:
                raise LawBrokenError(f"{what} did not come within {patience_s:g} s: {self.child.said()[-800:]}")
            time.sleep(0.02)

    def until_said(self, words: str, times: int) -> None:
        """Wait until the daemon has said `words` so often."""
        self.until(f"{words!r}, {times} times", lambda: self.child.said().count(words) >= times)

    def more_events(self, count: int = 1, patience_s: float = PATIENCE_S) -> None:
        """Wait until so many more were printed: detection goes on."""
        seen = self.events()
        self.until(f"{count} more events after {seen}", lambda: self.events() >= seen + count, patience_s)

    def set(self, name: str, words: str) -> None:
        """Write a control file at once."""
        fresh = self.control / f"{name}.new"
        fresh.write_text(words)
        fresh.replace(self.control / name)

    def intervals(self, kind: str) -> list[dict[str, Any]]:
        """What the log says of such intervals."""
        return [row for row in logged(self.folder) if row["type"] == "interval" and row["kind"] == kind]


def page_port(child: Child) -> int:
    """Where it said that the page is."""
    return int(child.said().rpartition("127.0.0.1:")[2].split("/")[0].split()[0])


@contextlib.contextmanager
def running(
    nursery: Nursery,
    folder: Path,
    name: str,
    *options: str | Path,
    seed: int = 1,
    zone: str = "",
    ahead_ns: int = 0,
    speed: float = 1.0,
    finds: bool = False,
    may_end: Collection[int] = (),
) -> Iterator[Running]:
    """The daemon, once it shows events. At the end it is stopped, and everything that was shown must be in the log.

    It lives in `zone` where one is given, its wall clock begins `ahead_ns` ahead, and all its clocks and its board run
    `speed` times as fast. Where it `finds` its board, it looks for it in a folder in place of /dev, which begins with
    the board alone in it, as ttyUSB0. With one of the exit codes `may_end` it may have ended by itself; then what
    serves the page may also have left traces of a defect.
    """
    control = folder / name
    data = control / "data"
    data.mkdir(parents=True, exist_ok=True)
    environ = {"CAMPAIGN_ROOT": str(data), "CAMPAIGN_FAULT": str(control / "fault")}
    environ |= {"CAMPAIGN_CLOCK": str(control / "clock"), "CAMPAIGN_SPEED": str(speed)}
    environ["CAMPAIGN_MEMORY"] = str(control / "memory")
    (control / "clock").write_text(f"{ahead_ns} 0")
    (control / "memory").write_bytes(bytes(16))
    if zone:
        environ["TZ"] = zone
    dev = control / "dev"
    dev.mkdir(exist_ok=True)
    with PtyBoard(dev / "ttyUSB0", seed, speed=speed) as board:
        arguments: list[str | Path] = ["run", "--source", "auto" if finds else board.path, "--json", "--data", data]
        arguments += options or ("--no-page",)
        child = nursery.start(*arguments, environ=environ, dev=dev)
        one = Running(child, board, data, control)
        one.until("the first event", lambda: one.events() > 0)
        yield one
        if child.ended.is_set() and child.code not in may_end:
            raise LawBrokenError(f"the daemon ended by itself with {child.code}: {child.said()}")
        if not child.ended.is_set() and child.end(signal.SIGINT, traces=bool(may_end)):
            raise LawBrokenError(f"the daemon ended with {child.code}: {child.said()}")
    check_shown(child.lines(), data)
    check_sound(data)


def live_channel(port: int) -> socket.socket:
    """A browser's live channel, as far as the page's answer. Raises LawBrokenError where it refuses."""
    browser = socket.create_connection(("127.0.0.1", port))
    here = f"127.0.0.1:{port}"
    browser.sendall(
        f"GET /api/v1/live HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    if not browser.recv(12).startswith(b"HTTP/1.1 101"):
        raise LawBrokenError("the page takes no live channel")
    return browser
