"""The simulated wearer on a board of its own: a link that answers requests and sends the frames a board would."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from emgtwitch.errors import UsageError
from emgtwitch.sources.link import LinkLostError
from emgtwitch.wearer.scenario import SCENARIOS, Scenario
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.encode import frame
from emgtwitch.wire.light import Frame, Reader, record
from emgtwitch.wire.pattern import scan
from emgtwitch.wire.records import (
    DEFAULT_BAUD,
    WIRE_VERSION,
    Answer,
    AskHello,
    Hello,
    Record,
    ResetCounters,
    SetRate,
    Start,
    Stop,
    TestSignal,
    WriteIdentity,
)

SAMPLES_PER_FRAME = 16  # all channels together, as in the firmware
HELLO_EVERY_S = 3.0
BUNCH_S = 0.04  # a waiting read sleeps for so much signal, as a USB serial chip bunches: fewer wake-ups, less load
DEVICE_ID = 0x53494D << 40  # "SIM"; the seed stands in the low half
RATES_HZ = (500, 1000, 2000, 4000)
CONVERSIONS_PER_S = 8900  # what the firmware asks of an ATmega328P's converter
HALVED_HZ = 500  # made of twice as many conversions
BITS_PER_COUNT = 38  # what the firmware asks of the line for a count, its share of the frame and a quarter to spare
_POWER_ON = 1  # reset_cause: MCUSR's PORF
_DONE, _UNKNOWN, _RANGE, _LINE, _CONVERTER, _STREAMING = range(6)  # Answer.status


class _Board:
    """The frames of a board that a simulated wearer wears. Each run starts the wearer anew, at index 0.

    It has no lead-off inputs, like firmware built without LEAD_OFF, and nothing ever goes wrong at it. Its test signal
    is not decimated at 500 Hz.
    """

    def __init__(self, scenario: Scenario, seed: int, boots: int = 1) -> None:
        self.scenario = scenario
        self._boots = boots
        self.streaming = False
        self.made = 0  # scans of this run
        self.rate_Hz = 0.0  # scans a true second, of this run
        self._seed = seed
        self._device_id = DEVICE_ID | seed & 0xFFFFFFFF
        self._gain_milli = round(1000 * scenario.device.gain)
        self.testing = False
        self._runs = 0
        self._seq = 0
        self._wearer: Wearer | None = None

    @property
    def scans_per_frame(self) -> int:
        return max(1, SAMPLES_PER_FRAME // self.scenario.channels)

    def start(self) -> None:
        self._wearer = Wearer(self.scenario, self._seed)
        self.rate_Hz = self._wearer.rate_Hz
        self._runs = (self._runs + 1) & 0xFFFF
        self.made = 0
        self.streaming = True

    def stop(self) -> None:
        self.streaming = False

    def set_rate(self, ask: SetRate) -> int:
        """Take the request for the next run, or say by the status why not."""
        if self.streaming:
            return _STREAMING
        if ask.rate_Hz not in RATES_HZ or not 1 <= ask.channels <= 4 or ask.oversampling not in (1, 4, 8):
            return _RANGE
        halved = 2 if ask.rate_Hz == HALVED_HZ else 1
        if ask.rate_Hz * ask.channels * ask.oversampling * halved > CONVERSIONS_PER_S:
            return _CONVERTER
        if ask.rate_Hz * ask.channels * BITS_PER_COUNT > DEFAULT_BAUD:
            return _LINE
        device = replace(self.scenario.device, oversampling=ask.oversampling)
        self.scenario = replace(self.scenario, fs_Hz=float(ask.rate_Hz), channels=ask.channels, device=device)
        return _DONE

    def test_signal(self, ask: TestSignal) -> int:
        """The next run is of the wearer, or of the known pattern."""
        if self.streaming:
            return _STREAMING
        if ask.on > 1:
            return _RANGE
        self.testing = bool(ask.on)
        return _DONE

    def write_identity(self, ask: WriteIdentity) -> int:
        """Another name, and what the board says of its gain; the wearer's signal stays."""
        if self.streaming:
            return _STREAMING
        self._device_id, self._gain_milli = ask.device_id, ask.gain_milli
        return _DONE

    def send(self, record: Record) -> bytes:
        out = frame(record, self._seq)
        self._seq = (self._seq + 1) & 0xFFFF
        return out

    def hello(self) -> bytes:
        device = self.scenario.device
        rate = Fraction(self.scenario.fs_Hz).limit_denominator(1_000_000)
        return self.send(
            Hello(
                wire_version=WIRE_VERSION,
                firmware_major=0,
                firmware_minor=0,
                build=0,
                device_id=self._device_id,
                rate_num=rate.numerator,
                rate_den=rate.denominator,
                channels=self.scenario.channels,
                bits=device.count_bits,
                oversampling=device.oversampling,
                reference_mV=round(device.reference_mV),
                reference_uncertainty_mV=0,
                gain_milli=self._gain_milli,
                reset_cause=_POWER_ON,
                boot_count=self._boots,
                run_count=self._runs,
                flags=self.streaming | self.testing << 1,
                index=self.made & 0xFFFFFFFF,
                free_stack_bytes=0,
            )
        )

    def samples(self, n_scans: int) -> bytes:
        """The next `n_scans` scans of a run in frames, with a Hello every few seconds. Whole frames until the last."""
        assert self._wearer is not None  # a run makes one
        per_frame = self.scans_per_frame
        between = max(1, round(HELLO_EVERY_S * self.scenario.fs_Hz / per_frame)) * per_frame
        out = []
        end = self.made + n_scans
        while self.made < end:
            n = min(end, (self.made // between + 1) * between) - self.made
            counts = self._wearer.render(n)
            if self.testing:
                made = range(self.made, self.made + n)
                pattern = [scan(index, self.scenario.channels, self.scenario.device.oversampling) for index in made]
                counts = np.array(pattern, dtype=np.uint16)
            piece, self._seq = encode_samples(counts, self.made & 0xFFFFFFFF, self._seq, 0, per_frame)
            out.append(piece)
            self.made += n
            if self.made % between == 0:
                out.append(self.hello())
        return b"".join(out)


class SimLink:
    """A link to a simulated board, paced by `clock` (seconds, `speed` times as fast; `math.inf`: without waiting).

    The board starts a run at once if `started`, else it waits for a Start as after a reset; it says that it has booted
    `boots` times. The same requests at the same scans give the same bytes, however the reads are cut.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int = 0,
        *,
        name: str = "sim",
        started: bool = True,
        speed: float = 1.0,
        boots: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.hurry = False  # its bunches are short anyway
        self._board = _Board(scenario, seed, boots)
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._reader = Reader()
        self._open = True
        if started:
            self._board.start()
        self._since_s = clock()  # of the run, or of the last Hello while stopped
        self._out = self._board.hello()

    def read(self, timeout_s: float) -> bytes:
        """Return the frames that are due, after at most `timeout_s` seconds b"". At most about 4 s of signal at once.

        Raises LinkLostError once closed.
        """
        if not self._open:
            raise LinkLostError(f"The link {self.name} is closed.")
        self._make_due()
        if not self._out:
            self._sleep(min(timeout_s, self._wait_s()))
            self._make_due()
        out, self._out = self._out, b""
        return out

    def write(self, data: bytes) -> None:
        """Take requests, whole or in pieces; damaged ones go unheard. Raises LinkLostError once closed."""
        if not self._open:
            raise LinkLostError(f"The link {self.name} is closed.")
        for request in self._reader.feed(data):
            self._make_due()  # what was made before the request goes out before its answer
            self._out += self._respond(request)

    @property
    def made(self) -> int:
        """Scans that the board has made in this run."""
        return self._board.made

    def close(self) -> None:
        """End it; closing twice does nothing."""
        self._open = False

    def _run_s(self) -> float:
        """Board's true seconds since the run, or the last Hello, began."""
        return math.inf if math.isinf(self._speed) else (self._clock() - self._since_s) * self._speed

    def _make_due(self) -> None:
        board = self._board
        if not board.streaming:
            if HELLO_EVERY_S <= self._run_s() < math.inf:
                self._since_s = self._clock()
                self._out += board.hello()
            return
        per_frame = board.scans_per_frame
        most = board.made + max(1, int(4 * board.rate_Hz) // per_frame) * per_frame
        due = int(min(self._run_s() * board.rate_Hz, most)) // per_frame * per_frame
        if due > board.made and len(self._out) < 1 << 20:
            self._out += board.samples(due - board.made)

    def _wait_s(self) -> float:
        """Host seconds until the next bunch of frames."""
        board = self._board
        if not board.streaming and math.isinf(self._speed):
            return math.inf  # nothing will come until a request does
        due_s = HELLO_EVERY_S
        if board.streaming:
            bunch = math.ceil(BUNCH_S * board.rate_Hz / board.scans_per_frame)
            due_s = (board.made + bunch * board.scans_per_frame) / board.rate_Hz
        # A millionth more, lest rounding find the frame not quite due.
        return max(0.0, due_s / self._speed - (self._clock() - self._since_s)) + 1e-6

    def _respond(self, request: Frame) -> bytes:
        board = self._board
        asked = record(request)
        if isinstance(asked, AskHello):
            return board.hello()
        status, value = _DONE, 0
        if isinstance(asked, SetRate):
            status = board.set_rate(asked)
            value = round(board.scenario.fs_Hz)
        elif isinstance(asked, TestSignal):
            status = board.test_signal(asked)
            value = int(board.testing)
        elif isinstance(asked, WriteIdentity):
            status = board.write_identity(asked)
        elif isinstance(asked, Start):
            board.start()
            self._since_s = self._clock()
            return board.hello() + board.send(Answer(request.type, request.seq, status, value))
        elif isinstance(asked, Stop):
            board.stop()
            self._since_s = self._clock()
            return board.send(Answer(request.type, request.seq, status, value)) + board.hello()
        elif not isinstance(asked, ResetCounters):
            status = _UNKNOWN
        return board.send(Answer(request.type, request.seq, status, value))


def recorded(scenario: Scenario, seed: int, duration_s: float) -> Iterator[bytes]:
    """The bytes that a started SimLink sends in `duration_s` of the board's seconds, unpaced, in pieces of a minute."""
    board = _Board(scenario, seed)
    board.start()
    yield board.hello()
    left = round(duration_s * scenario.fs_Hz)
    per_frame = board.scans_per_frame
    piece = max(1, int(60 * scenario.fs_Hz) // per_frame) * per_frame
    while left > 0:
        yield board.samples(min(piece, left))
        left -= piece


def open_sim(
    spec: str = "sim",
    *,
    started: bool = True,
    speed: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> SimLink:
    """The simulated board that `spec` names: sim, sim:SCENARIO or sim:SCENARIO:SEED. Raises UsageError."""
    scenario, seed = parse_spec(spec)
    return SimLink(scenario, seed, name=spec, started=started, speed=speed, clock=clock, sleep=sleep)


def parse_spec(spec: str) -> tuple[Scenario, int]:
    """Scenario and seed of sim, sim:SCENARIO or sim:SCENARIO:SEED. Raises UsageError where there is none such."""
    word, _, rest = spec.partition(":")
    name, _, seed = rest.partition(":")
    name = name or "demo"
    if word != "sim" or name not in SCENARIOS or not (seed or "0").isdecimal():
        raise UsageError(
            f"There is no simulated wearer {spec!r}. Say sim, sim:SCENARIO or sim:SCENARIO:SEED, "
            f"with one of {', '.join(SCENARIOS)} and a whole number, for example sim:twitches:3."
        )
    return SCENARIOS[name], int(seed or "0")
