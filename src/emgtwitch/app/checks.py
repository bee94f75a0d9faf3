"""All that `doctor` checks, in one table that the command, the docs and the tests go through.

A check is a function with one line of docstring that says what must be true; it yields findings.
"""

from __future__ import annotations

from emgtwitch.app.board_checks import board, clock, loss, signal, test_signal
from emgtwitch.app.case import Check
from emgtwitch.app.machine_checks import (
    avrdude,
    brltty,
    cache,
    data,
    latency_timer,
    modem_manager,
    permission,
    port,
    power,
)

# In this order; the ones from `board` on listen to the board first.
CHECKS: tuple[Check, ...] = (
    *(port, permission, brltty, modem_manager, latency_timer, power, data, cache, avrdude),
    *(board, loss, clock, signal, test_signal),
)
