"""The files that let the daemon run unattended: a systemd user unit, a desktop entry, a udev rule. Pure: texts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from emgtwitch.errors import UsageError

UNIT_NAME = "emgtwitch.service"
DESKTOP_NAME = "emgtwitch.desktop"
RULE_PATH = Path("/etc/udev/rules.d/70-emgtwitch.rules")
WATCHDOG_S = 60
# Vendor and product of what Unos and Nanos and their copies have between processor and USB.
USB_IDS = {
    "2341": ("0043", "0001", "0243"),  # Arduino: Uno R3, Uno, Uno R3 (16U2)
    "2a03": ("0043",),  # Arduino.org: Uno
    "1a86": ("7523", "5523", "55d4"),  # WCH: CH340, CH341, CH9102
    "0403": ("6001", "6015"),  # FTDI: FT232R, FT231X
    "10c4": ("ea60",),  # Silicon Labs: CP2102
}
MADE_BY = "# Written by emgtwitch install; emgtwitch uninstall removes it."

# Why options are missing. MemoryDenyWriteExecute: numba compiles at run time. PrivateDevices, PrivateNetwork: the board
# is a device, the page is served on the loopback interface. ProtectHome=yes: the data lie there. What a user's manager
# cannot enforce by itself needs a user namespace, hence PrivateUsers. What the filter refuses must fail, not kill: the
# OpenBLAS of numpy asks where its memory shall lie (mbind) and can do without an answer; setpriority is nice's, for
# pruning. Events go to the log alone: forget does not reach the journal, which other people may read, nor a core dump.
_UNIT = """{made_by}
[Unit]
Description=emgtwitch: listens to a muscle
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={start}
{environment}StandardOutput=null
StandardError=journal
LimitCORE=0
WatchdogSec={watchdog_s}
Restart=always
RestartSec=15
OOMPolicy=continue
TimeoutStartSec=180
TimeoutStopSec=60
UMask=0077
PrivateUsers=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writes}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=setpriority
SystemCallErrorNumber=EPERM
{network}DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-rfcomm rw

[Install]
WantedBy=default.target
"""
_LOOPBACK = "IPAddressDeny=any\nIPAddressAllow=localhost\n"
_DESKTOP = """{made_by}
[Desktop Entry]
Type=Application
Name=emgtwitch
Comment=Twitches and spasms of a muscle, today and before
Exec=xdg-open {address}
Icon=utilities-system-monitor
Categories=Utility;
Terminal=false
"""


def unit(command: Sequence[str], writes: Sequence[Path], reaches_out: bool, environ: Mapping[str, str]) -> str:
    """The user unit that runs `command` with the variables `environ` and may write below `writes`; `reaches_out`:
    beyond the loopback interface.

    Raises UsageError for words that no unit file can hold.
    """
    return _UNIT.format(
        made_by=MADE_BY,
        start=_exec(command),
        environment="".join(f"Environment={_quoted(f'{name}={text}')}\n" for name, text in environ.items()),
        watchdog_s=WATCHDOG_S,
        writes=" ".join(f"-{_quoted(str(path))}" for path in writes),
        network="" if reaches_out else _LOOPBACK,
    )


def desktop(address: str) -> str:
    """The entry of the page in the desktop's menu."""
    return _DESKTOP.format(made_by=MADE_BY, address=address)


def rule() -> str:
    """The udev rule: who sits at the computer may use the board, and ModemManager leaves it alone."""
    lines = [MADE_BY]
    for vendor, products in USB_IDS.items():
        for product in products:
            ids = f'ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}"'
            lines.append(f'SUBSYSTEM=="tty", {ids}, TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"')
    return "\n".join(lines) + "\n"


def root_command(rule_file: Path) -> str:
    """What installs the rule, for whoever may."""
    place = shlex.quote(str(rule_file))
    return f"sudo install -m 644 {place} {RULE_PATH} && sudo udevadm control --reload && sudo udevadm trigger"


def _exec(command: Sequence[str]) -> str:
    """A command line: of its words systemd expands $, too."""
    return " ".join(_quoted(word.replace("$", "$$")) for word in command)


def _quoted(word: str) -> str:
    """A word of a unit file, in which systemd expands %."""
    if any(ord(letter) < ord(" ") or "\ud800" <= letter <= "\udfff" for letter in word):
        raise UsageError(
            f"{word!r} has letters that no unit file can hold. Rename it, without line breaks and the like."
        )
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return plain if plain and not any(letter in plain for letter in " \"';#") else f'"{plain}"'
