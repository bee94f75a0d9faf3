"""Keeps the computer awake while a board streams: logind's inhibitor, held by its own program systemd-inhibit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

PROGRAM = "systemd-inhibit"


class Inhibitor:
    """`hold` and `release` sleep and idleness; safe to call again and again. `on_trouble` gets a sentence, once.

    The program holds it as long as its child reads our pipe: it is given back when this process ends, however it ends.
    """

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        self._on_trouble = on_trouble
        self._process: subprocess.Popen[bytes] | None = None
        self._useless = False

    def hold(self) -> None:
        """Let the computer not sleep. One that refuses is told of, and not asked again."""
        if self._useless or (self._process is not None and self._process.poll() is None):
            return
        if self._process is not None or shutil.which(PROGRAM) is None:
            self._useless = True
            why = "refuses" if self._process is not None else "is not installed"
            self._on_trouble(f"Sleep is not held off: {PROGRAM} {why}. A suspend will be an interval in the log.")
            return
        reason = "--why=a muscle is listened to"
        self._process = subprocess.Popen(
            [PROGRAM, "--what=sleep:idle", "--who=emgtwitch", reason, "--mode=block", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the daemon
        )

    def release(self) -> None:
        """Let it sleep again."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
