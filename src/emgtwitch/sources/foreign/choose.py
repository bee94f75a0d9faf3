"""Which columns of a file to read: by index, label, list or difference, or the ones that look like EMG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.contents import Column
from emgtwitch.sources.foreign.units import uV_per

MAX_CHANNELS = 64  # of an Import record
_EMG = re.compile(r"(?<![a-z])(hd|s|i)?[-_ ]?emg", re.IGNORECASE)
_OTHER = re.compile(
    r"(t|time.*|date.*|samples?|sample[ _]?(no|num|number|index|id|count)?\.?|index|idx|n?seq|sequence"
    r"|counter|packet.*|di|digital.*|status|trig(ger)?s?|markers?|events?|annotations?|labels?|unnamed.*)",
    re.IGNORECASE,
)


class Pick(NamedTuple):
    """One channel to be read: a column, or a column minus another."""

    label: str
    plus: int
    minus: int | None = None


def looks_like_emg(name: str) -> bool:
    """Whether a label or a sensor's name says EMG."""
    return _EMG.search(name) is not None


def names_no_signal(label: str) -> bool:
    """Whether a label names time, a sequence number, a digital line or a status word."""
    return _OTHER.fullmatch(label.strip()) is not None


def listing(columns: Sequence[Column], limit: int = 24) -> str:
    """The columns as an error shows them: index and label."""
    shown = ", ".join(f"{k} {column.label}" for k, column in enumerate(columns[:limit]))
    return shown + (f" and {len(columns) - limit} more" if len(columns) > limit else "")


def choose(columns: Sequence[Column], channel: str | None, name: str) -> tuple[Pick, ...]:
    """The channels that `channel` asks for, or the likely ones where it is None.

    `channel`: an index (from 0), a label, a difference 'A-B', or several of these separated by commas; a label that
    itself holds a hyphen or a comma wins. `name` is the file's. Raises UnreadableInputError, which lists what is there.
    """
    picks = _likely(columns) if channel is None else _asked(columns, channel, name)
    if not picks:
        raise UnreadableInputError(f"{name} holds no signal. Its columns: {listing(columns)}. Choose by --channel.")
    if len(picks) > MAX_CHANNELS:
        raise UnreadableInputError(
            f"{name} holds {len(picks)} channels; at most {MAX_CHANNELS} can be read at once. Choose some by --channel "
            "(if it holds one channel along its rows, turn rows into columns first)."
        )
    return tuple(picks)


def _likely(columns: Sequence[Column]) -> list[Pick]:
    signals = [Pick(column.label, k) for k, column in enumerate(columns) if column.signal]
    emg = [p for p in signals if any(looks_like_emg(name) for name in (p.label, *columns[p.plus].aliases))]
    volts = [p for p in signals if uV_per(columns[p.plus].unit) is not None]
    return emg or volts or signals


def _asked(columns: Sequence[Column], channel: str, name: str) -> list[Pick]:
    found = _find(columns, channel)
    if found:
        return found
    picks: list[Pick] = []
    for token in channel.split(","):
        match = _find(columns, token) or _difference(columns, token)
        if not match:
            raise UnreadableInputError(
                f"{name} has no channel {token.strip()!r}. It has {listing(columns)}. Give an index, a label, "
                "a list A,B or a difference A-B."
            )
        picks += match
    return picks


def _find(columns: Sequence[Column], token: str) -> list[Pick]:
    token = token.strip()
    for fold in (str, str.casefold):
        for names in (lambda c: (c.label,), lambda c: c.aliases):
            match = [Pick(c.label, k) for k, c in enumerate(columns) if fold(token) in map(fold, names(c))]
            if match and token:
                return match
    if token.isdecimal() and int(token) < len(columns):
        return [Pick(columns[int(token)].label, int(token))]
    return []


def _difference(columns: Sequence[Column], token: str) -> list[Pick]:
    for at in (k for k, letter in enumerate(token) if letter == "-"):
        plus, minus = _find(columns, token[:at]), _find(columns, token[at + 1 :])
        if len(plus) == len(minus) == 1:
            return [Pick(f"{plus[0].label}-{minus[0].label}", plus[0].plus, minus[0].plus)]
    return []
