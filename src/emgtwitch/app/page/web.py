"""The web application: requests checked and answered from the table of routes."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.guard import Guard
from emgtwitch.app.page.live import live
from emgtwitch.app.page.openapi import describe
from emgtwitch.app.page.route import PREFIX, Asked, RefusedError, Row
from emgtwitch.app.page.routes import ROWS
from emgtwitch.app.page.state_answers import metrics
from emgtwitch.errors import CannotWriteError, EmgtwitchError, UnreadableInputError, UsageError
from emgtwitch.store.told import UnknownRowError

STATIC = Path(__file__).parent / "static"
MOST_BYTES = 16384  # of a body
WRITES_PER_S, WRITES_AT_ONCE = 10.0, 60.0

Endpoint = Callable[[Request], Awaitable[Response]]


class Bucket:
    """Tokens that refill with time: a burst of `most`, then `per_s`."""

    def __init__(self, per_s: float, most: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._most, self._monotonic_s = per_s, most, monotonic_s
        self._left, self._at_s = most, monotonic_s()

    def take(self) -> bool:
        """Whether there was one."""
        now_s = self._monotonic_s()
        self._left = min(self._most, self._left + self._per_s * (now_s - self._at_s))
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def application(desk: Desk, guard: Guard) -> Guard:
    """The ASGI application on `desk`, behind `guard`."""
    bucket = Bucket(WRITES_PER_S, WRITES_AT_ONCE)
    description = msgspec.json.encode(describe(ROWS))

    async def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    async def figures(_: Request) -> Response:
        text = await run_in_threadpool(metrics, desk)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    paths = dict.fromkeys(row.path for row in ROWS)
    routes: list[Any] = [Route(PREFIX + path, _endpoint(desk, bucket, path), methods=_methods(path)) for path in paths]
    routes += [
        Route(f"{PREFIX}/openapi.json", openapi),
        WebSocketRoute(f"{PREFIX}/live", lambda socket: live(desk, socket)),
        Route("/metrics", figures),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    guard.app = Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _defect})
    return guard


def _methods(path: str) -> list[str]:
    return [row.method for row in ROWS if row.path == path]


def _endpoint(desk: Desk, bucket: Bucket, path: str) -> Endpoint:
    """Answers all methods of one path."""
    rows = {row.method: row for row in ROWS if row.path == path}

    async def endpoint(request: Request) -> Response:
        row = rows["GET" if request.method == "HEAD" else request.method]
        try:
            if row.method != "GET" and not bucket.take():
                raise RefusedError(429, "These are too many changes at once.", "Wait a few seconds and try again.")
            asked = Asked(request.path_params, _query(row, request), await _body(row, request))
            answer = await run_in_threadpool(row.answer, desk, asked)
        except EmgtwitchError as error:
            return refusal(*_phrase(error))
        return Response(msgspec.json.encode(answer), row.status, media_type="application/json")

    return endpoint


def _query(row: Row, request: Request) -> Any:
    pairs = request.query_params.multi_items()
    if len({name for name, _ in pairs}) != len(pairs):
        raise RefusedError(400, "A parameter is given twice.", "Send each once.")
    try:
        return msgspec.convert(dict(pairs), row.query, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise RefusedError(400, f"The query is not understood: {error}.", f"See {PREFIX}/openapi.json.") from None


async def _body(row: Row, request: Request) -> Any:
    if row.body is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, f"The body is of type {kind or 'unknown'!r}.", "Send application/json.")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise RefusedError(413, f"The body has more than {MOST_BYTES} bytes.", "Shorten it.")
    try:
        return msgspec.json.decode(data, type=row.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RefusedError(400, f"The body is not understood: {error}.", f"See {PREFIX}/openapi.json.") from None


def _phrase(error: EmgtwitchError) -> tuple[int, str, str]:
    """Status, what was seen and what to do."""
    if isinstance(error, RefusedError):
        return error.status, error.error, error.what_to_do
    text, _, rest = str(error).rpartition(". ")
    seen, do = (f"{text}.", rest) if text else (str(error), "Try again in a moment.")
    if isinstance(error, UnknownRowError):
        return 404, seen, do
    if isinstance(error, UsageError):
        return 400, seen, do
    if isinstance(error, (CannotWriteError, UnreadableInputError)):
        return 503, seen, do
    return 503, seen, do


def refusal(status: int, error: str, what_to_do: str) -> Response:
    """A refusal, as JSON."""
    data = msgspec.json.encode({"error": error, "what_to_do": what_to_do})
    return Response(data, status, media_type="application/json")


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    done = refusal(error.status_code, f"{error.detail}.", f"{PREFIX}/openapi.json lists what there is.")
    done.headers.update(error.headers or {})
    return done


async def _defect(_: Request, error: Exception) -> Response:
    logging.getLogger("emgtwitch.page").error("a request failed", exc_info=error)
    return refusal(500, f"The page failed on this: {type(error).__name__}.", "Please report it, with what you did.")
