"""`emgtwitch uninstall`: removes what `install` wrote, and never data."""

from __future__ import annotations

import argparse
import os

from emgtwitch.app.unattended import units
from emgtwitch.app.unattended.install_command import add_common, systemctl, wanted
from emgtwitch.store.folders import data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `uninstall`."""
    add_common(parser)


def main(args: argparse.Namespace) -> int:
    """Stop and disable the unit, remove the files."""
    files = wanted([], data_folder(args.data), os.environ)
    systemctl(args.dry_run, "disable", "--now", units.UNIT_NAME)
    for path in files:
        if path.exists() and path.read_text().startswith(units.MADE_BY):
            if not args.dry_run:
                path.unlink()
            print(f"{'would remove' if args.dry_run else 'removed'}: {path}")
    if units.RULE_PATH.exists():
        print(f"The rule for the port is root's: sudo rm {units.RULE_PATH}")
    print(f"The data stay: {data_folder(args.data)}")
    return 0
