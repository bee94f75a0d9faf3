"""The operating system's clocks."""

from __future__ import annotations

import time

from emgtwitch.sources.splice import Clocks

# Where there is no CLOCK_BOOTTIME (it is Linux's), a suspend cannot be told from running on.
_BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read_clocks() -> Clocks:
    """The clocks now. The zone is read anew each time, since the wearer may travel while the daemon runs."""
    time.tzset()
    utc_ns = time.time_ns()
    return Clocks(
        boottime_ns=time.clock_gettime_ns(_BOOTTIME),
        monotonic_ns=time.monotonic_ns(),
        utc_ms=utc_ns // 1_000_000,
        offset_s=time.localtime(utc_ns // 1_000_000_000).tm_gmtoff,
    )
