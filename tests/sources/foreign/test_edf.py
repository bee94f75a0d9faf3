"""Laws of EDF and BDF, against edfio where it reads them right."""

from __future__ import annotations

import itertools
import warnings
from fractions import Fraction
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.as_wire import wire_bytes
from emgtwitch.sources.foreign.table import open_foreign
from tests.sources.foreign.makers import MAKERS, hear, make_edf, noise


def field(text: str | float, width: int) -> bytes:
    return str(text).encode("latin-1").ljust(width)


def make_by_hand(
    path: Path,
    records: list[tuple[float, list[int]]],
    kind: str = "EDF+D",
    duration: str = "0.01",
    annotations: int = 15,
) -> None:
    """EDF+ or BDF+ with one signal in uV, gain 1, and a time stamp in each of `records` (onset_s, counts)."""
    width = 3 if kind.startswith("BDF") else 2
    limit = 2 ** (8 * width - 1)
    samples = len(records[0][1])
    signals = [("EMG", "uV", -limit, limit - 1, samples), (f"{kind[:3]} Annotations", "", -1, 1, annotations)]
    header = (b"\xffBIOSEMI" if width == 3 else field(0, 8)) + field("X X X X", 80) + field("Startdate X X X X", 80)
    header += field("01.01.24", 8) + field("12.00.00", 8) + field(768, 8) + field(kind, 44)
    header += field(len(records), 8) + field(duration, 8) + field(2, 4)
    for part in (
        [field(s[0], 16) for s in signals],
        [field("", 80)] * 2,
        [field(s[1], 8) for s in signals],
        [field(s[2], 8) for s in signals],
        [field(s[3], 8) for s in signals],
        [field(-limit, 8)] * 2,
        [field(limit - 1, 8)] * 2,
        [field("", 80)] * 2,
        [field(s[4], 8) for s in signals],
        [field("", 32)] * 2,
    ):
        header += b"".join(part)
    assert len(header) == 768
    body = b""
    for onset, counts in records:
        body += b"".join(count.to_bytes(width, "little", signed=True) for count in counts)
        body += f"+{onset!r}\x14\x14\0".encode().ljust(width * annotations, b"\0")
    path.write_bytes(header + body)


@pytest.mark.parametrize("kind", ["EDF+D", "BDF+D"])
def test_an_interrupted_file_keeps_its_holes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    onsets = [5.0, 5.01, 5.02, 7.5, 7.51]
    make_by_hand(path, [(onset, list(range(k * 10, k * 10 + 10))) for k, onset in enumerate(onsets)], kind)
    heard = hear(wire_bytes(open_foreign(path)))
    assert heard.values[:, 0].tolist() == list(range(50))
    assert heard.index.tolist() == [*range(30), *range(2500, 2520)]
    assert heard.opening.rate_num == 1000


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_holes_of_any_length_are_placed_to_the_scan(tmp_path: Path, pauses: list[int]) -> None:
    path = tmp_path / "a.edf"
    starts = [total + 10 * k for k, total in enumerate(itertools.accumulate(pauses, initial=0))]
    make_by_hand(path, [(start / 1000, [start % 999] * 10) for start in starts], annotations=20)
    blocks = list(open_foreign(path).blocks)
    placed = [b.index + k for b in blocks for k in range(len(b.values))]
    exact = [start + k for start in starts for k in range(10)]
    # a pause of one scan is taken for the rounding of a time stamp
    assert all(0 <= b - a <= len(pauses) for a, b in zip(placed, exact, strict=True))
    assert 1 in pauses or placed == exact
    assert [row for b in blocks for row in b.values[:, 0]] == [start % 999 for start in starts for _ in range(10)]


