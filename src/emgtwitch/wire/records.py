"""The records of the wire. Generated from firmware/protocol/wire.toml by firmware/protocol/generate.py; do not edit."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, ClassVar, Self

WIRE_VERSION = 1
MAX_BOARD_FRAME = 254
MAX_FRAME = 4096
MAX_NESTED = 32  # lists and objects in one another, in a record's JSON
DEFAULT_BAUD = 250000

STREAM_RANGE = (0x01, 0x1f)
IMPORT_RANGE = (0x20, 0x2f)
REQUEST_RANGE = (0x40, 0x5f)
NOTE_RANGE = (0x80, 0x9f)

# Byte offsets in a body, for kernels that read it in place.
HELLO_WIRE_VERSION = 0
HELLO_FIRMWARE_MAJOR = 1
HELLO_FIRMWARE_MINOR = 2
HELLO_BUILD = 3
HELLO_DEVICE_ID = 7
HELLO_RATE_NUM = 15
HELLO_RATE_DEN = 19
HELLO_CHANNELS = 23
HELLO_BITS = 24
HELLO_OVERSAMPLING = 25
HELLO_REFERENCE_MV = 26
HELLO_REFERENCE_UNCERTAINTY_MV = 28
HELLO_GAIN_MILLI = 30
HELLO_RESET_CAUSE = 34
HELLO_BOOT_COUNT = 35
HELLO_RUN_COUNT = 37
HELLO_FLAGS = 39
HELLO_INDEX = 40
HELLO_FREE_STACK_BYTES = 44
SAMPLES_INDEX = 0
SAMPLES_OVERRUNS = 4
SAMPLES_COUNTS = 6
MARK_INDEX = 0
MARK_KIND = 4
MARK_CHANNEL = 5
ANSWER_REQUEST = 0
ANSWER_REQUEST_SEQ = 1
ANSWER_STATUS = 3
ANSWER_VALUE = 4
COUNTERS_LINE_ERRORS = 0
COUNTERS_REJECTED_REQUESTS = 2
COUNTERS_MISSED_TRIGGERS = 4
COUNTERS_LOST_SCANS = 6
COUNTERS_WATCHDOG_RESETS = 10
GUARD_PERIOD = 0
GUARD_GUARDED_S = 2
GUARD_TWITCHES = 6
GUARD_CONTRACTIONS = 8
GUARD_SPASMS = 10
GUARD_LONGEST_MS = 12
IMPORT_RATE_NUM = 0
IMPORT_RATE_DEN = 4
IMPORT_CHANNELS = 8
IMPORT_IN_UV = 9
IMPORT_RAILS = 10
IMPORT_SAMPLES_INDEX = 0
IMPORT_SAMPLES_VALUES = 4


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; an empty one if it holds none, since a decoder never raises on bytes."""
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could not be stored
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and _nests(value, MAX_NESTED) else {}


