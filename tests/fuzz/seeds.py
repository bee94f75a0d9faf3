"""First inputs of the importers: small files by other software's writers and by ours."""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from tests.fuzz.recipes import RECIPE
from tests.sources.foreign.makers import MAKERS, RATE_Hz, noise

_OPENSIGNALS = {
    "98:D3": {
        "sampling rate": RATE_Hz,
        "resolution": [4, 10],
        "label": ["A1"],
        "sensor": ["EMG"],
        "column": ["nSeq", "A1"],
    }
}
_TEXTS = {
    "plain": "\n".join(f"{k % 7}.5" for k in range(40)),
    "times": "time;EMG (mV)\n" + "\n".join(f"{k / 1000:.3f};{k % 5}" for k in range(40)).replace(".", ","),
    "biosppy": "# Simple Text Format\n# Sampling Rate (Hz):= 1000.00\n# Resolution:= 10\n# Labels:= EMG\n1\n2\n3\n",
    "opensignals": "# OpenSignals Text File Format\n# "
    + json.dumps(_OPENSIGNALS)
    + "\n# EndOfHeader\n0\t5\t\n1\t6\t\n",
    "quoted": '"a, b","EMG uV"\n1,"2"\n3,\n,NaN\n5,6\n',
}


def _made(name: str) -> bytes:
    suffix, make = MAKERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"made{suffix}")
        make(path, noise(100, 2))
        return path.read_bytes()


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.mat")
        write(path)
        return path.read_bytes()


def _text() -> dict[str, bytes]:
    wide = {"utf16": _TEXTS["plain"].encode("utf-16")}
    return {"made": _made("text")[:900]} | {name: text.encode() for name, text in _TEXTS.items()} | wide


def _edf() -> dict[str, bytes]:
    return {"edf": _made("EDF"), "bdf": _made("BDF"), "interrupted": _interrupted()}


def _interrupted() -> bytes:
    """An EDF+D of two records with a hole between them."""
    labels = ("EDF Annotations", "EMG")
    widths = {"physical_min": ("-1", "-100"), "physical_max": ("1", "100"), "digital": ("-32768", "32767")}
    fields = [f"{label:16}" for label in labels] + [" " * 80] * 2 + [f"{unit:8}" for unit in ("", "uV")]
    fields += [f"{text:8}" for text in (*widths["physical_min"], *widths["physical_max"])]
    fields += [f"{text:8}" for text in widths["digital"] for _ in labels]
    fields += [" " * 80] * 2 + [f"{n:8}" for n in (10, 20)] + [" " * 32] * 2
    head = f"{'0':8}{'X':80}{'Startdate X':80}01.01.2412.00.00{768:<8}{'EDF+D':44}{2:<8}{0.02:<8}{2:<4}"
    records = [f"+{at}\x14\x14".encode().ljust(20, b"\0") + bytes(range(40)) for at in (0, 5)]
    return (head + "".join(fields)).encode() + b"".join(records)


def _wav() -> dict[str, bytes]:
    data = np.arange(60, dtype="<f4").tobytes()
    plain = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 2, RATE_Hz, 8 * RATE_Hz, 8, 32)
    wide = struct.pack("<4sIHHIIHHHHIH", b"fmt ", 26, 0xFFFE, 1, RATE_Hz, 3 * RATE_Hz, 3, 24, 22, 24, 0, 1)
    ds64 = struct.pack("<4sIQQQ", b"ds64", 24, 0, 240, 0)
    return {
        "made": _made("WAV"),
        "float": b"RIFF\0\0\0\0WAVE" + plain + b"data" + struct.pack("<I", 240) + data,
        "extensible": b"RIFF\0\0\0\0WAVE" + wide + b"data\0\0\0\0" + data,
        "long": b"RF64\xff\xff\xff\xffWAVE" + ds64 + plain + b"data\xff\xff\xff\xff" + data,
    }


def _mat() -> dict[str, bytes]:
    tree = {"time": np.arange(50) / RATE_Hz, "EMG": np.arange(50.0), "s": {"fs": 1000.0, "x": {"y": np.eye(3)}}}
    others = {
        "cell": np.array(["a", 1], dtype=object),
        "z": np.array([1j]),
        "name": "Zucken",
        "logical": np.array([True]),
    }
    return {
        "made": _made("MAT"),
        "tree": _written(lambda path: scipy.io.savemat(path, tree)),
        "others": _written(lambda path: scipy.io.savemat(path, tree | others, do_compression=True)),
        "newest": _written(_newest),
    }


def _newest(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["EMG/data"] = np.arange(40.0).reshape(1, -1)
        file["EMG/fs"] = np.array([[1000.0]])
        file["EMG/unit"] = np.array([[ord(letter)] for letter in "uV"], dtype="u2")
        file["EMG/unit"].attrs["MATLAB_class"] = np.bytes_("char")
    data = bytearray(path.read_bytes())
    data[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(data)


def _hdf5() -> dict[str, bytes]:
    steps = [(0, 0, 9, 0, 0, 0), (2, 1, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0), (1, 2, 2, 2, 40, 0), (1, 2, 1, 2, 40, 0)]
    recipe = b"".join(map(bytes, steps))
    return {"made": _made("HDF5"), "recipe": bytes((RECIPE, 0)) + recipe, "matlab": bytes((RECIPE, 1)) + recipe}


SEEDS: Mapping[str, Callable[[], Mapping[str, bytes]]] = {
    "text": _text,
    "edf": _edf,
    "wav": _wav,
    "mat": _mat,
    "hdf5": _hdf5,
    "parquet": lambda: {"made": _made("Parquet")},
}
