"""What `[keep]` asks for: once a day the daemon has `emgtwitch prune` do it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emgtwitch.app.prune import AROUND_S
from emgtwitch.sources.clocks import boottime_s

FIRST_S = 600.0  # after the start: a computer that has just started has other things to do
EVERY_S = 86_400.0
ENTRY = ("-m", "emgtwitch.app.cli")


class Retention:
    """`look` now and then; nothing in it waits. `keep` is the table of that name; without signal_days nothing is done.

    `on_trouble` gets a sentence where a pruning fails; the next one comes a day later.
    """

    def __init__(
        self,
        folder: Path,
        keep: Mapping[str, Any],
        on_trouble: Callable[[str], None],
        now_s: Callable[[], float] = boottime_s,
    ) -> None:
        days, around_s = keep.get("signal_days"), keep.get("around_event_s", AROUND_S)
        words = ("prune", "--days", str(days), "--around", str(around_s), "--data", str(folder))
        self._command = [sys.executable, *ENTRY, *words] if days is not None else None
        self._on_trouble, self._now_s = on_trouble, now_s
        self._due_s = now_s() + FIRST_S
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether a pruning is under way, or has ended and was not looked at."""
        return self._process is not None

    def look(self) -> None:
        """Begin what is due, and hear how it went."""
        if self._command is None:
            return
        process, now_s = self._process, self._now_s()
        if process is not None and process.poll() is not None:
            said = (process.communicate()[1] or "").strip()
            self._process = None
            if process.returncode:
                self._on_trouble(f"Old signal was not dropped. {said.rpartition('emgtwitch: ')[2]}")
        if self._process is None and now_s >= self._due_s:
            self._due_s = now_s + EVERY_S
            try:
                self._process = subprocess.Popen(
                    ["nice", "-n", "19", *self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,  # Ctrl-C is for the daemon
                )
            except OSError as error:
                self._on_trouble(f"Old signal was not dropped: no process can be begun ({error.strerror}).")

    def close(self) -> None:
        """End what runs: the next one completes it."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None
