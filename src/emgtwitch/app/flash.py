"""`emgtwitch flash`: writes the firmware into the board with avrdude, and waits for the board to say Hello."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import shutil
import subprocess
from pathlib import Path

from emgtwitch.app.ports import board_text
from emgtwitch.errors import NoBoardError, UnreadableInputError, UsageError
from emgtwitch.sources.bootloader import BOOTLOADERS, Bootloader, find_bootloader
from emgtwitch.sources.discover import Candidate, candidates, probe
from emgtwitch.sources.link import PortBusyError
from emgtwitch.sources.serial_link import SerialLink
from emgtwitch.sources.talk import Talk
from emgtwitch.store.channel import ask
from emgtwitch.store.folders import data_folder
from emgtwitch.wire.records import DEFAULT_BAUD, Stop, WriteIdentity

DEV = Path("/dev")
FIRMWARE = Path(__file__).parents[1] / "firmware" / "emgtwitch.hex"
HELLO_S = 10.0
AVRDUDE_S = 180.0
GAINS = (1.0, 100_000.0)
NO_IDENTITY = 2**64 - 1  # what an EEPROM holds that was never written
MISSING = "avrdude, which writes firmware into boards, is not installed."
INSTALL = "sudo apt install avrdude (or your system's package of that name)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `flash`."""
    parser.add_argument("--source", default="auto", metavar="PORT", help="the board's port, or auto (%(default)s)")
    parser.add_argument("--hex", metavar="FILE", help="firmware in Intel's hexadecimal format; else this program's own")
    parser.add_argument(
        "--bootloader",
        choices=tuple(BOOTLOADERS),
        help="; ".join(f"{b.name}: {b.words}, {b.baud} baud" for b in BOOTLOADERS.values()) + "; else it is asked",
    )
    parser.add_argument(
        "--baud",
        type=int,
        default=DEFAULT_BAUD,
        metavar="SPEED",
        help="of the firmware's line, for its Hello (%(default)s)",
    )
    parser.add_argument(
        "--gain",
        type=float,
        metavar="G",
        help="also have the board keep its amplifier's gain (the shield's: 1005), so that events have uV",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; the board is not touched")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace, dev: Path = DEV) -> int:
    """Flash the board. Raises UnreadableInputError for the file, UsageError for the port, NoBoardError otherwise."""
    if args.gain is not None and not GAINS[0] <= args.gain <= GAINS[1]:
        raise UsageError(f"--gain {args.gain:g} is none: {GAINS[0]:g} to {GAINS[1]:g} are. The shield's is about 1005.")
    file = Path(args.hex) if args.hex else FIRMWARE
    size = firmware_bytes(file)
    avrdude = shutil.which("avrdude")
    if avrdude is None and not args.dry_run:
        raise NoBoardError(f"{MISSING} {INSTALL}.")
    port = choose_port(args.source, dev, touch=not args.dry_run)
    refuse_if_held(port, data_folder(args.data))
    named = BOOTLOADERS[args.bootloader] if args.bootloader else None
    if args.dry_run:
        for one in [named] if named else BOOTLOADERS.values():
            print(f"{one.name}: {shlex.join(command('avrdude', port, one, file))}")
        return 0
    bootloader = named or find_bootloader(port)
    if bootloader is None:
        tried = " and ".join(f"{b.name} at {b.baud} baud" for b in BOOTLOADERS.values())
        raise NoBoardError(
            f"No bootloader answers at {port} (tried {tried}). Is an Uno or a Nano with an ATmega328P there? "
            "Unplug it, plug it in, try again; if its port does not reset it, name the bootloader with --bootloader "
            "and press the board's reset button when avrdude begins."
        )
    if size > bootloader.room_bytes:
        raise UnreadableInputError(
            f"{file} needs flash up to byte {size}; below the bootloader {bootloader.name} there are "
            f"{bootloader.room_bytes}. Choose another file."
        )
    print(f"Writing {file.name} ({size} bytes) to {port} through {bootloader.name} at {bootloader.baud} baud ...")
    assert avrdude is not None  # looked for above
    write(command(avrdude, port, bootloader, file))
    print("Written and verified. Waiting for the board's Hello ...")
    if args.gain is not None:
        greeting(port, args.baud)
        write_gain(port, args.baud, args.gain)
    print(f"The board runs: {greeting(port, args.baud)}.")
    return 0


def firmware_bytes(file: Path) -> int:
    """Where the highest byte of a hex file ends. Raises UnreadableInputError if it is none for an ATmega328P."""
    try:
        lines = file.read_text("ascii").split()
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UnreadableInputError(f"The firmware {file} cannot be read: {why}. Name another with --hex.") from None
    top, ended = 0, False
    for number, line in enumerate(lines, start=1):
        try:
            raw = bytes.fromhex(line[1:])
        except ValueError:
            raw = b""
        if line[:1] != ":" or ended or len(raw) < 5 or len(raw) != raw[0] + 5 or sum(raw) % 256:
            raise UnreadableInputError(f"{file} is no Intel hex file: line {number} is damaged. Get it again.")
        address, kind = int.from_bytes(raw[1:3], "big"), raw[3]
        if kind == 0:
            top = max(top, address + raw[0])
        ended = kind == 1
    most = max(b.room_bytes for b in BOOTLOADERS.values())
    if not ended or not 0 < top <= most:
        seen = f"it has {top} bytes, 1 to {most} would be right" if ended else "its end is missing"
        raise UnreadableInputError(f"{file} is no firmware for an ATmega328P: {seen}. Get it again.")
    return top


def choose_port(source: str, dev: Path, touch: bool) -> str:
    """The port to flash: the named one, else the only one, else, if ports may be opened, the only one with a board."""
    if source != "auto":
        if source.partition(":")[0] == "sim" or not os.path.exists(source):
            raise NoBoardError(f"There is no port {source}. Plug the board in; emgtwitch ports lists what is there.")
        return source
    found = candidates(dev)
    if not found:
        raise NoBoardError("No serial port is there. Plug the board in with a cable that carries data.")
    if len(found) > 1 and touch:
        found = _with_boards(found)
    if len(found) > 1:
        names = ", ".join(candidate.port for candidate in found)
        raise UsageError(f"There are several ports: {names}. Say with --source which one is the board's.")
    return found[0].port


def _with_boards(found: list[Candidate]) -> list[Candidate]:
    """Those where a board answers; all where none does, since a board to flash need not."""
    results = probe([candidate.port for candidate in found], first=False)
    for result in results:
        if result.link is not None:
            result.link.close()
    answering = {result.port for result in results if result.state in ("board", "version")}
    return [candidate for candidate in found if candidate.port in answering] or found


def refuse_if_held(port: str, folder: Path) -> None:
    """Raise PortBusyError while a daemon uses the port, or looks for its board on any."""
    daemon = ask(folder, {"command": "status"})
    if daemon is None:
        return
    source = str(daemon.get("source", ""))
    here = os.path.realpath(source) == os.path.realpath(port)
    if here or (not daemon.get("connected", False) and source.partition(":")[0] != "sim"):
        pid = daemon.get("pid", "unknown")
        raise PortBusyError(f"The daemon (process {pid}) uses {port}. Stop it first, then flash.")


def command(avrdude: str, port: str, bootloader: Bootloader, file: Path) -> list[str]:
    """How avrdude is called. Without -D it would ask for a chip erase, which these bootloaders cannot do."""
    programmer = [*("-c", "arduino", "-p", "atmega328p"), *("-P", port, "-b", str(bootloader.baud)), "-D"]
    return [avrdude, "-q", *programmer, "-U", f"flash:w:{file}:i"]


def write(call: list[str]) -> None:
    """Run avrdude, which also reads back what it wrote. Raises NoBoardError with its words."""
    try:
        done = subprocess.run(
            call, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=AVRDUDE_S
        )
    except subprocess.TimeoutExpired:
        raise NoBoardError(
            f"avrdude did not end within {AVRDUDE_S:.0f} s. Unplug the board, plug it in, try again."
        ) from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower() and "OS error" not in line]
        why = said[0] if said else f"it ended with {done.returncode}"
        raise NoBoardError(f"avrdude could not write the firmware: {why}. Unplug the board, plug it in, try again.")


def write_gain(port: str, baud: int, gain: float) -> None:
    """Have the board keep its gain, and an identity if it has none. Raises NoBoardError with its reason."""
    link = SerialLink(port, baud)
    try:
        talk = Talk(link)
        device_id = talk.hello().device_id
        if device_id == NO_IDENTITY:
            device_id = secrets.randbits(63)
        talk.ask(Stop())
        talk.ask(WriteIdentity(device_id, round(1000 * gain)))
    finally:
        link.close()


def greeting(port: str, baud: int = DEFAULT_BAUD) -> str:
    """What the board says of itself. Raises NoBoardError if it says nothing, or speaks another wire version."""
    (result,) = probe([port], HELLO_S, baud)
    if result.link is not None:
        result.link.close()
    if result.hello is None:
        said = f" {result.text}" if result.state != "silent" else ""
        raise NoBoardError(
            f"The firmware was written and verified, but no board says Hello at {port} within {HELLO_S:.0f} s.{said} "
            "Press the board's reset button; emgtwitch doctor finds out more."
        )
    return board_text(result.hello)
