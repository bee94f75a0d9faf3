"""Laws of storing: nothing shown is lost, acquisition never waits, a disk's trouble is told once and stays its own."""

from __future__ import annotations

import dataclasses
import datetime
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from emgtwitch.detect.records import Stamped
from emgtwitch.store.keeper import HANGS_S, Batch, Keeper
from emgtwitch.store.log import LogWriter
from emgtwitch.store.recording import SessionWriter
from emgtwitch.store.storage import Storage
from emgtwitch.wire.light import frames
from tests.sources.fake_board import wait_for
from tests.store.processes import ROOT, run
from tests.store.test_log import ANNOUNCED, EVENT, GAP, OPENED, PROGRESS, RUN, everything, stamped
from tests.store.test_recording import OPENING, SESSION, Day, mark, marks_in

LIVE = """
import dataclasses, itertools, sys, threading
from pathlib import Path
from emgtwitch.store.keeper import Keeper
from emgtwitch.store.log import LogWriter
from emgtwitch.store.recording import SessionWriter
from emgtwitch.store.storage import Storage
from tests.store.test_log import ANNOUNCED, EVENT, OPENED, PROGRESS, stamped
from tests.store.test_recording import OPENING, SESSION, mark
folder = Path(sys.argv[1])
ahead = threading.Semaphore(20)  # outputs that may wait for the disk

def show(outputs):
    for o in outputs:
        if hasattr(o.record, "number"):
            print(o.record.number, flush=True)
            ahead.release()

storage = Storage(LogWriter(folder / "log.sqlite3"), SessionWriter(folder / "sessions" / "r1", SESSION), on_stored=show)
keeper = Keeper(storage, on_trouble=print)
keeper.put(OPENING, stamped(OPENED), None)
for n in itertools.count(1):
    record = dataclasses.replace(ANNOUNCED if n % 3 == 0 else EVENT, number=n, onset_s=n / 10)
    keeper.put(mark(n), stamped(record), dataclasses.replace(PROGRESS, duration_s=n / 10 + 1))
    ahead.acquire()
"""


def test_whenever_the_program_is_killed_every_event_that_was_shown_is_in_the_log_and_its_bytes_recorded(
    tmp_path: Path,
) -> None:
    moments = random.Random(20240330)
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", LIVE, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as live:
            assert live.stdout is not None
            shown = [live.stdout.readline() for _ in range(moments.randint(1, 150))]
            live.send_signal(signal.SIGKILL)
            shown += live.stdout.readlines()
        numbers = {int(line) for line in shown if line.endswith("\n")}
        assert len(numbers) > 0
        with LogWriter(folder / "log.sqlite3"):  # the next start needs no repair
            found = everything(folder / "log.sqlite3")
        assert numbers <= {e["number"] for e in found["events"]}
        assert all(e["offset_s"] is not None for e in found["events"])
        assert [s["state"] for s in found["sessions"]] == ["crashed"]
        recorded = marks_in(frames((folder / "sessions" / "r1" / "0000.emgw").read_bytes()))
        assert recorded == list(range(1, len(recorded) + 1))
        assert max(numbers) <= len(recorded)


class Heard:
    """What a person would see."""

    def __init__(self) -> None:
        self.stored: list[Stamped] = []
        self.unstored: list[Stamped] = []
        self.troubles: list[str] = []

    def on_stored(self, outputs: Sequence[Stamped]) -> None:
        self.stored += outputs

    def on_unstored(self, outputs: Sequence[Stamped]) -> None:
        self.unstored += outputs


def storage_at(folder: Path, heard: Heard) -> Storage:
    return Storage(
        LogWriter(folder / "log.sqlite3"),
        SessionWriter(folder / "r1", SESSION, local_day=Day()),
        on_stored=heard.on_stored,
        on_unstored=heard.on_unstored,
        on_trouble=heard.troubles.append,
    )


def test_a_full_disk_for_the_recording_leaves_the_log_going_on_and_is_told_once(tmp_path: Path) -> None:
    script = f"""
import json, resource, signal
from pathlib import Path
from tests.store.test_storage import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
heard = Heard()
storage = storage_at(Path({str(tmp_path)!r}), heard)
storage.store([OPENING], stamped(OPENED))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
for n in range(12):
    if n == 9:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    storage.store([mark(n) * 5000], stamped(dataclasses.replace(EVENT, number=n)))
storage.close()
print(json.dumps([len(heard.stored), len(heard.unstored), heard.troubles]))
"""
    stored, unstored, troubles = json.loads(run(script))
    assert (stored, unstored) == (13, 0)
    assert len(troubles) == 2
    assert "cannot be written: File too large. Detection and the log go on" in troubles[0]
    assert "is written again; it lacks " in troubles[1]
    assert len(everything(tmp_path / "log.sqlite3")["events"]) == 12
    recorded = marks_in(frames((tmp_path / "r1" / "0000.emgw").read_bytes()))
    assert {0, 9, 10, 11} <= set(recorded)


