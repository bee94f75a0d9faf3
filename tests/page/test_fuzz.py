"""Whatever is asked, as the description has it or otherwise, is answered as described and without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from emgtwitch.app.page import web
from emgtwitch.app.page.openapi import describe
from emgtwitch.app.page.route import PREFIX
from emgtwitch.app.page.routes import ROWS
from emgtwitch.app.page.server import PageServer
from tests.page import desks

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(describe(ROWS))
CONFIG = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page on a finished run, without the limit of writes, which would refuse most of this."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch, desks.desk(tmp_path_factory.mktemp("log")) as desk:
        patch.setattr(web, "WRITES_AT_ONCE", 1e9)
        server = PageServer(said.append, port=0)
        server.start(desk)
        yield server.address.rstrip("/") + PREFIX
        server.close()
        assert said == [f"the page is at {server.address}"]


@pytest.mark.slow
@SCHEMA.parametrize()
@CONFIG
def test_every_request_is_answered_as_described(base: str, case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(base_url=base, checks=CHECKS)
