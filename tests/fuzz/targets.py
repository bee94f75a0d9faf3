"""All targets, by the module that holds them: importing one imports what it fuzzes."""

from __future__ import annotations

import importlib

from tests.fuzz.law import Target

MODULES = {
    "decoder": "decoder",
    "pipeline": "decoder",
    "text": "importers",
    "edf": "importers",
    "wav": "importers",
    "mat": "importers",
    "hdf5": "importers",
    "parquet": "importers",
    "config": "configuration",
    "api": "api",
    "socket": "commands",
}


def target(name: str) -> Target:
    """The target of that name."""
    module = importlib.import_module(f"tests.fuzz.{MODULES[name]}")
    targets: tuple[Target, ...] = module.TARGETS
    return next(target for target in targets if target.name == name)
