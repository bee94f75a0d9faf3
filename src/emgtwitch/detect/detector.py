"""The detector of one channel: settings and scale in, rows of `state.OUT` out."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from emgtwitch.detect import kernel
from emgtwitch.detect.floor import FLOOR_QUANTILE, LOW_QUANTILE, SPREAD_SIGMA, TAIL_EVERY_S, TAIL_STEP, look_hops
from emgtwitch.detect.mains import TUNE_S
from emgtwitch.detect.state import CAUSES, FLOOR_MAX, HOP_TICKS, LANES, OUT, PARAMS, SCALES, STATE
from emgtwitch.dsp.design import (
    butterworth_band_pass,
    butterworth_high_pass,
    degrees_of_freedom,
    energy_delay,
    mean_square_quantile,
    upper_quantile,
    window_weights,
)
from emgtwitch.settings import Settings, SettingsError

TICK_S = 0.004
RESUME_EVERY_S = 60.0  # in which noise, once in each length of window, seems to go on with what has lasted
LOOKS = 4.0  # independent ones in the length of a window, of those at every tick and with the error of the floor
FLOOR_LOOKBACK_S = 12.0
FALL_S = 1.5  # below the floor throughout, and it falls at once
LOWEST_RATE_HZ = 200.0
HIGHEST_RATE_HZ = 20000.0
MAINS_TAU_S = 0.4
LOUD_TAU_S = 10.0
JUST_LOUD_TAU_S = 0.4


class Detector:
    """Finds events in one channel of contiguous samples; `splice` for short gaps, `finish` before a long one.

    `rails` are the lowest and highest possible count, NaN where unknown. Times in the rows are samples on the
    caller's index, which starts at `index`; events are numbered from `number` + 1.
    `step` is the distance of neighbouring counts, whose rounding bounds the noise floor from below.
    """

    def __init__(
        self,
        settings: Settings,
        fs_Hz: float,
        uV_per_count: float | None = None,
        rails: tuple[float, float] = (math.nan, math.nan),
        index: int = 0,
        number: int = 0,
        step: float = 0.0,
    ) -> None:
        self._params = parameters(settings, fs_Hz, 1.0 if uV_per_count is None else uV_per_count, rails)
        if uV_per_count is None and (settings.on_uV or settings.off_uV):
            raise SettingsError(
                "on_uV and off_uV need a known gain, and this recording's is unknown. "
                "Give its unit (--units uV), write the gain to the board, or use a preset without uV."
            )
        self._params["floor_min"] = (step * self._params["scale"]) ** 2 / 12
        self._state = np.zeros(1, dtype=STATE)
        self._out = np.zeros(128, dtype=OUT)
        self._state["number"] = number
        self._start(index)

    def _start(self, index: int) -> None:
        state, params = self._state[0], self._params[0]
        number = state["number"]
        self._state[:] = 0
        state["number"] = number  # stays unique in the channel
        state["index"] = state["settling_start"] = index
        state["cold"] = state["settling"] = 1
        state["guard"] = params["guard"]
        state["last_count"] = math.nan
        state["clip"] = math.inf
        state["tail"] = 1.0
        for name in ("threshold", "far", "resume"):
            state[name] = params[name]
        state["family_Hz"] = (params["lane_Hz"][0], params["lane_Hz"][LANES // 2])
        kernel.start(self._params, self._state)

    @property
    def index(self) -> int:
        """Index of the next sample."""
        return int(self._state["index"][0] + self._state["in_hop"][0])

    @property
    def settled(self) -> int:
        """Whatever is still to come is decided at or after this sample."""
        return int(self._state["index"][0])

    @property
    def number(self) -> int:
        """Number of the last event opened."""
        return int(self._state["number"][0])

    @property
    def floor_uV(self) -> float:
        """RMS of the quiet signal as known now, in uV (counts if the gain is unknown); 0 before it is known."""
        return math.sqrt(self._state["floor"][0])

    @property
    def mains_uV(self) -> float:
        """Amplitude of the mains that is being removed, root of the sum of squares over its harmonics."""
        state = self._state[0]
        return math.sqrt(float(np.sum(state["lane_c"] ** 2 + state["lane_s"] ** 2)))

    # For those who show the signal

    @property
    def condition(self) -> str:
        """rail or flat where the input says nothing at present, settling while the floor is not known, else good."""
        state = self._state[0]
        return CAUSES[state["bad"]][0] if state["bad"] else "settling" if state["settling"] else "good"

    @property
    def delay(self) -> int:
        """Samples by which the filtered signal comes later than the raw one."""
        return int(self._params["delay"][0])

    @property
    def filtered_count(self) -> int:
        """Samples filtered since the cold start, holes not counted."""
        return int(self._state["pos"][0])

    @property
    def whole_since(self) -> int:
        """How many of them lie before the last hole."""
        return int(self._state["splice_pos"][0])

    def filtered(self, start: int, stop: int) -> npt.NDArray[np.float64]:
        """Samples start to stop of those filtered, as far as they are kept (over a second), in uV (counts)."""
        mask = int(self._params["ring_mask"][0])
        start = max(start, self.filtered_count - mask - 1)
        kept: npt.NDArray[np.float64] = self._state["ring"][0][np.arange(start, max(start, stop)) & mask]
        return kept

    @property
    def on_uV(self) -> float:
        """RMS over the window of the detector that is next to 32 ms which opens an event; NaN before it is known."""
        state, params = self._state[0], self._params[0]
        scale = 2 if math.isfinite(state["on"][2]) else 3
        n = int(params["tick"]) << (int(params["first_scale"]) + scale)
        return math.sqrt(state["on"][scale] / n) or math.nan

    @property
    def off_uV(self) -> float:
        """RMS to which the signal must return for the event to end; NaN before it is known."""
        state = self._state[0]
        return math.sqrt(state["base"] if state["phase"] else state["floor"]) or math.nan

    def feed(self, counts: npt.NDArray[np.float64]) -> list[np.void]:
        """Rows decided by these samples, in order. `counts` (n,) float64, contiguous."""
        return self._advance(counts, False)

    def splice(self, gap: int) -> list[np.void]:
        """`gap` samples are missing; an open event and the floor live on. Rows decided by the samples before."""
        rows = self._advance(np.empty(0), True)
        kernel.splice(self._params, self._state, gap)
        return rows

    def finish(self, restart_index: int) -> list[np.void]:
        """Close what is open, truncated, and start cold with the sample `restart_index`."""
        rows = self._advance(np.empty(0), True)
        found = kernel.finish(self._params, self._state, self._out)
        rows.extend(self._out[:found].copy())
        self._start(restart_index)
        return rows

    def _advance(self, counts: npt.NDArray[np.float64], flush: bool) -> list[np.void]:
        rows: list[np.void] = []
        done = 0
        while True:
            taken, found = kernel.advance(counts[done:], self._params, self._state, self._out, flush)
            if found:  # an empty copy of rows would take as long as the samples of a block
                rows.extend(self._out[:found].copy())
            done += taken
            if done == len(counts):
                return rows


def parameters(
    settings: Settings, fs_Hz: float, uV_per_count: float, rails: tuple[float, float]
) -> npt.NDArray[np.void]:
    """The kernel's parameters for this rate: one row of PARAMS. Raises SettingsError where the rate is out of range."""
    row = _designed(settings, fs_Hz).copy()
    p = row[0]
    p["scale"] = uV_per_count
    p["rail_low"] = -math.inf if math.isnan(rails[0]) else rails[0]
    p["rail_high"] = math.inf if math.isnan(rails[1]) else rails[1]
    return row


