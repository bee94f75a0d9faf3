"""Laws of the pages: whatever a log holds, every word is on its sheet, none over another, and none is too small."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.report.canvas import SMALL_PT, STYLE, fitted, width_mm, wrapped
from emgtwitch.app.report.sheet import Columns, Report, Table
from emgtwitch.app.report.worn import Days
from emgtwitch.settings import Settings
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.told import add_diary, rate_spasm
from tests.app.month import FIRST, ZONE, wear, write_month

prepare_kernels()
from emgtwitch.app.report.facts import read  # noqa: E402  numba first
from emgtwitch.app.report.for_doctor import doctor_report  # noqa: E402
from emgtwitch.app.report.for_wearer import week_report  # noqa: E402
from emgtwitch.app.report.html import html  # noqa: E402
from emgtwitch.app.report.pdf import BOTTOM_MM, MARGIN_MM, sheets, write_pdf  # noqa: E402

pytestmark = pytest.mark.slow
DPI = 200
LONG = "It $x^2$ went on & on <b>and</b> on \U0001f9b5, Wadenkrämpfe/腓肠肌痉挛; " * 12


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    write_month(folder)
    return folder


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that a log may hold too much of: settings, placements, spasms with long notes, kinds of diary."""
    folder = tmp_path_factory.mktemp("crowded")
    rng = np.random.default_rng(5)
    with LogWriter(folder / LOG_NAME) as log:
        for number in range(92):
            place = {"muscle": "W" * 60, "side": "left", "placement": f"{number % 9} {LONG}"}
            settings = Settings(min_ms=5.0 + number % 7, pause_ms=20.0, on_uV=3.5, merge_max_ms=200.0, mains_Hz=50.0)
            wear(
                log, rng, FIRST + datetime.timedelta(days=number), 8.0, 2.0, 3.0, settings, [place], spasms_per_hour=3.0
            )
        wear(log, rng, FIRST, 12.0, 1.0, 1.0, Settings(), [{"muscle": "M" * 90}])

        def tell(db: Any) -> None:
            asked = (
                "SELECT recording_id, channel, number FROM event JOIN session ON session.id = session WHERE class = ?"
            )
            for key in db.execute(asked, ("spasm",)).fetchall():
                rate_spasm(db, key, {"pain": 10, "note": LONG}, 0)
            for number in range(400):
                at_ms = (
                    round(datetime.datetime.combine(FIRST, datetime.time(12)).timestamp() + 86400 * (number % 92))
                    * 1000
                )
                entry = {"kind": f"{'W' * 30} {number % 9}", "value": 12345.678, "unit": "M" * 20, "note": LONG}
                entry |= {"utc_ms": at_ms, "utc_offset_s": 0, "zone": ZONE}
                add_diary(db, entry, at_ms)

        log.change(tell)
    return folder


def report_of(folder: Path, days: int, *, week: bool = False) -> Report:
    span = Days(FIRST, FIRST + datetime.timedelta(days=days - 1), ZoneInfo(ZONE))
    with LogReader(folder / LOG_NAME) as log:
        return week_report(log, span, None) if week else doctor_report(read(log, span, None))


def texts(report: Report) -> list[list[tuple[Text, Bbox]]]:
    """Every piece of text that is drawn on each page, with its box in mm from the upper left corner."""
    out = []
    with matplotlib.rc_context(STYLE), pytest.MonkeyPatch.context() as patch:
        drawn: list[Text] = []
        draw = Text.draw

        def record(self: Text, *args: Any, **kwargs: Any) -> None:
            drawn.append(self)
            draw(self, *args, **kwargs)

        patch.setattr(Text, "draw", record)
        for canvas in sheets(report):
            drawn.clear()
            canvas.figure.set_dpi(DPI)
            agg = FigureCanvasAgg(canvas.figure)
            agg.draw()  # type: ignore[no-untyped-call]
            high = canvas.figure.get_size_inches()[1] * DPI
            boxes = []
            for text in (text for text in drawn if text.get_visible() and text.get_text().strip()):
                box = text.get_window_extent()
                corners = [[box.x0, high - box.y1], [box.x1, high - box.y0]]
                boxes.append((text, Bbox(np.array(corners) * 25.4 / DPI)))
            out.append(boxes)
    return out


