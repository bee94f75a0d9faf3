"""The operating system's clocks."""

from __future__ import annotations

import time

from emgtwitch.sources.splice import Clocks

# Where there is no CLOCK_BOOTTIME (it is Linux's), a suspend cannot be told from running on.
_BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

ZONE_EVERY_NS = 1_000_000_000

_zone = (-ZONE_EVERY_NS, 0)  # when it was looked up (CLOCK_MONOTONIC), local time minus UTC in s


def boottime_s() -> float:
    """Seconds on a clock that goes on during a suspend, where there is one."""
    return time.clock_gettime(_BOOTTIME)


def read_clocks() -> Clocks:
    """The clocks now. The zone is looked up anew each second: the wearer may travel while the daemon runs."""
    global _zone
    boottime_ns, monotonic_ns, utc_ns = time.clock_gettime_ns(_BOOTTIME), time.monotonic_ns(), time.time_ns()
    if monotonic_ns - _zone[0] >= ZONE_EVERY_NS:  # a file is looked at: ten times the cost of the rest
        time.tzset()
        _zone = (monotonic_ns, time.localtime(utc_ns // 1_000_000_000).tm_gmtoff)
    return Clocks(boottime_ns, monotonic_ns, utc_ns // 1_000_000, _zone[1])
