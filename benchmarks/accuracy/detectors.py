"""The detectors by name, each made when it is asked for. A new one is one row."""

from __future__ import annotations

from importlib import import_module

from benchmarks.accuracy.case import Detector

# Name: (module, function). Modules are imported when their detector is asked for, since peers weigh a lot.
DETECTORS: dict[str, tuple[str, str]] = {
    "emgtwitch": ("benchmarks.accuracy.ours", "ours"),
}

# These can be told a rate of false events, and are asked whether they keep to it.
WITH_SENSITIVITY = ("emgtwitch",)


def detector(name: str) -> Detector:
    """The detector `name`. Raises KeyError with the known names."""
    if name not in DETECTORS:
        raise KeyError(f"There is no detector {name!r}. Known are {', '.join(DETECTORS)}.")
    module, function = DETECTORS[name]
    found: Detector = getattr(import_module(module), function)
    return found
