"""Memory that the system refuses, through the C library: to the daemon or to one of its threads."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

from emgtwitch.errors import EmgtwitchError, NoMemoryError
from emgtwitch.store.channel import ask
from tests.app.nursery import Nursery
from tests.campaign.laws import LawBrokenError
from tests.campaign.running import Running, running
from tests.campaign.table import Row

REFUSES = struct.Struct("<iii")  # of a million, from so many bytes on, thread; memory.c counts behind it
MILLION, BIG = 1_000_000, 1 << 16
KINDS = (  # whom, how many of a million, from what size on
    ("all", MILLION, 0),
    ("acquisition", MILLION, 0),
    ("recording", MILLION, 0),
    ("storage", MILLION, 0),
    ("commands", MILLION, 0),
    ("page", MILLION, 0),
    ("all", MILLION, BIG),
    ("all", MILLION // 100, 0),
    ("acquisition", MILLION // 10, 0),
    ("storage", MILLION // 10, 0),
)
BORN = ("acquisition", "printer", "recording", "storage", "commands", "page")  # threads in the order of their ids
ENDS = (NoMemoryError.exit_code, -signal.SIGSEGV, -signal.SIGABRT)
LASTS_S, PATIENCE_S = 1.0, 30.0
PORT = 8796


def refusals(nursery: Nursery, folder: Path, count: int, seed: int) -> Row:
    """For a while the system gives no memory beyond what the C library and Python hold already.

    The daemon goes on with all that it does, or ends with a sentence, or a library ends it as kill -9 would; systemd
    restarts it. A thread that ends unheard while the others go on breaks the law.
    """
    ended, crashed = 0, 0
    for number in range(count):
        whom, share, least = KINDS[number % len(KINDS)]
        options = ("--port", str(PORT))
        with running(nursery, folder, f"memory{number}", *options, seed=seed + number, may_end=ENDS) as one:
            page = f"http://127.0.0.1:{one.port()}/api/v1/state"
            _asked(one, page)
            _refuse(one, share, least, whom)
            began_s = time.monotonic()
            while not one.child.ended.is_set() and (not _refused(one) or time.monotonic() < began_s + LASTS_S):
                with contextlib.suppress(OSError, EmgtwitchError, HTTPException):  # it may lack the memory to answer
                    _asked(one, page)
                if time.monotonic() > began_s + PATIENCE_S:
                    raise LawBrokenError(f"no memory was refused to {whom}: the fault is none")
            _refuse(one, 0, 0, whom)
            if _lives(one):
                _goes_on(one, page, whom)
            elif one.child.code != NoMemoryError.exit_code:
                crashed += 1
            elif "no more memory" in one.child.said():
                ended += 1
            else:
                raise LawBrokenError(f"it ended and did not say why: {one.child.said()}")
    seen = f"goes on ({count - ended - crashed} times), or ends and says why ({ended})"
    if crashed:
        seen += f", or a library crashes ({crashed})"
    return Row("no memory for a second", count, f"{seen}; nothing shown is missing")


def _refuse(one: Running, share: int, least: int, whom: str) -> None:
    """From now on, in place: the library has the file in its memory."""
    threads = sorted(int(name) for name in os.listdir(f"/proc/{one.child.pid}/task")) if share else [0]
    with (one.control / "memory").open("r+b") as file:
        file.write(REFUSES.pack(share, least, threads[BORN.index(whom)] if share and whom != "all" else 0))


def _refused(one: Running) -> int:
    return int.from_bytes((one.control / "memory").read_bytes()[REFUSES.size :], "little")


def _lives(one: Running) -> bool:
    """Whether it shows events again; raises where it does neither that nor end."""
    before, until_s = one.events(), time.monotonic() + PATIENCE_S
    while not one.child.ended.wait(0.02):
        if one.events() >= before + 2:
            return True
        if time.monotonic() > until_s:
            raise LawBrokenError(f"it neither ends nor shows anything: {one.child.said()}")
    return False


def _asked(one: Running, page: str) -> None:
    """Status and page answer. Raises EmgtwitchError or OSError where one does not."""
    ask(one.folder, {"command": "status"}, timeout_s=2.0)
    with urllib.request.urlopen(page, timeout=2.0) as answer:
        answer.read()


def _goes_on(one: Running, page: str, whom: str) -> None:
    """Raise unless all answers as before; the page may have failed, if it was said."""
    try:
        one.status()
        if "The page has failed" not in one.child.said():
            _asked(one, page)
    except (OSError, EmgtwitchError, HTTPException) as error:
        raise LawBrokenError(f"no memory for {whom}: the daemon goes on, but {error}: {one.child.said()}") from None
