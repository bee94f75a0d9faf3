"""Half the error of the best peer, in each group, in 1 - F1, onset MAE and false events an hour: yes, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy.detectors import OURS

HALF = 0.5
LEAST_RECALL = 0.5  # who finds less of a group has few onsets to be wrong in, and is silent without merit
FEWER = 0.05  # of recall: so much less is a reason for fewer faults


@dataclass(frozen=True, slots=True)
class Half:
    """One figure of one group beside the best peer's; recall of both says what the figure cost them."""

    group: str
    what: str
    ours: float
    best: float
    peer: str
    our_recall: float | None
    peer_recall: float | None

    @property
    def met(self) -> bool:
        """Whether ours is half of the best peer's or less."""
        return self.ours <= HALF * self.best

    @property
    def why(self) -> str:
        """What the figures themselves say of a row that falls short; nothing where that is no excuse."""
        if self.met:
            return ""
        none = "" if self.best else "half of none is none"
        mine, theirs = self.our_recall, self.peer_recall
        fewer = mine is not None and theirs is not None and theirs < mine - FEWER and self.what != "1 - F1"
        return "; ".join(part for part in (none, "the peer finds fewer events" if fewer else "") if part)

    @property
    def ratio(self) -> float | None:
        """Ours over the best peer's; None where that is nothing."""
        return self.ours / self.best if self.best else None


def missing_f1(kept: dict[str, Any]) -> float | None:
    """1 - F1, of groups that have true events."""
    f1 = kept["figures"]["f1"]
    return 1 - f1 if kept["events"] and f1 is not None else None


def onset_ms(kept: dict[str, Any]) -> float | None:
    """Onset MAE of a detector that finds enough."""
    return kept["figures"]["onset_mae_ms"] if (kept["figures"]["recall"] or 0.0) >= LEAST_RECALL else None


def false_per_hour(kept: dict[str, Any]) -> float | None:
    """False events an hour of a detector that finds enough, or where there is nothing to be found."""
    recall = kept["figures"]["recall"]
    return kept["figures"]["false_per_hour"] if recall is None or recall >= LEAST_RECALL else None


ERRORS: dict[str, Callable[[dict[str, Any]], float | None]] = {
    "1 - F1": missing_f1,
    "onset MAE, ms": onset_ms,
    "false/h": false_per_hour,
}


def halves(detectors: dict[str, Any]) -> list[Half]:
    """A row for each group and figure that ours and at least one peer have. The best peer is each figure's own best."""
    out = []
    for group, kept in detectors.get(OURS, {}).items():
        peers = {name: of[group] for name, of in detectors.items() if name != OURS and group in of}
        for what, error in ERRORS.items():
            ours = error(kept)
            theirs = {name: it for name, figures in peers.items() if (it := error(figures)) is not None}
            if ours is None or not theirs:
                continue
            best = min(theirs, key=lambda name: theirs[name])
            recall = kept["figures"]["recall"], peers[best]["figures"]["recall"]
            out.append(Half(group, what, ours, theirs[best], best, *recall))
    return out


def as_json(rows: list[Half]) -> list[dict[str, Any]]:
    """The rows as they are kept."""
    return [asdict(row) | {"ratio": row.ratio, "met": row.met, "why": row.why} for row in rows]


def as_text(rows: list[Half]) -> str:
    """The rows as a table for the terminal."""
    lines = [f"{'group':<21} {'error':<14} {'ours':>8} {'best':>8} {'ratio':>6} {'recalls':>12}  {'peer':<20}".rstrip()]
    for r in rows:
        said = "ok" if r.met else f"FALLS SHORT {f'({r.why})' if r.why else ''}".rstrip()
        lines.append(
            f"{r.group:<21} {r.what:<14} {_number(r.ours):>8} {_number(r.best):>8} {_ratio(r):>6} {_recalls(r):>12}  "
            f"{r.peer:<20} {said}"
        )
    return "\n".join([*lines, summary(rows)])


def as_markdown(rows: list[Half]) -> str:
    """The rows as a table for the document."""
    lines = [
        "",
        "| group | error | ours | best peer's | ratio | recall, ours / peer's | peer | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        said = "ok" if r.met else f"**falls short**{': ' if r.why else ''}{r.why}"
        cells = [r.group, r.what, _number(r.ours), _number(r.best), _ratio(r), _recalls(r), r.peer, said]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", summary(rows)]) + "\n"


def summary(rows: list[Half]) -> str:
    """One line on all of them."""
    return f"Half the error of the best peer or less in {sum(r.met for r in rows)} of {len(rows)} rows."


def _number(error: float) -> str:
    return f"{error:.3g}" if error < 1000 else f"{error:.0f}"


def _ratio(row: Half) -> str:
    return "-" if row.ratio is None else f"{row.ratio:.2f}"


def _recalls(row: Half) -> str:
    return " / ".join("-" if recall is None else f"{recall:.2f}" for recall in (row.our_recall, row.peer_recall))
