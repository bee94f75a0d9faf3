"""Laws of the HDF5 files of OpenSignals."""

from __future__ import annotations

import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.table import open_foreign
from tests.sources.foreign.makers import make_hdf5, noise


@pytest.mark.parametrize("bits", [4, 15, 16])
def test_scans_that_the_sequence_number_misses_are_holes(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    kept = np.delete(np.arange(200_000), [700, 65_536, *range(150_000, 150_003)])
    values = make_hdf5(path, noise(len(kept), 1), sequence=(kept % 2**bits).astype(np.uint16))
    blocks = list(open_foreign(path).blocks)
    assert np.array_equal(np.concatenate([b.index + np.arange(len(b.values)) for b in blocks]), kept)
    assert np.array_equal(np.concatenate([b.values for b in blocks]), values)


def test_a_sequence_number_that_stops_counting_tells_no_holes(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    make_hdf5(path, noise(70_000, 1), sequence=np.minimum(np.arange(70_000), 65_535).astype(np.uint16))
    blocks = list(open_foreign(path).blocks)
    assert blocks[-1].index + len(blocks[-1].values) == 70_000


def test_the_sensor_chooses_and_every_name_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    expected = make_hdf5(path, noise(300, 3))
    with h5py.File(path, "r+") as file:
        file["00:07:80:3B:46:61/raw/channel_2"].attrs["sensor"] = np.bytes_(b"ECG")
        file["00:07:80:3B:46:61"].attrs["resolution"] = np.array([4, 1, 16, 10, 12], dtype=np.int32)
    foreign = open_foreign(path)
    assert foreign.labels == ("CH1", "CH3")
    assert foreign.rails == ((0.0, 65535.0), (0.0, 4095.0))
    for name in ("CH2", "channel_2", "ecg", "1"):
        (block,) = open_foreign(path, channel=name).blocks
        assert np.array_equal(block.values[:, 0], expected[:, 1])


def test_devices_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    make_hdf5(path, noise(300, 1))
    with h5py.File(path, "r+") as file:
        file.copy("00:07:80:3B:46:61", "00:07:80:D8:A7:F9")
    with pytest.raises(UnreadableInputError, match="not sampled together: 00:07:80:3B:46:61/CH1 1000 Hz"):
        open_foreign(path)
    assert open_foreign(path, channel="00:07:80:D8:A7:F9/CH1").rate == 1000


def test_other_hdf5_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(100)
    with pytest.raises(UnreadableInputError, match="HDF5 but not of OpenSignals"):
        open_foreign(path)


def test_a_sequence_that_is_no_row_of_numbers_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    make_hdf5(path, noise(300, 1))
    with h5py.File(path, "r+") as file:
        raw = file["00:07:80:3B:46:61/raw"]
        raw.pop("nSeq", None)
        h5py.h5d.create(raw.id, b"nSeq", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((300,)))
    with pytest.raises(UnreadableInputError, match="is damaged"):
        list(open_foreign(path).blocks)


def test_reading_in_several_threads_leaves_this_process_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    make_hdf5(path, noise(300, 4))
    before = resource.getrlimit(resource.RLIMIT_AS)
    with ThreadPoolExecutor(4) as pool:
        assert len({foreign.labels for foreign in pool.map(open_foreign, [path] * 60)}) == 1
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_without_h5py_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.h5"
    make_hdf5(path, noise(300, 1))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UnreadableInputError, match=r"needs h5py: pip install 'emgtwitch\[hdf5\]'"):
        open_foreign(path)
