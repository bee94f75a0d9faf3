"""What the board sent against what its converter did: the same, scan by scan, or a loss that it admits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emgtwitch.wire.decode import Decoder, Frame, Run
from emgtwitch.wire.records import Answer, Counters, Hello, Mark, Record
from firmware.sim.harness import CLOCK_HZ, Conversions, Outcome, Waveform

FEWEST = 8  # conversions at equal intervals that make a stream
HALFBAND = (-20, 0, 42, 0, -94, 0, 328, 512, 328, 0, -94, 0, 42, 0, -20)  # in 1024ths
HALVED_HZ = 500  # this rate is made of twice as many scans
TAIL_SCANS = 130  # the ring, and a frame that had not been begun when the run ended

Counts = npt.NDArray[np.float64]


@dataclass
class Epoch:
    """What was decoded between one start of the board's index and the next."""

    hello: Hello
    runs: list[Run] = field(default_factory=list)

    @property
    def scans(self) -> int:
        return sum(len(run.counts) for run in self.runs)

    @property
    def end(self) -> int:
        """The index after the last scan received."""
        return self.runs[-1].index + len(self.runs[-1].counts)


class Heard:
    """What the product's decoder makes of the bytes fed so far."""

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []  # those with samples
        self.records: list[Record] = []  # all others, in order
        self._decoder = Decoder()
        self._open: Epoch | None = None

    def feed(self, data: bytes) -> Heard:
        for item in self._decoder.feed(data):
            if isinstance(item, Run):
                assert self._open is not None
                if not self._open.runs:
                    self.epochs.append(self._open)
                self._open.runs.append(item)
            elif isinstance(item, Frame):
                self.records.append(item.record)
                if isinstance(item.record, Hello):
                    self._greet(item.record)
        return self

    def _greet(self, hello: Hello) -> None:
        if self._open is None or not _same(self._open.hello, hello):
            self._open = Epoch(hello)
        self._open.hello = hello

    @property
    def rejected(self) -> int:
        return sum(self._decoder.rejected.values())

    @property
    def lost(self) -> int:
        return self._decoder.lost

    @property
    def hellos(self) -> list[Hello]:
        return [record for record in self.records if isinstance(record, Hello)]

    @property
    def answers(self) -> list[Answer]:
        return [record for record in self.records if isinstance(record, Answer)]

    @property
    def marks(self) -> list[Mark]:
        return [record for record in self.records if isinstance(record, Mark)]

    @property
    def counters(self) -> list[Counters]:
        return [record for record in self.records if isinstance(record, Counters)]


def heard(data: bytes) -> Heard:
    """Decode `data`, board's bytes or a recording."""
    return Heard().feed(data)


def _same(a: Hello, b: Hello) -> bool:
    return (a.device_id, a.boot_count, a.run_count) == (b.device_id, b.boot_count, b.run_count)


def converter_streams(conversions: Conversions) -> list[Conversions]:
    """The stretches of triggered conversions at exactly equal intervals: a trigger that came late ends one."""
    triggered = conversions[conversions["triggered"] == 1]
    intervals = np.diff(triggered["cycle"].astype(np.int64))
    out, at = [], 0
    for _, group in itertools.groupby(intervals.tolist()):
        n = sum(1 for _ in group)
        if n + 1 >= FEWEST:
            out.append(triggered[at : at + n + 1])
        at += n
    return out


def interval_cycles(stream: Conversions) -> int:
    return int(stream["cycle"][1]) - int(stream["cycle"][0])


def scans_of(stream: Conversions, channels: int, oversampling: int) -> Counts:
    """The sums that the board should have made of a stream, (scans, channels)."""
    columns = []
    for channel in range(channels):
        counts = stream["count"][stream["channel"] == channel].astype(np.float64)
        whole = len(counts) // oversampling
        columns.append(counts[: whole * oversampling].reshape(whole, oversampling).sum(axis=1))
    scans = min(len(column) for column in columns)
    return np.stack([column[:scans] for column in columns], axis=1)


def halved(made: Counts, bits: int) -> Counts:
    """Every second scan after the half-band filter that halfband.h documents: its twin, tap by tap."""
    x = made.astype(np.int64)
    scans = (len(x) - len(HALFBAND)) // 2 + 1
    total = np.full((scans, x.shape[1]), 512, dtype=np.int64)
    for n, tap in enumerate(HALFBAND):
        total += tap * x[n : n + 2 * scans - 1 : 2]
    out: Counts = np.clip(total >> 10, 0, 2**bits - 1).astype(np.float64)
    return out


def check_waveform(conversions: Conversions, wave: Waveform, avcc_mV: float = 5000.0) -> None:
    """The converter's answers are the waveform at the instants of its triggers."""
    pins = conversions[(conversions["triggered"] == 1)]
    assert len(pins)
    np.testing.assert_array_equal(pins["count"], wave.counts(pins["cycle"], pins["channel"], avcc_mV))


def check_epoch(epoch: Epoch, stream: Conversions) -> int:
    """Every scan received is the converter's at its index; returns how many of the stream's were not received."""
    hello = epoch.hello
    rate_Hz = hello.rate_num / hello.rate_den
    conversions_Hz = rate_Hz * hello.channels * hello.oversampling * (2 if rate_Hz == HALVED_HZ else 1)
    assert interval_cycles(stream) == CLOCK_HZ / conversions_Hz
    made = scans_of(stream, hello.channels, hello.oversampling)
    if rate_Hz == HALVED_HZ:
        made = halved(made, hello.bits)
    for run in epoch.runs:
        np.testing.assert_array_equal(run.counts, made[run.index : run.index + len(run.counts)])
    return len(made) - epoch.scans


def check_whole(outcome: Outcome, wave: Waveform) -> Heard:
    """Nothing lost, nothing damaged, every sample right; over all runs of `outcome`."""
    check_waveform(outcome.conversions, wave)
    got = heard(outcome.sent)
    assert (got.rejected, got.lost) == (0, 0)
    streams = converter_streams(outcome.conversions)
    assert len(streams) == len(got.epochs) > 0
    for epoch, stream in zip(got.epochs, streams, strict=True):
        assert 0 <= check_epoch(epoch, stream) <= TAIL_SCANS
    assert outcome.report["missed_flag"] == outcome.report["missed_busy"] == outcome.report["rx_overruns"] == 0
    return got


def noise_waveform(seconds: float, channels: int = 4, seed: int = 1) -> Waveform:
    """White noise from rail to rail at a rate that no timer divides: a sample at a wrong instant is a wrong sample."""
    rate_Hz = 20_011.0
    level_mV = np.random.default_rng(seed).uniform(0.0, 5000.0, (round(seconds * rate_Hz), channels))
    return Waveform(level_mV.astype(np.float32), rate_Hz)
