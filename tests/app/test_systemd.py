"""The unit in a real systemd: it starts, is watched, restarts, and leaves nothing damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.user_manager import MANAGER, ROOT, UNSHARE


def namespaces() -> bool:
    """Whether this user may have namespaces with a computer's groups in them."""
    return (
        shutil.which("unshare") is not None and not subprocess.run([*UNSHARE, "true"], capture_output=True).returncode
    )


@pytest.mark.slow
def test_the_unit_starts_is_watched_and_restarts() -> None:
    if not Path(MANAGER).exists() or os.geteuid() != 0 or not namespaces():
        pytest.skip("no real systemd here (it takes root, systemd and unshare): the unit is verified by its text alone")
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.app.user_manager"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {"what": "install", "active": "active", "status": 0},
        {"what": "kill -9", "restarts": 1, "status": 0},
        {"what": "a stop without a word", "restarts": 2, "status": 0},
        {"what": "uninstall", "code": 0, "active": "inactive", "status": 3},
        {"what": "verify", "code": 0},
    ]
