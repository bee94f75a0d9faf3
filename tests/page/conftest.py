"""Fixtures that several files here share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emgtwitch.app.page.desk import Desk
from tests.app.nursery import nursery
from tests.page import desks

__all__ = ["nursery"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desks.desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def page(desk: Desk) -> TestClient:
    return desks.client(desk)
