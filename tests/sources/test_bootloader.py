"""Which bootloader answers: found by asking, and never mistaken for a board that only sends."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError
from emgtwitch.sources.bootloader import BOOTLOADERS, GET_SYNC, IN_SYNC, find_bootloader
from emgtwitch.sources.link import LinkLostError
from emgtwitch.sources.serial_link import SerialLink


@contextmanager
def on_a_pty(respond: Callable[[bytes], bytes], unasked: bytes = b"") -> Iterator[str]:
    """A device that answers each piece with what `respond` makes of it, and sends `unasked` all the time."""
    master, slave = os.openpty()
    tty.setraw(slave)
    quit_ = threading.Event()

    def run() -> None:
        while not quit_.is_set():
            if select.select([master], [], [], 0.005)[0]:
                os.write(master, respond(os.read(master, 256)))
            elif unasked:
                os.write(master, unasked)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        quit_.set()
        thread.join(5.0)
        os.close(master)
        os.close(slave)


def in_step(request: bytes) -> bytes:
    return IN_SYNC * request.count(GET_SYNC)


class AtItsBaud(SerialLink):
    """A link that garbles all but one speed, as a line does."""

    right = 57600

    def __init__(self, name: str, baud: int, gather_s: float) -> None:
        super().__init__(name, baud, gather_s)
        self._garbles = baud != self.right

    def write(self, data: bytes) -> None:
        super().write(b"\xe6" * len(data) if self._garbles else data)


@pytest.mark.parametrize("name", BOOTLOADERS)
def test_the_bootloader_is_the_one_whose_speed_is_answered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AtItsBaud, "right", BOOTLOADERS[name].baud)
    with on_a_pty(in_step) as port:
        assert find_bootloader(port, open_port=AtItsBaud, listen_s=0.4) is BOOTLOADERS[name]


@pytest.mark.parametrize(
    ("respond", "unasked"),
    [
        (lambda request: b"", b""),
        (lambda request: b"\x15", b""),
        (lambda request: request, b""),  # an echo
        (lambda request: b"", IN_SYNC),  # a stream that has these bytes in it
        (lambda request: b"", b"\x00" + IN_SYNC + bytes(range(64))),
    ],
    ids=["silence", "no sync", "echo", "stream of it", "stream"],
)
def test_what_is_no_bootloader_is_not_taken_for_one(respond: Callable[[bytes], bytes], unasked: bytes) -> None:
    with on_a_pty(respond, unasked) as port:
        assert find_bootloader(port, listen_s=0.3) is None


def test_a_port_that_vanishes_is_no_bootloader() -> None:
    class Gone(SerialLink):
        def write(self, data: bytes) -> None:
            raise LinkLostError("gone")

    with on_a_pty(in_step) as port:
        assert find_bootloader(port, open_port=Gone) is None


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoBoardError, match="There is no port"):
        find_bootloader(str(tmp_path / "ttyUSB0"))
