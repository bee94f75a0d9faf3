"""A desk on a log with one finished run, and clients that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.guard import Guard
from emgtwitch.app.page.news import News
from emgtwitch.app.page.tap import Tap
from emgtwitch.app.page.web import application
from emgtwitch.store.keeper import Keeper
from emgtwitch.store.log import LogWriter
from emgtwitch.store.storage import Storage
from tests.store.test_log import NOON_MS, write_run

PORT = 8765
BASE = f"http://127.0.0.1:{PORT}"
API = f"{BASE}/api/v1"
LIVE = f"ws://127.0.0.1:{PORT}/api/v1/live"
DAY = "2024-03-30"
TWITCH, SPASM = "r1.0.1", "r1.0.2"


def status() -> dict[str, Any]:
    return {"connected": False, "settings": {}, "worn": [{"muscle": "calf"}], "duration_s": 20.0} | {
        "scans_seen": 123_456_789,
        "well_since_utc_ms": NOON_MS + 250,
    }


@contextmanager
def desk(folder: Path, **more: Any) -> Iterator[Desk]:
    """On the log in `folder`, which is made, with a writer of its own."""
    path = folder / "log.sqlite3"
    if not path.exists():
        write_run(path)
    keeper = Keeper(Storage(LogWriter(path)), on_trouble=print)
    clock = {"now_s": lambda: NOON_MS / 1000 + 60}
    try:
        yield Desk(folder, {}, Tap(), News("r1"), status, write=keeper.write, **(clock | more))
    finally:
        keeper.close()


def client(desk: Desk, token: str | None = None, host: str = "127.0.0.1") -> TestClient:
    """What a browser on this computer would ask."""
    app = application(desk, Guard(host, PORT, token))
    return TestClient(app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)
