"""Power cuts amid the commands that change what is kept, and kills at any write of a log's migration."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from emgtwitch.store.folders import LOG_NAME, log_path
from emgtwitch.store.rewrite import NEW
from tests.app.kept import SECRET, START_MS, write_session
from tests.app.nursery import Nursery
from tests.campaign.keeping import OPTIONS, command, signal_of
from tests.campaign.laws import LawBrokenError, logged
from tests.campaign.power import Disk, changes
from tests.campaign.sudden import OLD_LOG
from tests.campaign.table import Row

FORGET = ("forget", "--yes", "--from", "2024-06-01T14:02", "--to", "2024-06-01T14:20", "--data")
GONE = f"{SECRET} session0 1"
MARK = ("mark", "felt", "--data")
OLD = "version"  # of what is migrated
State = dict[str, object]


@dataclass(frozen=True, slots=True)
class Act:
    """A command on the folder `data` in `home`, the words with which it says that it is done, and what there is then;
    it is the same however often it is done.
    """

    make: Callable[[Path, int], None]
    words: Callable[[Path], tuple[str | Path, ...]]
    says: bytes
    state: Callable[[Path], State]


def _make_sessions(home: Path, seed: int) -> None:
    for number in range(2):
        write_session(home / "data", f"session{number}", seed=seed + 2 * number)


def _make_what_is_forgotten(home: Path, seed: int) -> None:
    """A session in part, another whole, and what interrupted commands left of both."""
    data = home / "data"
    part = write_session(data, "session0", seed=seed)
    write_session(data, "session1", start_ms=START_MS + 300_000, seed=seed)
    for left in (part / f"0003.emgw{NEW}", data / f"{LOG_NAME}{NEW}"):
        left.write_text(GONE)


def _make_old_log(home: Path, seed: int) -> None:
    with closing(sqlite3.connect(log_path(home / "data"))) as log:
        log.executescript(OLD_LOG.read_text())


def _kept(folder: Path) -> State:
    return {**signal_of(folder), "log": logged(folder)}


def _forgotten(home: Path) -> State:
    files = [path for path in home.rglob("*") if path.is_file()]
    return _kept(home / "data") | {"left": [path.name for path in files if GONE.encode() in path.read_bytes()]}


def _migrated(home: Path) -> State:
    """All that stood in the log, by the columns that it had, but for the mark that the act itself makes."""
    old, new = sqlite3.connect(":memory:"), sqlite3.connect(log_path(home / "data"))
    with closing(old), closing(new):
        old.executescript(OLD_LOG.read_text())
        found: State = {OLD: new.execute("PRAGMA user_version").fetchone()[0]}
        for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
            own = "WHERE kind <> 'felt'" if table == "mark" else ""
            found[table] = new.execute(f"SELECT {columns} FROM {table} {own} ORDER BY id").fetchall()
        return found


ACTS = {
    "prune": Act(
        _make_sessions,
        lambda home: (*OPTIONS, home / "data"),
        b"are all kept",
        lambda home: _kept(home / "data"),
    ),
    "forget": Act(_make_what_is_forgotten, lambda home: (*FORGET, home / "data"), b"Deleted.", _forgotten),
    "backup": Act(
        _make_sessions,
        lambda home: ("backup", home / "copy", "--data", home / "data"),
        b"is a backup of",
        lambda home: _kept(home / "copy"),
    ),
    "migration": Act(_make_old_log, lambda home: (*MARK, home / "data"), b"Marked", _migrated),
}


def _done(nursery: Nursery, folder: Path, act: Act, seed: int) -> tuple[Path, Disk, Path, State]:
    """Do it once: its folder, the disk as it was before, the log of its writes, and what there is to be after it."""
    home, log = folder / "home", folder / "writes"
    (home / "data").mkdir(parents=True)
    act.make(home, seed)
    disk = Disk(home)
    shutil.copytree(home, folder / "before")
    command(nursery, *act.words(home), environ={"CAMPAIGN_ROOT": str(home), "CAMPAIGN_LOG": str(log)})
    return home, disk, log, act.state(home)


def power_cuts(name: str, nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """The power fails after some of the writes of a command: nothing is damaged, and the same again completes it.

    Once it has said that it is done, it is.
    """
    act, draw = ACTS[name], random.Random(seed)
    home, disk, log, wanted = _done(nursery, folder, act, seed)
    every = list(changes(log))
    end = len(every) - 1
    chosen = Counter([end] * (1 + count // 5) + draw.choices(range(end), k=count - 1 - count // 5))
    for number, change in enumerate(every):
        disk.take(*change)
        for _ in range(chosen[number]):
            disk.restart(draw, home)
            if act.says in disk.shown and (found := act.state(home)) != wanted:
                raise LawBrokenError(f"{name} said that it was done; after a power cut {_other(found, wanted)}")
            _completed(nursery, home, act, wanted, f"a power cut after {number + 1} of {end + 1} changes of {name}")
    return Row(f"power cut amid {name}", count, "nothing damaged; the same again completes it; what it said is so")


def migration_kills(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """kill -9 at any of the writes of a migration."""
    act, draw = ACTS["migration"], random.Random(seed)
    home, _, log, wanted = _done(nursery, folder, act, seed)
    total = len(list(changes(log)))
    for _ in range(count):
        shutil.rmtree(home)
        shutil.copytree(folder / "before", home)
        at = draw.randint(1, total)
        child = nursery.run(*act.words(home), environ={"CAMPAIGN_ROOT": str(home), "CAMPAIGN_KILL": str(at)})
        if child.code != -signal.SIGKILL:
            raise LawBrokenError(f"it was not killed at the change {at} of {total}: {child.code}")
        _completed(nursery, home, act, wanted, f"kill -9 at the change {at} of {total}")
    return Row("kill -9 of the log's migration", count, "nothing damaged; the next one completes it")


def _completed(nursery: Nursery, home: Path, act: Act, wanted: State, after: str) -> None:
    if OLD not in wanted:  # its recording never was
        command(nursery, "verify", "--data", home / "data")
    command(nursery, *act.words(home))
    if (found := act.state(home)) != wanted:
        raise LawBrokenError(f"after {after} the same again leaves something else: {_other(found, wanted)}")
    for path in home.iterdir():
        if OLD not in wanted:
            command(nursery, "verify", "--data", path)


def _other(found: State, wanted: State) -> str:
    keys = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    return f"there is something else in {sorted(keys)}"
