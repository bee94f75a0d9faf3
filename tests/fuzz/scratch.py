"""Files that a target needs, in memory where the machine has such a folder, gone with the process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

_SHM = Path("/dev/shm")


def scratch() -> Path:
    """A new empty folder."""
    folder = Path(tempfile.mkdtemp(prefix="emgtwitch-fuzz-", dir=_SHM if _SHM.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
