"""Laws of reading a recording back as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.recording import is_recording, read_blocks
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.records import Mark, Session
from tests.store.processes import public_folder, run

__all__ = ["public_folder"]


def test_the_bytes_do_not_depend_on_the_block_size(tmp_path: Path) -> None:
    path = tmp_path / "a.emgw"
    data = bytes(range(256)) * 5
    path.write_bytes(data)
    for block_bytes in (1, 7, 256, 1280, 1 << 20):
        assert b"".join(bytes(block) for block in read_blocks(path, block_bytes)) == data


def test_a_session_folder_is_one_stream_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for n in (10000, 0, 9999, 2):
        (tmp_path / f"{n:04d}.emgw").write_bytes(f"<{n}>".encode())
    (tmp_path / "notes.txt").write_text("not a segment")
    (tmp_path / "copy.emgw").write_text("not numbered")
    assert b"".join(bytes(block) for block in read_blocks(tmp_path)) == b"<0><2><9999><10000>"


def test_one_buffer_serves_the_whole_recording(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n:04d}.emgw").write_bytes(b"x" * 1000)
    assert len({id(block.obj) for block in read_blocks(tmp_path, 100)}) == 1


def test_nothing_to_read_is_said_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "empty.emgw"
    empty.touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableInputError, match=r"There is no recording at .*missing.emgw"):
        read_blocks(tmp_path / "missing.emgw")
    with pytest.raises(UnreadableInputError, match=r"empty.emgw is empty"):
        read_blocks(empty)
    with pytest.raises(UnreadableInputError, match=r"folder without segments"):
        read_blocks(tmp_path / "folder")


def test_a_recording_without_the_right_to_read_it_is_refused(public_folder: Path) -> None:
    path = public_folder / "a.emgw"
    path.write_bytes(b"x")
    path.chmod(0)
    script = f"""
from pathlib import Path
from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.recording import read_blocks
drop_rights()
try:
    read_blocks(Path({str(path)!r}))
except UnreadableInputError as error:
    print(error)
"""
    assert run(script) == f"The recording {path} cannot be read: Permission denied.\n"


def test_a_recording_is_known_by_content_whatever_its_name_and_wherever_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "capture.bin"
    whole = note(Session({"recording_id": "r1"}), 0) + b"".join(frame(Mark(n, 1, 255), n) for n in range(9))
    for cut in range(60):
        path.write_bytes(whole[cut:])
        assert is_recording(path)


def test_other_files_are_no_recordings(tmp_path: Path) -> None:
    for name, content in {
        "a.txt": b"1\n2\n3\n",
        "b.wav": b"RIFF\0\0\0\0WAVE",
        "c.edf": b"0       " * 99,
        "d": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert not is_recording(tmp_path / name), name
    assert not is_recording(tmp_path)
    assert not is_recording(tmp_path / "missing")
    assert is_recording(tmp_path / "missing.emgw")
