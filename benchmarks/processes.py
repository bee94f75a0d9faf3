"""Commands in processes of their own, and what they cost."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EMGTWITCH = (sys.executable, "-m", "emgtwitch.app.cli")
PATIENCE_S = 60.0  # with a process that should end
# Linux counts the memory of the process that starts another as the other's own: so a small one starts it.
LAUNCHER = """
import os, sys, time
began = time.perf_counter()
nowhere = os.open(os.devnull, os.O_WRONLY)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, 1)])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process from start to end."""

    wall_s: float
    cpu_s: float  # of all its threads, user and system
    peak_MB: float  # resident


def run(command: Sequence[str | Path], environ: Mapping[str, str] | None = None, well: int = 0) -> Cost:
    """Run to the end, output discarded. Raises RuntimeError if it does not end with `well`."""
    words = [sys.executable, "-S", "-c", LAUNCHER, *map(str, command)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **(environ or {})})
    wall_s, cpu_s, peak_kB, status = done.stdout.split()
    if int(status) != well:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {status}.")
    return Cost(float(wall_s), float(cpu_s), int(peak_kB) / 1024)


@contextlib.contextmanager
def running(command: Sequence[str | Path], stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """The process while it runs, with standard error in standard output; stopped afterwards by SIGTERM."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=stdout, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()  # a shell lets those in the background ignore SIGINT
            try:
                process.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def cpu_s_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds so far of each thread of a process, by its name; threads of one name together."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        # In ns; the times in `stat` come in hundredths of a second, a fifth of what is to be measured.
        found[name] = found.get(name, 0.0) + int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def peak_MB(pid: int) -> float:
    """Most resident memory of a process so far, in MiB as that of `Cost`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