def test_events_that_the_log_does_not_take_are_shown_as_unstored_and_written_when_it_takes_them(tmp_path: Path) -> None:
    script = f"""
import json, resource, signal
from pathlib import Path
from tests.store.test_storage import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
heard = Heard()
storage = storage_at(Path({str(tmp_path)!r}), heard)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
storage.store([OPENING], stamped(OPENED))
for n in range(6):
    if n == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    storage.store([mark(n)], stamped(dataclasses.replace(EVENT, number=n)), PROGRESS)
storage.close()
print(json.dumps([[o.record.number for o in heard.stored], len(heard.unstored), heard.troubles]))
"""
    stored, unstored, troubles = json.loads(run(script))
    assert stored == [4, 5]
    assert unstored == 5
    assert len(troubles) == 2
    assert "cannot be written" in troubles[0]
    assert "Events are still shown, but not stored" in troubles[0]
    assert "is written again, with 5 outputs that were shown as not stored." in troubles[1]
    found = everything(tmp_path / "log.sqlite3")
    assert [e["number"] for e in found["events"]] == [0, 1, 2, 3, 4, 5]
    assert found["sessions"][0]["state"] == "closed"
    assert marks_in(frames((tmp_path / "r1" / "0000.emgw").read_bytes())) == [0, 1, 2, 3, 4, 5]


def test_storing_works_without_a_thread_a_recording_or_a_log(tmp_path: Path) -> None:
    heard = Heard()
    storage = Storage(LogWriter(tmp_path / "log.sqlite3"), on_stored=heard.on_stored)
    storage.store([], RUN, PROGRESS)
    storage.close()
    Storage(None, on_stored=heard.on_stored).store([], RUN)
    assert heard.stored == RUN + RUN
    assert everything(tmp_path / "log.sqlite3")["sessions"][0]["state"] == "closed"


def test_a_batch_waits_a_second_at_most_and_not_at_all_for_what_a_person_waits_for() -> None:
    batch = Batch(1.0)
    assert batch.due_in_s(50.0) is None
    batch.add(b"x", [], PROGRESS, 50.0)
    batch.add(b"x", stamped(GAP), PROGRESS, 50.75)
    assert batch.due_in_s(50.75) == 0.25
    assert batch.due_in_s(51.5) == 0.0
    for record in (EVENT, ANNOUNCED):
        batch = Batch(1.0)
        batch.add(b"", stamped(record), None, 60.0)
        assert batch.due_in_s(60.0) == 0.0


