"""Drawing in millimetres: a part of a page, or a figure of its own. Needs matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import TextToPath

MM_PER_INCH = 25.4
MM_PER_PT = MM_PER_INCH / 72
FONT = "DejaVu Sans"  # comes with matplotlib, so every computer sets the same lines
SMALL_PT = 7.0
STYLE: Any = {  # of rcParams
    "font.family": [FONT],
    "font.size": SMALL_PT,
    "axes.linewidth": 0.5,
    "axes.labelsize": SMALL_PT,
    "axes.titlesize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # a note may hold any character
    "pdf.fonttype": 42,  # text that can be selected
    "svg.fonttype": "none",
    "svg.hashsalt": "emgtwitch",
}


@dataclass(frozen=True, slots=True)
class Canvas:
    """A rectangle of `figure`, `left_mm` from its left and `top_mm` from its top edge."""

    figure: Figure
    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float

    def part(self, left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> Canvas:
        """A rectangle within it."""
        return Canvas(self.figure, self.left_mm + left_mm, self.top_mm + top_mm, width_mm, height_mm)

    def axes(self, left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> Axes:
        """Axes whose frame is this rectangle; what they write beside it needs room."""
        x, y = self._place(left_mm, top_mm + height_mm)
        wide, high = self._page_mm()
        return self.figure.add_axes((x, y, width_mm / wide, height_mm / high))

    def text(
        self, left_mm: float, base_mm: float, text: str, size_pt: float = SMALL_PT, *, align: str = "left", **more: Any
    ) -> Text:
        """Write one line whose baseline is `base_mm` below the top."""
        x, y = self._place(left_mm, base_mm)
        return self.figure.text(x, y, drawable(text), size=size_pt, ha=align, va="baseline", **more)

    def rule(self, left_mm: float, top_mm: float, width_mm: float, weight_pt: float = 0.4) -> None:
        """A horizontal line."""
        (x0, y), (x1, _) = self._place(left_mm, top_mm), self._place(left_mm + width_mm, top_mm)
        line = Line2D([x0, x1], [y, y], color="black", linewidth=weight_pt, transform=self.figure.transFigure)
        self.figure.add_artist(line)

    def _place(self, left_mm: float, down_mm: float) -> tuple[float, float]:
        wide, high = self._page_mm()
        return (self.left_mm + left_mm) / wide, 1 - (self.top_mm + down_mm) / high

    def _page_mm(self) -> tuple[float, float]:
        wide, high = self.figure.get_size_inches()
        return wide * MM_PER_INCH, high * MM_PER_INCH


def page(width_mm: float, height_mm: float) -> Canvas:
    """A figure of its own, all of it."""
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH))
    return Canvas(figure, 0.0, 0.0, width_mm, height_mm)


def drawable(text: str) -> str:
    """The text with a replacement character for each that the font does not have."""
    return "".join(c if _glyphs().get_char_index(ord(c)) else "\ufffd" for c in text)


@lru_cache(maxsize=1)
def _glyphs() -> FT2Font:
    return get_font(findfont(FontProperties(family=[FONT])))


@lru_cache(maxsize=1 << 14)
def width_mm(text: str, size_pt: float, weight: str = "normal") -> float:
    """How wide a line is."""
    font = FontProperties(family=[FONT], size=size_pt, weight=weight)
    width_pt, _, _ = TextToPath().get_text_width_height_descent(drawable(text), font, ismath=False)
    return float(width_pt) * MM_PER_PT


def fitted(text: str, room_mm: float, size_pt: float) -> str:
    """One line no wider than `room_mm`."""
    while len(text) > 1 and width_mm(text, size_pt) > room_mm:
        text = text.removesuffix("…")[:-1].rstrip() + "…"
    return text


def wrapped(text: str, room_mm: float, size_pt: float, weight: str = "normal", indent_mm: float = 0.0) -> list[str]:
    """The text in lines no wider than `room_mm`, the first shorter by `indent_mm`; a word that is too long is cut."""
    lines, line, left_mm = [], "", room_mm - indent_mm
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width_mm(longer, size_pt, weight) <= left_mm:
            line = longer
            continue
        if line or left_mm < room_mm:
            lines.append(line)
            left_mm = room_mm
        while width_mm(word, size_pt, weight) > left_mm:
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or width_mm(word[:n], size_pt, weight) <= left_mm)
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line] if line or not lines else lines
