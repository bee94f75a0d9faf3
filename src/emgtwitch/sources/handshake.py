"""What to say to a board until it streams as asked, and when it falls silent. Sans-IO: records in, requests out.

States: `ask` (no Hello yet) -> `set` (rate or channels differ from what was asked for) -> `start` -> `run`. A Hello
without the streaming flag while running means that the board was reset, or stopped by itself because it had not heard
from us: it is set up and started again. While running it is asked for a Hello now and then, so that it knows of us.
"""

from __future__ import annotations

from typing import Literal

from emgtwitch.errors import NoBoardError, UsageError
from emgtwitch.wire.records import (
    WIRE_VERSION,
    Answer,
    AskHello,
    Hello,
    Record,
    Samples,
    SetRate,
    Start,
    Stop,
)

State = Literal["ask", "set", "start", "run"]

STREAMING = 1  # bit of Hello.flags
ASK_EVERY_NS = 300_000_000  # a bootloader swallows what comes before the firmware runs
REPEAT_NS = 1_500_000_000  # longer than a board takes to measure its reference before a run
SILENT_NS = 1_500_000_000  # a running board sends at least every 130 ms
KEEP_NS = 10_000_000_000  # a board that hears nothing for 30 s stops and watches on its own
WEDGED_NS = 5_000_000_000  # silent for this long although asked: open the port anew, which resets most boards

REASONS = {
    1: "its firmware does not know this request",
    2: "a value is out of its range",
    3: "that many samples do not fit through the serial line",
    4: "that many samples are more than its converter makes",
    5: "it only does so while stopped",
}


class SilentBoardError(Exception):
    """The board does not answer on an open port; the text says for how long."""


def check_version(version: int, port: str) -> None:
    """Raise NoBoardError if a board's wire version is not this program's."""
    if version == WIRE_VERSION:
        return
    older = "Load the firmware that came with this program onto the board: emgtwitch flash."
    newer = "Update this program, or load the firmware that came with it onto the board: emgtwitch flash."
    raise NoBoardError(
        f"The board at {port} speaks wire version {version}; this program reads version {WIRE_VERSION}. "
        f"{older if version < WIRE_VERSION else newer}"
    )


class Handshake:
    """One connection. Times are CLOCK_MONOTONIC in ns, given by the caller."""

    def __init__(
        self,
        port: str,
        now_ns: int,
        rate_Hz: int | None = None,
        channels: int | None = None,
        oversampling: int | None = None,
        hello_ns: int = 5_000_000_000,
    ) -> None:
        """What is None stays as the board has it. `hello_ns`: how long a board may take to say Hello."""
        self.port = port
        self.state: State = "ask"
        self.hello: Hello | None = None
        self.started = False  # by us, so that we may stop it
        self._rate_Hz, self._channels, self._oversampling = rate_Hz, channels, oversampling
        self._hello_ns = hello_ns
        self._since_ns = now_ns  # of the state
        self._heard_ns = now_ns
        self._next_ns = now_ns  # when the state's request is due
        self._keep_ns = now_ns  # when a running board is to hear from us again

    @property
    def listens_to(self) -> tuple[int, ...]:
        """The record types that matter now; while running that is few bytes of the stream."""
        types = (Hello.TYPE, Answer.TYPE)
        return types if self.state == "run" else (*types, Samples.TYPE)

    def hear(self, record: Record, now_ns: int) -> None:
        """Take one record from the board. Raises NoBoardError for another wire version, UsageError for a refusal."""
        if isinstance(record, Hello):
            check_version(record.wire_version, self.port)
            self.hello = record
            streaming = bool(record.flags & STREAMING)
            if self.state == "ask" or (self.state == "run" and not streaming):
                self._enter("set" if self._differs(record) else "run" if streaming else "start", now_ns)
            elif self.state == "set" and not self._differs(record):
                self._enter("run" if streaming else "start", now_ns)
            elif self.state == "start" and streaming:
                self._enter("run", now_ns)
        elif isinstance(record, Answer):
            self._answer(record, now_ns)
        elif isinstance(record, Samples) and self.state == "start":
            self._enter("run", now_ns)

    def heard(self, now_ns: int) -> None:
        """Bytes came, whatever they are."""
        self._heard_ns = now_ns

    def requests(self, now_ns: int) -> list[Record]:
        """What to send now. Raises SilentBoardError when the board has not answered for too long."""
        if self.state == "run" and now_ns - self._heard_ns < SILENT_NS:
            self._next_ns = now_ns
            if now_ns < self._keep_ns:
                return []
            self._keep_ns = now_ns + KEEP_NS
            return [AskHello()]
        since_ns = self._heard_ns if self.state == "run" else self._since_ns
        patience_ns = self._hello_ns if self.state == "ask" else WEDGED_NS
        if now_ns - since_ns >= patience_ns:
            raise SilentBoardError(f"no answer from {self.port} for {(now_ns - since_ns) / 1e9:.1f} s")
        if now_ns < self._next_ns:
            return []
        self._next_ns = now_ns + (REPEAT_NS if self.state in ("set", "start") else ASK_EVERY_NS)
        if self.state == "set":
            return [Stop(), self._set_rate()]
        if self.state == "start":
            self.started = True
            return [Start()]
        return [AskHello()]

    def _enter(self, state: State, now_ns: int) -> None:
        self.state, self._since_ns, self._next_ns, self._heard_ns = state, now_ns, now_ns, now_ns
        self._keep_ns = now_ns + KEEP_NS

    def _differs(self, hello: Hello) -> bool:
        """Whether the board must be told another rate, channels or oversampling."""
        # Half a per cent, since a timer's divider may not give the round number exactly.
        rate_off = self._rate_Hz is not None and (
            abs(hello.rate_num - self._rate_Hz * hello.rate_den) > 0.005 * hello.rate_num
        )
        channels_off = self._channels is not None and hello.channels != self._channels
        return rate_off or channels_off or (self._oversampling is not None and hello.oversampling != self._oversampling)

    def _set_rate(self) -> SetRate:
        hello = self.hello
        assert hello is not None  # `set` is entered by a Hello only
        rate_Hz = self._rate_Hz or min(round(hello.rate_num / max(hello.rate_den, 1)), 0xFFFF)
        return SetRate(rate_Hz, self._channels or hello.channels, self._oversampling or hello.oversampling)

    def _answer(self, answer: Answer, now_ns: int) -> None:
        if (answer.request, self.state) not in ((SetRate.TYPE, "set"), (Start.TYPE, "start")):
            return
        if answer.status == 0:
            self._enter("start" if self.state == "set" else "run", now_ns)
            return
        reason = REASONS.get(answer.status, f"status {answer.status}")
        if self.state == "start":
            raise NoBoardError(f"The board at {self.port} does not start: {reason}. Unplug it and plug it in again.")
        asked = self._set_rate()
        raise UsageError(
            f"The board at {self.port} refuses {asked.rate_Hz} Hz with {asked.channels} channel(s) and oversampling "
            f"{asked.oversampling}: {reason}. Ask for a lower rate or fewer channels (rates: 500, 1000, 2000, 4000 Hz)."
        )
