"""What a benchmark found: single figures with their limits, kept as JSON beside what they were measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.paired import Comparison

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its unit; `limit` is what it must stay below, where something says so."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def within(self) -> bool:
        """Whether it stays below its limit, if it has one."""
        return self.limit is None or self.value < self.limit

    def __str__(self) -> str:
        text = f"{self.name}: {self.value:.4g} {self.unit}"
        if self.limit is None:
            return text
        return f"{text} ({'limit' if self.within else 'OVER the limit of'} {self.limit:g} {self.unit})"


def machine() -> dict[str, str | int | float]:
    """What this runs on, without its name; `load` is how many processes want a core, averaged over a minute."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }


def machine_line() -> str:
    """`machine` for a person."""
    it = machine()
    return (
        f"{it['processor']}, {it['cores']} cores, {it['system']}, Python {it['python']}; "
        f"load {it['load']} before this began"
    )


def save(name: str, measured: Sequence[Figure | Comparison], *, quick: bool = False, folder: Path = RESULTS) -> Path:
    """Write what was measured, and on what, to `name`.json in `folder`, in its part for quick runs if `quick`."""
    kept: dict[str, Any] = {"machine": machine(), "measured": [asdict(one) for one in measured]}
    path = results_folder(quick, folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def results_folder(quick: bool, folder: Path = RESULTS) -> Path:
    """Quick runs have a folder of their own, lest they overwrite what was measured with patience."""
    return folder / "quick" if quick else folder


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0] if named else 'unknown model'} ({platform.machine()})"
