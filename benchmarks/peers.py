"""What a user would write instead, as fast as the packages at hand allow.

They do less: the decoder knows no epochs, no overruns and no relock after a loss; the chain has one time scale, does
not follow the mains, refines no edges and tells no artefact.
"""

from __future__ import annotations

import binascii
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np
import numpy.typing as npt
from cobs import cobs
from scipy.ndimage import uniform_filter1d
from scipy.signal import sosfilt

from benchmarks.chunked_scipy import band_pass_and_notches
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import MAX_FRAME, Samples

Detect = Callable[["Floats"], object]
Checksum = Callable[[bytes], int]
Floats = npt.NDArray[np.float64]
Found = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # onsets and offsets, in samples

HEAD_BYTES = 9  # type, seq, index, overruns
CRC_BYTES = 2


def crc_hqx(data: bytes) -> int:
    """The wire's CRC-16, by the standard library."""
    return binascii.crc_hqx(data, 0xFFFF)


def fastcrc() -> Checksum:
    """The wire's CRC-16, by fastcrc, which calls it IBM-3740."""
    checksum: Checksum = import_module("fastcrc").crc16.ibm_3740
    return checksum


def decode_with_packages(data: bytes, crc: Checksum) -> tuple[Floats, int]:
    """Counts of the Samples frames that pass COBS, `crc` and length; how many frames did not follow the one before."""
    payload = bytearray()
    expected, jumps = 0, 0
    for encoded in data.split(b"\0"):
        if not encoded:
            continue
        try:
            raw = cobs.decode(encoded)
        except cobs.DecodeError:
            continue
        if not HEAD_BYTES + CRC_BYTES < len(raw) <= MAX_FRAME or (crc(raw[:-CRC_BYTES]) != raw[-2] | raw[-1] << 8):
            continue
        seq = raw[1] | raw[2] << 8
        jumps += seq != expected
        expected = (seq + 1) & 0xFFFF
        if raw[0] == Samples.TYPE:
            payload += raw[HEAD_BYTES:-CRC_BYTES]
    return np.frombuffer(payload, dtype="<u2").astype(np.float64), jumps


def encode_by_frame(counts: npt.NDArray[np.uint16], scans: int = 16) -> bytes:
    """One channel's Samples frames, the first of them seq 1."""
    values = counts[:, 0].tolist()
    return b"".join(
        frame(Samples(at, 0, tuple(values[at : at + scans])), 1 + at // scans) for at in range(0, len(values), scans)
    )


class ScipyChain:
    """Band-pass and notches, square, moving mean, median and MAD as threshold.

    Feed it either `whole` arrays or `block` after block; `onsets` are where blocks rose above the threshold.
    """

    MEAN_S = 0.05
    MADS = 6.0
    HISTORY_BLOCKS = 300

    def __init__(self, fs_Hz: float, uV_per_count: float) -> None:
        self._sos = band_pass_and_notches(fs_Hz)
        self._scale = uV_per_count
        self._mean = round(self.MEAN_S * fs_Hz)
        self._zi = np.zeros((len(self._sos), 2))
        self._squares = np.zeros(self._mean)  # the newest, oldest first
        self._history = np.zeros(self.HISTORY_BLOCKS)  # newest energy of each block, as a ring
        self._seen = 0
        self._above = False
        self._index = 0
        self.onsets: list[int] = []

    def energy(self, counts: Floats) -> Floats:
        """Mean square over the last 50 ms in uV^2, of a whole signal."""
        filtered = sosfilt(self._sos, counts * self._scale)
        centred = self._mean - 1 - self._mean // 2  # moves scipy's centred window back, so that it looks at the past
        return np.asarray(uniform_filter1d(filtered * filtered, self._mean, mode="constant", origin=centred))

    def whole(self, counts: Floats) -> Found:
        """Onsets and offsets in a whole signal."""
        energy = self.energy(counts)
        changes = np.diff((energy > self._threshold(energy)).view(np.int8))
        return np.flatnonzero(changes > 0) + 1, np.flatnonzero(changes < 0) + 1

    def block(self, counts: Floats) -> Floats:
        """Take the next samples; returns their energy."""
        n = len(counts)
        filtered, self._zi = sosfilt(self._sos, counts * self._scale, zi=self._zi)
        squares = np.concatenate((self._squares, filtered * filtered))
        sums = np.cumsum(squares)
        energy: Floats = (sums[-n:] - sums[-n - self._mean : -self._mean]) / self._mean
        self._squares = squares[n:]
        self._history[self._seen % self.HISTORY_BLOCKS] = energy[-1]
        self._seen += 1
        above = energy > self._threshold(self._history[: self._seen])
        if above[0] and not self._above:
            self.onsets.append(self._index)
        self.onsets += (self._index + 1 + np.flatnonzero(above[1:] & ~above[:-1])).tolist()
        self._above = bool(above[-1])
        self._index += n
        return energy

    def _threshold(self, energy: Floats) -> float:
        middle = np.median(energy)
        return float(middle + self.MADS * 1.4826 * np.median(np.abs(energy - middle)))


def package_detectors(fs_Hz: float) -> Iterator[tuple[str, Detect, float | None]]:
    """Packages' own detectors: name, function of a signal in uV, ratio asked for.

    NeuroKit2's default of cleaning, amplitude and activation. Of BioSPPy the one with the highest F1 in most groups of
    docs/accuracy.md, Hodges and Bui's, and the quickest of those there, Bonato's. ObsPy's triggers of seismology do
    less: energy of 50 ms over that of 5 s, without a filter.
    """
    neurokit2, emg = import_module("neurokit2"), import_module("biosppy.signals.emg")
    rest_s = 2.0

    def process(signal_uV: Floats) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return neurokit2.emg_process(signal_uV, sampling_rate=fs_Hz)

    def hodges_bui(signal_uV: Floats) -> object:
        rest = signal_uV[: round(rest_s * fs_Hz)]
        return emg.hodges_bui_onset_detector(
            signal=signal_uV, rest=rest, sampling_rate=fs_Hz, size=round(0.02 * fs_Hz), threshold=5.0
        )

    def bonato(signal_uV: Floats) -> object:
        return emg.bonato_onset_detector(
            signal=signal_uV,
            rest=signal_uV[: round(rest_s * fs_Hz)],
            sampling_rate=fs_Hz,
            threshold=10.0,
            active_state_duration=5,
            samples_above_fail=2,
            fail_size=5,
        )

    yield "neurokit2 emg_process", process, 1000.0
    yield "biosppy hodges_bui, its most accurate", hodges_bui, 40.0
    yield "biosppy bonato, its quickest", bonato, 40.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what ObsPy uses, by what ObsPy uses
        trigger = import_module("obspy.signal.trigger")

    def sta_lta(ratio: Callable[..., Floats]) -> Detect:
        short, long = round(0.05 * fs_Hz), round(5 * fs_Hz)
        return lambda signal_uV: trigger.trigger_onset(ratio(signal_uV, short, long), 4.0, 1.5)

    yield "obspy recursive STA/LTA", sta_lta(trigger.recursive_sta_lta), None
    yield "obspy classic STA/LTA", sta_lta(trigger.classic_sta_lta), None
