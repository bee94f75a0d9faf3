"""Fetch the public recordings that the tests of this folder can use: python -m tests.real.fetch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHEEL = "biosignalsnotebooks==0.6.14"  # MIT; OpenSignals recordings at 1000 Hz lie in it
NAMES = ("emg_1000_hz_16_bits_solo.h5", "emg_bursts.h5", "emg_fatigue.h5")


def fetch(folder: Path) -> None:
    """Put the recordings of the wheel into `folder`, unless they are there. Raises CalledProcessError without PyPI."""
    if all((folder / name).exists() for name in NAMES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", downloads, WHEEL], check=True)
        wheel = next(Path(downloads).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = member.rsplit("/", 1)[-1]
                if name in NAMES:
                    (folder / name).write_bytes(archive.read(member))


if __name__ == "__main__":
    fetch(ROOT / "build" / "biosignalsnotebooks")