def test_a_continuous_file_is_not_cut_by_its_time_stamps(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    make_by_hand(path, [(0.0, [1] * 10), (9.0, [2] * 10)], "EDF+C")
    assert [(b.index, len(b.values)) for b in open_foreign(path).blocks] == [(0, 20)]


def test_records_that_overlap_or_have_no_time_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    make_by_hand(path, [(1.0, [1] * 10), (0.5, [2] * 10)])
    with pytest.raises(UnreadableInputError, match="overlap in time or run backwards"):
        list(open_foreign(path).blocks)
    path.write_bytes(path.read_bytes().replace(b"\x14\x14", b"\0\0"))
    with pytest.raises(UnreadableInputError, match="no time stamp"):
        list(open_foreign(path).blocks)


def test_24_bits_on_a_large_offset_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.bdf"
    counts = [-(2**23), -(2**23) + 1, -1280000, -1279999, -1, 0, 1, 2**23 - 2, 2**23 - 1, 7]
    make_by_hand(path, [(0, counts)], "BDF+C")
    raw = path.read_bytes()
    # the physical limits of a BioSemi: 31.25 nV a count
    biosemi = raw.replace(field(-(2**23), 8) + field(-1, 8), field(-262144, 8) + field(-1, 8), 1)
    biosemi = biosemi.replace(field(2**23 - 1, 8) + field(1, 8), field(262143, 8) + field(1, 8), 1)
    path.write_bytes(biosemi)
    values = np.concatenate([b.values for b in open_foreign(path).blocks])[:, 0]
    gain = (262143 + 262144) / (2**24 - 1)
    back = np.rint((values - 262143) / gain).astype(int) + 2**23 - 1
    assert back.tolist() == counts
    assert open_foreign(path).rails[0] == pytest.approx((-262144, 262143))


def test_signals_of_other_rates_and_status_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zeros = np.linspace(-1, 1, 400)
        edfio.Edf(
            [
                edfio.EdfSignal(zeros[:100], 50, label="Temp", physical_dimension="degC"),
                edfio.EdfSignal(zeros, 200, label="A-B", physical_dimension="mV"),
                edfio.EdfSignal(zeros[::-1], 200, label="A", physical_dimension="V"),
                edfio.EdfSignal(zeros, 200, label="Status", physical_dimension="Boolean"),
            ],
            annotations=[edfio.EdfAnnotation(0.5, None, "start")],
        ).write(path)
        truth = edfio.read_edf(path)
    foreign = open_foreign(path)
    assert foreign.labels == ("A-B", "A")
    values = np.concatenate([b.values for b in foreign.blocks])
    assert np.array_equal(values, np.stack([truth.signals[1].data * 1e3, truth.signals[2].data * 1e6], axis=-1))
    assert open_foreign(path, channel="A-B").labels == ("A-B",)
    assert open_foreign(path, channel="Temp").rate == 50
    assert not open_foreign(path, channel="Temp").in_uV
    with pytest.raises(UnreadableInputError, match=r"Temp 50 Hz, A-B 200 Hz. Choose ones of the same kind"):
        open_foreign(path, channel="Temp,A-B")
    with pytest.raises(UnreadableInputError, match="mixes units: A-B in mV, Status in Boolean"):
        open_foreign(path, channel="A-B,Status")


def test_a_rate_that_is_no_integer_is_kept_exactly(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    make_by_hand(path, [(0, [1, 2, 3, 4])], "EDF+C", duration="3")
    assert open_foreign(path).rate == Fraction(4, 3)


@pytest.mark.parametrize("name", ["EDF", "BDF"])
def test_values_do_not_depend_on_how_many_records_are_read_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dat"
    expected = MAKERS[name][1](path, noise(2500, 2))
    monkeypatch.setattr("emgtwitch.sources.foreign.edf._BATCH_BYTES", 3000)
    blocks = list(open_foreign(path).blocks)
    assert len(blocks) > 3
    assert [b.index for b in blocks] == list(np.cumsum([0, *(len(b.values) for b in blocks[:-1])]))
    assert np.array_equal(np.concatenate([b.values for b in blocks]), expected)


def test_a_recorder_that_was_killed_leaves_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    expected = make_edf(path, noise(1000, 1))
    raw = bytearray(path.read_bytes())
    raw[236:244] = field(-1, 8)
    path.write_bytes(raw[:-10])
    assert np.array_equal(np.concatenate([b.values for b in open_foreign(path).blocks]), expected[:900])


def test_a_damaged_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    make_edf(path, noise(300, 1))
    raw = bytearray(path.read_bytes())
    raw[252:256] = b"many"
    path.write_bytes(raw)
    with pytest.raises(UnreadableInputError, match=r"header of a.edf is damaged or not EDF/BDF: .*many"):
        open_foreign(path)
