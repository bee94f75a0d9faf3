"""Units of amplitude."""

from __future__ import annotations

from emgtwitch.errors import UnreadableInputError

# unit -> uV per unit. The Greek mu exists twice in Unicode.
_IN_uV = {"nv": 1e-3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
_SPELT = {"microvolt": "uv", "millivolt": "mv", "volt": "v", "nanovolt": "nv", "uvolt": "uv", "mvolt": "mv"}
_SCALELESS = ("counts", "count", "adc", "raw")
ALLOWED = "uV, mV, V, nV or counts"


def uV_per(unit: str) -> float | None:
    """How many uV a unit is; None for a unit that is no voltage or not known."""
    name = unit.strip().casefold().rstrip("s") if len(unit.strip()) > 3 else unit.strip().casefold()
    return _IN_uV.get(_SPELT.get(name, name))


def uV_per_asked(unit: str) -> float | None:
    """As `uV_per` for what a person asked for; None for counts. Raises UnreadableInputError on anything else."""
    factor = uV_per(unit)
    if factor is None and unit.strip().casefold() not in _SCALELESS:
        raise UnreadableInputError(f"Unit {unit!r} is unknown. Allowed are {ALLOWED}: --units uV.")
    return factor
