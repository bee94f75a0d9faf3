"""The page's API, in process: whatever is asked is answered, below 500 and in JSON that says what to do.

An input is a request as HTTP writes it: a line with method and path, lines of headers, an empty line, the body.
`LIVE` as method opens the live socket and sends the body.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from emgtwitch.app.page import web
from emgtwitch.app.page.guard import Guard
from emgtwitch.app.page.route import PREFIX
from emgtwitch.app.page.routes import ROWS
from tests.fuzz.law import BrokenError, Target, is_sentence
from tests.page import desks

_FRESH_AFTER = 300  # requests on one log: diaries grow
_OWN = {b"host": f"127.0.0.1:{desks.PORT}".encode(), b"content-type": b"application/json"}
_MESSAGES: dict[str, Any] = {"http": "http.request", "websocket": "websocket.receive"}


class _Pages:
    """An application on a log of its own, renewed now and then."""

    def __init__(self) -> None:
        self._asked = 0
        self._open = contextlib.ExitStack()
        self._loop = asyncio.new_event_loop()
        self._app: Guard | None = None

    def ask(self, scope: Mapping[str, Any], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._app is None or self._asked >= _FRESH_AFTER:
            self.close()
            folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="emgtwitch-fuzz-"))
            web.WRITES_AT_ONCE = 1e9
            desk = self._open.enter_context(desks.desk(Path(folder)))
            self._app, self._asked = web.application(desk, Guard("127.0.0.1", desks.PORT, None)), 0
        self._asked += 1
        return self._loop.run_until_complete(_answer(self._app, scope, body))

    def close(self) -> None:
        self._open.close()
        self._app = None


async def _answer(app: Guard, scope: Mapping[str, Any], body: bytes) -> tuple[int, bytes]:
    status, data = 0, bytearray()
    coming: list[dict[str, Any]] = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
    if scope["type"] == "websocket":
        text = body.decode("utf-8", "replace")
        coming = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": text}]
        coming.append({"type": "websocket.disconnect", "code": 1001})

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if len(coming) > 1 else coming[0]

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        data.extend(message.get("body", b""))

    async with asyncio.timeout(10):
        await app(dict(scope), receive, send)
    return status, bytes(data)


_pages = _Pages()


def _ask(data: bytes) -> None:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = dict(_OWN)
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    scope: dict[str, Any] = {
        "type": "websocket" if method == b"LIVE" else "http",
        "method": method.decode("latin-1").upper(),
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),  # as uvicorn does it
        "raw_path": path,
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "query_string": query.decode("latin-1").encode("ascii", "ignore"),  # h11 refuses others
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 9),
        "server": ("127.0.0.1", desks.PORT),
        "subprotocols": [],
        "state": {},
    }
    status, answer = _pages.ask(scope, body)
    if status >= 500 and status != 503:
        raise BrokenError(f"{status}: {answer[:80]!r}")
    if scope["type"] == "http" and status >= 400 and scope["method"] != "HEAD":
        told = json.loads(answer)
        if not is_sentence(told["error"]) or not is_sentence(told["what_to_do"]):
            raise BrokenError(f"no sentence: {answer[:80]!r}")


_QUERIES = {
    "/events": "?from=2024-03-30&to=2024-03-30T12:30%2B01:00&class=spasm&channel=0&limit=5",
    "/intervals": "?from=2024-03-30&to=today",
    "/hours": "?day=2024-03-30",
    "/digest": "?day=yesterday",
    "/signal": "?from_s=0&to_s=9.5&channel=0&points=100&recording=r1",
}
_BODIES: dict[str, dict[str, Any]] = {
    "/marks": {"kind": "felt", "note": "now"},
    "/diary": {"kind": "coffee", "value": 1.5, "unit": "cups", "note": "", "utc_ms": 1_711_800_000_000},
    "/diary/{id}": {"kind": "tea", "value": None},
    "/labels": {"event": desks.TWITCH, "label": "artefact"},
    "/spasm/{id}": {"pain": 3, "note": "hm"},
    "/calibrate": {"channel": 0},
    "/acknowledge": {"text": "x"},
}


def _seeds() -> dict[str, bytes]:
    out = {"live": b"LIVE /api/v1/live\n\nhello", "file": b"GET /index.html\nif-none-match: x\n\n"}
    out["foreign"] = b"GET /metrics\norigin: http://example.org\nsec-fetch-site: cross-site\ncookie: a=b\n\n"
    out["description"] = f"GET {PREFIX}/openapi.json\n\n".encode()
    for row in ROWS:
        ident = "1" if "diary" in row.path else desks.SPASM
        target = PREFIX + row.path.replace("{id}", ident) + (_QUERIES.get(row.path, "") if row.method == "GET" else "")
        body = json.dumps(_BODIES.get(row.path, {})) if row.body else ""
        name = f"{row.method}{row.path}".replace("/", "_").replace("{id}", "id").lower()
        out[name] = f"{row.method} {target}\n\n{body}".encode()
    return out


_WORDS = (
    *(
        b"GET ",
        b"POST ",
        b"PATCH ",
        b"DELETE ",
        b"HEAD ",
        b"LIVE ",
        b"/api/v1/",
        b"&from=",
        b"&to=",
        b"today",
        b"&day=",
    ),
    *(
        b"9999-12-31",
        b"0001-01-01",
        b"1970-01-01T00:00+23:59",
        b"&limit=",
        b"&channel=",
        b"&recording=",
        b"%00",
        b"%2B",
    ),
    *(b"nan", b"1e999", b"null", b"\\ud800", b'"note":', b'"kind":', b'"value":', b'"utc_ms":', b"host:", b"origin:"),
)
TARGETS = (Target("api", _ask, _seeds, _WORDS),)
