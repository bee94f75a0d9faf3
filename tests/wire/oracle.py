"""A naive decoder in plain Python: COBS by the `cobs` package, CRC by the standard library, and the rules as written
at the head of wire/judge.py. And made-up streams whose every sample tells its index.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from cobs import cobs

from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.decode import Decoded, Decoder, Run, WrongVersion
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import BODY_SIZES, MAX_BOARD_FRAME, MAX_FRAME, WIRE_VERSION, Hello, Record

HELLO = Hello(WIRE_VERSION, 0, 0, 0, 7, 1000, 1, 1, 16, 1, 5000, 0, 1000000, 1, 1, 1, 1, 0, 0)
SCANS = 16  # of a frame of one channel
Flat = list[tuple[object, ...]]


def made(index: npt.NDArray[np.int64], channels: int) -> npt.NDArray[np.uint16]:
    """The counts that a made-up board has at these scans."""
    k = np.arange(channels)
    return ((index[:, None] * 2654435761 + k * 40503 >> 5) & 0xFFFF).astype(np.uint16)


def samples(index: int, seq: int, frames: int, channels: int = 1, overruns: int = 0) -> list[bytes]:
    """So many frames of a made-up board, each from its zero byte's successor to its zero byte."""
    counts = made(np.arange(index, index + frames * SCANS), channels)
    data, _ = encode_samples(counts, index & 0xFFFFFFFF, seq & 0xFFFF, overruns, SCANS)
    return [piece + b"\0" for piece in data.split(b"\0")[:-1]]


def hello(seq: int = 0, **fields: int) -> bytes:
    return frame(replace(HELLO, **fields), seq)


def flat(decoded: list[Decoded]) -> Flat:
    """One row a scan and one a record, so that it does not matter where runs are cut. NaN is equal to itself."""
    out: Flat = []
    for item in decoded:
        if isinstance(item, Run):
            out += [("scan", item.index + k, scan.tobytes()) for k, scan in enumerate(item.counts)]
        elif isinstance(item, WrongVersion):
            out.append(("version", item.wire_version))
        else:
            out.append((item.record.TYPE, item.seq, repr(item.record)))
    return out


def decoded(pieces: list[bytes]) -> tuple[Flat, tuple[int, int, int, dict[str, int]]]:
    """What the decoder makes of a stream that comes in these pieces, and its counters."""
    decoder = Decoder()
    items = [item for piece in pieces for item in decoder.feed(piece)]
    return flat(items), (decoder.seen, decoder.lost, decoder.accepted, decoder.rejected)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


