"""Laws of the connections to the page: another user of the machine gets none, and nobody takes many."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.app.page import door
from emgtwitch.app.page.server import PageServer
from tests.page import desks
from tests.sources.fake_board import wait_for
from tests.store.processes import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells whose a connection is")

ASK = """
import encodings.idna  # before its folder cannot be read any more
import http.client
drop_rights()
for method, headers in (("GET", {}), ("POST", {"Content-Type": "application/json"})):
    page = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    page.request(method, "/api/v1/diary", '{"kind": "tea"}' if method == "POST" else None, headers)
    answer = page.getresponse()
    print(answer.status, answer.read().decode())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    with desks.desk(tmp_path) as desk:
        said = threading.Event()
        server = PageServer(lambda text: said.set(), port=0)
        server.start(desk)
        assert said.wait(20)
        yield server
        server.close()


def diary(server: PageServer) -> str:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as page:
        page.request("GET", "/api/v1/diary")
        answer = page.getresponse()
        told = answer.read().decode()
    assert answer.status == 200, told
    return told


def test_another_user_of_the_machine_neither_reads_nor_writes(server: PageServer) -> None:
    before = diary(server)
    said = run(ASK.replace("PORT", str(server.port)))
    if os.geteuid() == 0:
        assert [line.partition(" ")[0] for line in said.splitlines()] == ["403", "403"]
        assert "another user's" in said
        assert diary(server) == before
    else:  # nobody else to be
        assert said.startswith("200")


@pytest.mark.parametrize(
    ("family", "here", "there"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
        (socket.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"),
    ],
)
def test_the_system_tells_whose_a_connection_is_until_it_is_closed(
    family: socket.AddressFamily, here: str, there: str
) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((here, 0))
        except OSError:
            pytest.skip(f"{here} is no address of this machine")
        listener.listen()
        client = socket.socket(socket.AF_INET6 if ":" in there else socket.AF_INET)
        client.connect((there, listener.getsockname()[1]))
        accepted, _ = listener.accept()
        with accepted:
            ends = accepted.getpeername()[:2], accepted.getsockname()[:2]
            assert door.owner(*ends) == os.geteuid()
            assert door.owner(*reversed(ends)) == os.geteuid()
            client.close()
            assert door.owner(*ends) is None


def accepted(server: PageServer) -> int:
    """How many connections the server holds, as the system lists them."""
    end = f":{server.port:04X}"
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()]
    return sum(row[1].endswith(end) and row[3] == "01" for row in rows)


@contextlib.contextmanager
def silent(server: PageServer, count: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        yield


def test_so_many_connections_and_no_more_take_a_file_handle(server: PageServer) -> None:
    with silent(server, 2 * door.MOST_CONNECTIONS):
        wait_for(lambda: 0 < accepted(server) <= door.MOST_CONNECTIONS, 0.5 * door.PATIENCE_S)


def test_a_connection_that_asks_nothing_ends(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.2)
    with silent(server, 3):
        wait_for(lambda: accepted(server) == 0)
        assert diary(server)


def test_what_is_no_request_leaves_no_line_in_the_journal(server: PageServer, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"\0rubbish\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    assert caplog.records == []
