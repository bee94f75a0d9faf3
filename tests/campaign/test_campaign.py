"""The short form of the campaign, and laws of its own tools: a campaign that finds nothing must be able to."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.nursery import Nursery
from tests.campaign.faults import Fault, build_disk, faults
from tests.campaign.laws import LawBrokenError, check_shown
from tests.campaign.power import Disk
from tests.campaign.soak import Sample, compared
from tests.campaign.table import LOSS_S, Row

KILLS = 10


@pytest.fixture(scope="module")
def misled() -> Iterator[Nursery]:
    """Children whose C library lies to them where a test wants it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        nursery = Nursery(Path(name), build_disk(Path(name)))
        yield nursery
        nursery.close()


@pytest.mark.slow
@pytest.mark.parametrize("fault", faults(KILLS), ids=lambda fault: fault.name)
def test_a_fault_ends_in_the_documented_state(fault: Fault, misled: Nursery, tmp_path: Path) -> None:
    row = fault.inject(misled, tmp_path, 7)
    assert row.times >= 1
    assert row.seen


def test_a_loss_of_over_a_second_breaks_the_law() -> None:
    assert "0.40 s at most" in str(Row.of_losses("x", 2, [0.1, 0.4], "seen"))
    with pytest.raises(LawBrokenError, match="1 of 2 times over"):
        Row.of_losses("x", 2, [0.1, LOSS_S + 0.1], "seen")


def test_an_event_that_was_shown_and_is_not_logged_breaks_the_law(tmp_path: Path) -> None:
    from emgtwitch.store.log import LogWriter

    LogWriter(tmp_path / "log.sqlite3").close()
    shown = {"type": "event", "class": "twitch", "channel": 0, "onset_s": 1.5}
    with pytest.raises(LawBrokenError, match="shown, but not in the log"):
        check_shown([shown], tmp_path)
    assert check_shown([{"type": "summary"}], tmp_path) == 0


def week(grown_MB: float = 0.0, handles: int = 20, lag_s: float = 0.1) -> list[Sample]:
    """Samples of seven days, with what the last two have more."""
    days = [0.01 * k for k in range(701)]
    late = [(day > 5.0) for day in days]
    return [
        Sample(day, 150.0 + grown_MB * more, handles + more * (handles > 20), 9, lag_s if more else 0.1)
        for day, more in zip(days, late, strict=True)
    ]


@pytest.mark.parametrize(
    ("samples", "flat"),
    [(week(), True), (week(2.0), True), (week(4.0), False), (week(handles=21), False), (week(lag_s=0.2), False)],
)
def test_a_week_that_grows_is_told_from_a_flat_one(samples: list[Sample], flat: bool) -> None:
    table, found = compared(samples)
    assert found is flat
    assert len(table) == 6


def test_a_disk_keeps_what_was_synced_and_maybe_parts_of_the_rest(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a" * 1024)
    disk, name = Disk(tmp_path), str(tmp_path / "f")
    disk.take(2, b"b", name, 0, b"")
    disk.take(3, b"w", name, 1024, b"b" * 1024)  # while it syncs: not covered
    disk.take(3, b"s", name, 0, b"")
    found = {disk.cut(random.Random(seed))["f"] for seed in range(200)}
    empty, written = bytes(512), b"b" * 512
    ends = [b"", written, empty, written + written, empty + written, written + empty, empty + empty]
    assert found == {b"a" * 1024 + end for end in ends} - {b"a" * 1024 + empty}
    disk.take(4, b"t", name, 512, b"")
    disk.take(5, b"b", name, 0, b"")
    disk.take(5, b"s", name, 0, b"")
    assert disk.cut(random.Random(1)) == {"f": b"a" * 512}


def test_a_name_is_safe_only_after_its_folders_sync(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    disk, root = Disk(tmp_path), str(tmp_path)

    def synced(path: str) -> None:
        disk.take(0, b"b", path, 0, b"")
        disk.take(0, b"d" if path in (root, f"{root}/in") else b"s", path, 0, b"")

    def found() -> set[tuple[str, ...]]:
        return {tuple(sorted(disk.cut(random.Random(seed)))) for seed in range(60)}

    disk.take(0, b"m", f"{root}/in", 0, b"")
    disk.take(0, b"c", f"{root}/in/new", 0, b"")
    disk.take(0, b"w", f"{root}/in/new", 0, b"new")
    synced(f"{root}/in/new")
    assert found() == {("old",), ("in", "old"), ("in", "in/new", "old")}
    synced(f"{root}/in")
    assert found() == {("old",), ("in", "in/new", "old")}  # what it lies in has no name yet
    synced(root)
    disk.take(0, b"r", f"{root}/in/new", 0, f"{root}/in/newer".encode())
    disk.take(0, b"u", f"{root}/old", 0, b"")
    assert found() == {("in", f"in/{name}", *old) for name in ("new", "newer") for old in ((), ("old",))}
    synced(root)
    synced(f"{root}/in")
    assert disk.cut(random.Random(1)) == {"in": None, "in/newer": b"new"}


def test_without_syncs_a_power_cut_would_lose_what_was_shown(tmp_path: Path) -> None:
    """The model is hard enough: a database without its syncs does not survive it."""
    whole, root = tmp_path / "whole.sqlite3", tmp_path / "root"
    root.mkdir()
    with sqlite3.connect(whole) as db:
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [(str(n) * 100,) for n in range(200)])
    content = whole.read_bytes()
    disk = Disk(root)
    disk.take(0, b"c", f"{root}/t", 0, b"")
    for at in range(0, len(content), 4096):
        disk.take(at, b"w", f"{root}/t", at, content[at : at + 4096])
    broken = 0
    for seed in range(20):
        image = tmp_path / "image.sqlite3"
        image.write_bytes(disk.cut(random.Random(seed)).get("t") or b"")
        try:
            broken += sqlite3.connect(image).execute("SELECT count(*) FROM t").fetchone()[0] != 200
        except sqlite3.Error:
            broken += 1
    assert broken >= 10
