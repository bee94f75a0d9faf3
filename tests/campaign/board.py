"""The simulated wearer's board on a pty, in true time: unplugged, reset, exchanged, and on a bad line."""

from __future__ import annotations

import contextlib
import os
import random
import select
import threading
import tty
from pathlib import Path

from emgtwitch.sources.sim import SimLink
from emgtwitch.wearer.scenario import Scenario, Scheduled

# Something to show every half second, from when the detector has settled.
BUSY = Scenario(
    schedule=tuple(Scheduled(1.0 + 0.5 * k, "twitch", 80.0 + 20.0 * (k % 3)) for k in range(18)),
    schedule_period_s=10.0,
)


class PtyBoard:
    """A board whose `path` is a symbolic link to its pty while it is plugged in; use as a context.

    Like a UART it waits for nobody: what does not fit into the line is lost. `spoiled` is the share of bytes that the
    line changes.
    """

    def __init__(self, path: Path, seed: int = 1, scenario: Scenario = BUSY, speed: float = 1.0) -> None:
        self.path, self.seed, self.spoiled = path, seed, 0.0
        self._scenario, self._speed = scenario, speed
        self._random = random.Random(seed)
        self._quit = threading.Event()
        self._boots = 0
        self._link: SimLink | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> PtyBoard:
        self.plug()
        return self

    def __exit__(self, *error: object) -> None:
        self.unplug()

    def plug(self, seed: int | None = None) -> None:
        """Power up, as another board if `seed` is another one."""
        self.seed = self.seed if seed is None else seed
        self.reset()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._quit.clear()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()
        fresh = self.path.with_name(f".{self.path.name}")  # no port's name: who looks for ports does not see it
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.path)

    def unplug(self) -> None:
        """Power down; the port vanishes."""
        if self._thread is None:
            return
        self._quit.set()
        self._thread.join(5.0)
        self._thread = None
        self.path.unlink()
        os.close(self._slave)
        os.close(self._master)

    def reset(self) -> None:
        """It forgets its run and waits for a Start."""
        self._boots += 1
        self._link = SimLink(self._scenario, self.seed, started=False, speed=self._speed, boots=self._boots)

    @property
    def made(self) -> int:
        """Scans of the run that goes on."""
        assert self._link is not None
        return self._link.made

    def _run(self) -> None:
        while not self._quit.is_set():
            link = self._link
            assert link is not None
            with contextlib.suppress(OSError):
                if select.select([self._master], [], [], 0.01)[0]:
                    link.write(os.read(self._master, 4096))
                data = self._spoil(link.read(0.0))
                if data:
                    os.write(self._master, data)

    def _spoil(self, data: bytes) -> bytes:
        if not self.spoiled or not data:
            return data
        out = bytearray(data)
        at = int(self._random.expovariate(self.spoiled))
        while at < len(out):
            out[at] ^= self._random.randrange(1, 256)
            at += 1 + int(self._random.expovariate(self.spoiled))
        return bytes(out)
