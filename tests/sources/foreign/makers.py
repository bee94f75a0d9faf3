"""Foreign files made by other software than the one under test, and a plain decoder of what is made of them."""

from __future__ import annotations

import binascii
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edfio
import h5py
import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet
import scipy.io
import scipy.io.wavfile
from cobs import cobs

from emgtwitch.wire.records import Import, ImportSamples

Values = npt.NDArray[np.float64]
RATE_Hz = 1000


def noise(scans: int, channels: int, seed: int = 1) -> Values:
    """A random signal in uV on an offset, as monopolar electrodes give it."""
    return np.random.default_rng(seed).normal(-40000.0, 300.0, (scans, channels))


def make_text(path: Path, values: Values) -> Values:
    """A CSV whose header says the rate and the unit."""
    labels = ",".join(f"EMG{k} (uV)" for k in range(values.shape[1]))
    rows = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    path.write_text(f"# Sampling rate: {RATE_Hz} Hz\n{labels}\n{rows}\n")
    return values


def make_edf(path: Path, values: Values) -> Values:
    """An EDF by edfio; what edfio reads back is the truth."""
    return _edfio(path, values, edfio.Edf, edfio.EdfSignal, edfio.read_edf)


def make_bdf(path: Path, values: Values) -> Values:
    """A BDF by edfio; what edfio reads back is the truth."""
    return _edfio(path, values, edfio.Bdf, edfio.BdfSignal, edfio.read_bdf)


def _edfio(path: Path, values: Values, file: Any, signal: Any, read: Any) -> Values:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # edfio tells that it rounds the physical range
        signals = [
            signal(column, RATE_Hz, label=f"EMG{k}", physical_dimension="uV", physical_range=(-60000, 60000))
            for k, column in enumerate(values.T)
        ]
        file(signals, data_record_duration=0.1).write(path)
        return np.stack([s.data for s in read(path).signals], axis=-1)


def make_wav(path: Path, values: Values) -> Values:
    """A 16-bit WAV."""
    counts = np.clip(values, -32768, 32767).astype(np.int16)
    scipy.io.wavfile.write(path, RATE_Hz, counts)
    return counts.astype(np.float64)


def make_mat(path: Path, values: Values) -> Values:
    """A struct with its rate, as emgGO writes it."""
    scipy.io.savemat(path, {"EMG": {"channelData": values, "fs": np.uint16(RATE_Hz), "unit": "uV"}})
    return values


def make_hdf5(path: Path, values: Values, sequence: npt.NDArray[np.uint16] | None = None) -> Values:
    """What OpenSignals writes for one biosignalsplux device at 16 bits."""
    counts = np.clip(values + 60000, 0, 65535).astype(np.uint16)
    with h5py.File(path, "w") as file:
        device = file.create_group("00:07:80:3B:46:61")
        device.attrs["sampling rate"] = np.int32(RATE_Hz)
        device.attrs["resolution"] = np.full(values.shape[1], 16, dtype=np.int32)
        raw = device.create_group("raw")
        raw["nSeq"] = (np.arange(len(values)) if sequence is None else sequence).reshape(-1, 1).astype(np.uint16)
        for k in range(values.shape[1]):
            data = raw.create_dataset(f"channel_{k + 1}", data=counts[:, k : k + 1])
            data.attrs["label"] = f"CH{k + 1}"
            data.attrs["sensor"] = "EMG"
    return counts.astype(np.float64)


def make_parquet(path: Path, values: Values) -> Values:
    """A column a channel in uV, the rate in the metadata."""
    columns = {f"EMG {k} [uV]": values[:, k] for k in range(values.shape[1])}
    table = pyarrow.table(columns).replace_schema_metadata({"fs_Hz": str(RATE_Hz)})
    pyarrow.parquet.write_table(table, path)
    return values


MAKERS: dict[str, tuple[str, Callable[[Path, Values], Values]]] = {
    "text": (".csv", make_text),
    "EDF": (".edf", make_edf),
    "BDF": (".bdf", make_bdf),
    "WAV": (".wav", make_wav),
    "MAT": (".mat", make_mat),
    "HDF5": (".h5", make_hdf5),
    "Parquet": (".parquet", make_parquet),
}


@dataclass(frozen=True)
class Heard:
    """What stands in wire bytes."""

    opening: Import
    index: npt.NDArray[np.int64]  # of each scan
    values: Values  # (scans, channels)


def hear(stream: Iterable[bytes]) -> Heard:
    """Decode frame by frame with other people's COBS and CRC; every check and every sequence number must hold."""
    frames = b"".join(stream).split(b"\0")
    assert frames.pop() == b""
    opening: Import | None = None
    index: list[int] = []
    rows: list[tuple[float, ...]] = []
    for expected, stuffed in enumerate(frames):
        raw = cobs.decode(stuffed)
        assert binascii.crc_hqx(raw[:-2], 0xFFFF) == int.from_bytes(raw[-2:], "little")
        assert int.from_bytes(raw[1:3], "little") == expected & 0xFFFF
        if raw[0] == Import.TYPE:
            opening = Import.unpack(raw[3:-2])
            continue
        assert raw[0] == ImportSamples.TYPE
        assert opening is not None
        record = ImportSamples.unpack(raw[3:-2])
        scans = len(record.values) // opening.channels
        index += range(record.index, record.index + scans)
        rows += [record.values[k * opening.channels : (k + 1) * opening.channels] for k in range(scans)]
    assert opening is not None
    return Heard(opening, np.array(index, dtype=np.int64), np.array(rows).reshape(-1, opening.channels))
