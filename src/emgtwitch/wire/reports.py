"""What is new in what a board reports about itself, of which most repeats what it said some seconds ago."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from emgtwitch.wire.records import Counters, Guard, Hello

STREAMING = 1  # bit of Hello.flags
ELECTRODES = 4  # channels that Hello.flags tells of
_ELECTRODE_BIT = 2
NO_ERRORS = ("lost_scans",)  # these are gaps already, each with its place


def electrodes_off(hello: Hello) -> tuple[bool, ...]:
    """For each of the channels 0 to 3, whether its electrode is off."""
    return tuple(bool(hello.flags >> (_ELECTRODE_BIT + k) & 1) for k in range(ELECTRODES))


class Reports:
    """Follows one session's Hellos, Counters and Guards, in their order."""

    def __init__(self) -> None:
        self.counters: Counters | None = None  # the latest, of the present board
        self._guard: Guard | None = None
        self._device: int | None = None
        self._streaming = False

    def hello(self, hello: Hello) -> None:
        """Take note of whose reports follow, and whether its run goes on."""
        if hello.device_id != self._device:
            self.counters = self._guard = None
            self._device = hello.device_id
        self._streaming = bool(hello.flags & STREAMING)

    def counted(self, counters: Counters) -> dict[str, Any]:
        """By how much each sort of error has risen since the last report; empty if none has.

        The first report of a session only says where the counts stand: what went wrong before is not this session's.
        """
        before, self.counters = self.counters, counters
        if before is None:
            return {}
        then, now = asdict(before), asdict(counters)
        if any(now[name] < then[name] for name in now):  # power-up or ResetCounters
            then = dict.fromkeys(now, 0)
        return {name: now[name] - then[name] for name in now if now[name] > then[name] and name not in NO_ERRORS}

    def guarded(self, guard: Guard) -> dict[str, Any]:
        """What the board found on its own, if that was not told yet; empty otherwise.

        While the board does not stream its watch may still go on and the report change with every Hello: it waits.
        """
        if not self._streaming or guard == self._guard:
            return {}
        self._guard = guard
        return asdict(guard)
