"""The daemon's socket: a real one, before a daemon that hears a simulated board, whose stream takes every mark."""

from __future__ import annotations

import atexit
import json
import socket
import threading
from typing import Any

from emgtwitch.app.daemon import Daemon
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.sim import SimLink
from emgtwitch.store.channel import SOCKET_NAME, CommandServer
from emgtwitch.store.log import LogWriter
from emgtwitch.wearer.scenario import SCENARIOS
from tests.fuzz.law import BrokenError, Target, is_sentence
from tests.fuzz.scratch import scratch

_FRESH_AFTER = 500  # inputs to one daemon: its log grows


class _Daemon:
    """A daemon whose reading, detecting and storing is done by the one who asks, so that all inputs meet it alike."""

    def __init__(self) -> None:
        self.asked = 0
        self._folder = scratch()
        self._now_s = 0.0
        session = {"recording_id": "r", "settings": Settings().as_dict(), "worn": [], "started_utc_ms": 0}
        link = SimLink(SCENARIOS["quiet"], started=False, clock=lambda: self._now_s, sleep=self._sleep)
        self._daemon = Daemon(lambda: link, self._folder, session, {}, threading.Event(), as_json=True)
        self._pipeline = Pipeline()
        self._log = LogWriter(self._folder / "marks.sqlite3")
        self._log.begin(None)
        self._server = CommandServer(self._folder, self._daemon._answer)
        while not self._daemon._source.connected:
            self.go_on()

    def _sleep(self, seconds: float) -> None:
        self._now_s += seconds

    def go_on(self) -> None:
        """Read what the board and those who marked have said, detect, and store."""
        self._now_s += 0.05
        self._log.write(self._pipeline.feed(self._daemon._source.read(0.0)), None)

    def tell(self, data: bytes) -> list[Any]:
        """Every answer to these bytes."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self._folder / SOCKET_NAME))
            heard = bytearray()
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                while piece := client.recv(1 << 16):
                    heard += piece
            except (BrokenPipeError, ConnectionResetError):
                pass  # a line too long is hung up on
        return [json.loads(line) for line in heard.splitlines()]

    def close(self) -> None:
        self._server.close()
        self._daemon._source.close()
        self._daemon._keeper.close()
        self._daemon._printer.close()
        self._log.close()


_running: list[_Daemon] = []


def _daemon() -> _Daemon:
    """The one that runs, or a new one in its place."""
    if _running and _running[0].asked >= _FRESH_AFTER:
        _running.pop().close()
    if not _running:
        _running.append(_Daemon())
    _running[0].asked += 1
    return _running[0]


@atexit.register
def _end() -> None:
    for daemon in _running:
        daemon.close()


def _tell(data: bytes) -> None:
    daemon = _daemon()
    for answer in daemon.tell(data):
        if answer.get("exit_code") == 1 or ("error" in answer and not is_sentence(answer["error"])):
            raise BrokenError(str(answer)[:160])
    daemon.go_on()


def _seeds() -> dict[str, bytes]:
    lines = {
        "status": {"command": "status"},
        "mark": {"command": "mark", "kind": "felt", "detail": {"note": "now"}},
        "unknown": {"command": "dance"},
    }
    out = {name: json.dumps(line).encode() + b"\n" for name, line in lines.items()}
    return out | {
        "all": b"".join(out.values()),
        "no_json": b"{\n",
        "no_line": b'{"command": "status"}',
        "list": b"[1]\n",
    }


_WORDS = (b'{"command":', b'"mark"', b'"status"', b'"kind":', b'"detail":', b"null", b"NaN", b"\\ud800", b"[[[[", b'""')
TARGETS = (Target("socket", _tell, _seeds, _WORDS),)
