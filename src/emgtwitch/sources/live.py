"""A board as a source of bytes: connects, sets it up, splices the host's notes in, and survives an unplug."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from emgtwitch.errors import NoBoardError, UsageError
from emgtwitch.sources.clocks import read_clocks
from emgtwitch.sources.handshake import Handshake, SilentBoardError
from emgtwitch.sources.link import Link, LinkLostError
from emgtwitch.sources.splice import Clocks, Splicer
from emgtwitch.wire.encode import note as request_frame  # with a zero byte before it, which ends any noise on the line
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Change, Hello, Note, Port, Record, Session, Stop

OpenLink = Callable[[], Link | None]

RETRY_S = 0.25
MAX_NOTE_BYTES = 3000  # of the 4096 that a frame may have
HELLO_S = 5.0  # reset, bootloader (up to 2 s) and then some


class LiveSource:
    """The stream of one session, from whatever `open_link` opens.

    One thread calls `read` and `close`; `note` and `change` may be called from any. The bytes begin with a Session
    note; each connection begins with a Port note and ends, if it is lost, with another.
    """

    def __init__(
        self,
        open_link: OpenLink,
        session: Mapping[str, Any],
        clocks: Callable[[], Clocks] = read_clocks,
        rate_Hz: int | None = None,
        channels: int | None = None,
        oversampling: int | None = None,
        on_state: Callable[[str], None] = lambda text: None,
        on_trouble: Callable[[str], None] | None = None,
        hello_s: float = HELLO_S,
        retry_s: float = RETRY_S,
    ) -> None:
        """`open_link` gives an open link, or None as long as there is none; after the first it runs in a thread.

        What is None of rate, channels and oversampling stays as the board has it. `on_state` is told, in `read`, what
        happens to the connection, in words for a person; `on_trouble` what of it is amiss, where it is given.
        """
        self._open_link = open_link
        self._clocks = clocks
        self._wanted = (rate_Hz, channels, oversampling)
        self._on_state, self._on_trouble = on_state, on_trouble or on_state
        self._hello_s, self._retry_s = hello_s, retry_s
        self._splicer = Splicer()
        self._unsent = self._splicer.note(Session(dict(session)))  # notes that no read has returned yet
        self._queue: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._link: Link | None = None
        self._handshake: Handshake | None = None
        self._reopening: _Reopening | None = None
        self._request_seq = 0
        self._now_ns = 0  # CLOCK_MONOTONIC after the last read
        self._told_forged = False
        self._greeted = False  # a board has answered in this session
        self._closed = False
        self.hello: Hello | None = None  # the latest one
        self.hurry = False  # hand the signal over sooner, at the price of more reads
        self.port = ""  # of the present or last connection

    @property
    def connected(self) -> bool:
        """Whether a port is open and its board streams."""
        return self._handshake is not None and self._handshake.state == "run"

    def read(self, timeout_s: float) -> bytes:
        """Return the next bytes of the stream, b"" if none came within about `timeout_s` seconds.

        The first read opens the link and may take as long as that takes.

        Raises NoBoardError if on the first connection nothing opens or nobody says Hello, or if the board speaks
        another wire version; UsageError, with the reason, if it refuses the rate or channels. No bytes make it raise.
        """
        if self._closed:
            return b""
        if self._link is None and not self._connect(timeout_s):
            return self._take_notes()
        assert self._link is not None
        out = b""
        try:
            self._request()
            self._link.hurry = self.hurry
            data = self._link.read(timeout_s)
            now = self._clocks()
            self._now_ns = now.monotonic_ns
            if data:
                out = self._splicer.board(data, now)
                if self._splicer.forged and not self._told_forged:
                    self._told_forged = True
                    self._on_trouble(f"{self.port} sends notes, which only this program writes; they are left out")
                self._hear(out)
        except (LinkLostError, SilentBoardError) as lost:
            out += self._lost(str(lost))
        head = self._unsent
        self._unsent = b""
        return head + out + self._take_notes()

    def note(self, kind: str, detail: Mapping[str, Any] | None = None) -> None:
        """Put a mark of the wearer into the stream, at the scan that arrives next.

        Raises UsageError for one that a frame does not hold or that would not be read back.
        """
        mark = Note({"kind": kind, **(detail or {})})
        try:
            body = mark.pack()
        except (ValueError, RecursionError):
            body = b""
        if not Note.unpack(body).json:
            raise UsageError("The mark is no text and numbers that can be stored. Write it in plain words.")
        if len(body) > MAX_NOTE_BYTES:
            raise UsageError(f"The mark has {len(body)} bytes as JSON; it may have {MAX_NOTE_BYTES}. Shorten the note.")
        self._queue.put(mark)

    def change(self, values: Mapping[str, Any]) -> None:
        """Put a change of settings, calibration or placement into the stream: only what changed."""
        self._queue.put(Change(dict(values)))

    def close(self, stop: bool = True) -> bytes:
        """Close the port, after stopping the board's run if it was started here and `stop`; return the last notes."""
        if self._reopening is not None:
            self._reopening.cancel()
        if self._link is not None:
            if stop and self._handshake is not None and self._handshake.started:
                with contextlib.suppress(LinkLostError):
                    self._send(Stop())
            self._link.close()
        self._link, self._closed = None, True
        head, self._unsent = self._unsent, b""
        return head + self._take_notes()

    def _connect(self, timeout_s: float) -> bool:
        """Try to have a link; the first time here, later in a thread, waiting for it at most `timeout_s`."""
        link: Link | None
        if not self._greeted:
            link = self._open_link()
            if link is None:
                raise NoBoardError("No board was found. Plug it in; emgtwitch doctor finds out what is in the way.")
        else:
            if self._reopening is None:
                self._reopening = _Reopening(self._open_link, self._retry_s)
            link = self._reopening.wait(timeout_s)
            for trouble in self._reopening.troubles():
                self._on_trouble(trouble)
            if link is None:
                return False
            self._reopening = None
        self._link, self.port = link, link.name
        self._unsent += self._splicer.note(Port(1, link.name))
        self._now_ns = self._clocks().monotonic_ns
        self._handshake = Handshake(link.name, self._now_ns, *self._wanted, hello_ns=round(self._hello_s * 1e9))
        self._on_state(f"{link.name} is open")
        return True

    def _request(self) -> None:
        """Send what the handshake wants said."""
        assert self._handshake is not None
        try:
            for request in self._handshake.requests(self._now_ns):
                self._send(request)
        except SilentBoardError as silent:
            if self._greeted:
                raise
            self.close(stop=False)
            raise NoBoardError(
                f"The port {self.port} is open, but no board says Hello there ({silent}). "
                "Is the emgtwitch firmware on it, and is it the right port? emgtwitch ports shows which answers."
            ) from silent

    def _send(self, request: Record) -> None:
        assert self._link is not None
        self._request_seq = (self._request_seq + 1) & 0xFFFF
        self._link.write(request_frame(request, self._request_seq))

    def _hear(self, complete: bytes) -> None:
        """Follow the handshake through whole frames."""
        assert self._handshake is not None
        self._handshake.heard(self._now_ns)
        for record in frames(complete, self._handshake.listens_to):
            before = self._handshake.state
            self._handshake.hear(record, self._now_ns)
            if isinstance(record, Hello):
                self._greet(record)
            if self._handshake.state != before and self.connected:
                self._on_state(f"the board at {self.port} streams")

    def _greet(self, hello: Hello) -> None:
        if self.hello is not None and self.hello.device_id != hello.device_id:
            self._on_trouble(f"another board answers at {self.port}: {hello.device_id:016x}")
        self.hello, self._greeted = hello, True

    def _lost(self, why: str) -> bytes:
        """The stream's word on a lost connection; the next read looks for the board again."""
        assert self._link is not None
        self._link.close()
        self._link = self._handshake = None
        self._on_trouble(f"{why}; waiting for the board to come back")
        if not self._greeted:
            raise NoBoardError(f"{why}, before the board said Hello. Plug it in again, then try again.")
        return self._splicer.note(Port(0, self.port))

    def _take_notes(self) -> bytes:
        out = self._unsent
        self._unsent = b""
        while not self._queue.empty():  # this thread alone takes from it
            out += self._splicer.note(self._queue.get_nowait())
        return out


