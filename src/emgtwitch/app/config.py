"""Settings from the configuration file and the command line; the command line wins.

The file is TOML: [detector] with a preset and single settings, [device] with rate_Hz, channels, oversampling,
[worn] with muscle, side, placement (or one [[worn]] for each channel), [diary] with factors, a list of words,
[mqtt] with host, port, username, password, discovery_prefix, and [keep] with signal_days, around_event_s.
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

# What a board can be asked for, and what can be told of a channel.
DEVICE: dict[str, tuple[int, ...]] = {
    "rate_Hz": (500, 1000, 2000, 4000),
    "channels": (1, 2, 3, 4),
    "oversampling": (1, 4, 8),
}
WORN = ("muscle", "side", "placement")
TABLES = ("detector", "device", "worn", "diary", "mqtt", "keep")
LONGEST_LINE = 2000  # letters; the parser takes long for names of thousands of parts
KEEP = ("signal_days", "around_event_s")
MQTT: dict[str, type] = {"host": str, "port": int, "username": str, "password": str, "discovery_prefix": str}


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that decide the detector's settings."""
    from emgtwitch.detect.presets import PRESETS

    known = "; ".join(f"{name}: {text}" for name, (text, _) in PRESETS.items())
    parser.add_argument("--preset", metavar="NAME", choices=list(PRESETS), help=known)
    parser.add_argument(
        *("--set",),
        dest="assignments",
        metavar="NAME=VALUE",
        action="append",
        help="one setting, as twitch_max_ms=100; repeatable",
    )
    parser.add_argument("--config", metavar="FILE", help="configuration file; else EMGTWITCH_CONFIG, else the XDG one")


def config_path(option: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file: `option`, else EMGTWITCH_CONFIG, else the XDG one if it is there."""
    chosen = option or environ.get("EMGTWITCH_CONFIG")
    if chosen:
        return Path(chosen).expanduser()
    xdg = environ.get("XDG_CONFIG_HOME", "")
    base = xdg if os.path.isabs(xdg) else os.path.expanduser("~/.config")
    path = Path(base, "emgtwitch", "config.toml")
    return path if os.path.lexists(path) else None


def read_config(option: str | None) -> dict[str, Any]:
    """The configuration file's tables; {} without one. Raises UnreadableInputError and UsageError."""
    path = config_path(option)
    if path is None:
        return {}
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        if longest := next((n for n, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST_LINE), None):
            raise UnreadableInputError(
                f"The configuration file {path}, line {longest}, has over {LONGEST_LINE} letters. Break it up."
            )
        tables = tomllib.loads(text)
    except OSError as error:
        raise UnreadableInputError(
            f"The configuration file {path} cannot be read: {error.strerror}. "
            "Name another with --config or EMGTWITCH_CONFIG."
        ) from None
    except RecursionError:
        raise UnreadableInputError(f"The configuration file {path} nests too deeply. Write plain tables.") from None
    except ValueError as error:
        raise UnreadableInputError(f"The configuration file {path} is no TOML: {error}. Correct that line.") from None
    try:
        _check(tables)
    except UsageError as error:
        raise UsageError(f"The configuration file {path}: {error}") from None
    return tables


def _check(tables: Mapping[str, Any]) -> None:
    for name, table in tables.items():
        if name not in TABLES:
            raise UsageError(f"Table {name!r} is unknown. Known are: {', '.join(TABLES)}.")
        if not isinstance(table, dict) and not (name == "worn" and isinstance(table, list)):
            raise UsageError(f"{name} is {table!r}; it must be a table, with a line [{name}] above its keys.")
    _settings(tables.get("detector", {}))
    for key, value in tables.get("device", {}).items():
        if key not in DEVICE:
            raise UsageError(f"[device] has no key {key!r}. Known are: {', '.join(DEVICE)}.")
        if isinstance(value, bool) or value not in DEVICE[key]:
            raise UsageError(f"{key} is {value!r}; allowed are {', '.join(map(str, DEVICE[key]))}.")
    _check_diary(tables.get("diary", {}))
    for key, value in tables.get("mqtt", {}).items():
        if key not in MQTT or type(value) is not MQTT[key]:
            known = ", ".join(f"{name} ({kind.__name__})" for name, kind in MQTT.items())
            raise UsageError(f"[mqtt] has {key} = {value!r}. It takes: {known}.")
    for key, value in tables.get("keep", {}).items():
        if key not in KEEP or isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e6:
            raise UsageError(f"[keep] has {key} = {value!r}. It takes numbers of 0 to 999999 for: {', '.join(KEEP)}.")
    worn = tables.get("worn", [])
    for entry in worn if isinstance(worn, list) else [worn]:
        for key, value in entry.items() if isinstance(entry, dict) else [("worn", entry)]:
            if key not in WORN or not isinstance(value, str):
                raise UsageError(f"[worn] has {key} = {value!r}. It takes texts for: {', '.join(WORN)}.")


def _check_diary(diary: Mapping[str, Any]) -> None:
    for key, value in diary.items():
        if key != "factors":
            raise UsageError(f"[diary] has no key {key!r}. Known is: factors.")
        if not isinstance(value, list) or not all(isinstance(kind, str) and 0 < len(kind) <= 40 for kind in value):
            raise UsageError(f"factors is {value!r}; it must be a list of words of at most 40 letters.")


def _settings(detector: Mapping[str, Any]) -> Settings:
    from emgtwitch.detect.presets import preset
    from emgtwitch.settings import Settings

    own = {name: value for name, value in detector.items() if name != "preset"}
    return Settings.from_mapping(own, preset(str(detector.get("preset", "default"))))


def chosen_settings(args: argparse.Namespace, base: Mapping[str, Any]) -> Settings:
    """The settings: --preset, else `base` ([detector] or a recording's own), and --set over it. Raises UsageError."""
    from emgtwitch.settings import Settings

    if args.preset:
        base = {"preset": args.preset}
    return Settings.from_mapping(_assignments(args.assignments or []), _settings(base))


def _assignments(texts: list[str]) -> dict[str, float]:
    out: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            out[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--set {text!r}: say NAME=NUMBER, for example --set twitch_max_ms=100.") from None
        if name.strip() == "preset":
            raise UsageError("--set names single settings; a preset is chosen with --preset NAME.")
    return out
