"""Keeps the computer awake while a board streams: logind's inhibitor, held by its own program systemd-inhibit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

PROGRAM = "systemd-inhibit"
WHY = "--why=a muscle is listened to"
PATIENCE_S = 1.0  # with its end; meanwhile nothing is read from the board


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
        if self._process is not None:
            self._give_up("refuses")
        elif shutil.which(PROGRAM) is None:
            self._give_up("is not installed")
        else:
            try:
                self._process = subprocess.Popen(
                    [PROGRAM, "--what=sleep:idle", "--who=emgtwitch", WHY, "--mode=block", "cat"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the daemon
                )
            except OSError as error:
                self._give_up(f"cannot be started ({error.strerror})")

    def release(self) -> None:
        """Let it sleep again."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:  # it still asks a logind that does not answer
                process.kill()
                process.wait()

    def _give_up(self, why: str) -> None:
        self._useless = True
        self._on_trouble(f"Sleep is not held off: {PROGRAM} {why}. A suspend will be an interval in the log.")
