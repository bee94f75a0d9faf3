"""Laws of who may ask: only pages of this server under its own name, and over a network only with the token."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.server import PageServer
from emgtwitch.errors import UsageError
from tests.page import desks
from tests.page.desks import API, BASE, LIVE, PORT
from tests.page.test_api import dump

TOKEN = "correct-horse"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": f"evil.example:{PORT}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:80"},
        {"Host": f"10.0.0.7:{PORT}"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://127.0.0.1:{PORT}"},
        {"Origin": f"http://localhost:{PORT}"},  # another origin than the Host
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},  # another server on this computer
    ],
)
def test_a_foreign_name_or_page_is_refused_and_changes_nothing(
    desk: Desk, page: TestClient, headers: dict[str, str]
) -> None:
    before = dump(desk.folder)
    for method, path in (("GET", "/state"), ("POST", "/diary")):
        refused = page.request(method, API + path, json={"kind": "tea"}, headers=headers)
        assert (refused.status_code, set(refused.json())) == (403, {"error", "what_to_do"})
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(LIVE, headers=headers):
        pass
    assert dump(desk.folder) == before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_page_itself_may_ask(page: TestClient, name: str) -> None:
    own = {"Host": f"{name}:{PORT}", "Origin": f"http://{name}:{PORT}", "Sec-Fetch-Site": "same-origin"}
    assert page.post(f"{API}/diary", json={"kind": "tea"}, headers=own).status_code == 201


def test_over_a_network_only_the_token_opens(desk: Desk) -> None:
    page = desks.client(desk, TOKEN, "0.0.0.0")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "emgtwitch_token=wrong"}):
        assert page.get(f"{API}/state", headers=headers).status_code == 403
    assert page.get(f"{BASE}/?token=wrong").status_code == 403
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(LIVE):
        pass
    assert page.get(f"{API}/state", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    welcome = page.get(f"{BASE}/?token={TOKEN}&view=day")
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/?view=day")
    assert "HttpOnly; SameSite=Strict" in welcome.headers["set-cookie"]
    assert page.get(f"{API}/state").status_code == 200  # with the cookie
    assert page.get(f"{API}/state", headers={"Host": f"evil.example:{PORT}"}).status_code == 403
    assert page.get(f"{API}/state", headers={"Host": f"10.0.0.7:{PORT}"}).status_code == 200


def test_a_redirect_with_the_token_stays_on_this_server(desk: Desk) -> None:
    for path in ("//evil.example", "/%5Cevil.example", "/%0d%0aset-cookie:%20a=b"):
        page = desks.client(desk, TOKEN, "0.0.0.0")
        assert re.fullmatch(r"/[\w.%-]+", page.get(f"{BASE}{path}?token={TOKEN}").headers["location"])


def test_every_answer_carries_the_headers_that_protect_it(page: TestClient) -> None:
    for path in ("/", "/app.js", "/api/v1/state", "/nothing", "/metrics"):
        headers = page.get(BASE + path).headers
        policy = headers["content-security-policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert "access-control-allow-origin" not in headers
    assert page.get(f"{API}/state").headers["cache-control"] == "no-store"


def test_a_file_that_the_browser_has_is_not_sent_again(page: TestClient) -> None:
    tag = page.get(f"{BASE}/app.js").headers["etag"]
    assert page.get(f"{BASE}/app.js", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/../web.py", "/%2e%2e/web.py", "/..%2fweb.py", "/static/../../web.py"])
def test_nothing_outside_the_pages_folder_is_served(page: TestClient, path: str) -> None:
    assert page.get(BASE + path).status_code == 404


def test_a_taken_port_leads_to_the_next_and_only_another_address_has_a_token() -> None:
    first = PageServer(print, "127.0.0.1", 0)
    second = PageServer(print, "127.0.0.1", first.port)
    network = PageServer(print, "0.0.0.0", 0)
    try:
        assert second.port > first.port
        assert "token" not in first.address
        assert "?token=" in network.address
    finally:
        for server in (first, second, network):
            server.close()


@pytest.mark.parametrize(
    ("host", "port", "text"), [("127.0.0.1", 65536, "from 1 to 65535"), ("no.such.invalid", 0, "--host")]
)
def test_an_impossible_address_is_said_before_anything_runs(host: str, port: int, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        PageServer(print, host, port)
