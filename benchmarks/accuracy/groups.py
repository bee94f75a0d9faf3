"""Where the recordings of each group come from. A new group is one row here and its rows in asks.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Protocol

from benchmarks.accuracy.case import Case
from benchmarks.accuracy.scenarios import GROUPS, recipes


class Source(Protocol):
    """One recording to come; small, and can be sent to another process."""

    def case(self) -> Case:
        """Render or read it."""


# Groups that are not simulated: name -> (module, function). The function is given `held_out` and `short`, and returns
# sources. Its module is imported when the group is asked for.
OTHERS: dict[str, tuple[str, str]] = {
    "promise": ("benchmarks.accuracy.promise", "sources"),
    "real": ("benchmarks.accuracy.real", "sources"),
    "real twitches pasted": ("benchmarks.accuracy.pasted", "sources"),
}
LONG = ("endurance",)  # only in the long form, or where they are named
WITHOUT_PEERS = ("promise", "endurance")  # what is promised is ours, and a day of signal is long for the peers


def names(long: bool = True) -> list[str]:
    """All groups, in the order of the table; those of the long form only if it is `long`."""
    return [name for name in (*GROUPS, *OTHERS) if long or name not in LONG]


def sources(group: str, held_out: bool, short: bool) -> list[Source]:
    """The recordings of a group."""
    if group in OTHERS:
        module, function = OTHERS[group]
        make: Callable[[bool, bool], Iterable[Source]] = getattr(import_module(module), function)
        return list(make(held_out, short))
    return list(recipes(group, held_out, short))
