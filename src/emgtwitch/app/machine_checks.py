"""What `doctor` looks at without a board: port, rights, other programs, power, folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from emgtwitch.app.case import Case, Finding, file_text
from emgtwitch.app.flash import INSTALL, MISSING
from emgtwitch.app.kernels import cache_folder
from emgtwitch.errors import CannotWriteError
from emgtwitch.sources.port_access import access
from emgtwitch.store.folders import data_folder

DAY_BYTES = 250_000_000  # of one channel at 1 kHz
SERIAL_CHIPS = {"1a86": "CH340", "10c4": "CP210x", "0403": "FTDI", "2341": "Arduino", "2a03": "Arduino"}


def port(case: Case) -> Iterable[Finding]:
    """A serial port is there."""
    if not case.on_a_port:
        return
    if case.ports:
        yield Finding("port", "ok", ", ".join(c.port for c in case.ports))
        return
    chips = {file_text(path) for path in (case.root / "sys/bus/usb/devices").glob("*/idVendor")} & set(SERIAL_CHIPS)
    what = "No serial port is there." if case.source == "auto" else f"There is no port {case.source}."
    if chips:
        names = ", ".join(sorted(SERIAL_CHIPS[chip] for chip in chips))
        yield Finding(
            *("port", "bad", f"{what} A {names} chip is plugged in, but has no port: its driver is missing or taken."),
            *("See brltty below, then: sudo modprobe -a ch341 cp210x ftdi_sio cdc_acm, and plug it in again", 69),
        )
    else:
        yield Finding("port", "bad", what, "Plug the board in with a USB cable that carries data: many only charge", 69)


def permission(case: Case) -> Iterable[Finding]:
    """You may open it: its group, and whether you are in it."""
    for candidate in case.ports if case.on_a_port else []:
        try:
            seen = access(candidate.device)
        except OSError as error:
            yield Finding("permission", "bad", f"{candidate.port}: {error.strerror}", "Plug the board in again", 69)
            continue
        if seen.allowed:
            yield Finding("permission", "ok", f"{seen.user} may open {candidate.port}")
            continue
        owner = f"belongs to group {seen.group}" if seen.group else "is closed to every group"
        yield Finding("permission", "bad", f"{candidate.port} {owner}; {seen.user} may not open it", seen.remedy, 69)


def brltty(case: Case) -> Iterable[Finding]:
    """No Braille driver takes the port away: brltty claims CH340, CP210x and FTDI chips."""
    rules: dict[str, Path] = {}
    for folder in ("usr/lib/udev/rules.d", "lib/udev/rules.d", "etc/udev/rules.d"):  # a later one replaces
        rules |= {path.name: path for path in (case.root / folder).glob("*brltty*.rules")}
    active = sorted(name for name, path in rules.items() if file_text(path))
    if case.running("brltty"):
        yield Finding(
            *("brltty", "warn", "brltty runs and may take the board's port away"),
            "Unless you read Braille: sudo systemctl disable --now brltty; sudo apt purge brltty",
        )
    elif active:
        yield Finding(
            *("brltty", "warn", f"brltty's udev rules are installed ({', '.join(active)}): it claims USB serial chips"),
            f"Unless you read Braille: sudo ln -sf /dev/null /etc/udev/rules.d/{active[0]}",
        )
    else:
        yield Finding("brltty", "ok", "not in the way")


def modem_manager(case: Case) -> Iterable[Finding]:
    """ModemManager does not talk to the board: it tries every new port for a modem."""
    if not case.running("ModemManager"):
        yield Finding("ModemManager", "ok", "not in the way")
    elif any("ID_MM_DEVICE_IGNORE" in file_text(p) for p in (case.root / "etc/udev/rules.d").glob("*emgtwitch*.rules")):
        yield Finding("ModemManager", "ok", "runs, and is told to leave the board alone")
    else:
        yield Finding(
            *("ModemManager", "warn", "ModemManager runs and asks every new port whether it is a modem"),
            "Unless you use a mobile modem: sudo systemctl disable --now ModemManager",
        )


def latency_timer(case: Case) -> Iterable[Finding]:
    """An FTDI adapter hands its bytes over at once: its latency timer is 1 ms."""
    for timer in sorted((case.root / "sys/bus/usb-serial/devices").glob("*/latency_timer")):
        value = file_text(timer)
        if value.isdecimal() and int(value) > 1:
            yield Finding(
                *("latency", "warn", f"{timer.parent.name} holds bytes back for up to {value} ms"),
                f"echo 1 | sudo tee /sys/bus/usb-serial/devices/{timer.parent.name}/latency_timer",
            )
        else:
            yield Finding("latency", "ok", f"{timer.parent.name}: {value} ms")


def power(case: Case) -> Iterable[Finding]:
    """Nothing connects the wearer to the mains."""
    supplies = [
        {name: file_text(folder / name) for name in ("type", "online", "scope")}
        for folder in sorted((case.root / "sys/class/power_supply").glob("*"))
    ]
    battery = any(s["type"] == "Battery" and s["scope"] != "Device" for s in supplies)  # not that of a mouse
    on_mains = any(s["type"] not in ("Battery", "UPS", "") and s["online"] not in ("0", "") for s in supplies)
    if battery and not on_mains:
        yield Finding("power", "ok", "runs on battery")
    elif battery:
        yield Finding(
            "power", "warn", "the computer's charger is connected", "Unplug the charger while the electrodes are on"
        )
    else:
        yield Finding(
            *("power", "warn", "this computer has no battery: it runs from the mains"),
            "Wear the electrodes only with a computer on battery; a hobby USB isolator is not medical isolation",
        )


def data(case: Case) -> Iterable[Finding]:
    """The data folder takes files and has room."""
    folder = data_folder(case.data, case.environ)
    there = _nearest(folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding(
            *("data", "bad", f"the data folder {folder} cannot be written"),
            *("Choose another with --data or EMGTWITCH_DATA", CannotWriteError.exit_code),
        )
        return
    free = shutil.disk_usage(there).free
    days = free / DAY_BYTES
    text = f"{folder}: {free / 1e9:.1f} GB free, about {days:.0f} days of one channel at 1 kHz"
    if days < 0.25:
        yield Finding(
            "data", "bad", text, "Make room, or choose another folder with --data", CannotWriteError.exit_code
        )
    elif days < 7:
        yield Finding("data", "warn", text, "Make room, or choose another folder with --data")
    else:
        yield Finding("data", "ok", text)


def cache(case: Case) -> Iterable[Finding]:
    """The cache for compiled kernels takes files, so that a start takes a second and not half a minute."""
    folder = cache_folder(case.environ)
    there = _nearest(folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        yield Finding("cache", "ok", f"{folder} can be written")
    else:
        yield Finding(
            *(
                "cache",
                "warn",
                f"the cache folder {folder} cannot be written: each start compiles anew, half a minute",
            ),
            "Name one that can be written in XDG_CACHE_HOME",
        )


def _nearest(folder: Path) -> Path:
    """`folder`, or the nearest above it that exists: where it would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def avrdude(case: Case) -> Iterable[Finding]:
    """avrdude is there, without which emgtwitch flash cannot write firmware."""
    found = shutil.which("avrdude", path=case.environ.get("PATH", os.defpath))
    if found:
        yield Finding("avrdude", "ok", found)
    else:
        yield Finding("avrdude", "warn", f"{MISSING} Only emgtwitch flash needs it", INSTALL)
