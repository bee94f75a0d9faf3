"""`emgtwitch install`: the daemon starts at login, is watched, and restarts by itself."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from emgtwitch.app.config import chosen_settings, read_config
from emgtwitch.app.kernels import cache_folder
from emgtwitch.app.page.server import HOST, PORT
from emgtwitch.app.unattended import units
from emgtwitch.errors import CannotWriteError, UsageError
from emgtwitch.store.folders import data_folder, make_data_folder

RULE_NAME = "70-emgtwitch.rules"
LAST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `install`."""
    parser.add_argument("run_option", nargs="*", help="options of run, after --, as -- --muscle calf --oversampling 8")
    add_common(parser)
    parser.add_argument("--force", action="store_true", help="write over files that were changed since")


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that `uninstall` has, too."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; nothing is changed")
    parser.add_argument("--data", metavar="DIR", help="the data folder; else EMGTWITCH_DATA, else the XDG data folder")


def main(args: argparse.Namespace) -> int:
    """Write the files and enable the unit. Raises UsageError and UnreadableInputError for what `run` would refuse,
    CannotWriteError.
    """
    options = parsed(args.run_option)
    sends = _check(options)
    data = data_folder(options.data or args.data)
    files = wanted(args.run_option, data, os.environ, sends)
    found = {path: held(path) for path in files}
    changed = [path for path, text in files.items() if found[path] not in (None, text)]
    if changed and not args.force and not args.dry_run:
        names = ", ".join(map(str, changed))
        raise UsageError(f"Changed since, or of other options: {names}. --force writes over it; --dry-run shows what.")
    if not args.dry_run:
        for folder in written_to(data, os.environ):
            make_data_folder(folder)
    for path, text in files.items():
        if args.dry_run:
            print(f"--- {path}\n{text}")
        else:
            _write(path, text)
            print(f"written: {path}")
    rule_file = next(path for path in files if path.name == RULE_NAME)
    systemctl(args.dry_run, "daemon-reload")
    systemctl(args.dry_run, "enable", "--now", units.UNIT_NAME)
    if any(path.name == units.UNIT_NAME for path in changed):
        systemctl(args.dry_run, "restart", units.UNIT_NAME)  # it may run with what the unit said before
    print("The board's port, once, as root:")
    print(f"  {units.root_command(rule_file)}")
    print("To run also while nobody is logged in: loginctl enable-linger")
    return 0


def parsed(words: list[str]) -> argparse.Namespace:
    """The options of `run`. Raises UsageError for those that it does not have."""
    from emgtwitch.app.cli import parser_for

    parser = parser_for("run")
    parser.exit_on_error = False
    try:
        options, others = parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise UsageError(f"run does not take this: {error}. emgtwitch run --help tells what it takes.") from None
    if others:
        raise UsageError(f"run does not know {' '.join(others)}. emgtwitch run --help tells what it knows.")
    return options


def _check(options: argparse.Namespace) -> bool:
    """Whether it sends to a broker. Raises what `run` would raise before it looks for a board: later nobody would read
    it.
    """
    from emgtwitch.app.out.mqtt import Broker  # with numpy, which --help does without

    config = read_config(options.config)
    chosen_settings(options, config.get("detector", {}))
    if options.source.partition(":")[0] == "sim":
        from emgtwitch.sources.sim import parse_spec

        parse_spec(options.source)
    if not 0 <= options.port <= LAST_PORT:
        raise UsageError(f"--port is {options.port}; a port is 0 to {LAST_PORT}. Give one of these.")
    return Broker.asked(options.mqtt, config.get("mqtt", {}), os.environ) is not None


def wanted(words: list[str], data: Path, environ: Mapping[str, str], sends: bool = False) -> dict[Path, str]:
    """Each file that is to be there, with its text; `sends`: to a broker, whoever names it.

    The unit starts elsewhere and without the variables of this terminal, so folders and files are named in full, the
    kernels' cache by the variables that name it. Raises
    UsageError for options that `run` does not have, and for words that no unit file can hold.
    """
    options = parsed(words)
    command = [sys.executable, "-m", "emgtwitch.app.cli", "run", *words, "--data", str(data)]
    if config := options.config or environ.get("EMGTWITCH_CONFIG"):
        command += ["--config", str(Path(config).expanduser().absolute())]
    home = Path(environ.get("HOME") or Path.home())
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    share = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    reaches_out = bool(sends or options.mqtt or options.lsl or options.host != HOST)
    port = options.port or PORT
    cache = {
        name: environ[name] for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME") if os.path.isabs(environ.get(name, ""))
    }
    return {
        config_home / "systemd/user" / units.UNIT_NAME: units.unit(
            command, written_to(data, environ), reaches_out, cache
        ),
        share / "applications" / units.DESKTOP_NAME: units.desktop(f"http://{HOST}:{port}/"),
        share / "emgtwitch-install" / RULE_NAME: units.rule(),
    }


def held(path: Path) -> str | None:
    """What a file holds now; None where there is none, and an empty text where it is no file that can be read."""
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def written_to(data: Path, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The folders that the daemon writes to: data, and compiled kernels."""
    cache = cache_folder(environ)
    return data, cache if environ.get("NUMBA_CACHE_DIR") else cache.parent


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CannotWriteError(f"{path} cannot be written: {error.strerror}. Make its folder writable.") from None


def systemctl(dry_run: bool, *words: str) -> None:
    """Have the user's systemd do it; where there is none, say so and what to do instead."""
    call = ["systemctl", "--user", *words]
    if dry_run:
        print(f"would run: {' '.join(call)}")
        return
    if shutil.which("systemctl") is None:
        print("There is no systemd here: start `emgtwitch run` with whatever starts programs at login.")
        return
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip()
        do = (
            "In a desktop session, say it again there."
            if "connect to bus" in said
            else f"journalctl --user -u {units.UNIT_NAME} tells why. Without a board it is tried again every 15 s."
        )
        print(f"{' '.join(call)} did not work ({said}). {do}")
