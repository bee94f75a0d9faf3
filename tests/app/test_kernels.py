"""Laws of the kernels' cache: one rule for its place, and none of an older state of the source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emgtwitch.app import kernels
from emgtwitch.app.kernels import KEPT, _prune, cache_folder
from tests.app.nursery import ROOT


def test_the_place_is_the_named_one_else_in_the_xdg_cache_else_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder({"NUMBA_CACHE_DIR": "/n", "XDG_CACHE_HOME": "/x"}) == Path("/n")
    assert cache_folder({"XDG_CACHE_HOME": "/x"}).parent == Path("/x/emgtwitch/kernels")
    monkeypatch.setenv("HOME", "/home/someone")
    for environ in ({}, {"XDG_CACHE_HOME": "relative"}):
        assert cache_folder(environ).parent == Path("/home/someone/.cache/emgtwitch/kernels")


def test_a_changed_source_names_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in kernels.ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "kernel.py").touch()
    (tmp_path / "app").mkdir()
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "app" / "kernels.py"))
    places = {cache_folder({})}
    for k, room in enumerate(kernels.ROOMS):
        os.utime(tmp_path / room / "kernel.py", ns=(0, 3_000_000_000_000_000_000 + k))
        places.add(cache_folder({}))
    assert len(places) == 1 + len(kernels.ROOMS)


def test_old_caches_are_removed_and_the_youngest_kept(tmp_path: Path) -> None:
    for n in range(10):
        (tmp_path / f"{n}").mkdir()
        os.utime(tmp_path / f"{n}", (n, n))
    _prune(tmp_path / "0")  # in use, however old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", *(str(n) for n in range(10 - KEPT, 10))]


def test_numba_starts_without_scipy_which_can_still_be_imported() -> None:
    script = (
        "import sys\nfrom emgtwitch.app.kernels import prepare_kernels\nprepare_kernels()\n"
        "import numba\nprint('scipy' in sys.modules)\nimport scipy.signal\nprint(scipy.signal.__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.splitlines() == ["False", "scipy.signal"], done.stderr


@pytest.mark.parametrize(("mode", "uid"), [(0o777, None), (0o700, 65534)])
def test_kernels_that_another_user_may_have_put_there_are_not_run(tmp_path: Path, mode: int, uid: int | None) -> None:
    if uid is not None and os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    planted = tmp_path / "planted"
    planted.mkdir()
    planted.chmod(mode)
    if uid is not None:
        os.chown(planted, uid, uid)
    script = (
        "import os\nfrom emgtwitch.app import kernels\nkernels._import_numba = lambda: None\n"
        "kernels.prepare_kernels()\nprint(os.environ['NUMBA_CACHE_DIR'])\n"
    )
    environ = os.environ | {"NUMBA_CACHE_DIR": str(planted)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environ)
    assert done.stdout.strip() not in ("", str(planted)), done.stderr
    assert "others may write there" in done.stderr
