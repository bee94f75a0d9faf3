"""The log on a full disk, for which a limit on the size of files stands: nothing by halves, and all of it later."""

from __future__ import annotations

from pathlib import Path

from emgtwitch.store.log import LogWriter
from tests.store.processes import run
from tests.store.test_log import ANNOUNCED, OPENED, everything, stamped


def test_a_failed_write_leaves_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    script = f"""
import resource, signal
from pathlib import Path
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.log import LogWriter
from tests.store.test_log import EVENT, OPENED, everything, stamped
import dataclasses
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path({str(path)!r})
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
many = stamped(*(dataclasses.replace(EVENT, number=n) for n in range(2000)))
with LogWriter(path) as log:
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        log.write(stamped(OPENED) + many)
    except CannotWriteError as error:
        print(str(error).split(str(path))[1].split(":")[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(len(everything(path)["sessions"]), len(everything(path)["events"]))
    log.write(stamped(OPENED) + many)
    print(len(everything(path)["sessions"]), len(everything(path)["events"]))
"""
    assert run(script).splitlines() == [" cannot be written", "0 0", "1 2000"]


def test_a_log_that_awaits_room_opens_on_a_full_disk_and_takes_over_once_there_is_some(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with LogWriter(path) as log:
        log.write(stamped(OPENED, ANNOUNCED))
    script = f"""
import resource, signal
from pathlib import Path
from emgtwitch.errors import CannotWriteError
from emgtwitch.store import log
from tests.store.test_log import EVENT, OPENED, stamped
import dataclasses
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path({str(path)!r})
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
for full, awaits in ((True, False), (False, True)):
    log.is_full = lambda folder, full=full: full
    try:
        log.LogWriter(path, awaits_room=awaits)
    except CannotWriteError as error:
        print(str(error).split(str(path))[1].split(":")[0])
log.is_full = lambda folder: True
with log.LogWriter(path, awaits_room=True) as writer:
    fresh = stamped(dataclasses.replace(OPENED, recording_id="fresh"), EVENT)
    try:
        writer.write(fresh)
    except CannotWriteError:
        print("later")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.write(fresh)
"""
    assert run(script).splitlines() == [" cannot be written", " cannot be written", "later"]
    found = everything(path)
    assert [session["state"] for session in found["sessions"]] == ["crashed", "open"]
    assert sorted(event["crash_closed"] for event in found["events"]) == [0, 1]
