"""A board on a pty: answers requests and streams, can be unplugged, plugged in again and reset."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from emgtwitch.sources.splice import Clocks
from emgtwitch.wire.encode import frame
from emgtwitch.wire.light import Reader, frames, record
from emgtwitch.wire.pattern import scan
from emgtwitch.wire.records import (
    Answer,
    AskHello,
    Hello,
    Record,
    Samples,
    SetRate,
    Start,
    Stop,
    TestSignal,
)

SCANS = 16  # in a frame


class FakeBoard:
    """Made unplugged; `path` becomes a symbolic link to the pty while it is plugged in."""

    def __init__(
        self,
        path: Path,
        device_id: int = 0xE316,
        wire_version: int = 1,
        mute: bool = False,
        refuse: int = 0,
        signal: Callable[[int], int] = lambda index: index & 1023,
    ) -> None:
        self.path, self.mute, self.refuse, self.signal = path, mute, refuse, signal
        self.device_id, self.wire_version = device_id, wire_version
        self.rate_Hz, self.channels, self.oversampling = 1000, 1, 1
        self.streaming = self.testing = False
        self.spoils: Callable[[int], int] = lambda count: count  # its test signal
        self.index = self.boots = self.runs = self.seq = 0
        self.reports: list[Record] = []  # sent after each Hello
        self.sent = b""  # since it was plugged in
        self.requests: list[Record] = []  # ever
        self._quit = threading.Event()
        self._reset = threading.Event()
        self._thread = threading.Thread()

    def __enter__(self) -> FakeBoard:
        self.plug()
        return self

    def __exit__(self, *error: object) -> None:
        self.unplug()

    def plug(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.sent = b""
        self._quit.clear()
        self._boot()
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        if not self._thread.is_alive():
            return
        self._quit.set()
        self._thread.join(5.0)
        self.path.unlink()
        os.close(self._master)
        os.close(self._slave)

    def reset(self) -> None:
        """As by a watchdog: it forgets its rate and stops."""
        self._reset.set()

    def hello(self) -> Hello:
        return Hello(
            wire_version=self.wire_version,
            firmware_major=1,
            firmware_minor=2,
            build=0,
            device_id=self.device_id,
            rate_num=self.rate_Hz,
            rate_den=1,
            channels=self.channels,
            bits=10,
            oversampling=self.oversampling,
            reference_mV=5000,
            reference_uncertainty_mV=50,
            gain_milli=1_000_000,
            reset_cause=1,
            boot_count=self.boots,
            run_count=self.runs,
            flags=int(self.streaming),
            index=self.index,
            free_stack_bytes=900,
        )

    def _boot(self) -> None:
        self.boots += 1
        self.runs = self.index = 0
        self.streaming, self.testing, self.rate_Hz, self.channels = False, False, 1000, 1

    def _run(self) -> None:
        requests = Reader()
        with contextlib.suppress(OSError):
            while not self._quit.is_set():
                if self._reset.is_set():
                    self._reset.clear()
                    self._boot()
                    self._greet()
                if select.select([self._master], [], [], 0.005)[0]:
                    for request in requests.feed(os.read(self._master, 4096)):
                        found = record(request)
                        if found is not None and not self.mute:
                            self.requests.append(found)
                            self._answer(found, request.seq)
                if self.streaming:
                    self._send(
                        Samples(self.index, 0, tuple(c for n in range(SCANS) for c in self._scan(self.index + n)))
                    )
                    self.index += SCANS

    def _scan(self, index: int) -> tuple[int, ...]:
        if self.testing:
            return tuple(self.spoils(count) for count in scan(index, self.channels))
        return (self.signal(index),) * self.channels

    def _answer(self, request: Record, seq: int) -> None:
        if isinstance(request, AskHello):
            self._greet()
            return
        if isinstance(request, SetRate) and self.refuse:
            self._send(Answer(request.TYPE, seq, self.refuse, 0))
            return
        if isinstance(request, SetRate):
            self.rate_Hz, self.channels, self.oversampling = request.rate_Hz, request.channels, request.oversampling
        elif isinstance(request, TestSignal):
            self.testing = request.on == 1
        elif isinstance(request, Start):
            self.streaming, self.index, self.runs = True, 0, self.runs + 1
        elif isinstance(request, Stop):
            self.streaming = False
        self._send(Answer(request.TYPE, seq, 0, 0))
        if isinstance(request, Start | Stop):
            self._greet()

    def _greet(self) -> None:
        self._send(self.hello())
        for report in self.reports:
            self._send(report)

    def _send(self, what: Record) -> None:
        data = frame(what, self.seq)
        self.seq = (self.seq + 1) & 0xFFFF
        if not select.select([], [self._master], [], 0)[1]:
            return  # nobody listens: a UART would not wait either
        os.write(self._master, data)
        self.sent += data


class SteppingClocks:
    """Clocks that go on by `step_ns` each time they are read."""

    def __init__(self, step_ns: int = 1_000_000) -> None:
        self.now_ns, self.step_ns = 10**12, step_ns

    def __call__(self) -> Clocks:
        self.now_ns += self.step_ns
        return clocks_at(self.now_ns)


def clocks_at(now_ns: int) -> Clocks:
    """Clocks that all agree; a suspend of 5 s lies behind."""
    return Clocks(boottime_ns=now_ns + 5_000_000_000, monotonic_ns=now_ns, utc_ms=now_ns // 10**6, offset_s=7200)


def collect(read: Callable[[float], bytes], done: Callable[[list[Record]], bool], timeout_s: float = 10.0) -> bytes:
    """What `read` gives until its records satisfy `done`; fails after `timeout_s`."""
    stream = b""
    deadline = monotonic() + timeout_s
    while not done(frames(stream)):
        assert monotonic() < deadline, f"after {timeout_s} s there were only {kinds(frames(stream))}"
        stream += read(0.05)
    return stream


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Return as soon as `condition` holds; fails after `timeout_s`."""
    deadline = monotonic() + timeout_s
    while not condition():
        assert monotonic() < deadline, f"the condition did not come true within {timeout_s} s"
        sleep(0.005)


def kinds(records: list[Record]) -> list[str]:
    """The names of the records, runs of the same one told once."""
    names = [type(r).__name__ for r in records]
    return [name for n, name in enumerate(names) if n == 0 or names[n - 1] != name]
