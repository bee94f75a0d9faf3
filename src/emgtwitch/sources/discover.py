"""Finds the board: lists serial ports, asks each for a Hello, and keeps finding it after a replug."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.handshake import ASK_EVERY_NS, check_version
from emgtwitch.sources.link import Link, LinkLostError, PortBusyError, PortDeniedError
from emgtwitch.sources.serial_link import GATHER_S, SerialLink
from emgtwitch.wire.encode import note as request_frame
from emgtwitch.wire.light import Reader, record
from emgtwitch.wire.records import DEFAULT_BAUD, AskHello, Hello

ASK_DOCTOR = " emgtwitch doctor finds out what is in the way."
PROBE_S = 3.0  # reset by opening, bootloader, first Hello
TRIES = 3  # a board that is back under another name may be slow once; another device is not reset for ever
# Names under /dev of ports that a board can hang on: USB to serial, USB's own serial class, Bluetooth, and whatever a
# virtual board calls itself. Built-in ports (ttyS*) are opened only when named.
PATTERNS = ("ttyUSB*", "ttyACM*", "rfcomm*", "cu.usb*", "emgtwitch*")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A port that may have a board on it."""

    port: str  # what to open: the stable name where there is one
    device: str  # the device file behind it
    description: str  # what the system says it is; may be empty


State = Literal["board", "silent", "busy", "denied", "version", "lost"]


@dataclass(slots=True)
class Probe:
    """What became of asking one port."""

    port: str
    state: State
    text: str = ""  # for a person, where there is no board
    hello: Hello | None = None
    link: Link | None = None  # open, with all that was read given back, where a board answered


def candidates(dev: Path = Path("/dev")) -> list[Candidate]:
    """The ports under `dev`, those with a stable name first; a device file appears once."""
    described = _described() if dev == Path("/dev") else {}
    found: dict[str, Candidate] = {}
    for path in [*sorted(dev.glob("serial/by-id/*")), *(p for pattern in PATTERNS for p in sorted(dev.glob(pattern)))]:
        device = os.path.realpath(path)
        if device not in found and os.path.exists(device):
            stable = path.name if path.parent.name == "by-id" else ""
            found[device] = Candidate(str(path), device, described.get(device, stable))
    return list(found.values())


def _described() -> dict[str, str]:
    """What pyserial knows of the ports of this machine."""
    from serial.tools.list_ports import comports

    return {os.path.realpath(port.device): port.description for port in comports() if port.description != "n/a"}


def probe(
    ports: Sequence[str],
    timeout_s: float = PROBE_S,
    baud: int = DEFAULT_BAUD,
    first: bool = True,
    open_port: Callable[[str, int], Link] = SerialLink,
) -> list[Probe]:
    """Ask all `ports` for a Hello at once, for at most `timeout_s`; with `first`, until one board has answered.

    Opening a port resets most boards. Links of boards come back open: close them. Never raises for what a port does.
    """
    results = [_open(port, baud, open_port) for port in ports]
    waiting = {n: Reader() for n, result in enumerate(results) if result.link is not None}
    received = dict.fromkeys(waiting, b"")
    began = time.monotonic()
    asked = 0
    while waiting and time.monotonic() - began < timeout_s:
        ask = time.monotonic() - began >= asked * ASK_EVERY_NS / 1e9
        asked += ask
        for n in list(waiting):
            result = results[n]
            link = result.link
            assert link is not None
            try:
                if ask:
                    link.write(request_frame(AskHello(), asked))
                data = link.read(0.02)
            except LinkLostError as error:
                result.state, result.text = "lost", str(error)
                del waiting[n]
                continue
            received[n] += data
            _listen(result, waiting[n], data)
            if result.state != "silent":
                del waiting[n]
        if first and any(result.state == "board" for result in results):
            break
    for n, result in enumerate(results):
        if result.state == "board" and result.link is not None:
            if isinstance(result.link, SerialLink):
                result.link.unread(received[n])
        elif result.link is not None:
            result.link.close()
            result.link = None
    return results


