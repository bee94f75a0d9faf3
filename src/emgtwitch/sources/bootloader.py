"""Which bootloader a board has: they speak STK500 at different speeds, and only the right one makes it answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emgtwitch.sources.link import LinkLostError
from emgtwitch.sources.serial_link import SerialLink

LISTEN_S = 1.5  # after the reset that opening the port makes
ASK_EVERY_S = 0.1
GATHER_S = 0.01
GET_SYNC, IN_SYNC = b"\x30\x20", b"\x14\x10"


@dataclass(frozen=True, slots=True)
class Bootloader:
    """What writes the firmware into the board's flash."""

    name: str
    baud: int
    words: str
    room_bytes: int  # of flash below it


BOOTLOADERS = {
    "optiboot": Bootloader("optiboot", 115200, "Uno, and Nano since 2018", 0x7E00),
    "old": Bootloader("old", 57600, "ATmegaBOOT of older Nanos and most of their clones", 0x7800),
}


def find_bootloader(
    port: str,
    among: Iterable[Bootloader] = tuple(BOOTLOADERS.values()),
    open_port: Callable[[str, int, float], SerialLink] = SerialLink,
    listen_s: float = LISTEN_S,
) -> Bootloader | None:
    """The first of them that answers at `port`, None where none does. Raises NoBoardError if the port does not open."""
    for bootloader in among:
        link = open_port(port, bootloader.baud, GATHER_S)
        try:
            link.reset()
            if _answers(link, listen_s):
                return bootloader
        except LinkLostError:
            continue  # some USB chips vanish for a moment with a reset; the next try tells
        finally:
            link.close()
    return None


def _answers(link: SerialLink, listen_s: float) -> bool:
    """Whether it is in step twice running: once could be what the firmware sent before the reset."""
    until_s = time.monotonic() + listen_s
    in_step = 0
    while time.monotonic() < until_s:
        link.write(GET_SYNC)
        heard = link.read(ASK_EVERY_S)
        in_step = in_step + 1 if heard == IN_SYNC else 0
        if in_step == 2:
            return True
    return False
