"""Laws of reading numbers from text, however they are written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.table import open_foreign

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
DIALECTS = [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), (" ", "."), ("   ", "."), (", ", ".")]


def read(path: Path, text: str, encoding: str = "utf-8", **asked: str | float) -> npt.NDArray[np.float64]:
    path.write_bytes(text.encode(encoding))
    blocks = open_foreign(path, **{"fs_Hz": 1000.0, **asked}).blocks  # type: ignore[arg-type]
    return np.concatenate([block.values for block in blocks])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(2, 4).flatmap(
        lambda n: st.lists(st.lists(finite, min_size=n, max_size=n), min_size=1, max_size=9)
    ),
    dialect=st.sampled_from(DIALECTS),
    header=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    trailing=st.booleans(),
)
def test_every_dialect_gives_the_numbers_that_were_written(
    tmp_path: Path, rows: list[list[float]], dialect: tuple[str, str], header: bool, ending: str, trailing: bool
) -> None:
    delimiter, decimal = dialect
    end = delimiter.strip(" ") + ending if trailing else ending
    lines = [delimiter.join(repr(x).replace(".", decimal) for x in row) + end for row in rows]
    names = delimiter.join(f"ch_{k}" for k in range(len(rows[0]))) + end if header else ""
    ask = ",".join(map(str, range(len(rows[0]))))
    assert read(tmp_path / "a.txt", names + "".join(lines), channel=ask).tolist() == rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5\n2\n-3e-2\n", [[1.5], [2], [-0.03]]),
        ("EMG\n1\n2\n", [[1], [2]]),
        ("EMG (mV)\n0,51\n0,52\n", [[510], [520]]),
        ('"EMG";"time"\n"1,5";0\n"2,5";0\n', [[1.5], [2.5]]),
        ("\ufeffEMG,b\n1,2\n3,4", [[1], [3]]),
        ("Label: left arm\nFilter: none\n\nEMG a\tEMG b\n1\t2\n\n3\t4\n", [[1, 2], [3, 4]]),
        ("time;EMG\ns;mV\n0;1\n0;2\n", [[1000], [2000]]),
        ("# a remark\n1 2\n# another\n3 4\n", [[1, 2], [3, 4]]),
        ("note,EMG\nstart,1\nhello,2\n", [[1], [2]]),
    ],
)
def test_headers_remarks_and_other_columns_are_understood(
    text: str, expected: list[list[float]], tmp_path: Path
) -> None:
    assert read(tmp_path / "a.txt", text).tolist() == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_the_encoding_is_found_out(encoding: str, tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "EMG (µV),Grün\n1,2\n3,4\n", encoding).tolist() == [[1], [3]]
    assert open_foreign(tmp_path / "a.csv", fs_Hz=1000).in_uV


def test_what_is_missing_or_infinite_is_nan(tmp_path: Path) -> None:
    values = read(tmp_path / "a.csv", "EMG a,EMG b\n1,\n,2\nnan,NA\ninf,-inf\n3,4\n")
    nan = float("nan")
    expected = np.array([[1, nan], [nan, 2], [nan, nan], [nan, nan], [3, 4]])
    assert np.array_equal(values, expected, equal_nan=True)


def test_values_do_not_depend_on_where_the_chunks_end(tmp_path: Path) -> None:
    expected = np.random.default_rng(3).normal(size=(90_000, 2))
    text = "EMG a,EMG b\n" + "\n".join(f"{a!r},{b!r}" for a, b in expected.tolist())
    assert len(text) > 3 << 20
    assert np.array_equal(read(tmp_path / "a.csv", text), expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n2\nabc\n4\n", "line 3: 'abc' is not a number"),
        ("a,b\n1,2\n3,x4\n5,6\n", "line 3: 'x4' is not a number .column 'b'."),
        ("a,b\n1,2\n3\n5,6\n", "line 3 holds 1 values where others hold 2"),
        ("1,2\n1,2,3\n5,6\n7,8\n", "line 2 holds 3 values where others hold 2"),
        ("1,2,3\n5,6\n7,8\n", "line 1 holds 3 values where others hold 2"),
        ("1.25,x,3\n1.5,2,3\n5,6,7\n", "line 1: 'x' is not a number"),
        ("Dear diary,\nnothing twitched today.\n", "line 1: 'Dear diary,' where numbers were expected"),
        ("# only a remark\n", "holds no rows of numbers"),
        ("EMG\n", "line 1: 'EMG' where numbers were expected"),
        ("nan\nnan\n", "where numbers were expected"),
    ],
)
def test_words_among_the_numbers_are_shown_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=said):
        read(tmp_path / "a.txt", text, channel="0,1" if "," in text else "0")


def test_a_word_far_down_is_found_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="line 400002: 'oops' is not a number"):
        read(tmp_path / "a.txt", "EMG\n" + "1.25\n" * 400_000 + "oops\n")


@pytest.mark.parametrize(
    ("header", "rate"),
    [
        ("# Sampling Rate (Hz):= 1000.00\n", Fraction(1000)),
        ("%Sample Rate = 200 Hz\n", Fraction(200)),
        ("Sampling frequency: 2 kHz\n", Fraction(2000)),
        ("# fs=512.5\n", Fraction(1025, 2)),
    ],
)
def test_the_rate_is_read_from_the_header(header: str, rate: Fraction, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(header + "1\n2\n")
    assert open_foreign(path).rate == rate


@pytest.mark.parametrize("rate", [Fraction(1000), Fraction(2048), Fraction(4000, 3), Fraction(250)])
@pytest.mark.parametrize(("label", "unit", "digits"), [("time", 1, 9), ("Time (ms)", 1000, 4), ("", 1, 6), ("t", 1, 4)])
def test_a_time_column_gives_the_rate_and_is_no_signal(
    rate: Fraction, label: str, unit: int, digits: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"{float(k / rate * unit):.{digits}f},{k * 7919 % 101}\n" for k in range(9000))
    path.write_text((f"{label},EMG\n" if label else "") + rows)
    foreign = open_foreign(path)
    assert foreign.labels == ("EMG" if label else "ch1",)
    assert abs(foreign.rate - rate) < rate / 10**5
    assert digits < 6 or foreign.rate == rate


def test_a_hole_in_time_or_numbering_advances_the_index(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    kept = [k for k in range(200_000) if not (700 <= k < 750 or k == 150_000)]
    for told in ([f"{k / 1000:.3f}" for k in kept], [str(k % 65536) for k in kept]):
        path.write_text("index,EMG\n" + "".join(f"{t},{k}\n" for t, k in zip(told, kept, strict=True)))
        blocks = list(open_foreign(path, fs_Hz=1000, channel="EMG").blocks)
        placed = np.concatenate([b.index + np.arange(len(b.values)) for b in blocks])
        assert np.array_equal(placed, kept)
        assert np.array_equal(np.concatenate([b.values[:, 0] for b in blocks]), kept)


def test_a_rate_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("EMG\n1\n2\n")
    with pytest.raises(UnreadableInputError, match=r"does not say its sampling rate. Give it: --fs HZ"):
        open_foreign(path)


def test_biosppy_and_opensignals_headers_give_rate_labels_and_resolution(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(
        "# Simple Text Format\n# Sampling Rate (Hz):= 1000.00\n# Resolution:= 12\n# Labels:= EMG\tECG\n1\t2\n3\t4\n"
    )
    foreign = open_foreign(path)
    assert (foreign.rate, foreign.labels, foreign.rails) == (Fraction(1000), ("EMG",), ((0.0, 4095.0),))
    device = {
        "sensor": ["EMG", "XYZ"],
        "column": ["nSeq", "I1", "O1", "A1", "A2"],
        "label": ["A1", "A2"],
        "resolution": [4, 1, 1, 10, 6],
        "sampling rate": 100,
    }
    rows = "".join(f"{k % 16}\t0\t1\t{k}\t5\t\n" for k in range(100) if k != 50)
    path.write_text(f"# OpenSignals Text File Format\n# {json.dumps({'00:07': device})}\n# EndOfHeader\n{rows}")
    foreign = open_foreign(path)
    assert (foreign.rate, foreign.labels, foreign.rails) == (Fraction(100), ("A1",), ((0.0, 1023.0),))
    blocks = list(foreign.blocks)
    assert [(b.index, len(b.values)) for b in blocks] == [(0, 50), (51, 49)]
    assert open_foreign(path, channel="A2").rails == ((0, 63),)
