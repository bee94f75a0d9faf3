"""A serial port as a link, through pyserial: device files, ptys and its URL handlers (socket://, loop://, ...)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import termios
import time

import serial

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.link import LinkLostError, PortBusyError, PortDeniedError
from emgtwitch.sources.port_access import busy_text, denied_text
from emgtwitch.wire.records import DEFAULT_BAUD

GATHER_S = 0.035  # one read hands over what came in this time: the daemon then gets about 25 reads a second
HURRY_S = 0.03  # the same where somebody looks on
WRITE_TIMEOUT_S = 1.0
RESET_S = 0.05  # the capacitor between DTR and the reset pin charges
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
        self._gather_s = gather_s
        self.hurry = False
        try:
            # `dtr` is left alone: setting it on a pty raises OSError, and Linux raises the line at open anyway.
            self._port = serial.serial_for_url(
                name, baudrate=baud, timeout=gather_s, write_timeout=WRITE_TIMEOUT_S, exclusive=True
            )
        except FAILURES as error:
            raise _refusal(name, error) from error
        # Of a terminal the bytes are read from its file: at 1 kHz that takes 0.4 % of a core, pyserial's read 1 %.
        self._file: int | None = self._port.fileno() if type(self._port) is serial.Serial else None
        self._lock(termios.TIOCEXCL)  # pyserial's flock is advisory; this one holds against cat and brltty too

    def read(self, timeout_s: float) -> bytes:
        """Return what arrives within one gathering time, b"" after `timeout_s`. Raises LinkLostError."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        try:
            return self._read_url(timeout_s) if self._file is None else self._read_file(self._file, timeout_s)
        except FAILURES as error:
            raise LinkLostError(f"{self.name} was lost: {error}") from error

    def unread(self, data: bytes) -> None:
        """Give `data` back, to be read first: what a probe has read belongs to the stream."""
        self._unread = data + self._unread

    def write(self, data: bytes) -> None:
        """Send `data`. Raises LinkLostError."""
        try:
            self._port.write(data)
        except FAILURES as error:
            raise LinkLostError(f"{self.name} was lost: {error}") from error

    def reset(self) -> None:
        """Reset the board by a pulse on DTR, where there is such a line; what was received before is dropped."""
        with contextlib.suppress(*FAILURES):
            self._port.dtr = False
            time.sleep(RESET_S)
            self._port.reset_input_buffer()
            self._port.dtr = True

    def close(self) -> None:
        """Give the port back."""
        self._lock(termios.TIOCNXCL)  # a pty stays exclusive after closing, while its other end is open
        self._file = -1 if self._file is not None else None  # its number may soon be another file's
        with contextlib.suppress(*FAILURES):
            self._port.close()

    def _read_file(self, file: int, timeout_s: float) -> bytes:
        if not select.select([file], [], [], timeout_s)[0]:
            return b""
        time.sleep(min(self._gather_s, HURRY_S) if self.hurry else self._gather_s)
        data = os.read(file, CHUNK_BYTES)
        if not data:  # always ready and never anything there: so a terminal says that its device is gone
            raise OSError("the device is gone")
        return data

    def _read_url(self, timeout_s: float) -> bytes:
        # A read of more than there is waits for pyserial's timeout, which gathers. `in_waiting` is of no use here: a
        # socket's knows only 0 and 1.
        deadline = time.monotonic() + timeout_s
        while not (data := bytes(self._port.read(CHUNK_BYTES))) and time.monotonic() < deadline:
            pass
        return data

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
