"""The live socket: each client takes from memory what is new to it; a slow one gets fewer frames and holds up nobody.

Messages, one JSON object each: `hello` (once), `state` (every second), `signal` (columns of 5 ms), and the log's
`event`, `announcement`, `interval` and `mark` as they are stored; `missed` says that some were too many to wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.signal_answers import as_json
from emgtwitch.app.page.state import state
from emgtwitch.app.page.tap import Tap

PERIOD_S = 0.025  # between looks: at most 40 messages a second
STATE_S = 1.0
BEHIND_S = 3.0  # a client further behind goes on with the newest
PATIENCE_S = 20.0  # with a client that takes nothing
MOST_CLIENTS = 16


async def live(desk: Desk, socket: WebSocket) -> None:
    """Serve one client until it leaves."""
    if len(desk.clients) >= MOST_CLIENTS:
        await socket.close(1013, f"{MOST_CLIENTS} pages are open already. Close one.")
        return
    await socket.accept()
    desk.clients.add(id(socket))
    sender = asyncio.create_task(_send(desk, socket))
    listener = asyncio.create_task(_listen(socket))
    try:
        await asyncio.wait((sender, listener), return_when=asyncio.FIRST_COMPLETED)
    finally:
        desk.clients.discard(id(socket))
        for task in (sender, listener):
            task.cancel()
        await asyncio.gather(sender, listener, return_exceptions=True)


async def _listen(socket: WebSocket) -> None:
    """Until the client leaves; it has nothing to say, and one that says something is closed."""
    try:
        await socket.receive_text()
        await socket.close(1003, "This socket only tells. Use the API to write.")
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return


async def _send(desk: Desk, socket: WebSocket) -> None:
    told = desk.news.count
    cursor = Cursor(desk.tap)
    state_s = 0.0
    await _tell(socket, {"type": "hello", "recording_id": desk.news.recording_id, "now_utc_ms": desk.now_ms()})
    while True:
        told, items, missed = desk.news.since(told)
        if missed:
            await _tell(socket, {"type": "missed"})
        for item in items:
            await _tell(socket, item)
        if time.monotonic() - state_s >= STATE_S:
            state_s = time.monotonic()
            await _tell(socket, await run_in_threadpool(state, desk))
        if (columns := cursor.next()) is not None:
            await _tell(socket, columns)
        await asyncio.sleep(PERIOD_S)


async def _tell(socket: WebSocket, message: dict[str, Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await socket.send_text(msgspec.json.encode(message).decode())


class Cursor:
    """What of the signal one client has."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._epoch = tap.epoch
        self._at = 0 if tap.epoch is None else tap.epoch.ready

    def next(self) -> dict[str, Any] | None:
        """The columns since the last call, of all channels; None if there are none."""
        epoch = self._tap.epoch
        if epoch is None:
            return None
        if epoch is not self._epoch:
            self._epoch, self._at = epoch, epoch.first
        behind = epoch.ready - round(BEHIND_S * epoch.rate_Hz)
        start = -(-max(self._at, behind) // epoch.column) * epoch.column
        stop = epoch.ready // epoch.column * epoch.column
        if stop <= start:
            return None
        self._at = stop
        parts = [self._tap.read(k, start, stop, epoch.column) for k in range(len(epoch.tracks))]
        channels = [as_json(part) for part in parts if part is not None]
        if len(channels) < len(parts):
            return None
        return {
            "type": "signal",
            "from_s": channels[0]["from_s"],
            "step_s": channels[0]["step_s"],
            "unit": "uV" if epoch.in_uV else "counts",
            "channels": [{k: v for k, v in channel.items() if k not in ("from_s", "step_s")} for channel in channels],
        }
