"""The report as one HTML file that loads nothing. Needs matplotlib."""

from __future__ import annotations

import io
import re
from html import escape

import matplotlib

from emgtwitch.app.report.canvas import STYLE, page
from emgtwitch.app.report.sheet import (
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

MOST_UNBROKEN = 22  # characters of a cell that stay on one line
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 10pt/1.4 "DejaVu Sans", Verdana, sans-serif; color: #000; background: #fff; margin: 1.5em auto;
  max-width: 190mm; padding: 0 1em; }}
h1 {{ font-size: 1.5em; margin: 0; }}
h2 {{ font-size: 1.1em; margin: 1.2em 0 .3em; }}
p {{ margin: .3em 0 .6em; }}
header {{ border-bottom: 1.5px solid; padding-bottom: .3em; }}
footer {{ border-top: 1px solid; margin-top: 1.5em; padding-top: .3em; font-size: .85em; }}
table {{ border-collapse: collapse; width: 100%; font-size: .88em; margin-bottom: .8em; }}
th, td {{ text-align: left; vertical-align: top; padding: .12em .8em .12em 0; }}
th {{ border-bottom: 1px solid; }}
.r {{ text-align: right; }}
.n {{ white-space: nowrap; }}
.side {{ display: flex; flex-wrap: wrap; gap: 0 6mm; }}
.side > div {{ min-width: min(100%, 16em); }}
svg {{ max-width: 100%; height: auto; display: block; }}
@page {{ size: A4; margin: 14mm; }}
@media print {{ body {{ margin: 0; font-size: 8pt; }} section + section {{ break-before: page; }} }}
</style>
</head>
<body>
<header><h1>{title}</h1>{subtitle}</header>
"""


def html(report: Report) -> str:
    """The whole file."""
    with matplotlib.rc_context(STYLE):
        pages = [
            "<section>\n" + "".join(_block(b, WIDTH_MM) for b in blocks) + "</section>\n" for blocks in report.pages
        ]
    head = HEAD.format(title=escape(report.title), subtitle=escape(report.subtitle))
    return f"{head}{''.join(pages)}<footer>{escape(report.footer)}</footer>\n</body>\n</html>\n"


def _block(block: Block | Columns, wide_mm: float) -> str:
    match block:
        case Heading():
            return f"<h2>{escape(block.text)}</h2>\n"
        case Paragraph():
            lead = f"<b>{escape(block.lead)}</b> " if block.lead else ""
            return f"<p>{lead}{escape(block.text)}</p>\n"
        case Table():
            return _table(block)
        case Figure():
            return _svg(block, wide_mm)
        case Columns():
            parts = []
            widths = column_widths(block, wide_mm)
            for blocks, share, width in zip(block.blocks, block.shares, widths, strict=True):
                inside = "".join(_block(one, width) for one in blocks)
                parts.append(f'<div style="flex: {share:g} 1 0">\n{inside}</div>\n')
            return f'<div class="side">\n{"".join(parts)}</div>\n'


def _table(table: Table) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        parts = []
        for cell, side in zip(cells, table.aligned, strict=True):
            names = ["r"] * (side == "r") + ["n"] * (len(cell) <= MOST_UNBROKEN)
            parts.append(f'<{tag} class="{" ".join(names)}">{escape(cell)}</{tag}>')
        return f"<tr>{''.join(parts)}</tr>\n"

    body = "".join(row(cells, "td") for cells in table.rows)
    return f"<table>\n<thead>{row(table.columns, 'th')}</thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _svg(figure: Figure, wide_mm: float) -> str:
    canvas = page(wide_mm, max(figure.height_mm, figure.most_mm))
    figure.draw(canvas)
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    canvas.figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    return re.sub("^<svg", f'<svg role="img" aria-label="{escape(figure.told)}"', drawn)
