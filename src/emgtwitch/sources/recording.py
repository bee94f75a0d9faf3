"""A recording as a source: the bytes of a file, or of a session folder's segments one after the other.

Nothing is repaired: the decoder takes any cut or damage as lost frames. Memory is flat in the length of the recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emgtwitch.errors import UnreadableInputError
from emgtwitch.wire.light import frames

SUFFIX = ".emgw"
HEAD_BYTES = 1 << 16  # some hundred frames, so that damage at the head does not hide what a file is


def segments(path: Path) -> list[Path]:
    """The files that make the recording at `path`, in order; none if it is a folder without numbered segments."""
    if not path.is_dir():
        return [path]
    return sorted((p for p in path.glob(f"*{SUFFIX}") if p.stem.isdecimal()), key=lambda p: int(p.stem))


def is_recording(path: Path) -> bool:
    """Whether `path` is a recording by its suffix, its segments or, whatever its name, its content.

    A path that is not there or cannot be read is judged by its name alone.
    """
    if path.suffix == SUFFIX:
        return True
    try:
        if path.is_dir():
            return bool(segments(path))
        with path.open("rb") as file:
            return bool(frames(file.read(HEAD_BYTES)))
    except OSError:
        return False


def read_blocks(path: Path, block_bytes: int = 1 << 20, start: int = 0) -> Iterator[memoryview]:
    """Yield the recording's bytes from byte `start` on, in blocks of at most `block_bytes`; the next overwrites each.

    Raises UnreadableInputError, at once, if there is nothing to read, and later if the disk fails.
    """
    try:
        files = segments(path)
        if not files:
            raise UnreadableInputError(
                f"{path} is a folder without segments (0000{SUFFIX}, ...). Name a session's folder."
            )
        size = sum(file.stat().st_size for file in files)
        for file in files:
            file.open("rb").close()
    except FileNotFoundError:
        raise UnreadableInputError(f"There is no recording at {path}. Check the name.") from None
    except OSError as error:
        raise UnreadableInputError(f"The recording {path} cannot be read: {error.strerror}.") from None
    if not size:
        raise UnreadableInputError(f"The recording {path} is empty: nothing was written to it.")
    return _blocks(files, block_bytes, start)


def _blocks(files: list[Path], block_bytes: int, start: int) -> Iterator[memoryview]:
    block = memoryview(bytearray(block_bytes))
    for path in files:
        try:
            size = path.stat().st_size
            if start and start >= size and path is not files[-1]:
                start -= size
                continue
            with path.open("rb", buffering=0) as file:
                file.seek(start)
                start = 0
                while count := file.readinto(block):
                    yield block[:count]
        except OSError as error:
            raise UnreadableInputError(f"The recording {path} cannot be read further: {error.strerror}.") from None
