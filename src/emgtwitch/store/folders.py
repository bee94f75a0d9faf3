"""Where the data are: the folder of the log, the lock, the socket and the sessions."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from emgtwitch.errors import CannotWriteError
from emgtwitch.store.sync import make_folder

LOG_NAME = "log.sqlite3"
SESSIONS_NAME = "sessions"
ROOM_BYTES = 1 << 16  # what SQLite needs beside a log to write it at all


def data_folder(option: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder: `option`, else EMGTWITCH_DATA, else emgtwitch in the XDG data folder. It need not exist."""
    chosen = option or environ.get("EMGTWITCH_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    xdg = environ.get("XDG_DATA_HOME", "")
    base = Path(xdg) if os.path.isabs(xdg) else Path.home() / ".local" / "share"  # relative ones are to be ignored
    return base / "emgtwitch"


def make_data_folder(folder: Path) -> Path:
    """Make `folder` for its owner alone if it is not there, and prove that it takes files. Raises CannotWriteError.

    One that was made outlasts a power cut.
    """
    try:
        make_folder(folder)
    except OSError as error:  # a file of that name included
        raise _refused(folder, error.strerror or str(error)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(folder, "you may not write there")
    return folder


def others_may_write(folder: Path) -> bool:
    """Whether other users may put files into `folder`, or take some out. This user's own group is trusted."""
    now = folder.stat()
    group = now.st_mode & stat.S_IWGRP and now.st_gid != os.getegid()
    return now.st_uid not in (os.geteuid(), 0) or bool(group or now.st_mode & stat.S_IWOTH)


def is_full(folder: Path) -> bool:
    """Whether the disk of `folder` takes nothing more."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            if file.write(bytes(ROOM_BYTES)) < ROOM_BYTES:
                return True
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return False


def log_path(folder: Path) -> Path:
    """The log in a data folder."""
    return folder / LOG_NAME


def _refused(folder: Path, why: str) -> CannotWriteError:
    return CannotWriteError(
        f"The data folder {folder} cannot be used: {why}. Choose one that you may write with --data or EMGTWITCH_DATA."
    )
