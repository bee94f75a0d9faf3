"""Laws of MATLAB files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import scipy.io

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.mat5 import variables
from emgtwitch.sources.foreign.table import open_foreign
from tests.sources.foreign.makers import noise


def read(path: Path, **asked: str | float) -> npt.NDArray[np.float64]:
    return np.concatenate([block.values for block in open_foreign(path, **asked).blocks])  # type: ignore[arg-type]


def test_the_variable_that_says_emg_is_taken_and_another_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    emg, other = noise(500, 1), noise(800, 2, seed=2)
    scipy.io.savemat(path, {"semg": emg, "other": other, "fs": 2000.0, "name": "left arm"})
    assert np.array_equal(read(path), emg)
    assert np.array_equal(read(path, channel="other"), other)
    assert np.array_equal(read(path, channel="other[1]-other[0]")[:, 0], other[:, 1] - other[:, 0])
    assert open_foreign(path).rate == 2000
    with pytest.raises(UnreadableInputError, match=r"not sampled together: semg 2000 Hz .500 scans., other\[0\]"):
        open_foreign(path, channel="semg,other")


@pytest.mark.parametrize("shape", ["row", "column", "wide"])
def test_a_signal_may_lie_either_way(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    values = noise(500, 3 if shape == "wide" else 1)
    scipy.io.savemat(path, {"x": values if shape == "column" else values.T})
    assert np.array_equal(read(path, fs_Hz=1000), values)


def test_a_time_vector_gives_the_rate_and_is_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"x": noise(500, 1), "t": np.arange(500) / 2048})
    foreign = open_foreign(path)
    assert (foreign.rate, foreign.labels) == (Fraction(2048), ("x",))


def test_the_rate_beside_a_signal_wins_over_another(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(
        path,
        {
            "EMG": {"data": noise(500, 1), "srate": 1000, "units": "mV"},
            "ACC": {"data": noise(50, 1), "srate": 100},
        },
    )
    foreign = open_foreign(path)
    assert (foreign.rate, foreign.labels, foreign.in_uV) == (Fraction(1000), ("EMG.data",), True)
    assert open_foreign(path, channel="ACC.data").rate == 100


def test_version_7_3_is_read_through_h5py(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    values = noise(500, 2)
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("EMG")
        group["data"] = values.T  # MATLAB's columns are HDF5's rows
        group["fs"] = np.array([[2000.0]])
        unit = group.create_dataset("unit", data=np.array([[ord("m")], [ord("V")]], dtype=np.uint16))
        unit.attrs["MATLAB_class"] = np.bytes_(b"char")
    raw = bytearray(path.read_bytes())
    raw[:128] = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\x02IM"
    path.write_bytes(raw)
    assert np.array_equal(read(path), values * 1000)
    assert open_foreign(path).rate == 2000


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_is_read_as_scipy_reads_it(compressed: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    rng = np.random.default_rng(4)
    arrays = {
        f"a{n}": rng.integers(0, 100, (7, n)).astype(kind)
        for n, kind in enumerate(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], start=1)
    }
    others = {"cell": np.array([1, "x"], dtype=object), "z": np.array([1j, 2]), "text": "µV", "none": np.empty((0, 0))}
    scipy.io.savemat(path, {"deep": {"er": {**arrays, **others}}, **others, **arrays}, do_compression=compressed)
    truth = scipy.io.loadmat(path)
    found = variables(path.read_bytes())
    for name in arrays:
        assert np.array_equal(found[name], truth[name])
        assert np.array_equal(found["deep"]["er"][name], truth[name])
    assert found["text"] == "µV"
    assert "cell" not in found
    assert "z" not in found


def test_a_file_without_numbers_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"name": "left arm", "fs": 1000})
    with pytest.raises(UnreadableInputError, match="no numeric variable of more than one value"):
        open_foreign(path)
