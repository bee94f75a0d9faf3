"""Why a port does not open, and the one command that helps."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a device file, and where this process stands."""

    path: str
    allowed: bool  # this process may read and write it
    group: str | None  # that may; None where the file's mode lets no group do so
    listed: bool  # the user belongs to that group according to the user database
    user: str

    @property
    def remedy(self) -> str:
        """What to do, in one line; empty where nothing is wrong."""
        if self.allowed:
            return ""
        if self.group is None:
            return f'No group may use it: add a udev rule with TAG+="uaccess", or once: sudo chmod a+rw {self.path}'
        if self.listed:
            return f"You are in group {self.group}, but this login began before that: log out and in again."
        return f"sudo usermod -aG {self.group} {self.user}   (then log out and in again)"


def user_name() -> str:
    """The name of the user that this process runs as."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def group_name(gid: int) -> str:
    """The name of a group, or its number as text."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def access(path: str) -> Access:
    """Who may use the device file `path` (dialout, uucp, plugdev, ...: whichever owns it). Raises OSError if absent."""
    status = os.stat(path)
    group, user = group_name(status.st_gid), user_name()
    for_group = status.st_mode & stat.S_IRGRP and status.st_mode & stat.S_IWGRP
    try:
        entry = grp.getgrgid(status.st_gid)
        listed = user in entry.gr_mem or pwd.getpwuid(os.getuid()).pw_gid == status.st_gid
    except KeyError:
        listed = False
    return Access(
        path=path,
        allowed=os.access(path, os.R_OK | os.W_OK),
        group=group if for_group and status.st_gid != 0 else None,
        listed=listed,
        user=user,
    )


def holders(path: str, proc: Path = Path("/proc")) -> list[str]:
    """The other processes that have `path` open, as 'name (process 123)': those that this user may see."""
    device = os.path.realpath(path)
    found = []
    for process in sorted(proc.glob("[0-9]*"), key=lambda p: int(p.name)):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(os.path.realpath(fd) == device for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:
            continue  # gone meanwhile, or another user's
    return found


def denied_text(path: str) -> str:
    """The message for a port that exists and may not be opened."""
    try:
        seen = access(path)
    except OSError as error:
        return f"{path} cannot be opened: {error.strerror}."
    owner = f"it belongs to group {seen.group}" if seen.group else "its mode lets no group use it"
    return f"No permission to open {path}: {owner}. {seen.remedy}"


def busy_text(path: str, proc: Path = Path("/proc")) -> str:
    """The message for a port that another program holds."""
    names = holders(path, proc)
    who = ", ".join(names) if names else "a program of another user (brltty, ModemManager, a serial monitor?)"
    return f"{path} is in use by {who}. Close that program, then try again: emgtwitch ports shows what is free."
