"""Laws of the page of a running daemon: it shows what is stored, keeps what it was told, never holds up the signal."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from emgtwitch.app.page.live import BEHIND_S, Cursor
from emgtwitch.app.page.news import KEPT, News
from emgtwitch.app.page.tap import Tap
from emgtwitch.detect.records import Mark, Stamped
from emgtwitch.pipeline import Pipeline
from emgtwitch.store.channel import ask
from emgtwitch.store.log_reader import LogReader
from emgtwitch.wire.records import Note
from tests.app.nursery import Child, Nursery
from tests.app.outputs import records
from tests.page.test_tap import stream
from tests.sources.fake_board import wait_for

STALLED = 9


def address(child: Child) -> str:
    child.wait_for(lambda child: "the page is at" in child.said())
    found = re.search(r"the page is at (\S+)/", child.said())
    assert found is not None
    return found[1]


def call(method: str, url: str, body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=30) as answer:
        told: dict[str, Any] = json.loads(answer.read())
    return told


def until(live: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(live.recv(timeout=20))
        if message["type"] == kind:
            return message


@pytest.fixture(scope="module")
def daemon(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Child, Path, str]]:
    data = tmp_path_factory.mktemp("data")
    child = nursery.start("run", "--source", "sim:twitches:4", "--json", "--data", data, "--port", "0")
    yield child, data, address(child)
    assert child.end(signal.SIGINT) == 0


def test_signal_state_and_events_come_and_each_event_is_in_the_log(daemon: tuple[Child, Path, str]) -> None:
    _, data, base = daemon
    with connect(base.replace("http", "ws") + "/api/v1/live") as live:
        assert until(live, "hello")["recording_id"]
        assert until(live, "state")["board"]["connected"]
        first, second = until(live, "signal"), until(live, "signal")
        columns = len(first["channels"][0]["envelope"])
        assert second["from_s"] == pytest.approx(first["from_s"] + columns * first["step_s"])
        event = until(live, "event")
        with LogReader(data / "log.sqlite3") as log:
            assert any(row["onset_s"] == pytest.approx(event["onset_s"], abs=1e-6) for row in log.events())
    told = call("GET", f"{base}/api/v1/event/{event['id']}")
    assert told["event"]["onset_s"] == event["onset_s"]
    assert told["signal"]["source"] == "memory"
    assert max(value or 0 for value in told["signal"]["filtered"]["max"]) > 0


def test_a_mark_is_in_the_log_and_the_recording_when_it_is_answered(daemon: tuple[Child, Path, str]) -> None:
    _, data, base = daemon
    made = call("POST", f"{base}/api/v1/marks", {"kind": "felt", "note": "here"})
    with LogReader(data / "log.sqlite3") as log:
        assert [m["at_s"] for m in log.marks() if m["kind"] == "felt"] == [made["at_s"]]
    assert [r.json for r in records(data) if isinstance(r, Note)] == [{"kind": "felt", "note": "here"}]


def test_stalled_browsers_hold_up_neither_the_signal_nor_each_other(daemon: tuple[Child, Path, str]) -> None:
    _, data, base = daemon
    host, _, port = base.removeprefix("http://").partition(":")
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    stalled = []
    for _ in range(STALLED):
        peer = socket.create_connection((host, int(port)))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.sendall(
            f"GET /api/v1/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        stalled.append(peer)
    try:
        with connect(base.replace("http", "ws") + "/api/v1/live") as live:
            begin, began_s = until(live, "signal")["from_s"], time.monotonic()
            wait_for(lambda: until(live, "signal")["from_s"] > begin + 4.0)
            assert time.monotonic() - began_s < 6.0  # it went on in true time
        status = ask(data, {"command": "status"})
        assert status is not None
        assert (status["scans_lost"], status["troubles"]) == (0, [])
    finally:
        for peer in stalled:
            peer.close()


def test_a_client_that_says_something_is_shown_the_door(daemon: tuple[Child, Path, str]) -> None:
    _, _, base = daemon
    with connect(base.replace("http", "ws") + "/api/v1/live") as live:
        live.send("hello?")
        with pytest.raises(ConnectionClosed):
            until(live, "no such message")


def test_what_was_answered_survives_a_kill(nursery: Nursery, tmp_path: Path) -> None:
    child = nursery.start("run", "--source", "sim:quiet", "--json", "--data", tmp_path, "--port", "0")
    base = address(child)
    entry = call("POST", f"{base}/api/v1/diary", {"kind": "coffee", "value": 2})
    mark = call("POST", f"{base}/api/v1/marks", {"kind": "felt"})
    assert child.end(signal.SIGKILL) == -signal.SIGKILL
    with LogReader(tmp_path / "log.sqlite3") as log:
        assert [(row["id"], row["kind"], row["value"]) for row in log.diary()] == [(entry["id"], "coffee", 2.0)]
        assert [(m["kind"], m["at_s"]) for m in log.marks()] == [("felt", mark["at_s"])]


def test_a_run_without_a_page_opens_no_port(nursery: Nursery, tmp_path: Path) -> None:
    child = nursery.start("run", "--source", "sim:quiet", "--json", "--data", tmp_path, "--no-page")
    child.wait_for(lambda child: "streams" in child.said())
    assert child.end(signal.SIGINT) == 0
    assert "the page is at" not in child.said()


def test_a_recording_and_a_log_are_shown_without_a_board(nursery: Nursery, tmp_path: Path) -> None:
    recording, data = tmp_path / "one.emgw", tmp_path / "data"
    recording.write_bytes(stream())
    data.mkdir()
    assert nursery.run("replay", recording, "--json", "--log", data / "log.sqlite3").code == 0
    for path, writable in ((recording, False), (data, True)):
        child = nursery.start("page", path, "--port", "0")
        base = address(child)
        state = call("GET", f"{base}/api/v1/state")
        assert (state["state"], state["writable"]) == ("closed", writable)
        query = f"recording={state['recording_id']}&from_s=2&to_s=4&points=100"
        shown = call("GET", f"{base}/api/v1/signal?{query}")
        assert (shown["source"], len(shown["filtered"]["min"])) == ("recording", 100)
        assert child.end(signal.SIGTERM) == 0


def test_a_client_far_behind_goes_on_with_the_newest() -> None:
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    data = stream()
    cursor = Cursor(tap)
    for at in range(0, len(data), 97):
        pipeline.feed(data[at : at + 97])
        tap.look(pipeline)
    message = cursor.next()
    assert message is not None
    assert tap.epoch is not None
    assert message["from_s"] == pytest.approx(tap.epoch.seconds(tap.epoch.ready) - BEHIND_S, abs=0.01)
    assert cursor.next() is None


def test_news_are_bounded_and_a_reader_is_told_what_it_missed() -> None:
    news = News("r1")
    marks = [Stamped(Mark("felt", None, float(n), "host", n), None, None) for n in range(KEPT + 5)]
    news.post(marks[:3])
    count, items, missed = news.since(1)
    assert (count, [i["at_s"] for i in items], missed) == (3, [1.0, 2.0], False)
    news.post(marks[3:])
    _, items, missed = news.since(count)
    assert (len(items), missed) == (KEPT, True)
