"""A serial port as a link, through pyserial: device files, ptys and its URL handlers (socket://, loop://, ...)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import termios
import time

import serial

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.link import LinkLostError, PortBusyError, PortDeniedError
from emgtwitch.sources.port_access import busy_text, denied_text
from emgtwitch.wire.records import DEFAULT_BAUD

GATHER_S = 0.035  # one read hands over what came in this time: the daemon then wakes about 28 times a second
WRITE_TIMEOUT_S = 1.0
CHUNK_BYTES = 1 << 16
# pyserial lets some of the system's own errors through: termios.error is no OSError, and a closed URL gives ValueError.
FAILURES = (OSError, termios.error, ValueError, TypeError)


class SerialLink:
    """An open serial port, locked against other programs as far as the system lets us.

    Opening a real Arduino's port resets it: the bootloader takes up to 2 s before the board answers.
    """

    def __init__(self, name: str, baud: int = DEFAULT_BAUD, gather_s: float = GATHER_S) -> None:
        """Open `name`. Raises NoBoardError, with what to do, if it is absent, not permitted or in use."""
        self.name = name
        self._unread = b""
        try:
            # `dtr` is left alone: setting it on a pty raises OSError, and Linux raises the line at open anyway.
            self._port = serial.serial_for_url(
                name, baudrate=baud, timeout=gather_s, write_timeout=WRITE_TIMEOUT_S, exclusive=True
            )
        except FAILURES as error:
            raise _refusal(name, error) from error
        self._lock(termios.TIOCEXCL)  # pyserial's flock is advisory; this one holds against cat and brltty too

    def read(self, timeout_s: float) -> bytes:
        """Return what arrives within one gathering time, b"" after `timeout_s`. Raises LinkLostError."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        deadline = time.monotonic() + timeout_s
        try:
            # A read of more than there is waits for pyserial's timeout, which gathers. `in_waiting` is avoided: it
            # raises after an unplug, and a socket's knows only 0 and 1.
            while not (data := bytes(self._port.read(CHUNK_BYTES))):
                if time.monotonic() >= deadline:
                    return b""
        except FAILURES as error:
            raise LinkLostError(f"{self.name} was lost: {error}") from error
        return data

    def unread(self, data: bytes) -> None:
        """Give `data` back, to be read first: what a probe has read belongs to the stream."""
        self._unread = data + self._unread

    def write(self, data: bytes) -> None:
        """Send `data`. Raises LinkLostError."""
        try:
            self._port.write(data)
        except FAILURES as error:
            raise LinkLostError(f"{self.name} was lost: {error}") from error

    def close(self) -> None:
        """Give the port back."""
        self._lock(termios.TIOCNXCL)  # a pty stays exclusive after closing, while its other end is open
        with contextlib.suppress(*FAILURES):
            self._port.close()

    def _lock(self, request: int) -> None:
        """TIOCEXCL or TIOCNXCL where the port is a terminal; sockets and loops are not."""
        with contextlib.suppress(*FAILURES, AttributeError):
            fcntl.ioctl(self._port.fileno(), request)


def _refusal(name: str, error: Exception) -> NoBoardError:
    """Why `name` did not open, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return PortDeniedError(denied_text(name))
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return PortBusyError(busy_text(name))
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return NoBoardError(f"There is no port {name}. Plug the board in; emgtwitch ports lists what is there.")
    return NoBoardError(f"{name} does not open as a serial port ({error}). emgtwitch ports lists what is there.")
