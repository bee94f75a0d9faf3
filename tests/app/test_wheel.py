"""What is installed from the wheel is whole: every file of the package that is no Python stands in it, too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.app.nursery import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def test_the_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "src" / "emgtwitch", tmp_path / "src" / "emgtwitch", ignore=shutil.ignore_patterns("__pycache__")
    )
    done = subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    source = tmp_path / "src"
    wanted = {path.relative_to(source).as_posix() for path in (source / "emgtwitch").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        missing = wanted - set(archive.namelist())
    assert missing == set()
