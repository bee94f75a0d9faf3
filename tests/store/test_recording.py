"""Laws of the recording writer."""

from __future__ import annotations

import datetime
import errno
import os
import stat
from pathlib import Path

import pytest

from emgtwitch.store.recording import SessionWriter
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import WIRE_VERSION, Board, Clock, Hello, Mark, Note, Record, Samples, Session
from tests.store.processes import run

SESSION = {"recording_id": "r1", "worn": [{"muscle": "calf"}]}
OPENING = note(Session({**SESSION, "segment": 0}), 0)


class Day:
    """A calendar that stands still until told."""

    def __init__(self) -> None:
        self.date = datetime.date(2024, 3, 30)

    def __call__(self) -> datetime.date:
        return self.date


def mark(n: int) -> bytes:
    return frame(Mark(n, 1, 255), n)


def marks_in(records: list[Record]) -> list[int]:
    return [r.index for r in records if isinstance(r, Mark)]


def test_the_recording_is_the_bytes_as_they_came(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day())
    pieces = [OPENING, mark(1) + mark(2), b"garbage\0", mark(3)]
    for piece in pieces:
        writer.append(piece)
    writer.close()
    assert [p.name for p in (tmp_path / "r1").iterdir()] == ["0000.emgw"]
    assert (tmp_path / "r1" / "0000.emgw").read_bytes() == b"".join(pieces)


def test_bytes_outlive_the_writer_without_a_close(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day())
    writer.append(OPENING)
    assert (tmp_path / "r1" / "0000.emgw").read_bytes() == OPENING
    writer.close()


def test_a_segment_rolls_at_midnight_and_can_be_read_alone(tmp_path: Path) -> None:
    day = Day()
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=day)
    writer.append(OPENING + mark(1))
    writer.hello(b"hello's body")
    day.date += datetime.timedelta(days=1)
    writer.append(mark(2))
    writer.append(mark(3))
    writer.close()
    second = frames((tmp_path / "r1" / "0001.emgw").read_bytes())
    assert second[:2] == [Session({**SESSION, "segment": 1}), Board(b"hello's body")]
    assert marks_in(second) == [2, 3]


def test_a_segment_rolls_at_its_size_and_no_frame_is_lost_or_cut(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day(), max_segment_bytes=200)
    writer.append(OPENING)
    for n in range(100):
        writer.append(mark(n))
    writer.close()
    files = sorted((tmp_path / "r1").iterdir())
    assert len(files) > 5
    assert all(200 <= f.stat().st_size <= 200 + len(mark(0)) for f in files[:-1])
    assert [n for f in files for n in marks_in(frames(f.read_bytes()))] == list(range(100))


def test_a_later_segment_opens_with_the_settings_then_in_force(tmp_path: Path) -> None:
    day = Day()
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=day)
    writer.append(OPENING)
    writer.change({"settings": {"mains_Hz": 60}})
    day.date += datetime.timedelta(days=1)
    writer.append(mark(1))
    writer.close()
    head = frames((tmp_path / "r1" / "0001.emgw").read_bytes())[0]
    assert isinstance(head, Session)
    assert head.json["settings"] == {"mains_Hz": 60}


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "sessions" / "r1", SESSION, local_day=Day())
    writer.append(OPENING)
    writer.close()
    modes = [
        stat.S_IMODE(os.stat(tmp_path / part).st_mode) for part in ("sessions", "sessions/r1", "sessions/r1/0000.emgw")
    ]
    assert modes == [0o700, 0o700, 0o600]


def test_a_full_disk_costs_only_what_did_not_fit(tmp_path: Path) -> None:
    # A limit on the size of files stands for the full disk: it cuts a write in the middle of a frame, too.
    script = f"""
import resource, signal, sys
from pathlib import Path
from emgtwitch.store.recording import SessionWriter
from tests.store.test_recording import OPENING, SESSION, Day, mark
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = SessionWriter(Path({str(tmp_path / "r1")!r}), SESSION, local_day=Day())
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
refused = []
for n in range(60):
    if n == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (7, hard))
    if n == 10:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    if n == 50:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        writer.append(OPENING if n == 0 else mark(n))
    except OSError:
        refused.append(n)
writer.sync()
print(refused)
"""
    out = run(script)
    refused = [int(n) for n in out.strip("[]\n").split(",")]
    found = frames((tmp_path / "r1" / "0000.emgw").read_bytes())
    assert set(range(10)) < set(refused)
    assert 10 < len(refused) < 50
    assert found[0] == Session({**SESSION, "segment": 0})
    assert marks_in(found) == [n for n in range(60) if n not in refused]


def test_a_disk_that_was_full_at_the_beginning_leaves_a_recording_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day())
    writer.hello(b"hello's body")
    with monkeypatch.context() as context:
        context.setattr(os, "open", full)
        with pytest.raises(OSError, match="No space left"):
            writer.append(OPENING + mark(0))
    writer.append(mark(1))
    writer.append(mark(2))
    writer.close()
    found = frames((tmp_path / "r1" / "0000.emgw").read_bytes())
    assert found[:2] == [Session({**SESSION, "segment": 0}), Board(b"hello's body")]
    assert marks_in(found) == [1, 2]


def test_a_segment_of_another_session_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "0000.emgw").write_bytes(b"precious")
    writer = SessionWriter(tmp_path / "r1", SESSION, local_day=Day())
    try:
        writer.append(OPENING)
        refused = False
    except FileExistsError:
        refused = True
    assert refused
    assert (tmp_path / "r1" / "0000.emgw").read_bytes() == b"precious"


def test_a_recording_of_every_wire_version_is_read_with_all_that_is_in_it() -> None:
    """The fixtures are kept for ever; one of each version that ever wrote."""
    for version in range(1, WIRE_VERSION + 1):
        (file,) = (Path(__file__).parent / f"recordings/wire{version}").glob("*.emgw")
        found = frames(file.read_bytes())
        (session,) = (one for one in found if isinstance(one, Session))
        assert session.json["worn"] == [{"muscle": "calf"}]
        assert {one.wire_version for one in found if isinstance(one, Hello)} == {version}
        assert [one.json["kind"] for one in found if isinstance(one, Note)] == ["felt"]
        assert sum(len(one.counts) for one in found if isinstance(one, Samples)) == 6832
        assert sum(isinstance(one, Clock) for one in found) >= 5
