"""Laws of the data folder: it outlasts a power cut, and is safe where others may write to it, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emgtwitch.errors import CannotWriteError
from emgtwitch.store import sync
from emgtwitch.store.folders import make_data_folder, others_may_write
from emgtwitch.store.lock import DataLock


def test_a_data_folder_that_was_made_outlasts_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(sync, "sync_path", synced.append)
    make_data_folder(tmp_path / "a/b/data")
    assert set(synced) == {tmp_path, tmp_path / "a", tmp_path / "a/b"}
    synced.clear()
    make_data_folder(tmp_path / "a/b/data")
    assert not synced


def test_a_lock_that_is_a_link_empties_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept\n")
    (tmp_path / "log.sqlite3.lock").symlink_to(other)
    with pytest.raises(CannotWriteError, match="cannot be written"):
        DataLock(tmp_path)
    assert other.read_text() == "kept\n"


@pytest.mark.parametrize(("mode", "others"), [(0o700, False), (0o755, False), (0o775, False), (0o757, True)])
def test_a_folder_that_others_may_write_is_known(tmp_path: Path, mode: int, others: bool) -> None:
    os.chown(tmp_path, -1, os.getegid())
    tmp_path.chmod(mode)
    assert others_may_write(tmp_path) is others
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, -1)
        assert others_may_write(tmp_path)
