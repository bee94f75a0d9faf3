"""Sets of settings by what one looks for. One row a preset: the command line and the docs iterate over the table.

Durations and rules from facts collected for the project: fasciculation 5-20 ms; myoclonus 10-150 ms; fragmentary
myoclonus and leg movements after the AASM and WASM rules; bruxism phasic 0.25-2 s, tonic from 2 s, 3 s apart.
"""

from __future__ import annotations

from typing import Any

from emgtwitch.settings import Settings, SettingsError

PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "default": ("twitches to 150 ms, contractions, spasms from 2 s", {}),
    "fasciculation": (
        "single motor units, 3-50 ms, hardly merged",
        {"min_ms": 3.0, "twitch_max_ms": 50.0, "pause_ms": 10.0},
    ),
    "myoclonus": ("jerks of 10-150 ms", {"min_ms": 10.0, "twitch_max_ms": 150.0}),
    "fragmentary-myoclonus": (
        "twitches to 150 ms, counted in trains of five a minute",
        {"twitch_max_ms": 150.0, "train_gap_s": 10.0, "train_min_count": 5},
    ),
    "leg-movement": (
        "0.5-10 s, from 8 uV over rest to 2 uV over rest (needs a known gain)",
        {"on_uV": 8.0, "off_uV": 2.0, "min_ms": 500.0, "twitch_max_ms": 500.0, "spasm_min_s": 10.0},
    ),
    "bruxism": (
        "phasic 0.25-2 s, tonic from 2 s, episodes 3 s apart",
        {"min_ms": 250.0, "twitch_max_ms": 250.0, "train_gap_s": 3.0},
    ),
    "cramp": ("only what lasts 2 s or longer", {"min_ms": 2000.0, "twitch_max_ms": 1999.0}),
}


def preset(name: str) -> Settings:
    """The settings of a preset. Raises SettingsError, with the names that exist."""
    if name not in PRESETS:
        raise SettingsError(f"There is no preset {name!r}. Presets: {', '.join(PRESETS)}.")
    return Settings.from_mapping({"preset": name, **PRESETS[name][1]})
