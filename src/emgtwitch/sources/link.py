"""What a live source reads from and writes to: a serial port, a pty, a socket or the simulated wearer."""

from __future__ import annotations

from typing import Protocol

from emgtwitch.errors import NoBoardError


class LinkLostError(Exception):
    """The port vanished or failed while it was open; the text says which and how."""


class PortDeniedError(NoBoardError):
    """The port is there and this user may not open it."""


class PortBusyError(NoBoardError):
    """The port is there and another program holds it."""


class Link(Protocol):
    """An open, two-way byte channel to one board."""

    name: str  # what a person would call it, and what opens it again: /dev/serial/by-id/..., socket://...

    hurry: bool  # set by one who looks on: hand over soon, at the price of more reads

    def read(self, timeout_s: float) -> bytes:
        """Return what is there, after at most `timeout_s` seconds b"". Raises LinkLostError when the port vanished."""

    def write(self, data: bytes) -> None:
        """Send `data`. Raises LinkLostError when the port vanished."""

    def close(self) -> None:
        """Give the port back; closing twice or after a loss does nothing."""
