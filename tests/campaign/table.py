"""The table of the campaign."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs/reliability.md"
LOSS_S = 1.0  # of signal that a sudden end may cost


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, how often it was injected, and what was seen; a fault that ends otherwise raises instead."""

    fault: str
    times: int
    seen: str

    @classmethod
    def of_losses(cls, fault: str, times: int, lost_s: list[float], seen: str) -> Row:
        """With the signal that was lost each time. Raises LawBrokenError where one is over LOSS_S."""
        from tests.campaign.laws import LawBrokenError

        if lost_s and max(lost_s) > LOSS_S:
            over = sum(one > LOSS_S for one in lost_s)
            raise LawBrokenError(
                f"{fault}: {max(lost_s):.2f} s of signal lost, {over} of {len(lost_s)} times over {LOSS_S} s"
            )
        worst = (
            f"; signal lost {sorted(lost_s)[len(lost_s) // 2]:.2f} s (median), {max(lost_s):.2f} s at most"
            if lost_s
            else ""
        )
        return cls(fault, times, seen + worst)

    def __str__(self) -> str:
        return f"| {self.fault} | {self.times} | {self.seen} |"


def keep(name: str, lines: Iterable[str]) -> None:
    """Write `lines` into docs/reliability.md, between the two marks of that name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = DOCS.read_text()
    new, places = re.subn(f"(?s){begin}.*{end}", lambda _: "\n".join((begin, *lines, end)), old)
    assert places == 1, f"{DOCS} has {places} places for {name}"
    DOCS.write_text(new)
