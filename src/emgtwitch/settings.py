"""The detector's settings: every number that decides which events a recording holds.

Frozen, checked on the way in, and identified by one digest that stands in every event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any, Self

from emgtwitch.errors import UsageError


class SettingsError(UsageError):
    """A setting is unknown, of the wrong type or out of its limits; the text says which and what is allowed."""


def _limited(default: float, low: float, high: float, unit: str, doc: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the detector is told. Times are in ms or s, amplitudes in uV, as each name says."""

    preset: str = field(default="default", metadata={"doc": "preset that the other values came from"})
    mains_Hz: float = _limited(0.0, 0.0, 65.0, "Hz", "mains frequency to remove, 50 or 60; 0 finds it out")
    band_low_Hz: float = _limited(40.0, 5.0, 100.0, "Hz", "lower edge of the band-pass")
    band_high_Hz: float = _limited(300.0, 60.0, 1000.0, "Hz", "upper edge of the band-pass, at most 0.4 of the rate")
    false_per_hour: float = _limited(0.5, 0.001, 60.0, "1/h", "false events an hour that Gaussian noise may cause")
    on_uV: float = _limited(0.0, 0.0, 1000.0, "uV", "RMS over the floor's that begins an event; 0: the noise decides")
    off_uV: float = _limited(0.0, 0.0, 1000.0, "uV", "RMS over the floor's that ends it; 0: the noise decides")
    min_ms: float = _limited(4.0, 1.0, 10000.0, "ms", "shorter events are dropped")
    twitch_max_ms: float = _limited(150.0, 5.0, 10000.0, "ms", "longest twitch")
    spasm_min_s: float = _limited(2.0, 0.05, 60.0, "s", "shortest spasm; announced as soon as it is reached")
    pause_ms: float = _limited(18.0, 4.0, 100.0, "ms", "a longer pause ends a twitch")
    merge_max_ms: float = _limited(300.0, 0.0, 10000.0, "ms", "longest pause inside a sustained event")
    train_gap_s: float = _limited(1.0, 0.05, 10.0, "s", "twitches of a train follow each other sooner than this")
    train_min_count: int = _limited(3, 2, 100, "", "twitches that make a train")

    def __post_init__(self) -> None:
        if not isinstance(self.preset, str):
            raise SettingsError(f"Setting preset is {self.preset!r}; it must be a name.")
        for spec in fields(self):
            if "low" not in spec.metadata:
                continue
            value = getattr(self, spec.name)
            low, high = spec.metadata["low"], spec.metadata["high"]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise SettingsError(
                    f"Setting {spec.name} is {value!r}; it must be a number from {low:g} to {high:g}"
                    f"{' ' + spec.metadata['unit'] if spec.metadata['unit'] else ''} ({spec.metadata['doc']})."
                )
            if isinstance(spec.default, int) and value != int(value):
                raise SettingsError(f"Setting {spec.name} is {value!r}; it must be a whole number.")
            # 20 and 20.0 are one setting and must have one digest.
            object.__setattr__(self, spec.name, int(value) if isinstance(spec.default, int) else float(value))
        if self.twitch_max_ms >= 1000 * self.spasm_min_s:
            raise SettingsError(
                f"twitch_max_ms is {self.twitch_max_ms:g} and spasm_min_s is {self.spasm_min_s:g}: "
                "the longest twitch must be shorter than the shortest spasm."
            )
        if self.band_low_Hz >= self.band_high_Hz:
            raise SettingsError(
                f"band_low_Hz is {self.band_low_Hz:g} and band_high_Hz is {self.band_high_Hz:g}: "
                "the lower edge must be below the upper one."
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], base: Self | None = None) -> Self:
        """Settings with `values` over `base` (or over the defaults). Raises SettingsError on an unknown name."""
        names = [spec.name for spec in fields(cls)]
        for name in values:
            if name not in names:
                raise SettingsError(f"Setting {name!r} is unknown. Known are: {', '.join(names)}.")
        return cls(**{**(asdict(base) if base else {}), **values})

    def as_dict(self) -> dict[str, Any]:
        """All values by name, as a recording keeps them."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal exactly for equal settings (the preset's name apart)."""
        return _digest(self)


@lru_cache(maxsize=8)  # every event asks
def _digest(settings: Settings) -> str:
    values = {k: v for k, v in asdict(settings).items() if k != "preset"}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
