"""Settings from the configuration file and the command line; the command line wins.

The file is TOML: [detector] with a preset and single settings, [device] with rate_Hz, channels, oversampling, and
[worn] with muscle, side, placement (or one [[worn]] for each channel).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch.errors import UnreadableInputError, UsageError

if TYPE_CHECKING:
    from emgtwitch.settings import Settings

TABLES = ("detector", "device", "worn")


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that decide the detector's settings."""
    from emgtwitch.detect.presets import PRESETS

    known = "; ".join(f"{name}: {text}" for name, (text, _) in PRESETS.items())
    parser.add_argument("--preset", metavar="NAME", choices=list(PRESETS), help=known)
    parser.add_argument("--set", dest="assignments", metavar="NAME=VALUE", action="append", help="one setting")
    parser.add_argument("--config", metavar="FILE", help="configuration file; else EMGTWITCH_CONFIG, else the XDG one")


def config_path(option: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file: `option`, else EMGTWITCH_CONFIG, else the XDG one if it is there."""
    chosen = option or environ.get("EMGTWITCH_CONFIG")
    if chosen:
        return Path(chosen).expanduser()
    xdg = environ.get("XDG_CONFIG_HOME", "")
    base = Path(xdg) if os.path.isabs(xdg) else Path.home() / ".config"
    path = base / "emgtwitch" / "config.toml"
    return path if path.exists() else None


def read_config(option: str | None) -> dict[str, Any]:
    """The configuration file's tables; {} without one. Raises UnreadableInputError and UsageError."""
    path = config_path(option)
    if path is None:
        return {}
    import tomllib

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableInputError(f"The configuration file {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UnreadableInputError(f"The configuration file {path} is no TOML: {error}.") from None
    for name in tables:
        if name not in TABLES:
            raise UsageError(f"{path}: table {name!r} is unknown. Known are: {', '.join(TABLES)}.")
    return tables


def chosen_settings(args: argparse.Namespace, detector: Mapping[str, Any]) -> Settings:
    """The settings: defaults, preset, [detector], then --set. Raises SettingsError."""
    from emgtwitch.detect.presets import preset
    from emgtwitch.settings import Settings

    base = preset(str(args.preset or detector.get("preset", "default")))
    own = {} if args.preset else {k: v for k, v in detector.items() if k != "preset"}
    return Settings.from_mapping({**own, **_assignments(args.assignments or [])}, base)


def asks_for_settings(args: argparse.Namespace) -> bool:
    """Whether the command line itself names settings, which then win over a recording's own."""
    return bool(args.preset or args.assignments or args.config)


def _assignments(texts: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            out[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--set {text!r}: say NAME=NUMBER, for example --set twitch_max_ms=100.") from None
        if not equals:
            raise UsageError(f"--set {text!r}: say NAME=NUMBER, for example --set twitch_max_ms=100.")
    return out
