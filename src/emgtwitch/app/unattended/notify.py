"""Words to systemd (sd_notify): ready, alive, stopping. Without a manager that listens nothing is sent."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping

HANGS_S = 45.0  # a thread that is in one batch for so long hangs; a disk that stalls for ten seconds does not


class Manager:
    """Tells the service manager that started this process how it is.

    `alive` is called where the signal is acquired: a loop that stands still is silent, and after WatchdogSec the
    manager restarts the daemon. Safe to call from one thread.
    """

    def __init__(
        self, environ: Mapping[str, str] = os.environ, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = int(environ.get("WATCHDOG_USEC", "0") or 0) / 2e6 if ours else 0.0
        self._monotonic_s = monotonic_s
        self._due_s = 0.0
        self._ready = False

    def ready(self, status: str) -> None:
        """The daemon does what it is for."""
        self._send(f"READY=1\nSTATUS={status}" if not self._ready else f"STATUS={status}")
        self._ready = True

    def alive(self, storing_for_s: float) -> None:
        """Acquisition goes on; `storing_for_s` is how long the present work of a thread that stores has taken."""
        now_s = self._monotonic_s()
        if self._every_s and now_s >= self._due_s and storing_for_s < HANGS_S:
            self._due_s = now_s + self._every_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(text.encode(), address)