class Oracle:
    """Decodes a whole stream at once."""

    def __init__(self) -> None:
        self.out: Flat = []
        self.seen = self.lost = self.accepted = 0
        self.rejected = dict.fromkeys(Decoder().rejected, 0)
        self.channels = 0
        self.imported = self.synced = self.reopened = self.foreign = False
        self.epoch: tuple[int, int, int] | None = None  # device, boot, run
        self.seq = self.index = self.missing = 0
        self.overruns: int | None = None
        self.pending: tuple[int, int, int] | None = None  # seq, index, overruns that would continue the rejected

    def decode(self, data: bytes) -> Oracle:
        for piece in data.split(b"\0")[:-1]:
            if piece in (b"", b"\1"):
                continue
            reason = self._judge(piece)
            if reason:
                self.rejected[reason] += 1
            else:
                self.accepted += 1
        return self

    def _judge(self, piece: bytes) -> str:
        try:
            raw = cobs.decode(piece)
        except cobs.DecodeError:
            return "overlong" if _overlong(piece) else "crc"
        if len(raw) > MAX_FRAME:
            return "overlong"
        if len(raw) < 5 or binascii.crc_hqx(raw[:-2], 0xFFFF) != int.from_bytes(raw[-2:], "little"):
            return "crc"
        kind, seq, body = raw[0], raw[1] | raw[2] << 8, raw[3:-2]
        if kind not in BODY_SIZES:
            return "type"
        if kind in (0x01, 0x85) and body and body[0] != WIRE_VERSION:
            doubtful = self.channels and not self.reopened and not self.foreign
            self.foreign = True
            if not doubtful:
                self.out.append(("version", body[0]))
            return "type" if doubtful else ""
        fixed, item = BODY_SIZES[kind]
        rest = len(body) - fixed
        if rest < 0 or (rest % item if item else rest):
            return "length"
        if kind in (0x02, 0x21):
            return self._samples(kind, seq, body)
        reason = self._other(kind, seq, body)
        if not reason:
            self.out.append((kind, seq, repr(_record(kind, body))))
        return reason

    def _other(self, kind: int, seq: int, body: bytes) -> str:
        if kind == 0x01:
            return self._hello(seq, body)
        if kind == 0x85 and not self.channels and len(body) == 46:
            return self._hello(None, body)
        if kind in (0x80, 0x82, 0x83) and (len(body) < 2 or body[0] != ord("{") or body[-1] != ord("}")):
            return "length"
        if kind == 0x84:
            if body[0] > 1:
                return "length"
            self.reopened = True
        if kind == 0x20:
            rate_num, rate_den, channels = struct.unpack_from("<IIB", body)
            if not 1 <= channels <= 64 or len(body) != 10 + 16 * channels or not rate_num or not rate_den:
                return "length"
            if self.channels:
                return "sequence"
            self.channels, self.imported, self.synced, self.seq = channels, True, True, (seq + 1) & 0xFFFF
        if kind not in (0x03, 0x04):
            return ""
        if not self.channels:
            return "unannounced"
        ahead = (seq - self.seq) & 0xFFFF
        self._pass_over(seq)
        if not self.synced or ahead > 1024:
            return "sequence"
        if (
            kind == 0x03
            and abs(signed(int.from_bytes(body[:4], "little") - self.index))
            > (ahead + self.missing + 16) * self._most()
        ):
            return "index"
        self.missing += ahead
        self.seq = (seq + 1) & 0xFFFF
        return ""

    def _pass_over(self, seq: int) -> None:
        if self.pending and self.pending[0] == seq:
            self.pending = ((seq + 1) & 0xFFFF, *self.pending[1:])

    def _hello(self, seq: int | None, body: bytes) -> str:
        h = Hello.unpack(body)
        if not (1 <= h.channels <= 8 and 1 <= h.bits <= 16 and h.rate_num and h.rate_den):
            return "length"
        epoch = (h.device_id, h.boot_count, h.run_count)
        after = -1 if seq is None else seq
        if self.channels and epoch == self.epoch:
            ahead = (after - self.seq) & 0xFFFF
            self._pass_over(after)
            if self.synced and ahead > 1024:
                return "sequence"
            self.missing += ahead if self.synced else 0
            self.seq, self.reopened = (after + 1) & 0xFFFF, False
            return ""
        device, boot, run = self.epoch or (0, 0, 0)
        boots, runs = (h.boot_count - boot) & 0xFFFF, (h.run_count - run) & 0xFFFF
        later = 0 < boots < 0x8000 or (boots == 0 and 0 < runs < 0x8000)
        if self.channels and not (h.device_id != device or self.reopened or later):
            return "sequence"
        self.channels, self.epoch, self.imported = h.channels, epoch, False
        self.seq, self.index, self.missing = (after + 1) & 0xFFFF, h.index, 0
        self.overruns = 0 if h.index == 0 else None
        self.synced, self.reopened, self.pending = seq is not None, False, None
        return ""

    def _most(self) -> int:
        """Scans that a lost frame of a board can have carried."""
        return (MAX_BOARD_FRAME - 11) // (2 * self.channels)

    def _samples(self, kind: int, seq: int, body: bytes) -> str:
        imported = kind == 0x21
        if not self.channels or imported != self.imported:
            return "unannounced"
        index = int.from_bytes(body[:4], "little")
        overruns = 0 if imported else int.from_bytes(body[4:6], "little")
        values = np.frombuffer(body[4:], "<f8") if imported else np.frombuffer(body[6:], "<u2").astype(np.float64)
        if not len(values) or len(values) % self.channels:
            return "length"
        scans = values.reshape(-1, self.channels)
        ahead, advance = (seq - self.seq) & 0xFFFF, signed(index - self.index)
        more = 0 if self.overruns is None else (overruns - self.overruns) & 0xFFFF
        reason = ""
        if self.synced and ahead > 1024:
            reason = "sequence"
        elif advance < 0 or (
            self.synced and not imported and not more <= advance <= (ahead + self.missing) * self._most() + more
        ):
            reason = "index"
        if reason:
            continues = (
                self.pending is not None
                and seq == self.pending[0]
                and signed(index - self.pending[1]) == (overruns - self.pending[2]) & 0xFFFF
                and advance >= 0
            )
            if not continues:
                if advance >= 0:
                    self.pending = ((seq + 1) & 0xFFFF, (index + len(scans)) & 0xFFFFFFFF, overruns)
                return reason
        self.lost += advance if self.synced else 0
        self.index += advance
        self.out += [("scan", self.index + k, scan.tobytes()) for k, scan in enumerate(scans)]
        self.index += len(scans)
        self.seq, self.missing, self.overruns, self.synced = (seq + 1) & 0xFFFF, 0, overruns, True
        self.pending, self.foreign = None, False
        self.seen += len(scans)
        return ""


def signed(difference: int) -> int:
    """The difference of two u32 counters, as the nearer way round."""
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def _record(kind: int, body: bytes) -> Record:
    from emgtwitch.wire.records import RECORDS

    return RECORDS[kind].unpack(body)


def _overlong(piece: bytes) -> bool:
    """Whether the blocks of a malformed frame announce more than a frame may hold before the one that is cut short."""
    at = size = 0
    while at < len(piece):
        size += piece[at] - 1
        if size > MAX_FRAME:
            return True
        size += piece[at] < 255
        at += piece[at]
    return False