class Stuck:
    """A disk that hangs until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, *_: object) -> None:
        self.reached.set()
        assert self.released.wait(30)


def test_a_disk_that_takes_no_write_never_holds_up_acquisition_and_what_it_cost_is_counted(tmp_path: Path) -> None:
    stuck, heard, day = Stuck(), Heard(), Day()

    def asked() -> datetime.date:
        stuck()
        return day()

    storage = Storage(
        LogWriter(tmp_path / "log.sqlite3"),
        SessionWriter(tmp_path / "r1", SESSION, local_day=asked),
        on_stored=heard.on_stored,
    )
    keeper = Keeper(storage, on_trouble=heard.troubles.append, max_queued_bytes=1000)
    keeper.put(OPENING, stamped(OPENED, EVENT), None)
    assert stuck.reached.wait(30)
    for n in range(1000):
        keeper.put(mark(n), [], None)
    assert len(heard.troubles) == 1
    assert heard.troubles[0].startswith("The disk does not keep up")
    assert heard.stored == []
    stuck.released.set()
    keeper.close()
    recorded = marks_in(frames((tmp_path / "r1" / "0000.emgw").read_bytes()))
    assert recorded == list(range(len(recorded)))
    assert 0 < len(recorded) <= 1000 // len(mark(0))
    assert keeper.dropped_bytes == sum(len(mark(n)) for n in range(len(recorded), 1000))


def test_while_the_disk_syncs_bytes_are_written_and_nothing_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, heard = Stuck(), Heard()
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", stuck)
    keeper = Keeper(storage_at(tmp_path, heard), on_trouble=heard.troubles.append, period_s=0.0)
    keeper.put(OPENING, stamped(OPENED, EVENT), None)
    assert stuck.reached.wait(30)
    for n in range(10):
        keeper.put(mark(n), stamped(dataclasses.replace(EVENT, number=n + 2)), None)
    wait_for(lambda: marks_in(frames((tmp_path / "r1" / "0000.emgw").read_bytes())) == list(range(10)))
    assert heard.stored == []
    assert keeper.busy_for_s > 0.0
    stuck.released.set()
    keeper.close()
    assert len(heard.stored) == 12
    assert [event["number"] for event in everything(tmp_path / "log.sqlite3")["events"]] == list(range(1, 12))
    assert heard.troubles == []


def test_a_sync_ends_although_more_is_written_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day())
    synced: list[Path] = []

    def slow(path: Path) -> None:
        synced.append(path)
        writer.append(mark(len(synced)))

    monkeypatch.setattr("emgtwitch.store.recording.sync_path", slow)
    writer.append(OPENING)
    writer.sync()
    assert synced == [tmp_path, tmp_path / "r1", tmp_path / "r1" / "0000.emgw"]
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", synced.append)
    writer.sync()
    assert synced[3:] == [tmp_path / "r1" / "0000.emgw"]


def test_the_folder_of_sessions_is_synced_by_name_when_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", synced.append)
    for name in ("r1", "r2"):
        writer = SessionWriter(tmp_path / "sessions" / name, SESSION, local_day=Day())
        writer.append(OPENING)
        writer.close()
    homes = [tmp_path / "sessions", tmp_path / "sessions"]
    assert [path for path in synced if path.name not in ("r1", "r2", "0000.emgw")] == [tmp_path, *homes]


def test_one_that_cannot_be_synced_keeps_no_other_from_it_and_one_that_is_gone_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day(), max_segment_bytes=1)
    synced: list[Path] = []

    def some(path: Path) -> None:
        if path.name == "r1":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if path.name == "0000.emgw":
            raise FileNotFoundError
        synced.append(path)

    monkeypatch.setattr("emgtwitch.store.recording.sync_path", some)
    writer.append(OPENING)
    writer.append(mark(1))
    with pytest.raises(OSError, match="Input/output error"):
        writer.sync()
    assert synced == [tmp_path, tmp_path / "r1" / "0001.emgw"]
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", synced.append)
    writer.sync()
    assert synced[2:] == [tmp_path / "r1"]


def test_a_disk_that_does_not_answer_is_told_of_once_and_once_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, heard, now_s = Stuck(), Heard(), [100.0]
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", stuck)
    keeper = Keeper(storage_at(tmp_path, heard), on_trouble=heard.troubles.append, monotonic_s=lambda: now_s[0])
    keeper.put(OPENING, stamped(OPENED, EVENT), None)
    assert stuck.reached.wait(30)
    for passed_s in (0.0, 1.0, HANGS_S, 1.0):
        now_s[0] += passed_s
        keeper.put(b"", [], PROGRESS)
        assert keeper.failing is (now_s[0] > 100.0 + HANGS_S)
    stuck.released.set()
    wait_for(lambda: keeper.busy_for_s == 0.0)
    keeper.put(b"", [], PROGRESS)
    assert not keeper.failing
    keeper.close()
    assert [text.partition(" for")[0] for text in heard.troubles] == [
        "The disk has not answered",
        "The disk answers again.",
    ]


def test_what_a_disk_could_not_sync_is_synced_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    synced: list[Path] = []

    def refuse(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    storage = storage_at(tmp_path, heard)
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", refuse)
    storage.store([OPENING], stamped(OPENED))
    storage.store([mark(1)], [])
    assert storage.failing
    monkeypatch.setattr("emgtwitch.store.recording.sync_path", synced.append)
    storage.store([], stamped(EVENT))
    assert set(synced) == {tmp_path, tmp_path / "r1", tmp_path / "r1" / "0000.emgw"}
    assert not storage.failing
    assert ["cannot be written: Input/output error" in text for text in heard.troubles] == [True, False]
    assert heard.troubles[1].endswith("is written again; it lacks 0 bytes.")
    storage.close()


def test_close_stores_what_is_left_and_ends_the_session(tmp_path: Path) -> None:
    heard = Heard()
    keeper = Keeper(storage_at(tmp_path, heard), on_trouble=heard.troubles.append)
    keeper.put(OPENING + mark(1), stamped(OPENED, GAP), PROGRESS)
    keeper.close()
    found = everything(tmp_path / "log.sqlite3")
    assert [s["state"] for s in found["sessions"]] == ["closed"]
    assert [i["kind"] for i in found["intervals"]] == ["gap"]
    assert (tmp_path / "r1" / "0000.emgw").read_bytes() == OPENING + mark(1)
    assert heard.troubles == []


def test_a_thread_that_has_ended_unheard_is_not_taken_for_one_that_stores(tmp_path: Path) -> None:
    heard = Heard()
    keeper = Keeper(storage_at(tmp_path, heard), on_trouble=heard.troubles.append)
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    storer, keeper._storer = keeper._storer, ended
    with pytest.raises(MemoryError, match="A thread that stores has ended"):
        keeper.put(OPENING, stamped(OPENED), None)
    keeper._storer = storer
    keeper.close()


def test_a_defect_on_the_storage_thread_is_not_swallowed(tmp_path: Path) -> None:
    def defect(outputs: Sequence[Stamped]) -> None:
        raise ZeroDivisionError("a defect")

    keeper = Keeper(Storage(LogWriter(tmp_path / "log.sqlite3"), on_stored=defect), on_trouble=print)
    keeper.put(b"", stamped(OPENED, EVENT), None)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        keeper.close()
    with pytest.raises(ZeroDivisionError, match="a defect"):
        keeper.put(b"", stamped(dataclasses.replace(EVENT, number=2)), None)
