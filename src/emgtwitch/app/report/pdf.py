"""The report on sheets of A4. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages

from emgtwitch.app.report.canvas import MM_PER_PT, STYLE, Canvas, page, width_mm, wrapped
from emgtwitch.app.report.sheet import (
    COLUMN_GAP_MM,
    WIDTH_MM,
    Block,
    Columns,
    Figure,
    Heading,
    Paragraph,
    Report,
    Table,
    column_widths,
)

A4_MM = 210.0, 297.0
MARGIN_MM = 14.0
TOP_MM = 28.0  # where the blocks begin, under the head
BOTTOM_MM = 283.0  # where they must end, over the foot
TEXT_PT, TABLE_PT, HEADING_PT = 7.5, 7.5, 9.0
LINE_MM = 1.35 * TEXT_PT * MM_PER_PT
ROW_GAP_MM = 0.6
AFTER_MM = {Heading: 1.0, Paragraph: 1.6, Table: 2.2, Figure: 1.5, Columns: 0.0}
CELL_GAP_MM = 4.0


def write_pdf(report: Report, file: BinaryIO) -> None:
    """Write the pages of the report; RuntimeError where one of them cannot hold its fixed blocks, a defect."""
    told = {"Title": f"{report.title}, {report.subtitle}", "Creator": "emgtwitch", "Author": None, "Producer": None}
    with matplotlib.rc_context(STYLE), PdfPages(file, metadata=told | {"CreationDate": None}) as pages:
        for canvas in sheets(report):
            pages.savefig(canvas.figure)


def sheets(report: Report) -> list[Canvas]:
    """Every page, drawn; to be called within STYLE."""
    out = []
    for number, blocks in enumerate(report.pages, start=1):
        canvas = page(*A4_MM)
        _frame(canvas, report, number)
        body = canvas.part(MARGIN_MM, TOP_MM, WIDTH_MM, BOTTOM_MM - TOP_MM)
        spare_mm = body.height_mm - sum(_height(block, WIDTH_MM, 0.0) for block in blocks)
        if spare_mm < 0:
            raise RuntimeError(f"page {number} of the report is {-spare_mm:.1f} mm too long")
        down_mm = 0.0
        for block in blocks:
            high_mm = _height(block, WIDTH_MM, spare_mm)
            _draw(body.part(0.0, down_mm, WIDTH_MM, high_mm), block, spare_mm)
            down_mm += high_mm
        out.append(canvas)
    return out


def _frame(canvas: Canvas, report: Report, number: int) -> None:
    wide = A4_MM[0] - 2 * MARGIN_MM
    canvas.text(MARGIN_MM, 17.5, report.title, 13.0, weight="bold")
    canvas.text(MARGIN_MM, 22.5, report.subtitle, 8.0)
    canvas.rule(MARGIN_MM, 24.5, wide, 0.8)
    canvas.rule(MARGIN_MM, 285.0, wide)
    canvas.text(MARGIN_MM, 288.8, report.footer, 7.0)
    canvas.text(MARGIN_MM + wide, 288.8, f"page {number} of {len(report.pages)}", 7.0, align="right")


def _height(block: Block | Columns, wide_mm: float, spare_mm: float) -> float:
    """How high the block is with the room below it; what is elastic takes of what is spare."""
    after_mm = AFTER_MM[type(block)]
    match block:
        case Heading():
            return HEADING_PT * MM_PER_PT * 1.25 + after_mm
        case Paragraph():
            return LINE_MM * len(_lines(block, wide_mm)) + after_mm
        case Table():
            shown = _shown(block, wide_mm, spare_mm)
            return sum(_row_mm(row) for row in _cells(block, shown, wide_mm)) + 1.0 + after_mm
        case Figure():
            return max(block.height_mm, min(block.height_mm + spare_mm, block.most_mm)) + after_mm
        case Columns():
            widths = column_widths(block, wide_mm)
            pairs = zip(block.blocks, widths, strict=True)
            return max(sum(_height(one, width, spare_mm) for one in blocks) for blocks, width in pairs)


def _draw(canvas: Canvas, block: Block | Columns, spare_mm: float) -> None:
    match block:
        case Heading():
            canvas.text(0.0, HEADING_PT * MM_PER_PT, block.text, HEADING_PT, weight="bold")
        case Paragraph():
            if block.lead:
                canvas.text(0.0, TEXT_PT * MM_PER_PT, block.lead, TEXT_PT, weight="bold")
            for number, line in enumerate(_lines(block, canvas.width_mm)):
                left_mm = 0.0 if number else _indent(block)
                canvas.text(left_mm, TEXT_PT * MM_PER_PT + number * LINE_MM, line, TEXT_PT)
        case Table():
            _table(canvas, block, _shown(block, canvas.width_mm, spare_mm))
        case Figure():
            block.draw(canvas.part(0.0, 0.0, canvas.width_mm, canvas.height_mm - AFTER_MM[Figure]))
        case Columns():
            left_mm = 0.0
            for blocks, width in zip(block.blocks, column_widths(block, canvas.width_mm), strict=True):
                down_mm = 0.0
                for one in blocks:
                    high_mm = _height(one, width, spare_mm)
                    _draw(canvas.part(left_mm, down_mm, width, high_mm), one, spare_mm)
                    down_mm += high_mm
                left_mm += width + COLUMN_GAP_MM


def _indent(block: Paragraph) -> float:
    return width_mm(block.lead + " ", TEXT_PT, "bold") + 0.6 if block.lead else 0.0


def _lines(block: Paragraph, wide_mm: float) -> list[str]:
    return wrapped(block.text, wide_mm, TEXT_PT, indent_mm=_indent(block))


Rows = Sequence[tuple[str, ...]]
Cells = list[list[str]]  # of one row, each cell in lines


def _cells(table: Table, rows: Rows, wide_mm: float) -> list[Cells]:
    """The head, the rows and, where some were left out, how many, each cell in lines."""
    widths = _widths(table, wide_mm)
    out = [[wrapped(c, w, TABLE_PT, "bold") for c, w in zip(table.columns, widths, strict=True)]]
    out += [[wrapped(c, w, TABLE_PT) for c, w in zip(row, widths, strict=True)] for row in rows]
    if len(rows) < len(table.rows):
        out.append([[f"and {len(table.rows) - len(rows)} more"], *([] for _ in table.columns[1:])])
    return out


def _widths(table: Table, wide_mm: float) -> list[float]:
    room_mm = wide_mm - CELL_GAP_MM * (len(table.shares) - 1)
    return [room_mm * share / sum(table.shares) for share in table.shares]


def _row_mm(row: Cells) -> float:
    return LINE_MM * max(len(lines) for lines in row) + ROW_GAP_MM


def _shown(table: Table, wide_mm: float, spare_mm: float) -> Rows:
    """The rows that fit: all of a fixed table, of an elastic one those that `spare_mm` holds."""
    if not table.elastic:
        return table.rows
    heights = [_row_mm(row) for row in _cells(table, table.rows, wide_mm)[1:]]
    fits, used_mm = 0, 0.0
    for high_mm in heights:
        if used_mm + high_mm > spare_mm:
            break
        used_mm += high_mm
        fits += 1
    return table.rows[:fits]


def _table(canvas: Canvas, table: Table, rows: Rows) -> None:
    widths, down_mm = _widths(table, canvas.width_mm), 0.0
    for number, row in enumerate(_cells(table, rows, canvas.width_mm)):
        left_mm = 0.0
        for lines, width, side in zip(row, widths, table.aligned, strict=True):
            for n, line in enumerate(lines):
                x_mm, align = (left_mm + width, "right") if side == "r" else (left_mm, "left")
                weight = "normal" if number else "bold"
                base_mm = down_mm + TABLE_PT * MM_PER_PT + n * LINE_MM
                canvas.text(x_mm, base_mm, line, TABLE_PT, align=align, weight=weight)
            left_mm += width + CELL_GAP_MM
        down_mm += _row_mm(row)
        if not number:
            canvas.rule(0.0, down_mm, canvas.width_mm)
            down_mm += 1.0