CASES = [("month", 28, False), ("month", 1, False), ("month", 7, True), ("crowded", 92, False), ("crowded", 7, True)]


@pytest.mark.parametrize(("folder", "days", "week"), CASES)
def test_every_word_is_on_its_sheet_and_none_lies_over_another(
    request: pytest.FixtureRequest, folder: str, days: int, week: bool
) -> None:
    report = report_of(request.getfixturevalue(folder), days, week=week)
    assert len(report.pages) == (1 if week else 2)
    for boxes in texts(report):
        assert len(boxes) > 40
        for text, box in boxes:
            assert float(text.get_fontsize()) >= SMALL_PT
            seen = text.get_text()
            assert MARGIN_MM - 0.3 <= min(box.x0, box.x1) <= max(box.x0, box.x1) <= 210.0 - MARGIN_MM + 0.5, seen
            assert 8.0 <= min(box.y0, box.y1) <= max(box.y0, box.y1) <= BOTTOM_MM + 8.0, seen
        over = []
        for number, (text, box) in enumerate(boxes):
            for other, beside in boxes[:number]:
                wide = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                high = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                if wide > 0.2 and high > 0.6:  # lines stand closer than the boxes of their letters
                    over.append((text.get_text(), other.get_text()))
        assert over == []


def test_the_list_says_how_many_spasms_it_left_out(crowded: Path) -> None:
    report = report_of(crowded, 92)
    (table,) = [block for block in report.pages[1] if isinstance(block, Table)]
    second = [text.get_text() for text, _ in texts(report)[1]]
    shown = sum(text == "10 of 10" for text in second)
    assert 2 < shown < len(table.rows)
    assert f"and {len(table.rows) - shown} more" in second


def test_pdf_and_html_hold_the_same_tables(month: Path) -> None:
    report = report_of(month, 28)
    source = html(report)
    drawn = {text.get_text() for page in texts(report) for text, _ in page}
    tables = [block for page in report.pages for block in page if isinstance(block, Table)]
    columns = [block for page in report.pages for block in page if isinstance(block, Columns)]
    tables += [inner for block in columns for side in block.blocks for inner in side if isinstance(inner, Table)]
    assert len(tables) == 4
    for table in tables:
        for cell in (cell for row in table.rows for cell in row if cell and len(cell) < 20):
            assert f">{cell}<" in source
            assert cell in drawn


def test_what_the_wearer_wrote_is_text_and_never_markup(crowded: Path) -> None:
    report = report_of(crowded, 30)
    source = html(report)
    assert "<b>and</b>" not in source
    assert "&lt;b&gt;and&lt;/b&gt;" in source
    assert any("$x^2$" in text.get_text() for text, _ in texts(report)[1])
    write_pdf(report, io.BytesIO())


def test_a_page_with_too_much_is_a_defect_and_not_clipped(month: Path) -> None:
    report = report_of(month, 28)
    report.pages[0].extend(report.pages[0])
    with (
        matplotlib.rc_context(STYLE),
        pytest.raises(RuntimeError, match=r"page 1 of the report is \d+\.\d mm too long"),
    ):
        sheets(report)


@pytest.mark.parametrize("room_mm", [5.0, 20.0, 90.0])
def test_lines_are_no_wider_than_their_room_and_lose_nothing(room_mm: float) -> None:
    lines = wrapped(LONG, room_mm, 7.5, indent_mm=room_mm / 2)
    assert width_mm(lines[0], 7.5) <= room_mm / 2
    assert all(width_mm(line, 7.5) <= room_mm for line in lines)
    assert "".join("".join(lines).split()) == "".join(LONG.split())
    assert width_mm(fitted(LONG, room_mm, 7.5), 7.5) <= room_mm
