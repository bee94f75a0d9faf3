"""The detectors by name, each made when it is asked for. A new one is one row, a new peer one of peers.PEERS."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from benchmarks.accuracy.case import Detector
from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.remembered import remembered

OURS = "emgtwitch"
# Name: (module, function). Modules are imported when their detector is asked for.
DETECTORS: dict[str, tuple[str, str]] = {
    OURS: ("benchmarks.accuracy.ours", "ours"),
    **{name: (function.__module__, function.__name__) for name, function in PEERS.items()},
}

PACKAGES = ("neurokit2", "biosppy")  # each begins the names of the peers that need it


def detector(name: str) -> Detector:
    """The detector `name`. Raises KeyError with the known names."""
    if name not in DETECTORS:
        raise KeyError(f"There is no detector {name!r}. Known are {', '.join(DETECTORS)}.")
    module, function = DETECTORS[name]
    found: Detector = getattr(import_module(module), function)
    return remembered(name, found) if name in PEERS else found


def missing(names: Iterable[str]) -> list[str]:
    """Those of the detectors whose package is not installed."""
    gone = [package for package in PACKAGES if find_spec(package) is None]
    return [name for name in names if name.split()[0] in gone]
