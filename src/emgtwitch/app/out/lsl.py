"""Live to the Lab Streaming Layer: one outlet for the signal, on the device's fitted clock, and one for events."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.detect.records import Event, Interval, Mark, Stamped
from emgtwitch.errors import UsageError
from emgtwitch.pipeline import Pipeline

FOLLOW = 0.02  # share of a deviation from the fitted clock that a run of some 20 ms makes good
JUMP_S = 0.25  # from which on it is made good at once
WAITING = 500  # runs of signal, of some 20 ms each, before any is dropped


@dataclass(frozen=True, slots=True)
class _Run:
    """Contiguous scans; `boottime_ns` is the host's CLOCK_BOOTTIME of the first, None before the clock is known."""

    from_s: float
    rate_Hz: float
    uV_per_count: float | None
    counts: npt.NDArray[np.float64]
    boottime_ns: int | None
    step_s: float


class LslOutlet:
    """Sends from a thread of its own; whoever hands it something never waits, and what is too much is dropped.

    `device` names the streams' source, `worn` tells muscle and side of each channel, `warn` is told what is amiss.
    Raises UsageError where pylsl is not installed.
    """

    def __init__(self, device: str, worn: Sequence[dict[str, str]], warn: Callable[[str], None]) -> None:
        try:
            import pylsl
        except (ImportError, RuntimeError):
            raise UsageError("--lsl needs pylsl with its library: pip install 'emgtwitch[lsl]'.") from None
        self._lsl: Any = pylsl
        self._device, self._worn, self._warn = device, worn, warn
        self._queue: queue.Queue[_Run | list[Stamped] | None] = queue.Queue(WAITING)
        self._signal: Any = None
        self._form: tuple[float, int, bool] | None = None
        self._dropped = False
        self._end: tuple[float, float] | None = None  # session and LSL time after what was sent last
        info = pylsl.StreamInfo("emgtwitch-events", "Markers", 1, pylsl.IRREGULAR_RATE, "string", f"{device}-events")
        self._events = pylsl.StreamOutlet(info)
        self._thread = threading.Thread(target=self._run, name="lsl", daemon=True)
        self._thread.start()

    def counts(self, first: int, counts: npt.NDArray[np.float64], pipeline: Pipeline) -> None:
        """Take a run of scans (n, channels); on the thread that feeds the pipeline."""
        from_s = pipeline.seconds(first)
        begin, end = (pipeline.boottime_ns(from_s + n / pipeline.rate_Hz) for n in (0, len(counts)))
        step_s = 1 / pipeline.rate_Hz if begin is None or end is None else (end - begin) / 1e9 / len(counts)
        self._put(_Run(from_s, pipeline.rate_Hz, pipeline.uV_per_count, counts, begin, step_s))

    def post(self, outputs: Sequence[Stamped]) -> None:
        """Take what was stored."""
        told = [one for one in outputs if isinstance(one.record, (Event, Interval, Mark))]
        if told:
            self._put(told)

    def close(self) -> None:
        """Send what waits, and end the streams."""
        self._queue.put(None)
        self._thread.join(5.0)

    def _put(self, item: _Run | list[Stamped]) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            if not self._dropped:
                self._dropped = True
                self._warn("LSL does not take the signal as fast as it comes; some of it is left out there.")

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Run):
                self._send(item)
            else:
                for stamped in item:
                    self._tell(stamped)
        self._signal = self._events = None  # ends the streams

    def _send(self, run: _Run) -> None:
        form = (run.rate_Hz, run.counts.shape[1], run.uV_per_count is not None)
        if form != self._form:
            self._signal, self._form = self._outlet(*form), form
        begin_s = self._lsl_time(run.boottime_ns)
        if begin_s is None:
            begin_s = self._lsl.local_clock() - len(run.counts) * run.step_s
        if self._end is not None and abs(run.from_s - self._end[0]) < run.step_s / 2:
            # Each new fit of the clock moves a little: what goes on follows it smoothly, and never back.
            off_s = begin_s - self._end[1]
            begin_s = self._end[1] + max(FOLLOW * off_s, -run.step_s / 2) if abs(off_s) < JUMP_S else begin_s
        self._end = run.from_s + len(run.counts) / run.rate_Hz, begin_s + len(run.counts) * run.step_s
        scale = 1.0 if run.uV_per_count is None else run.uV_per_count
        values = np.ascontiguousarray(run.counts * scale, dtype=np.float32)
        self._signal.push_chunk(values, (begin_s + run.step_s * np.arange(len(values))).tolist())

    def _tell(self, stamped: Stamped) -> None:
        record = stamped.record
        assert isinstance(record, (Event, Interval, Mark))
        at_s = record.at_s if isinstance(record, Mark) else record.onset_s
        # On the time of the signal that was sent, lest both follow a new fit at different paces.
        sent_s = self._lsl.local_clock() if self._end is None else self._end[1] + at_s - self._end[0]
        self._events.push_sample([json.dumps(record.as_json() | {"utc_ms": stamped.utc_ms})], sent_s)

    def _lsl_time(self, boottime_ns: int | None) -> float | None:
        """LSL's clock stands still in a suspend, CLOCK_BOOTTIME does not: so by how long ago it was."""
        if boottime_ns is None:
            return None
        ago_s = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - boottime_ns) / 1e9
        return float(self._lsl.local_clock()) - ago_s

    def _outlet(self, rate_Hz: float, channels: int, in_uV: bool) -> Any:
        info = self._lsl.StreamInfo("emgtwitch", "EMG", channels, rate_Hz, "float32", self._device)
        described = info.desc().append_child("channels")
        for number in range(channels):
            worn = self._worn[number] if number < len(self._worn) else {}
            channel = described.append_child("channel")
            where = " ".join(filter(None, (worn.get("muscle"), worn.get("side"))))
            channel.append_child_value("label", where or f"EMG {number}")
            channel.append_child_value("unit", "microvolts" if in_uV else "counts")
            channel.append_child_value("type", "EMG")
        return self._lsl.StreamOutlet(info)
