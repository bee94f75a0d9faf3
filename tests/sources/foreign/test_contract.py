"""What holds for every foreign format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.as_wire import wire_bytes
from emgtwitch.sources.foreign.table import FORMATS, open_foreign
from tests.sources.foreign.makers import MAKERS, RATE_Hz, hear, noise

NAMES = [form.name for form in FORMATS]


def test_every_format_has_a_maker() -> None:
    assert sorted(MAKERS) == sorted(NAMES)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_the_wire_carries_the_file_bit_for_bit(name: str, channels: int, tmp_path: Path) -> None:
    suffix, make = MAKERS[name]
    path = tmp_path / f"a{suffix}"
    expected = make(path, noise(2500, channels))
    heard = hear(wire_bytes(open_foreign(path)))
    assert heard.values.tobytes() == expected.tobytes()
    assert heard.index.tolist() == list(range(2500))
    assert (heard.opening.rate_num, heard.opening.rate_den) == (RATE_Hz, 1)
    assert heard.opening.channels == channels
    assert bool(heard.opening.in_uV) == (name not in ("WAV", "HDF5"))


@pytest.mark.parametrize("name", NAMES)
def test_the_content_tells_the_format_whatever_the_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nameless.dat"
    MAKERS[name][1](path, noise(300, 1))
    assert open_foreign(path).format == name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_for_wins(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    expected = MAKERS[name][1](path, noise(300, 2))
    foreign = open_foreign(path, fs_Hz=512.5, units="mV", channel="1")
    assert float(foreign.rate) == 512.5
    assert foreign.in_uV
    values = np.concatenate([block.values for block in foreign.blocks])
    assert np.array_equal(values[:, 0], expected[:, 1] * 1000)


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_is_one_subtraction(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    expected = MAKERS[name][1](path, noise(300, 2))
    foreign = open_foreign(path, channel="0-1")
    values = np.concatenate([block.values for block in foreign.blocks])
    assert np.array_equal(values[:, 0], expected[:, 0] - expected[:, 1])
    low, high = foreign.rails[0]
    assert np.isnan(low) or low <= values.min() <= values.max() <= high


@pytest.mark.parametrize("share", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "text"])
def test_a_file_cut_short_is_refused_clearly(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{MAKERS[name][0]}"
    MAKERS[name][1](path, noise(2500, 1))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UnreadableInputError, match=r"cut short|damaged|is of no known format|does not begin like"):
        list(open_foreign(path).blocks)


@pytest.mark.parametrize("name", NAMES)
def test_damage_anywhere_gives_values_or_one_clear_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{MAKERS[name][0]}"
    MAKERS[name][1](path, noise(200, 2))
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    said = []
    for near in [64, 300, 900, len(whole)] * 12:
        raw = bytearray(whole)
        for at in rng.integers(0, min(near, len(raw)), rng.integers(1, 6)):
            raw[at] = rng.integers(0, 256)
        path.write_bytes(raw)
        try:
            hear(wire_bytes(open_foreign(path)))
        except UnreadableInputError as error:
            said.append(str(error))
    assert said
    assert all(path.name in text for text in said)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_channel_lists_those_there(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    MAKERS[name][1](path, noise(300, 2))
    with pytest.raises(UnreadableInputError, match=r"has no channel 'biceps'. It has 0 \S+.*, 1 \S+"):
        open_foreign(path, channel="biceps")


@pytest.mark.parametrize("fs_Hz", [0.0, -1000.0, float("nan"), float("inf"), 1e12])
def test_an_impossible_rate_is_refused(fs_Hz: float, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    MAKERS["text"][1](path, noise(300, 1))
    with pytest.raises(UnreadableInputError, match=r"Hz is impossible. Give a positive one: --fs HZ"):
        open_foreign(path, fs_Hz=fs_Hz)


def test_an_unknown_unit_says_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    MAKERS["text"][1](path, noise(300, 1))
    with pytest.raises(UnreadableInputError, match=r"'furlong' is unknown. Allowed are uV, mV, V, nV or counts"):
        open_foreign(path, units="furlong")


def test_what_is_no_recording_names_the_formats_that_are(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"%PDF-1.4\n" + bytes(range(256)))
    with pytest.raises(UnreadableInputError, match=rf"of no known format.*{'.*'.join(NAMES)}"):
        open_foreign(path)
    path = tmp_path / "a.edf"
    path.write_bytes(b"\x00\x01\x02")
    with pytest.raises(UnreadableInputError, match="is named like EDF but does not begin like it"):
        open_foreign(path)


def test_a_missing_file_a_folder_and_an_empty_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="does not exist"):
        open_foreign(tmp_path / "none.csv")
    with pytest.raises(UnreadableInputError, match="is a folder"):
        open_foreign(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(UnreadableInputError, match="is empty"):
        open_foreign(tmp_path / "empty.csv")


def test_the_table_is_read_without_heavy_imports() -> None:
    code = (
        "import sys, emgtwitch.sources.foreign.table;"
        "sys.exit(bool({'numpy', 'scipy', 'numba', 'h5py', 'edfio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
