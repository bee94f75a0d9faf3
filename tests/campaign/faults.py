"""All faults of the campaign, in the numbers that a length asks for."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.app.nursery import Nursery
from tests.campaign import amid, disks, host, keeping, lines, memory, power, sudden
from tests.campaign.laws import LawBrokenError
from tests.campaign.table import Row

LIES = tuple(Path(__file__).with_name(name) for name in ("disk.c", "memory.c"))


@dataclass(frozen=True, slots=True)
class Fault:
    """`inject` takes the nursery, an empty folder and a seed."""

    name: str
    inject: Callable[[Nursery, Path, int], Row]


def build_disk(folder: Path) -> Path:
    """The library that misbehaves, made from disk.c and memory.c."""
    if shutil.which("gcc") is None:
        raise RuntimeError(
            "The campaign needs gcc: sudo apt install gcc libc6-dev, or run make test, which installs it."
        )
    library = folder / "disk.so"
    flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", *flags, "-o", library, *LIES, "-ldl"], check=True)
    return library


Counted = Callable[[Nursery, Path, int, int], Row]


def faults(kills: int) -> list[Fault]:
    """With so many kills and unplugs, and of the others what takes about as long."""
    some = max(1, kills // 50)
    seconds = min(300.0, max(4.0, kills / 5))
    cut_every = 12 if kills < 100 else 1
    lasting = {
        "noise": lines.noise,
        "starvation": host.starvation,
        "stops": host.stops,
    }
    counted: dict[str, Counted] = {
        "other boards": lines.other_boards,
        "resets": lines.resets,
        "garbage": lines.garbage,
        **{word: partial(disks.refusals, word) for word in disks.WORDS},
        "bad starts": disks.bad_starts,
        "bad ends": disks.bad_ends,
        "slow": disks.slow,
        "steps": host.steps,
        "summer time": host.summer_time,
        "suspends": host.suspends,
        "second daemons": host.second_daemons,
        "memory": memory.refusals,
        "stuck browsers": host.stuck_browsers,
        "kills of prune": keeping.prune_kills,
        "daily pruning": keeping.daily_pruning,
    }

    def of(fault: Callable[..., Row], amount: float) -> Callable[[Nursery, Path, int], Row]:
        return lambda nursery, folder, seed: fault(nursery, folder, amount, seed)

    return [
        Fault("kills", of(sudden.kills, kills)),
        Fault("kills at stalls", of(sudden.stalled_kills, max(1, kills // 10))),
        Fault("power", of(partial(power.power_cuts, every=cut_every), min(seconds, 60.0))),
        *(Fault(f"power amid {name}", of(partial(amid.power_cuts, name), 2 * some)) for name in amid.ACTS),
        Fault("kills of migration", of(amid.migration_kills, 5 * some)),
        Fault("unplugs", of(lines.unplugs, kills)),
        *(Fault(name, of(fault, seconds)) for name, fault in lasting.items()),
        *(Fault(name, of(fault, some)) for name, fault in counted.items()),
    ]


def injected(name: str, kills: int, seed: int) -> str:
    """A line of the table; runs in a process of its own, since it takes over standard output now and then."""
    (fault,) = (one for one in faults(kills) if one.name == name)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        nursery = Nursery(folder, build_disk(folder))
        try:
            return str(fault.inject(nursery, folder, seed))
        except LawBrokenError as error:
            return f"| {name} | | **BROKEN**: {' '.join(str(error).split())} |"
        finally:
            nursery.close()
