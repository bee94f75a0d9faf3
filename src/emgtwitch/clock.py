"""The device clock fitted to the host's: where a sample lies in the world's time, and how far off the board's clock is.

Pure: marks in, a line out, so a replay fits the same clock as the live run. Arrival is never early and often late
(the FTDI latency timer, USB bunching), so the line is fitted with late marks rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emgtwitch.wire.records import Clock

MOST_MARKS = 1024  # then every other older mark is dropped: the span stays, the memory does not grow
FIT_AFTER_S = 10.0
REJECT_SIGMA = 3.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Host seconds since the first mark = offset_s + slope * device seconds since the first mark."""

    offset_s: float
    slope: float
    slope_error: float  # standard error

    @property
    def ppm(self) -> float:
        """How much faster than nominal the board's clock runs, in parts per million."""
        return (1 / self.slope - 1) * 1e6

    @property
    def ppm_uncertainty(self) -> float:
        """Standard uncertainty of `ppm`."""
        return self.slope_error * 1e6


class DeviceClock:
    """Collects (device seconds, host clocks) and answers in UTC. One epoch of the board's clock at a time."""

    def __init__(self) -> None:
        self._device: list[float] = []
        self._host: list[float] = []
        self._first_ns = 0
        self._first_device_s = 0.0
        self._last: Clock | None = None
        self._known: Fit | None = None  # of an earlier epoch, until this one has its own
        self._fit: Fit | None = None

    def restart(self) -> None:
        """The board was reset: its seconds may lie anywhere against the host's, its rate is still the same."""
        self._known = self.fit()
        self._device.clear()
        self._host.clear()
        self._fit = None

    def add(self, device_s: float, mark: Clock) -> None:
        """The host's clocks when the sample at `device_s` was the next to come.

        Of marks between which no sample came only the first counts: the others say how long the silence was.
        """
        self._last = mark
        if not self._device:
            self._first_ns, self._first_device_s = mark.boottime_ns, device_s
        elif device_s - self._first_device_s <= self._device[-1]:
            return
        self._device.append(device_s - self._first_device_s)
        self._host.append((mark.boottime_ns - self._first_ns) / 1e9)
        self._fit = None
        if len(self._device) > MOST_MARKS:
            half = MOST_MARKS // 2
            self._device[:half] = self._device[:half:2]
            self._host[:half] = self._host[:half:2]

    def fit(self) -> Fit | None:
        """The line through the marks, or None before they span FIT_AFTER_S."""
        if not self._device or self._device[-1] < FIT_AFTER_S or len(self._device) < 5:
            return self._known
        if self._fit is None:
            self._fit = _robust_line(np.array(self._device), np.array(self._host))
        return self._fit

    def boottime_ns(self, device_s: float) -> int | None:
        """The host's CLOCK_BOOTTIME at a moment on the device clock, or None without any mark."""
        if self._last is None:
            return None
        x = device_s - self._first_device_s
        fit = self.fit()
        if fit is not None and self._fit is not None:
            host_s = fit.offset_s + fit.slope * x
        elif self._device:  # the rate of an earlier epoch or the nominal one, the offset of this one
            host_s = self._host[-1] + (fit.slope if fit else 1.0) * (x - self._device[-1])
        else:
            host_s = x
        return self._first_ns + round(1e9 * host_s)

    def utc_ms(self, device_s: float) -> int | None:
        """UTC of a moment on the device clock, by the host's last word on it, or None without any mark."""
        boottime_ns = self.boottime_ns(device_s)
        if self._last is None or boottime_ns is None:
            return None
        return round(self._last.utc_ms + (boottime_ns - self._last.boottime_ns) / 1e6)

    @property
    def offset_s(self) -> int | None:
        """Local time minus UTC at the last mark."""
        return self._last.offset_s if self._last else None


def _line(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of the least-squares line, at a tenth of the cost of np.polyfit: the daemon fits each second."""
    centred = x - x.mean()
    slope = float(centred @ y) / float(centred @ centred)
    return slope, float(y.mean() - slope * x.mean())


def _robust_line(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Fit:
    """Least squares with marks rejected that lie further off than REJECT_SIGMA robust standard deviations."""
    keep = np.ones(len(x), dtype=np.bool_)
    for _ in range(5):
        slope, offset = _line(x[keep], y[keep])
        residual = y - (offset + slope * x)
        spread = 1.4826 * float(np.median(np.abs(residual[keep] - np.median(residual[keep])))) + 1e-6
        better = np.abs(residual - np.median(residual[keep])) <= REJECT_SIGMA * spread
        if better.sum() < 5 or np.array_equal(better, keep):
            break
        keep = better
    n = int(keep.sum())
    centred = x[keep] - x[keep].mean()
    variance = float(np.sum(residual[keep] ** 2)) / max(n - 2, 1)
    return Fit(float(offset), float(slope), float(np.sqrt(variance / max(float(np.sum(centred**2)), 1e-12))))
