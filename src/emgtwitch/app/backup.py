"""`emgtwitch backup`: a consistent copy of the data folder, also while the daemon runs."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from emgtwitch.app.keeping import keeping_lock, recordings, shown_bytes
from emgtwitch.errors import UsageError
from emgtwitch.store.backup import back_up
from emgtwitch.store.folders import SESSIONS_NAME, data_folder, log_path
from emgtwitch.store.rewrite import clear_leftovers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `backup`."""
    parser.add_argument("target", type=Path, metavar="FOLDER", help="not there yet, or an earlier backup of the same")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Copy. Raises UsageError on a wrong target, UnreadableInputError, CannotWriteError."""
    folder, target = data_folder(args.data), args.target.expanduser()
    if not log_path(folder).exists():
        raise UsageError(f"There is no log in {folder} to back up. --data or EMGTWITCH_DATA names the data folder.")
    with contextlib.ExitStack() as held:
        if os.access(folder, os.W_OK):  # else nobody changes it: a disk that has become read-only is backed up, too
            held.enter_context(keeping_lock(folder))
            clear_leftovers(folder / SESSIONS_NAME)
        copied, kept = back_up(folder, target, lambda: recordings(folder))
    print(f"{target} is a backup of {folder}: {shown_bytes(copied)} of signal copied, {shown_bytes(kept)} was there.")
    print(f"Every command reads it with --data {target}; emgtwitch verify --data {target} checks it.")
    return 0
