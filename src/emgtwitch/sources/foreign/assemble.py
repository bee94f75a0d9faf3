"""From a file's columns to channels in uV at one rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from emgtwitch.errors import UnreadableInputError
from emgtwitch.sources.foreign.choose import choose
from emgtwitch.sources.foreign.contents import Block, Column, Contents, Foreign
from emgtwitch.sources.foreign.units import ALLOWED, uV_per, uV_per_asked

_MAX_U32 = 2**32 - 1
_MIN_HZ = 1e-6  # lower ones are no fraction of 32 bits


def assemble(
    contents: Contents, form: str, name: str, fs_Hz: float | None, units: str | None, channel: str | None
) -> Foreign:
    """The chosen channels of `contents`; what is asked for wins over what the file says.

    Raises UnreadableInputError where rate, unit or channel is missing, unknown or contradictory.
    """
    picks = choose(contents.columns, channel, name)
    used = sorted({k for pick in picks for k in (pick.plus, pick.minus) if k is not None})
    columns = [contents.columns[k] for k in used]
    rate = _rate(columns, fs_Hz, name)
    factors = _factors(columns, units, name)
    in_uV = factors is not None
    scale = np.array(factors) if factors is not None and any(f != 1.0 for f in factors) else None
    place = {k: n for n, k in enumerate(used)}
    plus = [place[pick.plus] for pick in picks]
    minus = [None if pick.minus is None else place[pick.minus] for pick in picks]
    rails = [_scaled(column.rails, 1.0 if scale is None else float(scale[n])) for n, column in enumerate(columns)]
    return Foreign(
        rate=rate,
        labels=tuple(pick.label for pick in picks),
        in_uV=in_uV,
        rails=tuple(
            rails[p] if m is None else (rails[p][0] - rails[m][1], rails[p][1] - rails[m][0])
            for p, m in zip(plus, minus, strict=True)
        ),
        format=form,
        blocks=_blocks(contents.read(used), scale, plus, minus, name),
    )


def _rate(columns: Sequence[Column], fs_Hz: float | None, name: str) -> Fraction:
    if len({(column.rate, column.group) for column in columns}) > 1:
        shown = ", ".join(f"{c.label} {_hertz(c.rate)}{f' ({c.group})' if c.group else ''}" for c in columns[:24])
        raise UnreadableInputError(
            f"The channels of {name} were not sampled together: {shown}. Choose ones of the same kind by --channel."
        )
    if fs_Hz is not None:
        if not (math.isfinite(fs_Hz) and _MIN_HZ <= fs_Hz <= _MAX_U32):
            raise UnreadableInputError(f"A sampling rate of {fs_Hz:g} Hz is impossible. Give a positive one: --fs HZ.")
        return fitted(Fraction(repr(float(fs_Hz))))
    rate = columns[0].rate
    if rate is None:
        raise UnreadableInputError(f"{name} does not say its sampling rate. Give it: --fs HZ, for example --fs 1000.")
    if not _MIN_HZ <= rate <= _MAX_U32:
        raise UnreadableInputError(f"{name} says a sampling rate of {_hertz(rate)}. Give the right one: --fs HZ.")
    return fitted(rate)


def fitted(rate: Fraction) -> Fraction:
    """The fraction nearest to `rate` whose numerator and denominator fit 32 bits."""
    return rate.limit_denominator(max(1, min(_MAX_U32, int(_MAX_U32 / rate))))


def _hertz(rate: Fraction | None) -> str:
    if rate is None:
        return "rate unknown"
    return f"{float(rate):g} Hz" if rate <= _MAX_U32 else f"more than {_MAX_U32} Hz"


def _factors(columns: Sequence[Column], units: str | None, name: str) -> list[float] | None:
    """uV per unit of each column, None where the scale is unknown."""
    if units is not None:
        asked = uV_per_asked(units)
        return None if asked is None else [asked] * len(columns)
    factors = [uV_per(column.unit) for column in columns]
    known = [factor for factor in factors if factor is not None]
    if known and len(known) < len(factors):
        shown = ", ".join(f"{column.label} in {column.unit or 'an unknown unit'}" for column in columns[:24])
        raise UnreadableInputError(
            f"{name} mixes units: {shown}. Choose channels in volts by --channel, or say the unit of all: "
            f"--units with {ALLOWED}."
        )
    return known or None


def _scaled(rails: tuple[float, float], factor: float) -> tuple[float, float]:
    return rails[0] * factor, rails[1] * factor


def _blocks(
    raw: Iterator[Block],
    scale: npt.NDArray[np.float64] | None,
    plus: list[int],
    minus: list[int | None],
    name: str,
) -> Iterator[Block]:
    """Scale (one multiplication), subtract, and make NaN of what is not finite."""
    seen = 0
    for block in raw:
        values = block.values
        if scale is not None:
            values = values * scale
        chosen = np.ascontiguousarray(values[:, plus], dtype=np.float64)
        for n, other in enumerate(minus):
            if other is not None:
                chosen[:, n] -= values[:, other]
        chosen[~np.isfinite(chosen)] = np.nan
        seen += len(chosen)
        if len(chosen):
            yield Block(block.index, chosen)
    if not seen:
        raise UnreadableInputError(f"{name} holds no samples.")
