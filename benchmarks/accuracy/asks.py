"""What is asked for: the rows of the table. Each row is one figure of one group with its limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.accuracy import metrics as m
from benchmarks.accuracy.metrics import Measure, Value
from benchmarks.accuracy.outcome import Outcome, Row


@dataclass(frozen=True, slots=True)
class Ask:
    """One row: `limit` is what the figure must reach (`>=`) or not exceed (`<=`); None: shown only."""

    group: str
    what: str
    measure: Measure
    sense: str = ""
    limit: float | None = None
    where: Callable[[Outcome], bool] = lambda o: True
    rate: bool = False
    unit: str = ""

    def value(self, outcomes: Sequence[Outcome]) -> Value:
        """The figure over the recordings of this row."""
        return m.value(self.measure, [o for o in outcomes if o.group == self.group and self.where(o)], rate=self.rate)

    def met(self, value: float) -> bool | None:
        """Whether the figure is good enough; None where nothing is asked for or nothing was measured."""
        if self.limit is None or value != value:
            return None
        return value >= self.limit if self.sense == ">=" else value <= self.limit


def at_dB(*levels: float) -> Callable[[Row], bool]:
    return lambda r: any(abs(r.snr_dB - level) < 1 for level in levels)


def from_dB(level: float) -> Callable[[Row], bool]:
    return lambda r: r.snr_dB >= level - 1


def cells(*names: str) -> Callable[[Outcome], bool]:
    return lambda o: o.cell in names


def unit(r: Row) -> bool:
    return r.kind == "twitch"


def _both(*conditions: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda r: all(condition(r) for condition in conditions)


def _not(condition: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda r: not condition(r)


def is_twitch(r: Row) -> bool:
    return r.event_class == "twitch"


def is_spasm(r: Row) -> bool:
    return r.event_class == "spasm"


ASKS: list[Ask] = [
    Ask("single", "recall / ideal, 0 dB", m.recall_of_ideal(at_dB(0))),
    Ask("single", "recall / ideal, 3 dB, single units", m.recall_of_ideal(_both(at_dB(3), unit))),
    Ask("single", "recall / ideal, 3 dB, longer ones", m.recall_of_ideal(_both(at_dB(3), _not(unit))), ">=", 0.97),
    Ask("single", "recall / ideal, 6 dB", m.recall_of_ideal(at_dB(6)), ">=", 0.97),
    Ask("single", "recall / ideal, 10 and 20 dB", m.recall_of_ideal(from_dB(10)), ">=", 0.99),
    Ask("single", "false/h", m.false_per_hour(), "<=", 0.5, rate=True),
    Ask("single", "onset MAE from 10 dB", m.error_ms("onset", from_dB(10)), "<=", 3.0, unit="ms"),
    Ask("single", "offset MAE from 10 dB", m.error_ms("offset", from_dB(10)), "<=", 5.0, unit="ms"),
    Ask("single", "told within 150 ms of its end", m.within_ms(150, _both(is_twitch, from_dB(6))), ">=", 1.0),
    Ask("contractions", "F1 from 6 dB", m.f1(), ">=", 0.99, cells("6 dB", "10 dB", "20 dB")),
    Ask("contractions", "F1 at 3 dB", m.f1(), ">=", 0.98, cells("3 dB")),
    Ask("contractions", "onset MAE", m.error_ms("onset"), "<=", 8.0, unit="ms"),
]  # fmt: skip
