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
from tests.campaign.sudden import Disk
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


def test_a_disk_keeps_what_was_synced_and_maybe_part_of_the_rest() -> None:
    disk = Disk()
    disk.take(1, b"w", "/f", 0, b"a" * 1024)
    disk.take(2, b"s", "/f", 0, b"")
    disk.take(3, b"w", "/f", 1024, b"b" * 1024)
    found = {disk.cut(random.Random(seed))["/f"] for seed in range(60)}
    assert all(one.startswith(b"a" * 1024) for one in found)
    assert {len(one) for one in found} == {1024, 1536, 2048}
    disk.take(4, b"t", "/f", 512, b"")
    disk.take(5, b"s", "/f", 0, b"")
    assert disk.cut(random.Random(1))["/f"] == b"a" * 512
    disk.take(6, b"u", "/f", 0, b"")
    assert disk.cut(random.Random(1)) == {}


def test_without_syncs_a_power_cut_would_lose_what_was_shown(tmp_path: Path) -> None:
    """The model is hard enough: a database without its syncs does not survive it."""
    whole = tmp_path / "whole.sqlite3"
    with sqlite3.connect(whole) as db:
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [(str(n) * 100,) for n in range(200)])
    content = whole.read_bytes()
    disk = Disk()
    for at in range(0, len(content), 4096):
        disk.take(at, b"w", "/t", at, content[at : at + 4096])
    broken = 0
    for seed in range(20):
        image = tmp_path / "image.sqlite3"
        image.write_bytes(disk.cut(random.Random(seed)).get("/t", b""))
        try:
            broken += sqlite3.connect(image).execute("SELECT count(*) FROM t").fetchone()[0] != 200
        except sqlite3.Error:
            broken += 1
    assert broken >= 10
