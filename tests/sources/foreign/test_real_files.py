"""Files as other people recorded them; where they are is told by EMGTWITCH_REAL_DATA."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import edfio
import numpy as np
import pytest
import scipy.io

from emgtwitch.sources.foreign.table import open_foreign

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("EMGTWITCH_REAL_DATA") or ROOT.parent / "shared/data")
FETCHED = ROOT / "build"  # by python -m tests.real.fetch


def real(name: str) -> Path:
    path = next((folder / name for folder in (DATA, FETCHED) if (folder / name).exists()), DATA / name)
    if not path.exists():
        pytest.skip(f"{name} is not in {DATA}: set EMGTWITCH_REAL_DATA to the folder of real recordings")
    return path


@pytest.mark.parametrize(("name", "scans"), [("emg.txt", 100_000), ("emg_1.txt", 63_880)])
def test_biosppy_text(name: str, scans: int) -> None:
    path = real(f"biosppy/{name}")
    foreign = open_foreign(path)
    values = np.concatenate([b.values for b in foreign.blocks])
    assert (foreign.rate, foreign.labels, foreign.in_uV, foreign.rails) == (
        Fraction(1000),
        ("EMG",),
        False,
        ((0.0, 4095.0),),
    )
    assert values.shape == (scans, 1)
    assert np.array_equal(values[:, 0], np.loadtxt(path, comments="#"))


def test_emggo_struct() -> None:
    path = real("emggo/sample_data.mat")
    foreign = open_foreign(path)
    values = np.concatenate([b.values for b in foreign.blocks])
    assert (foreign.rate, foreign.labels) == (Fraction(250), ("EMG.channelData",))
    assert np.array_equal(values, scipy.io.loadmat(path)["EMG"][0, 0]["channelData"])


def test_biosemi_bdf() -> None:
    path = real("myonset/example_data.bdf")
    truth = edfio.read_bdf(path)
    foreign = open_foreign(path, channel="EXG1-EXG2")
    values = np.concatenate([b.values for b in foreign.blocks])
    assert (foreign.rate, foreign.in_uV) == (Fraction(2048), True)
    assert np.array_equal(values[:, 0], truth.signals[0].data - truth.signals[1].data)
    assert open_foreign(path).labels == ("EXG1", "EXG2", "EXG3", "EXG4")


def test_semg_of_a_mat_that_says_no_rate() -> None:
    path = real("shurun-wang/12_1.mat")
    foreign = open_foreign(path, fs_Hz=2000, units="mV")
    values = np.concatenate([b.values for b in foreign.blocks])
    assert (foreign.rate, foreign.labels, foreign.in_uV) == (Fraction(2000), ("semg",), True)
    assert np.array_equal(values, scipy.io.loadmat(path)["semg"] * 1000)


@pytest.mark.parametrize(
    ("name", "scans", "rail"),
    [("emg_1000_hz_16_bits_solo", 87_600, 65535.0), ("emg_bursts", 28_519, 65535.0), ("emg_fatigue", 126_900, 4095.0)],
)
def test_opensignals_hdf5(name: str, scans: int, rail: float) -> None:
    foreign = open_foreign(real(f"biosignalsnotebooks/{name}.h5"))
    blocks = list(foreign.blocks)
    assert (foreign.rate, foreign.in_uV, foreign.rails) == (Fraction(1000), False, ((0.0, rail),))
    assert sum(len(b.values) for b in blocks) == scans == blocks[-1].index + len(blocks[-1].values)
