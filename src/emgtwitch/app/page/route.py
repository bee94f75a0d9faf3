"""One row of the API: what it takes, what it answers, and who makes the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.shapes import Nothing
from emgtwitch.errors import EmgtwitchError

PREFIX = "/api/v1"


class RefusedError(EmgtwitchError):
    """A request that cannot be answered as asked."""

    def __init__(self, status: int, error: str, what_to_do: str) -> None:
        super().__init__(error)
        self.status, self.error, self.what_to_do = status, error, what_to_do


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, checked."""

    path: Mapping[str, str]
    query: Any
    body: Any


Answerer = Callable[[Desk, Asked], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A route. `answer` runs on a thread of its own and may wait for the disk; what it returns becomes JSON."""

    method: str
    path: str  # below PREFIX
    answer: Answerer
    summary: str
    returns: str
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    status: int = 200
    refusals: tuple[int, ...] = ()  # besides 400, 403, 404, 429 and 503, which any may give

    @property
    def parameters(self) -> list[str]:
        """Names in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