class _Reopening:
    """Calls `open_link` again and again in a thread, since looking through ports may take seconds."""

    def __init__(self, open_link: OpenLink, retry_s: float) -> None:
        self._open_link, self._retry_s = open_link, retry_s
        self._links: queue.SimpleQueue[Link] = queue.SimpleQueue()
        self._troubles: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._lock = threading.Lock()  # a link is either handed over or closed
        threading.Thread(target=self._run, name="reopen", daemon=True).start()

    def wait(self, timeout_s: float) -> Link | None:
        """The link once there is one, None after `timeout_s`."""
        try:
            return self._links.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            return None

    def troubles(self) -> list[str]:
        """What else was in the way since the last call, each text once."""
        out = []
        with contextlib.suppress(queue.Empty):
            while True:
                out.append(self._troubles.get_nowait())
        return out

    def cancel(self) -> None:
        """Stop looking; a link that is found nevertheless is closed."""
        with self._lock:
            self._cancelled.set()
            with contextlib.suppress(queue.Empty):
                self._links.get_nowait().close()

    def _run(self) -> None:
        last = ""
        while not self._cancelled.is_set():
            began = time.monotonic()
            link: Link | None = None
            try:
                link = self._open_link()
            except Exception as error:  # whatever it is, memory included: who else would find the board again?
                text = str(error) or type(error).__name__
                if text != last:  # a port just plugged in may belong to root for a moment
                    last = text
                    self._troubles.put(last)
            if link is not None:
                with self._lock:
                    if self._cancelled.is_set():
                        link.close()
                    else:
                        self._links.put(link)
                return
            self._cancelled.wait(max(self._retry_s - (time.monotonic() - began), 0.0))
