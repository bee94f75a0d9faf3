"""The real recordings: where each is, how it is read, and what the labelling rule must know of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emgtwitch.sources.foreign.table import open_foreign
from tests.real.fetch import fetch as fetch_biosignalsnotebooks

Floats = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[2]
EMGFLOW = "emgflow==1.1.2"  # GPL-3: its recordings are read where they were fetched, and stay there


class NoRecordingError(Exception):
    """A recording is not on this machine; the text says how to get it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One channel of one recording."""

    name: str  # of its file of labels
    group: str  # folder
    file: str
    fs_Hz: float | None = None  # None: the file says
    units: str | None = None
    channel: str | None = None
    band_Hz: tuple[float, float] = (20.0, 450.0)  # that the labelling rule looks at
    baselines: float = 1.0  # what stands so high over the baseline belongs to it
    least_s: float = 0.0  # what is shorter is no muscle here
    edge_s: float = 0.0  # at both ends, where the rule cannot judge
    reason: str = ""  # of the four above


def _emgflow(number: int, channel: str) -> Recording:
    why = "Mains of many times the EMG; what the rule removes of them rings at the ends."
    return Recording(
        f"emgflow_{number}_{channel}", "emgflow", f"sample_data_0{number}.csv", 2000.0, "mV", f"EMG_{channel}",
        edge_s=0.7, reason=why,
    )  # fmt: skip


HEART = (
    "About 640 heart beats stand in the band below 45 Hz, and up to 10 baselines above it, for less than 0.15 s each. "
    "All bursts of the recording last 0.4 s or more, so what is shorter is the heart and an event there is false."
)
RECORDINGS = (
    Recording("biosppy_emg", "biosppy", "emg.txt"),
    Recording("biosppy_emg_1", "biosppy", "emg_1.txt"),
    Recording("emggo", "emggo", "sample_data.mat", band_Hz=(45.0, 450.0), baselines=4.0, least_s=0.25, reason=HEART),
    *(Recording(f"lifts_12_{k}", "shurun-wang", f"12_{k}.mat", 2000.0, "mV", "semg") for k in (1, 2, 3, 4)),
    Recording("myonset_1_2", "myonset", "example_data.bdf", channel="EXG1-EXG2"),
    Recording("myonset_3_4", "myonset", "example_data.bdf", channel="EXG3-EXG4"),
    Recording("solo", "biosignalsnotebooks", "emg_1000_hz_16_bits_solo.h5"),
    Recording("bursts", "biosignalsnotebooks", "emg_bursts.h5"),
    Recording("fatigue", "biosignalsnotebooks", "emg_fatigue.h5"),
    *(_emgflow(number, channel) for number in (1, 2, 3, 4) for channel in ("zyg", "cor")),
)


def fetch() -> None:
    """Get the recordings that lie in wheels into build/. Raises CalledProcessError without PyPI."""
    fetch_biosignalsnotebooks(ROOT / "build" / "biosignalsnotebooks")
    folder = ROOT / "build" / "emgflow"
    names = {one.file for one in RECORDINGS if one.group == "emgflow"}
    if all((folder / name).exists() for name in names):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", downloads, EMGFLOW], check=True)
        with zipfile.ZipFile(next(Path(downloads).glob("*.whl"))) as archive:
            for member in archive.namelist():
                name = member.rsplit("/", 1)[-1]
                if name in names:
                    (folder / name).write_bytes(archive.read(member))


def path_of(recording: Recording) -> Path:
    """Where the file is: below $EMGTWITCH_REAL_DATA, the project's shared data or build/. Raises NoRecordingError."""
    asked = os.environ.get("EMGTWITCH_REAL_DATA")
    folders = [*([Path(asked)] if asked else []), ROOT.parent / "shared" / "data", ROOT / "build"]
    for folder in folders:
        path = folder / recording.group / recording.file
        if path.exists():
            return path
    where = ", ".join(str(folder / recording.group) for folder in folders)
    raise NoRecordingError(
        f"The recording {recording.group}/{recording.file} is not here (looked in {where}). "
        "Set EMGTWITCH_REAL_DATA to the folder that holds it, or fetch those of wheels: "
        "python -m benchmarks.accuracy.real --fetch."
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A recording's samples."""

    x: Floats
    fs_Hz: float
    in_uV: bool
    rails: tuple[float, float]


def load(recording: Recording) -> Loaded:
    """Read a recording as `emgtwitch replay` reads it. Raises NoRecordingError."""
    foreign = open_foreign(path_of(recording), recording.fs_Hz, recording.units, recording.channel)
    x = np.concatenate([block.values[:, 0] for block in foreign.blocks])
    return Loaded(x, float(foreign.rate), foreign.in_uV, foreign.rails[0])
