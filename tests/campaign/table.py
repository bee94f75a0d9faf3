"""The table of the campaign."""

from __future__ import annotations

from dataclasses import dataclass

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
