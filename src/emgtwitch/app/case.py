"""The machine and the board that `doctor` looks at, and what it may find."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from emgtwitch.app.signal_check import Heard
from emgtwitch.errors import EmgtwitchError
from emgtwitch.sources.clocks import read_clocks
from emgtwitch.sources.discover import ASK_DOCTOR, Candidate, Finder, candidates
from emgtwitch.sources.live import LiveSource, OpenLink
from emgtwitch.sources.splice import Clocks
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Hello, Samples

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen, and the one line that helps."""

    check: str
    state: State
    text: str
    remedy: str = ""  # never empty unless ok
    exit_code: int = 1  # of a bad one


@dataclass
class Case:
    """The machine and the board that are looked at; the board is listened to when the first check asks for it."""

    root: Path = Path("/")
    source: str = "auto"
    seconds: float = 5.0
    data: str | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    open_link: OpenLink | None = None  # else from `source`
    test_signal: bool = False  # whether the board is asked for it
    trouble: str = ""  # why the board was not heard

    @cached_property
    def ports(self) -> list[Candidate]:
        """The ports that matter: all, or the named one."""
        if self.source == "auto":
            return candidates(self.root / "dev")
        exists = os.path.exists(self.source)
        return [Candidate(self.source, os.path.realpath(self.source), "")] if exists else []

    @property
    def on_a_port(self) -> bool:
        """Whether the board hangs on a device file of this machine."""
        return self.open_link is None and "://" not in self.source

    def opener(self) -> OpenLink:
        """What opens the link to the board."""
        return self.open_link or Finder(self.source, dev=self.root / "dev", gather_s=0.002)

    @cached_property
    def heard(self) -> Heard:
        """Some seconds of the board's stream; without a Hello if there was none, and then `trouble` says why."""
        heard, latest = Heard(), read_clocks()

        def clocks() -> Clocks:
            nonlocal latest
            latest = read_clocks()
            return latest

        source = LiveSource(self.opener(), {}, clocks)
        deadline = time.monotonic() + self.seconds + 10.0
        try:
            while time.monotonic() < deadline and not self._enough(heard):
                for record in frames(source.read(0.25), (Hello.TYPE, Samples.TYPE)):
                    if isinstance(record, Hello | Samples):
                        heard.add(record, latest.boottime_ns / 1e9)
        except EmgtwitchError as error:
            self.trouble = str(error).removesuffix(ASK_DOCTOR)
        finally:
            source.close()
        if not heard.counts and not self.trouble:
            self.trouble = f"The board at {source.port} says Hello, but sends no samples."
        return heard

    def _enough(self, heard: Heard) -> bool:
        arrivals = heard.arrivals
        return bool(arrivals) and arrivals[-1][1] - arrivals[0][1] >= self.seconds

    def running(self, program: str) -> bool:
        """Whether a process of that name runs."""
        return any(file_text(comm) == program for comm in (self.root / "proc").glob("[0-9]*/comm"))


Check = Callable[[Case], Iterable[Finding]]


def file_text(path: Path) -> str:
    """The stripped text of a small file, empty if it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
