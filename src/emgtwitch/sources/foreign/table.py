"""The foreign formats: one row each. The command line's help and the contract tests iterate over FORMATS."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.contents import Contents, Foreign

HEAD_BYTES = 4096  # what a sniff function is shown
_TEXT_CONTROLS = b"\t\n\r\f\v\x1b"


class Format(NamedTuple):
    """A format that can be read."""

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]  # whether the file's first HEAD_BYTES bytes are of this format
    loader: str  # 'module:function'; function(path) -> Contents, raises UnreadableInputError
    help: str


def _is_edf(head: bytes) -> bool:
    # A text can begin with '0       ' too, but has a line end in the 256 bytes of an EDF header.
    return head[:8] == b"0       " and not any(end in head[:256] for end in b"\r\n")


def _is_bdf(head: bytes) -> bool:
    return head[:8] == b"\xffBIOSEMI"


def _is_wav(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def _is_mat(head: bytes) -> bool:
    return head[:10] == b"MATLAB 7.3" or head[126:128] in (b"IM", b"MI")


def _is_hdf5(head: bytes) -> bool:
    return head[:8] == b"\x89HDF\r\n\x1a\n"


def _is_parquet(head: bytes) -> bool:
    return head[:4] == b"PAR1"


def _is_text(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    odd = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
    high = sum(byte >= 127 for byte in head)
    return bool(head) and not odd and high <= len(head) // 3


_ROOM = "emgtwitch.sources.foreign"
FORMATS = (
    Format("EDF", (".edf",), _is_edf, f"{_ROOM}.edf:load", "EDF and EDF+, gaps of EDF+D kept as gaps"),
    Format("BDF", (".bdf",), _is_bdf, f"{_ROOM}.edf:load", "BDF and BDF+ (BioSemi), 24 bits"),
    Format("WAV", (".wav",), _is_wav, f"{_ROOM}.wav:load", "WAV, 8 to 32 bits or float, as counts of the converter"),
    Format("MAT", (".mat",), _is_mat, f"{_ROOM}.mat:load", "MATLAB 5 to 7.3: a numeric variable or a struct with fs"),
    Format("HDF5", (".h5", ".hdf5"), _is_hdf5, f"{_ROOM}.opensignals:load", "HDF5 of OpenSignals (needs h5py)"),
    Format("Parquet", (".parquet",), _is_parquet, f"{_ROOM}.parquet:load", "Parquet, a column a channel (pyarrow)"),
    Format("text", (".csv", ".txt", ".tsv"), _is_text, f"{_ROOM}.text:load", "CSV, TXT, TSV; BioSPPy and OpenSignals"),
)


def open_foreign(
    path: str | Path, fs_Hz: float | None = None, units: str | None = None, channel: str | None = None
) -> Foreign:
    """The chosen channels of a foreign file; the options win over what the file says.

    `channel`: index from 0, label, 'A,B' or 'A-B'; None takes what looks like EMG, else every signal. `units`: uV, mV,
    V, nV or counts. Raises UnreadableInputError (and so may reading the blocks: text is checked as it is read).
    """
    path = Path(path)
    form = recognise(path)
    # numpy comes in here, not when the table is read for its help
    from emgtwitch.sources.foreign.assemble import assemble

    module, function = form.loader.split(":")
    contents: Contents = getattr(importlib.import_module(module), function)(path)
    return assemble(contents, form.name, path.name, fs_Hz, units, channel)


def recognise(path: Path) -> Format:
    """The row of the table that `path` belongs to, by its content. Raises UnreadableInputError."""
    try:
        if path.is_dir():
            raise UnreadableInputError(f"{path} is a folder. Name a file in it.")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise UnreadableInputError(f"{path} does not exist.") from None
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror}.") from error
    if not head:
        raise UnreadableInputError(f"{path} is empty.")
    for form in FORMATS:
        if form.sniff(head):
            return form
    named = next((form.name for form in FORMATS if path.suffix.lower() in form.suffixes), None)
    seen = f"is named like {named} but does not begin like it" if named else "is of no known format"
    known = ", ".join(f"{form.name} ({' '.join(form.suffixes)})" for form in FORMATS)
    raise UnreadableInputError(f"{path.name} {seen}. Formats that can be read: emgtwitch (.emgw), {known}.")