def _open(port: str, baud: int, open_port: Callable[[str, int], Link]) -> Probe:
    try:
        return Probe(port, "silent", f"{port} opens, but no board says Hello there.", link=open_port(port, baud))
    except PortDeniedError as error:
        return Probe(port, "denied", str(error))
    except PortBusyError as error:
        return Probe(port, "busy", str(error))
    except NoBoardError as error:
        return Probe(port, "lost", str(error))


def _listen(result: Probe, reader: Reader, data: bytes) -> None:
    """Note in `result` whether `data` completes a Hello."""
    for frame in reader.feed(data):
        if frame.type != Hello.TYPE or not frame.body:
            continue
        try:
            check_version(frame.body[0], result.port)
        except NoBoardError as error:
            result.state, result.text = "version", str(error)
            return
        hello = record(frame)
        if isinstance(hello, Hello):
            result.state, result.hello, result.text = "board", hello, ""
            return


class Finder:
    """`open_link` of a LiveSource: opens a named port, or finds the board, and later the same one again."""

    def __init__(
        self,
        source: str = "auto",
        baud: int = DEFAULT_BAUD,
        dev: Path = Path("/dev"),
        timeout_s: float = PROBE_S,
        gather_s: float = GATHER_S,
    ) -> None:
        """`source`: 'auto', a device file or any URL that pyserial opens. `dev`: where to look for ports.

        `gather_s`: how long a read of the link gathers; short for one who wants to know when bytes arrive.
        """
        self.source, self._baud, self._dev, self._timeout_s = source, baud, dev, timeout_s
        self._open_port = functools.partial(SerialLink, gather_s=gather_s)
        self._first = True
        self._port = ""  # where the board was last
        self._vain: Counter[tuple[str, int]] = Counter()  # how often asked in vain since they were plugged in

    def __call__(self) -> Link | None:
        """The board's link; None if after the first call its port is not there.

        Raises NoBoardError, with the reasons, if a port that is there cannot be used, or if the first call finds none.
        """
        first, self._first = self._first, False
        return self._find(first) if self.source == "auto" else self._open(first)

    def _open(self, first: bool) -> Link | None:
        if not first and "://" not in self.source and not os.path.exists(self.source):
            return None
        return self._open_port(self.source, self._baud)

    def _find(self, first: bool) -> Link | None:
        present = {c.port: identity for c in candidates(self._dev) if (identity := _identity(c)) is not None}
        for gone in self._vain.keys() - set(present.values()):  # it may come back as something else
            del self._vain[gone]
        ports = sorted((p for p, i in present.items() if self._vain[i] < TRIES), key=lambda p: p != self._port)
        if not ports and not first:
            return None
        results = probe(ports, self._timeout_s, self._baud, open_port=self._open_port)
        boards = [result for result in results if result.link is not None]
        # The board's own port is asked for ever: it may only have been slow.
        vain = (r.port for r in results if r.state in ("silent", "version") and r.port != self._port)
        self._vain.update(present[port] for port in vain)
        for spare in boards[1:]:
            if spare.link is not None:
                spare.link.close()
        if not boards:
            raise NoBoardError(_nothing_found(results))
        self._port = boards[0].port
        return boards[0].link


def _identity(candidate: Candidate) -> tuple[str, int] | None:
    """Tells a device file from its successor of the same name after a replug."""
    with contextlib.suppress(OSError):
        return candidate.device, os.stat(candidate.device).st_ino
    return None


def _nothing_found(results: Sequence[Probe]) -> str:
    """Why no board was found, and what to do."""
    if not results:
        return (
            "No serial port is there. Plug the board in with a cable that carries data; "
            f"--source sim needs no board.{ASK_DOCTOR}"
        )
    reasons = " ".join(result.text for result in results)
    return f"No board answers. {reasons}{ASK_DOCTOR}"
