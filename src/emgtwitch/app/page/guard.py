"""Who may ask: only pages of this server, under its own name, and with the token where it is open to a network."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "emgtwitch_token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """ASGI middleware. `host` and `port` are what the server is bound to, `token` None on the loopback interface."""

    app: ASGIApp

    def __init__(self, host: str, port: int, token: str | None) -> None:
        self._host, self._port, self._token = host, port, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        why = self._refuses(headers)
        if why is None and self._token is not None and not self._known(headers):
            told = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
            if scope["type"] == "http" and scope["method"] == "GET" and self._is_token(told[0]):
                await _welcome(scope, send, self._token)
                return
            why = ("The token is missing or wrong.", "Open the address that `emgtwitch run` printed, with its token.")
        if why is not None:
            await _refuse(scope, receive, send, *why)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS, _cache(scope["path"])]}
            await send(message)

        await self.app(scope, receive, guarded)

    def _refuses(self, headers: Mapping[str, str]) -> tuple[str, str] | None:
        """What is wrong with the request and what to do; None if nothing is."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"This is not {host!r}.", f"Open http://127.0.0.1:{self._port}/ by that address."
        origin = headers.get("origin")
        if origin is not None:
            parts = _split(origin)
            if parts != ("http", host.lower()):
                return f"A page of {origin!r} may not ask here.", "Open the page of this server itself."
        site = headers.get("sec-fetch-site", "none")  # another port of this computer is the same site
        if site not in ("same-origin", "none") and headers.get("sec-fetch-mode") != "navigate":
            return "Another site may not ask here.", "Open the page of this server itself."
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether the Host header names this server: never by a name that somebody else's DNS could give."""
        name, colon, port = host.lower().rpartition(":")
        if not colon or port != str(self._port):
            return False
        if name in LOOPBACK_NAMES or name == self._host.lower():
            return True
        return self._token is not None and _is_address(name.strip("[]"))

    def _known(self, headers: Mapping[str, str]) -> bool:
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(told):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, told: str) -> bool:
        return self._token is not None and hmac.compare_digest(told.encode(), self._token.encode())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _split(origin: str) -> tuple[str, str]:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()


def _cache(path: str) -> tuple[bytes, bytes]:
    """Health data are not kept by the browser; the page's files are asked for by their ETag."""
    return b"cache-control", b"no-store" if path.startswith(("/api/", "/metrics")) else b"no-cache"


async def _welcome(scope: Scope, send: Send, token: str) -> None:
    """The token moves from the address, where it would stay visible, into a cookie."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    rest = urlencode([(name, value) for name, values in query.items() if name != "token" for value in values])
    path = "/" + quote(scope["path"].lstrip("/"))  # a backslash would count as a slash, a line break as a header
    cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    where = path + (f"?{rest}" if rest else "")
    more = ((b"location", where.encode()), (b"set-cookie", cookie.encode()))
    await _respond(send, 303, b"", more)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: str, what_to_do: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": error[:100]})  # before accept: HTTP 403
        return
    data = msgspec.json.encode({"error": error, "what_to_do": what_to_do})
    await _respond(send, 403, data, ((b"content-type", b"application/json"), _cache("/api/")))


async def _respond(send: Send, status: int, data: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(data)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length, *HEADERS]})
    await send({"type": "http.response.body", "body": data})