@lru_cache(maxsize=8)  # quantiles of filtered noise take 40 ms, and channels and recordings share them
def _designed(settings: Settings, fs_Hz: float) -> npt.NDArray[np.void]:
    """All but scale and rails, which channels need not share; a NaN among them would never be found again."""
    if not LOWEST_RATE_HZ <= fs_Hz <= HIGHEST_RATE_HZ:
        raise SettingsError(
            f"The signal is sampled at {fs_Hz:g} Hz; {LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g} Hz can be analysed."
        )
    high_Hz = min(settings.band_high_Hz, 0.4 * fs_Hz)
    if settings.band_low_Hz >= high_Hz:
        raise SettingsError(f"band_low_Hz is {settings.band_low_Hz:g}; at {fs_Hz:g} Hz it must be below {high_Hz:g}.")
    main = butterworth_band_pass(2, settings.band_low_Hz, high_Hz, fs_Hz)
    tick = max(1, round(TICK_S * fs_Hz))
    first_scale = max(0, round(math.log2(0.008 * fs_Hz / tick)))
    windows = [tick << (first_scale + j) for j in range(SCALES)]
    dof = [degrees_of_freedom(main, n) for n in windows]
    # Windows of n samples share the budget evenly.
    budget = settings.false_per_hour / SCALES / 3600
    row = np.zeros(1, dtype=PARAMS)
    p = row[0]
    p["tick"], p["first_scale"], p["fs"] = tick, first_scale, fs_Hz
    p["main"] = main
    p["low"] = butterworth_band_pass(1, 4.0, 25.0, fs_Hz)[0]
    p["mid"] = butterworth_high_pass(min(80.0, 0.3 * fs_Hz), fs_Hz)[0]
    p["has_high"] = fs_Hz >= 900
    p["high"] = butterworth_high_pass(min(280.0, 0.3 * fs_Hz), fs_Hz)[0]
    p["delay"] = round(energy_delay(main, fs_Hz))
    _set_lanes(p, settings.mains_Hz, fs_Hz)
    p["mu"] = 1 / (MAINS_TAU_S * fs_Hz)
    p["tune_hops"] = max(1, int(TUNE_S * fs_Hz) // (HOP_TICKS * tick))
    weights = [window_weights(main, n) for n in windows]
    p["threshold"] = [upper_quantile(w, budget * n / fs_Hz / LOOKS) for n, w in zip(windows, weights, strict=True)]
    looks_s = [look_hops(first_scale + j) * HOP_TICKS * tick / fs_Hz for j in range(SCALES)]
    p["far"] = [upper_quantile(w, look_s / TAIL_EVERY_S) for w, look_s in zip(weights, looks_s, strict=True)]
    p["resume"] = [upper_quantile(w, n / fs_Hz / LOOKS / RESUME_EVERY_S) for n, w in zip(windows, weights, strict=True)]
    p["lasting"] = round(0.5 * fs_Hz)
    p["tail_down"] = [math.exp(-TAIL_STEP * look_s / TAIL_EVERY_S) for look_s in looks_s]
    p["dof"] = dof
    at_floor = mean_square_quantile(1 - FLOOR_QUANTILE, dof[3])
    ratio = at_floor / mean_square_quantile(1 - LOW_QUANTILE, dof[3])
    p["spread_gauss"] = (math.log(ratio) / SPREAD_SIGMA) ** 2
    p["dof_tick"] = dof[2] / (1 << (first_scale + 2))
    hop_s = HOP_TICKS * tick / fs_Hz
    p["floor_entries"] = min(FLOOR_MAX, round(FLOOR_LOOKBACK_S / hop_s))
    p["fall_hops"] = round(FALL_S / hop_s)
    p["floor_gain"] = 1 / at_floor
    p["line_window"] = round(0.1 * fs_Hz) * (1 if p["has_high"] else 2)
    p["on_uV"], p["off_uV"] = settings.on_uV, settings.off_uV
    p["loud_decay"] = math.exp(-hop_s / LOUD_TAU_S)
    p["just_loud_decay"] = math.exp(-hop_s / JUST_LOUD_TAU_S)
    p["rms5"] = max(2, round(0.005 * fs_Hz))  # the square of one sample is no mean square
    p["hold"] = round(settings.pause_ms / 1000 * fs_Hz)
    p["merge_max"] = round(settings.merge_max_ms / 1000 * fs_Hz)
    p["join"] = max(p["hold"], round(0.025 * fs_Hz))
    p["reach_max"] = min(round(0.06 * fs_Hz), p["merge_max"])
    p["weak_reach"] = min(round(0.08 * fs_Hz), p["merge_max"])
    p["doublet"] = round(0.039 * fs_Hz)
    p["brief"] = round(0.06 * fs_Hz)
    p["twitch_max"] = round(settings.twitch_max_ms / 1000 * fs_Hz)
    p["tone_max"] = min(p["twitch_max"], round(0.3 * fs_Hz))
    p["spasm_min"] = math.ceil(settings.spasm_min_s * fs_Hz)
    p["min_length"] = math.ceil(settings.min_ms / 1000 * fs_Hz)
    p["rail_run"] = max(3, round(0.02 * fs_Hz))
    p["flat_run"] = round(0.25 * fs_Hz)
    p["guard"] = round(0.25 * fs_Hz)
    p["splice_guard"] = round(0.02 * fs_Hz)
    p["ring_mask"] = (1 << math.ceil(math.log2(1.2 * fs_Hz))) - 1
    p["ladder_lag"] = round(0.064 * fs_Hz)
    return row


def _set_lanes(p: np.void, mains_Hz: float, fs_Hz: float) -> None:
    """Which sinusoids are removed; those above the band are switched off by order 0."""
    if mains_Hz:
        families, orders = [0] * LANES, list(range(1, LANES + 1))
        nominal = [mains_Hz] * LANES
    else:
        families = [0] * (LANES // 2) + [1] * (LANES // 2)
        orders = [1, 2, 3, 5] * 2
        nominal = [50.0] * (LANES // 2) + [60.0] * (LANES // 2)
    p["lane_family"], p["lane_Hz"] = families, nominal
    p["lane_order"] = [order if order * f < 0.42 * fs_Hz else 0 for order, f in zip(orders, nominal, strict=True)]
