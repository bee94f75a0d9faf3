"""Every foreign format: a file as bytes, opened as `replay` opens it, with and without the options it may need.

What is made of it must be sound wire; what the pipeline makes of that is the target `pipeline`.

HDF5 and Parquet are read by C++ whose coverage is not seen: their seeds are mutated blindly, and HDF5 is also made
anew by h5py from a recipe, so that groups, shapes and attributes are odd and the file around them sound.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path

from emgtwitch.errors import EmgtwitchError
from emgtwitch.sources.foreign.as_wire import wire_bytes
from emgtwitch.sources.foreign.table import open_foreign
from emgtwitch.wire.decode import Decoder
from tests.fuzz.law import BrokenError, Target
from tests.fuzz.recipes import hdf5
from tests.fuzz.scratch import scratch
from tests.fuzz.seeds import SEEDS

MOST_BLOCKS = 4  # of a file that unpacks to hours; a reader gives them one by one
_folder = functools.cache(scratch)


def _read(suffix: str, make: Callable[[bytes, Path], None], data: bytes) -> None:
    path = _folder() / f"fuzzed{suffix}"
    make(data, path)
    try:
        _drain(path)
    except EmgtwitchError:
        _drain(path, fs_Hz=1000.0, units="uV", channel="0")


def _drain(path: Path, fs_Hz: float | None = None, units: str | None = None, channel: str | None = None) -> None:
    decoder = Decoder()
    for block in itertools.islice(wire_bytes(open_foreign(path, fs_Hz, units, channel)), MOST_BLOCKS):
        decoder.feed(block)
    if any(decoder.rejected.values()):
        raise BrokenError(f"own frames rejected: {decoder.rejected}")


def _as_it_is(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _target(
    name: str, suffix: str, words: tuple[bytes, ...], make: Callable[[bytes, Path], None] = _as_it_is
) -> Target:
    return Target(name, functools.partial(_read, suffix, make), SEEDS[name], words)


_TEXT = (b"# ", b"Sampling rate: ", b"fs=", b" Hz", b"(uV)", b"_mV", b",", b";", b"\t", b"NaN", b"1e999", b"-0", b'"')
_OPENSIGNALS = (b'{"x":{', b'"sampling rate"', b'"resolution"', b'"label"', b'"column"', b'"sensor"', b"Labels:=")
_EDF = (b"EDF+D", b"BDF+D", b"EDF Annotations ", b"+0\x14\x14\x00", b"-1      ", b"1e999999", b"1e-99999", b"nan     ")
_WAV = (b"RIFF", b"RF64", b"WAVE", b"fmt ", b"data", b"ds64", b"\xfe\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00")
_MAT = (b"MI", b"IM", b"fs", b"unit", b"uV", b"EMG", b"\x0e\x00\x00\x00", b"\x0f\x00\x00\x00", b"\x06\x00\x00\x00")
TARGETS = (
    _target("text", ".csv", _TEXT + _OPENSIGNALS),
    _target("edf", ".edf", _EDF),
    _target("wav", ".wav", _WAV),
    _target("mat", ".mat", _MAT),
    _target("hdf5", ".h5", (b"raw", b"nSeq", b"channel_1", b"sampling rate", b"resolution"), hdf5),
    _target("parquet", ".parquet", (b"PAR1", b"fs_Hz", b"EMG 0 [uV]")),
)
