"""The page's server: on a thread of its own, which leaves signals to the daemon and never keeps it from ending."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import secrets
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from emgtwitch.errors import UsageError

if TYPE_CHECKING:
    from emgtwitch.app.page.desk import Desk

HOST = "127.0.0.1"
PORT = 8765
TRIES = 20
BACKLOG = 64
CLOSE_S = 2.0
MOST_SERVED = 64  # connections; further ones are told to come later


class PageServer:
    """Holds `host` and `port`, or the next port that is free; serves from `start` until `close`.

    `say` gets the address, `warn` (else `say`) that the page has failed. Raises UsageError where no port can be had.
    What starlette and uvicorn take to load is spent on the thread, after `start`.
    """

    def __init__(
        self, say: Callable[[str], None], host: str = HOST, port: int = PORT, warn: Callable[[str], None] | None = None
    ) -> None:
        self._say, self._warn, self._host = say, warn or say, host
        self._token = None if _is_loopback(host) else secrets.token_urlsafe(24)
        self._socket = _bind(host, port)
        self.port = self._socket.getsockname()[1]
        self._wanted = port
        self._stop: Callable[[], None] | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, desk: Desk) -> None:
        """Begin to serve `desk`."""
        if self._wanted and self.port != self._wanted:
            self._say(f"port {self._wanted} is taken; the page is on {self.port}")
        self._thread = threading.Thread(target=self._run, args=(desk,), name="page", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What a person opens; with the token where one is needed."""
        name = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{name}:{self.port}/" + (f"?token={self._token}" if self._token else "")

    def close(self) -> None:
        """Stop serving; open sockets are closed."""
        self._closing.set()
        if self._stop is not None:
            self._stop()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
        self._socket.close()

    def _run(self, desk: Desk) -> None:
        try:
            self._serve(desk)
        except Exception as error:  # the page is not worth the recording
            self._socket.close()  # else browsers wait for an answer
            self._warn(f"The page has failed ({type(error).__name__}: {error}); recording goes on without it.")

    def _serve(self, desk: Desk) -> None:
        import asyncio

        import uvicorn

        from emgtwitch.app.page.door import Door, OwnDoor
        from emgtwitch.app.page.guard import Guard
        from emgtwitch.app.page.web import application

        config = uvicorn.Config(
            application(desk, Guard(self._host, self.port, self._token)),
            log_config=None,
            log_level="error",  # what anybody may cause is no line in the journal
            access_log=False,
            backlog=BACKLOG,  # so many are accepted before the first is looked at
            server_header=False,
            date_header=False,
            proxy_headers=False,
            lifespan="off",
            http=OwnDoor if self._token is None else Door,  # on h11: strict, whatever else is installed
            ws="websockets-sansio",
            ws_max_size=1024,
            ws_max_queue=4,
            limit_concurrency=MOST_SERVED,
            timeout_graceful_shutdown=1,
        )
        loop, ended = asyncio.new_event_loop(), asyncio.Event()

        class Server(uvicorn.Server):
            """Sleeps until it is ended; uvicorn's own loop wakes ten times a second to ask."""

            async def main_loop(self) -> None:
                await self.on_tick(0)
                await ended.wait()

        def stop() -> None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(ended.set)

        self._stop = stop
        if self._closing.is_set():
            return

        async def serve() -> None:
            # `Server.serve` would take the process's signals; they are the daemon's.
            await Server(config)._serve(sockets=[self._socket])

        self._say(f"the page is at {self.address}")
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())


def _is_loopback(host: str) -> bool:
    """Whether only this computer reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, on the first free one of those after it, or on any. Raises UsageError."""
    if not 0 <= port <= 65535:
        raise UsageError(f"--port is {port}; it must be from 1 to 65535, or 0 for any.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (*range(port, min(port + TRIES, 65536)), 0):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what closed a moment ago is free
        try:
            listener.bind((host, number))
            listener.listen(BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                why = error.strerror or str(error)
                raise UsageError(f"The page cannot be at {host}: {why}. Choose another --host, or --no-page.") from None
    raise UsageError(f"No port is free at {host}. Choose another --host, or --no-page.")