def _nests(value: Any, left: int) -> bool:
    """Whether no list or object lies deeper: what is handed on is walked by recursion."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left >= 0 and all(_nests(one, left - 1) for one in inner)


@dataclass(frozen=True, slots=True)
class Hello:
    """What the board is and how to read it; sent at boot, at every start and stop, on request and every few seconds."""

    TYPE: ClassVar[int] = 0x01
    SIZE: ClassVar[int] = 46
    wire_version: int  # version of this protocol
    firmware_major: int  # firmware version
    firmware_minor: int  # firmware version
    build: int  # first four bytes of the source revision, 0 if unknown
    device_id: int  # identity written to EEPROM, all ones if never written
    rate_num: int  # scan rate in Hz is rate_num / rate_den
    rate_den: int  # see rate_num
    channels: int  # channels in a scan, 1 to 8; channel k of n is sampled at (index + k/n) / rate
    bits: int  # a count lies in 0 .. 2**bits - 1
    oversampling: int  # conversions summed into a count
    reference_mV: int  # full scale at the converter, measured while stopped, fixed while a stream runs
    reference_uncertainty_mV: int  # standard uncertainty of reference_mV
    gain_milli: int  # gain from electrode to converter; 0 if unknown
    reset_cause: int  # MCUSR at boot
    boot_count: int  # boots since the EEPROM was written; with run_count it separates epochs
    run_count: int  # streams started since boot; each starts its index at 0
    flags: int  # bit 0 streaming, bit 1 test signal, bits 2 to 5 electrode of channel 0 to 3 off
    index: int  # index of the first scan that no Samples frame has carried yet
    free_stack_bytes: int  # memory never touched by the stack

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<BBBIQIIBBBHHIBHHBIH", self.wire_version, self.firmware_major, self.firmware_minor, self.build, self.device_id, self.rate_num, self.rate_den, self.channels, self.bits, self.oversampling, self.reference_mV, self.reference_uncertainty_mV, self.gain_milli, self.reset_cause, self.boot_count, self.run_count, self.flags, self.index, self.free_stack_bytes)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        wire_version, firmware_major, firmware_minor, build, device_id, rate_num, rate_den, channels, bits, oversampling, reference_mV, reference_uncertainty_mV, gain_milli, reset_cause, boot_count, run_count, flags, index, free_stack_bytes = struct.unpack_from("<BBBIQIIBBBHHIBHHBIH", body)
        return cls(wire_version, firmware_major, firmware_minor, build, device_id, rate_num, rate_den, channels, bits, oversampling, reference_mV, reference_uncertainty_mV, gain_milli, reset_cause, boot_count, run_count, flags, index, free_stack_bytes)


@dataclass(frozen=True, slots=True)
class Samples:
    """Whole scans, one after the other without a hole."""

    TYPE: ClassVar[int] = 0x02
    SIZE: ClassVar[int] = 6
    index: int  # index of the first scan; counts scans made, not scans sent
    overruns: int  # scans of this run that the board made and could not send, modulo 65536
    counts: tuple[int, ...]  # channel 0 of the first scan, channel 1, ..., channel 0 of the second scan, ...

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<IH", self.index, self.overruns) + struct.pack(f"<{len(self.counts)}H", *self.counts)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        index, overruns = struct.unpack_from("<IH", body)
        return cls(index, overruns, struct.unpack(f"<{len(body[6:]) // 2}H", body[6:]))


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at the board."""

    TYPE: ClassVar[int] = 0x03
    SIZE: ClassVar[int] = 6
    index: int  # index of the next scan when it happened
    kind: int  # 1 button, 2 electrode off, 3 electrode on again
    channel: int  # channel that it concerns, 255 for all

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<IBB", self.index, self.kind, self.channel)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        index, kind, channel = struct.unpack_from("<IBB", body)
        return cls(index, kind, channel)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    TYPE: ClassVar[int] = 0x04
    SIZE: ClassVar[int] = 8
    request: int  # type of the request
    request_seq: int  # its sequence number
    status: int  # 0 done, 1 unknown request, 2 value out of range, 3 combination too fast for the line, 4 combination too fast for the converter, 5 only while stopped
    value: int  # the value now in force, where there is one

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<BHBI", self.request, self.request_seq, self.status, self.value)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        request, request_seq, status, value = struct.unpack_from("<BHBI", body)
        return cls(request, request_seq, status, value)


@dataclass(frozen=True, slots=True)
class Counters:
    """What went wrong at the board since power-up or ResetCounters; each stops at its highest value. Sent after a Hello."""

    TYPE: ClassVar[int] = 0x05
    SIZE: ClassVar[int] = 12
    line_errors: int  # bytes from the host that were framed wrongly or came too fast
    rejected_requests: int  # frames from the host that failed COBS, CRC or length
    missed_triggers: int  # conversions that came too late for the converter
    lost_scans: int  # scans made and not sent, over all runs
    watchdog_resets: int  # times that the firmware hung and was restarted

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<HHHIH", self.line_errors, self.rejected_requests, self.missed_triggers, self.lost_scans, self.watchdog_resets)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        line_errors, rejected_requests, missed_triggers, lost_scans, watchdog_resets = struct.unpack_from("<HHHIH", body)
        return cls(line_errors, rejected_requests, missed_triggers, lost_scans, watchdog_resets)


@dataclass(frozen=True, slots=True)
class Guard:
    """What the board's own detector found while no host was there. Sent after a Hello from the first such period on."""

    TYPE: ClassVar[int] = 0x06
    SIZE: ClassVar[int] = 16
    period: int  # periods without a host since power-up; this one's number
    guarded_s: int  # how long the board has watched in this period
    twitches: int  # brief contractions, shorter than 150 ms
    contractions: int  # contractions from 150 ms up to 2 s
    spasms: int  # contractions of 2 s and longer
    longest_ms: int  # the longest of them

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<HIHHHI", self.period, self.guarded_s, self.twitches, self.contractions, self.spasms, self.longest_ms)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        period, guarded_s, twitches, contractions, spasms, longest_ms = struct.unpack_from("<HIHHHI", body)
        return cls(period, guarded_s, twitches, contractions, spasms, longest_ms)


