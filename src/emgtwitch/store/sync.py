"""What outlasts a power cut."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def sync_path(path: Path) -> None:
    """Make what is in a file, or the names in a folder, outlast a power cut."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems have no such thing for folders
            raise
    finally:
        os.close(file)
