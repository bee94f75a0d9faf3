"""A report as data: pages of paragraphs, tables and figures, which the PDF and the HTML lay out each in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emgtwitch.app.report.canvas import Canvas


@dataclass(frozen=True, slots=True)
class Heading:
    """Over what follows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `lead` is set bold before it."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, which share the width by `shares`; `aligned` has l or r for each.

    An `elastic` one gives way where a page is full: it ends with how many rows were left out.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    shares: tuple[float, ...]
    aligned: str
    elastic: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What `draw` puts on a canvas of at least this height; `told` says in words what is seen.

    On a page with room to spare it grows to `most_mm`.
    """

    draw: Callable[[Canvas], None]
    height_mm: float
    told: str
    most_mm: float = 0.0


Block = Heading | Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Columns:
    """Blocks side by side, which share the width by `shares`."""

    blocks: tuple[tuple[Block, ...], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one file holds. Each page is a sheet of A4."""

    title: str
    subtitle: str
    footer: str
    pages: list[list[Block | Columns]] = field(default_factory=list)


WIDTH_MM = 182.0  # of what is printed on a sheet of A4
COLUMN_GAP_MM = 6.0


def column_widths(columns: Columns, width_mm: float) -> list[float]:
    """How wide each is."""
    room_mm = width_mm - COLUMN_GAP_MM * (len(columns.shares) - 1)
    return [room_mm * share / sum(columns.shares) for share in columns.shares]


def printable(text: str) -> str:
    """One line of what was typed: line ends and other control characters become blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def capital(text: str) -> str:
    """With a capital first letter; the others stay."""
    return text[:1].upper() + text[1:]


def plain(value: float) -> str:
    """A number of the diary's, without a power of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def shortened(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def number(value: float) -> str:
    """With as many digits as a reader needs."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def length(seconds: float) -> str:
    """A length with as many digits as a reader needs."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