@dataclass(frozen=True, slots=True)
class Import:
    """Opens an imported recording: takes the place of Hello for samples that are not a board's counts."""

    TYPE: ClassVar[int] = 0x20
    SIZE: ClassVar[int] = 10
    rate_num: int  # scan rate in Hz is rate_num / rate_den
    rate_den: int  # see rate_num
    channels: int  # channels in a scan, 1 to 64
    in_uV: int  # 1 if the samples are in uV, 0 if their scale is unknown
    rails: tuple[float, ...]  # lowest and highest value of channel 0, of channel 1, ...; NaN where the file does not say

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<IIBB", self.rate_num, self.rate_den, self.channels, self.in_uV) + struct.pack(f"<{len(self.rails)}d", *self.rails)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        rate_num, rate_den, channels, in_uV = struct.unpack_from("<IIBB", body)
        return cls(rate_num, rate_den, channels, in_uV, struct.unpack(f"<{len(body[10:]) // 8}d", body[10:]))


@dataclass(frozen=True, slots=True)
class ImportSamples:
    """Whole scans of an imported recording. A value that the file lacks is NaN."""

    TYPE: ClassVar[int] = 0x21
    SIZE: ClassVar[int] = 4
    index: int  # index of the first scan
    values: tuple[float, ...]  # ordered as in Samples

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<I", self.index) + struct.pack(f"<{len(self.values)}d", *self.values)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        index, = struct.unpack_from("<I", body)
        return cls(index, struct.unpack(f"<{len(body[4:]) // 8}d", body[4:]))


@dataclass(frozen=True, slots=True)
class AskHello:
    """Ask for a Hello."""

    TYPE: ClassVar[int] = 0x40
    SIZE: ClassVar[int] = 0

    def pack(self) -> bytes:
        """The body of the frame."""
        return b""

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls()


@dataclass(frozen=True, slots=True)
class Start:
    """Measure the reference, then start a run at index 0."""

    TYPE: ClassVar[int] = 0x41
    SIZE: ClassVar[int] = 0

    def pack(self) -> bytes:
        """The body of the frame."""
        return b""

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls()


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run."""

    TYPE: ClassVar[int] = 0x42
    SIZE: ClassVar[int] = 0

    def pack(self) -> bytes:
        """The body of the frame."""
        return b""

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls()


@dataclass(frozen=True, slots=True)
class SetRate:
    """Choose rate, channels and oversampling of the next run; answered with a reason where the combination is impossible."""

    TYPE: ClassVar[int] = 0x43
    SIZE: ClassVar[int] = 4
    rate_Hz: int  # 500, 1000, 2000 or 4000 scans a second
    channels: int  # 1 to 4
    oversampling: int  # 1, 4 or 8

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<HBB", self.rate_Hz, self.channels, self.oversampling)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        rate_Hz, channels, oversampling = struct.unpack_from("<HBB", body)
        return cls(rate_Hz, channels, oversampling)


@dataclass(frozen=True, slots=True)
class TestSignal:
    """Replace the converter's result by a known pattern, or stop doing so."""

    TYPE: ClassVar[int] = 0x44
    SIZE: ClassVar[int] = 1
    on: int  # 1 on, 0 off

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<B", self.on)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        on, = struct.unpack_from("<B", body)
        return cls(on)


@dataclass(frozen=True, slots=True)
class WriteIdentity:
    """Write identity and gain to EEPROM."""

    TYPE: ClassVar[int] = 0x45
    SIZE: ClassVar[int] = 12
    device_id: int  # identity
    gain_milli: int  # gain from electrode to converter; 0 if unknown

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<QI", self.device_id, self.gain_milli)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        device_id, gain_milli = struct.unpack_from("<QI", body)
        return cls(device_id, gain_milli)


