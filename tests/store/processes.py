"""Scripts in a process of their own, for laws about other users, limits and sudden death."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Root may read and write everything, so a test of rights drops to another uid, after all imports.
DROP_RIGHTS = """
def drop_rights():
    import os
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
"""


def run(script: str) -> str:
    """What `script` prints; it may call `drop_rights()`. A failing one fails the test with its traceback."""
    code = DROP_RIGHTS + script
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert out.returncode == 0, out.stderr
    return out.stdout


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may read; tmp_path is its owner's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)
