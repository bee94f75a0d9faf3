"""Half the error of the best peer, in each group, in 1 - F1, onset MAE and false events an hour: yes, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy.detectors import OURS

HALF = 0.5
LEAST_RECALL = 0.5  # who finds less of a group has few onsets to be wrong in, and is silent without merit
NO_F1 = "no true events"
REASONS: dict[tuple[str, str], str] = {}
"""Why a row falls short, by group and figure, where it is known."""


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
    met: bool
    why: str

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
            met = ours <= HALF * theirs[best]
            recall = kept["figures"]["recall"], peers[best]["figures"]["recall"]
            why = "" if met else REASONS.get((group, what), "")
            out.append(Half(group, what, ours, theirs[best], best, *recall, met, why))
    return out


def as_json(rows: list[Half]) -> list[dict[str, Any]]:
    """The rows as they are kept."""
    return [asdict(row) | {"ratio": row.ratio} for row in rows]


def as_text(rows: list[Half]) -> str:
    """The rows as a table for the terminal."""
    lines = [f"{'group':<21} {'error':<14} {'ours':>8} {'best':>8} {'ratio':>6} {'recalls':>12}  {'peer':<20}"]
    for r in rows:
        ratio = "-" if r.ratio is None else f"{r.ratio:.2f}"
        recalls = f"{_share(r.our_recall)} / {_share(r.peer_recall)}"
        lines.append(
            f"{r.group:<21} {r.what:<14} {r.ours:>8.3g} {r.best:>8.3g} {ratio:>6} {recalls:>12}  {r.peer:<20} "
            f"{'ok' if r.met else 'FALLS SHORT'}"
        )
    return "\n".join([*lines, summary(rows)])


def as_markdown(rows: list[Half]) -> str:
    """The rows as a table for the document, and the reasons below it."""
    lines = [
        "",
        "| group | error | ours | best peer's | ratio | recall, ours / peer's | peer | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
        cells = [r.group, r.what, f"{r.ours:.3g}", f"{r.best:.3g}", ratio]
        cells += [f"{_share(r.our_recall)} / {_share(r.peer_recall)}", r.peer, "ok" if r.met else "**falls short**"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", summary(rows)]
    lines += [f"- {r.group}, {r.what}: {r.why}" for r in rows if r.why]
    return "\n".join(lines) + "\n"


def summary(rows: list[Half]) -> str:
    """One line on all of them."""
    return f"Half the error of the best peer or less in {sum(r.met for r in rows)} of {len(rows)} rows."


def _share(recall: float | None) -> str:
    return "-" if recall is None else f"{recall:.2f}"
