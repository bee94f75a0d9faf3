"""`emgtwitch uninstall`: removes what `install` wrote, and never data."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from emgtwitch.app.unattended.install_command import RULE_NAME, add_common, held, systemctl, wanted
from emgtwitch.app.unattended.units import MADE_BY, RULE_PATH, UNIT_NAME
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.folders import data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `uninstall`."""
    add_common(parser)


def main(args: argparse.Namespace) -> int:
    """Stop and disable the unit, remove the files. Raises CannotWriteError."""
    ours = [path for path in wanted([], data_folder(args.data), os.environ) if (held(path) or "").startswith(MADE_BY)]
    installed = any(path.name == UNIT_NAME for path in ours)
    if installed:
        systemctl(args.dry_run, "disable", "--now", UNIT_NAME)
    for path in ours:
        if not args.dry_run:
            _remove(path)
        print(f"{'would remove' if args.dry_run else 'removed'}: {path}")
    if installed:
        systemctl(args.dry_run, "daemon-reload")
    if not ours:
        print("Nothing that install wrote is there.")
    if RULE_PATH.exists():
        print(f"The rule for the port is root's: sudo rm {RULE_PATH}")
    print(f"The data stay: {data_folder(args.data)}")
    return 0


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise CannotWriteError(f"{path} cannot be removed: {error.strerror}. Make its folder writable.") from None
    if path.name == RULE_NAME:
        with contextlib.suppress(OSError):  # something else lies there
            path.parent.rmdir()