@dataclass(frozen=True, slots=True)
class ResetCounters:
    """Set the board's error counters to 0."""

    TYPE: ClassVar[int] = 0x46
    SIZE: ClassVar[int] = 0

    def pack(self) -> bytes:
        """The body of the frame."""
        return b""

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls()


@dataclass(frozen=True, slots=True)
class Session:
    """Opens a segment: recording id, segment number, software, all settings, what is worn where, the zone."""

    TYPE: ClassVar[int] = 0x80
    SIZE: ClassVar[int] = 0
    json: dict[str, Any]  # one JSON object

    def pack(self) -> bytes:
        """The body of the frame."""
        return json.dumps(self.json, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls(_object(body))


@dataclass(frozen=True, slots=True)
class Clock:
    """The host's clocks when the bytes before this frame had arrived."""

    TYPE: ClassVar[int] = 0x81
    SIZE: ClassVar[int] = 28
    boottime_ns: int  # CLOCK_BOOTTIME, which goes on during a suspend
    monotonic_ns: int  # CLOCK_MONOTONIC, which does not
    utc_ms: int  # UTC
    offset_s: int  # local time minus UTC then

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<qqqi", self.boottime_ns, self.monotonic_ns, self.utc_ms, self.offset_s)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        boottime_ns, monotonic_ns, utc_ms, offset_s = struct.unpack_from("<qqqi", body)
        return cls(boottime_ns, monotonic_ns, utc_ms, offset_s)


@dataclass(frozen=True, slots=True)
class Note:
    """A mark of the wearer, placed at the scan that follows it."""

    TYPE: ClassVar[int] = 0x82
    SIZE: ClassVar[int] = 0
    json: dict[str, Any]  # one JSON object with at least `kind`

    def pack(self) -> bytes:
        """The body of the frame."""
        return json.dumps(self.json, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls(_object(body))


@dataclass(frozen=True, slots=True)
class Change:
    """Settings, calibration or placement changed from the scan that follows."""

    TYPE: ClassVar[int] = 0x83
    SIZE: ClassVar[int] = 0
    json: dict[str, Any]  # one JSON object: only what changed

    def pack(self) -> bytes:
        """The body of the frame."""
        return json.dumps(self.json, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls(_object(body))


@dataclass(frozen=True, slots=True)
class Port:
    """The host opened or lost the port."""

    TYPE: ClassVar[int] = 0x84
    SIZE: ClassVar[int] = 1
    opened: int  # 1 opened, 0 lost
    name: str  # the port

    def pack(self) -> bytes:
        """The body of the frame."""
        return struct.pack("<B", self.opened) + self.name.encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        opened, = struct.unpack_from("<B", body)
        return cls(opened, body[1:].decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Board:
    """The last Hello repeated at the head of a segment, so that the segment can be read alone."""

    TYPE: ClassVar[int] = 0x85
    SIZE: ClassVar[int] = 0
    hello: bytes  # the body of that Hello

    def pack(self) -> bytes:
        """The body of the frame."""
        return self.hello

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The record in `body`, whose length the decoder has checked."""
        return cls(bytes(body))


Record = Hello | Samples | Mark | Answer | Counters | Guard | Import | ImportSamples | AskHello | Start | Stop | SetRate | TestSignal | WriteIdentity | ResetCounters | Session | Clock | Note | Change | Port | Board
RECORDS: dict[int, type[Record]] = {r.TYPE: r for r in (Hello, Samples, Mark, Answer, Counters, Guard, Import, ImportSamples, AskHello, Start, Stop, SetRate, TestSignal, WriteIdentity, ResetCounters, Session, Clock, Note, Change, Port, Board)}

# Of a frame's body: the fixed bytes, and the bytes of one item of its tail (0: no tail).
BODY_SIZES: dict[int, tuple[int, int]] = {
    0x01: (46, 0),
    0x02: (6, 2),
    0x03: (6, 0),
    0x04: (8, 0),
    0x05: (12, 0),
    0x06: (16, 0),
    0x20: (10, 8),
    0x21: (4, 8),
    0x40: (0, 0),
    0x41: (0, 0),
    0x42: (0, 0),
    0x43: (4, 0),
    0x44: (1, 0),
    0x45: (12, 0),
    0x46: (0, 0),
    0x80: (0, 1),
    0x81: (28, 0),
    0x82: (0, 1),
    0x83: (0, 1),
    0x84: (1, 1),
    0x85: (0, 1),
}
