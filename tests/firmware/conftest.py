"""The virtual board and the firmware, built before the first test that runs them."""

from __future__ import annotations

import pytest

from firmware.sim.harness import build
from tests.app.nursery import nursery

__all__ = ["nursery"]


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    build()
