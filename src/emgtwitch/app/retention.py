"""What `[keep]` asks for: once a day the daemon has `emgtwitch prune` do it, in a process of its own.

What is dropped does not come back, and a clock may be wrong. Where the wall clock is set forward while the daemon runs,
signal is dropped as if it had not been, until it has agreed with the clock since boot for a day. So a computer without
a clock of its own, which is set after each start, goes on dropping what is old by both. Set back, it calls less old.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emgtwitch.app.prune import AROUND_S
from emgtwitch.sources.clocks import boottime_s

FIRST_S = 600.0  # after the start: a computer that has just started has other things to do
DAY_S = 86_400.0
EVERY_S = DAY_S
SET_S = 3600.0  # of days of signal an hour more or less is no loss; a clock taken for local time is set by as much
ENTRY = ("-m", "emgtwitch.app.cli")


class Retention:
    """`look` now and then; nothing in it waits. `keep` is the table of that name; without signal_days nothing is done.

    `on_trouble` gets a sentence where a pruning fails or a clock is not believed; the next one comes a day later.
    """

    def __init__(
        self,
        folder: Path,
        keep: Mapping[str, Any],
        on_trouble: Callable[[str], None],
        now_s: Callable[[], float] = boottime_s,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._days, around_s = keep.get("signal_days"), keep.get("around_event_s", AROUND_S)
        self._words = ("--around", str(around_s), "--data", str(folder))
        self._on_trouble, self._now_s, self._wall_s = on_trouble, now_s, wall_s
        began_s = now_s()
        self._due_s = began_s + FIRST_S
        self._believed_s = self._set_s = wall_s() - began_s  # the wall clock on the other
        self._agrees_since_s = began_s
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether a pruning is under way, or has ended and was not looked at."""
        return self._process is not None

    def look(self) -> None:
        """Begin what is due, and hear how it went."""
        if self._days is None:
            return
        process, now_s = self._process, self._now_s()
        ahead_s = self._ahead_s(now_s)
        if process is not None and process.poll() is not None:
            said = (process.communicate()[1] or "").strip()
            self._process = None
            if process.returncode:
                self._on_trouble(f"Old signal was not dropped. {said.rpartition('emgtwitch: ')[2]}")
        if self._process is None and now_s >= self._due_s:
            self._due_s = now_s + EVERY_S
            days = self._days
            if ahead_s > SET_S:
                days += ahead_s / DAY_S
                self._on_trouble(
                    f"The computer's clock was set forward by {ahead_s / DAY_S:.1f} days. Today old signal is dropped "
                    "as if it had not been, tomorrow by the new time: see to it that the date is right."
                )
            try:
                self._process = subprocess.Popen(
                    ["nice", "-n", "19", sys.executable, *ENTRY, "prune", "--days", str(days), *self._words],
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

    def _ahead_s(self, now_s: float) -> float:
        """How much of what the wall clock was set forward by is not believed yet."""
        offset_s = self._wall_s() - now_s
        if abs(offset_s - self._set_s) > SET_S:
            self._set_s, self._agrees_since_s = offset_s, now_s
        if offset_s < self._believed_s or now_s - self._agrees_since_s >= DAY_S:
            self._believed_s = offset_s
        return offset_s - self._believed_s
