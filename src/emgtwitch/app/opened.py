"""Any file that can be replayed, as bytes of the wire: a recording of our own, or a foreign file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emgtwitch.errors import UsageError


@dataclass(frozen=True, slots=True)
class Reading:
    """What a foreign file does not say of itself."""

    fs_Hz: float | None = None
    units: str | None = None
    channel: str | None = None

    @classmethod
    def asked(cls, args: argparse.Namespace) -> Reading:
        """As `add_reading_arguments` got it."""
        return cls(args.fs, args.units, args.channel)

    def blocks(self, path: Path, block_bytes: int, start: int = 0) -> Iterator[bytes | memoryview]:
        """The bytes of the file from byte `start` on, in blocks of at most `block_bytes`; a block lasts until the next.

        Raises UnreadableInputError, and UsageError where a recording of our own is told what it says itself.
        """
        from emgtwitch.sources.recording import is_recording, read_blocks

        if is_recording(path):
            for name, value in (("fs", self.fs_Hz), ("units", self.units), ("channel", self.channel)):
                if value is not None:
                    raise UsageError(
                        f"--{name} is for foreign files; the recording {path} says it itself. Leave it out."
                    )
            return read_blocks(path, block_bytes, start)
        from emgtwitch.sources.foreign.as_wire import wire_bytes
        from emgtwitch.sources.foreign.table import open_foreign

        return _cut(wire_bytes(open_foreign(path, self.fs_Hz, self.units, self.channel)), block_bytes, start)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """--fs, --units and --channel."""
    parser.add_argument("--fs", type=float, metavar="HZ", help="sampling rate of a foreign file that does not say it")
    parser.add_argument("--units", metavar="UNIT", help="uV, mV, V, nV or counts, where the file does not say it")
    parser.add_argument("--channel", metavar="C", help="of a foreign file: index from 0, label, a list A,B or A-B")


def replayable(path: str = "recording, session folder, or") -> str:
    """What may be named, for a help text."""
    from emgtwitch.sources.foreign.table import FORMATS

    formats = "; ".join(f"{form.name} ({' '.join(form.suffixes)})" for form in FORMATS)
    return f"{path}: {formats}"


def _cut(blocks: Iterator[bytes], block_bytes: int, start: int) -> Iterator[memoryview]:
    passed = 0
    for block in blocks:
        skip = min(max(0, start - passed), len(block))
        passed += len(block)
        for at in range(skip, len(block), block_bytes):
            yield memoryview(block)[at : at + block_bytes]
