"""Laws of signal decoded anew: where decoding begins changes nothing, and any file that replays can be looked at."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from emgtwitch.app.opened import Reading
from emgtwitch.app.page import past as past_module
from emgtwitch.app.page.past import Past, Source
from emgtwitch.app.page.survey import GRID_S, SERIES, Columns, Survey
from emgtwitch.errors import UnreadableInputError, UsageError
from emgtwitch.sources.recording import read_blocks
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS

LONG_S = 150.0


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session folder of two segments, cut within a frame."""
    folder = tmp_path_factory.mktemp("session")
    data = b"".join(recorded(SCENARIOS["demo"], 2, LONG_S))
    (folder / "0000.emgw").write_bytes(data[:170_001])
    (folder / "0001.emgw").write_bytes(data[170_001:])
    return folder


def same(one: Columns | None, other: Columns | None) -> None:
    assert one is not None
    assert other is not None
    for name in (field.name for field in fields(Columns)):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_a_bookmark_gives_what_decoding_from_the_beginning_gives(minute: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_module, "MOST_BOOKMARKS", 5)  # so that some are dropped on the way
    marked = Past(bookmark_s=4.0)
    marked.columns(Source(minute), 0, 148.0, 149.0, 1000)
    for from_s in (140.0, 90.0, 107.3, 12.0, 0.0):
        plain = Past().columns(Source(minute), 0, from_s, from_s + 2.0, 2000)
        same(marked.columns(Source(minute), 0, from_s, from_s + 2.0, 2000), plain)


def test_a_recording_that_is_pruned_while_it_grows_is_read_anew(minute: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(minute, tmp_path / "session"))
    rest = (folder / "0001.emgw").read_bytes()
    (folder / "0001.emgw").write_bytes(rest[:40_000])
    past = Past(bookmark_s=4.0)
    past.columns(Source(folder), 0, 80.0, 82.0, 2000)
    head = (folder / "0000.emgw").read_bytes()
    chunks = head.split(b"\0")
    (folder / "0000.emgw.new").write_bytes(b"\0".join(chunks[:500] + chunks[800:]))
    (folder / "0000.emgw.new").replace(folder / "0000.emgw")
    (folder / "0001.emgw").write_bytes(rest)
    same(
        past.columns(Source(folder), 0, 90.0, 92.0, 2000),
        Past().columns(Source(folder), 0, 90.0, 92.0, 2000),
    )


def test_a_bookmark_saves_reading(minute: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []
    blocks = Reading.blocks

    def noted(reading: Reading, path: Path, block_bytes: int, start: int = 0):  # type: ignore[no-untyped-def]
        starts.append(start)
        return blocks(reading, path, block_bytes, start)

    monkeypatch.setattr(Reading, "blocks", noted)
    past = Past(bookmark_s=4.0)
    past.columns(Source(minute), 0, 140.0, 141.0, 100)
    past.columns(Source(minute), 0, 130.0, 131.0, 100)
    past.columns(Source(minute), 0, 1.0, 2.0, 100)
    assert starts[0] == starts[2] == 0
    assert starts[1] > 65_000


def test_the_whole_comes_by_and_by_and_is_the_signal(minute: Path) -> None:
    past = Past()
    deadline = time.monotonic() + 30
    while True:
        wide, share = past.survey(Source(minute), 0, 0.0, LONG_S, 150)
        if share == 1.0 or time.monotonic() > deadline:
            break
    assert share == 1.0
    assert wide is not None
    assert wide.step_s == 1.0
    close = past.columns(Source(minute), 0, 10.0, 11.0, 1000)
    assert close is not None
    assert np.fmin.reduce(close.raw_min) == wide.raw_min[10]
    assert np.fmax.reduce(close.raw_max) == wide.raw_max[10]


def test_a_foreign_file_is_looked_at_as_it_is_replayed(tmp_path: Path) -> None:
    values = np.random.default_rng(4).normal(0, 20, 8000)
    path = tmp_path / "one.csv"
    np.savetxt(path, values, header="emg", comments="", fmt="%.3f")
    source = Source(path, Reading(fs_Hz=1000.0, units="uV"))
    found = Past().columns(source, 0, 2.0, 3.0, 1000)
    assert found is not None
    np.testing.assert_allclose(found.raw_max, values[2000:3000], atol=0.002)
    with pytest.raises(UnreadableInputError):
        Past().columns(Source(path), 0, 2.0, 3.0, 1000)  # who knows at what rate


def test_a_recording_of_our_own_is_not_told_what_it_says(minute: Path) -> None:
    with pytest.raises(UsageError, match="--fs is for foreign files"):
        Reading(fs_Hz=500.0).blocks(minute, 100)


def test_reading_may_begin_anywhere(minute: Path) -> None:
    whole = b"".join(bytes(block) for block in read_blocks(minute))
    for start in (0, 1, 170_000, 170_001, 170_002, len(whole) - 1, len(whole), len(whole) + 5):
        assert b"".join(bytes(block) for block in read_blocks(minute, 5000, start)) == whole[start:]


@pytest.mark.parametrize("step_s", [0.1, 0.5, 0.512, 0.7])
def test_a_survey_has_no_holes_and_keeps_what_is_extreme(step_s: float) -> None:
    survey, n = Survey(), 400
    values = np.random.default_rng(1).normal(0, 1, n).astype(np.float32)
    for at in range(0, n, 7):
        survey.add(Columns(at * step_s, step_s, *[values[at : at + 7]] * 7))
    found = survey.read(0.0, n * step_s, 1)
    assert found is not None
    assert (found.raw_min[0], found.raw_max[0]) == (values.min(), values.max())
    fine = survey.read(0.0, n * step_s, int(n * step_s / GRID_S))
    assert fine is not None
    assert np.isfinite(fine.raw_min).all()


def test_a_survey_of_a_month_takes_no_more_than_one_of_a_day() -> None:
    small, large = Survey(64), Survey(4096)
    values = np.random.default_rng(2).normal(0, 1, 2000).astype(np.float32)
    for at in range(0, len(values), 13):
        for survey in (small, large):
            survey.add(Columns(at * GRID_S, GRID_S, *[values[at : at + 13]] * 7))
    found, exact = (survey.read(0.0, 1024.0, 64) for survey in (small, large))
    assert found is not None
    assert exact is not None
    assert (found.step_s, len(found.raw_min)) == (16.0, 63)
    for name in SERIES:
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name))
    assert small.read(0.0, 1024.0, 65) is None


WEEK = """
import resource
from pathlib import Path
import numpy as np
from emgtwitch.app.page.survey import GRID_S, Columns, Survey
def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
survey, draw = Survey(), np.random.default_rng(1)
for minute in range(9 * 1440):
    survey.add(Columns(60.0 * minute, GRID_S, *[draw.random(120).astype(np.float32) for _ in range(7)]))
    if minute == 60:
        before = resident_bytes()
print(resident_bytes() - before)
"""


def test_a_survey_that_folds_gives_back_what_it_no_longer_needs() -> None:
    """Found by the soak: the allocator kept 5 MB at the second day, and 5 more at the fourth."""
    done = subprocess.run([sys.executable, "-c", WEEK], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2e6
