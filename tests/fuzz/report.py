"""What a fuzzer tells, and the table of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs/reliability/fuzzing.md"
_PULSE = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+)")
_STAT = re.compile(r"stat::(\w+):\s+(\d+)")
_THIRDS = (1 / 3, 2 / 3, float("inf"))
_GREW = 0.01  # of its edges in the last third: less is a plateau


@dataclass(slots=True)
class Seen:
    """What was seen of one target."""

    name: str
    executions: int = 0
    edges: list[int] = field(default_factory=lambda: [0, 0, 0])  # at the end of each third of the time
    features: int = 0
    broken: dict[str, int] = field(default_factory=dict)  # what broke the law, with how often
    slowest_s: float = 0.0
    slowest_bytes: int = 0
    most_MB: float = 0.0  # that one input took
    _before: int = 0  # executions of processes that died

    def hear(self, line: str, at: float) -> None:
        """A line of libFuzzer's, at this fraction of the time."""
        if match := _PULSE.search(line):
            count, edges, features = match.groups()
            self.executions = max(self.executions, self._before + int(count))
            self.features = max(self.features, int(features))
            reached = int(edges)
            self.edges = [max(n, reached) if at <= end else n for n, end in zip(self.edges, _THIRDS, strict=True)]
        elif (match := _STAT.search(line)) and match[1] == "number_of_executed_units":
            self.executions = max(self.executions, self._before + int(match[2]))

    def take(self, path: Path) -> None:
        """What the target's process has written down, if it is one of ours."""
        if path.exists():
            told = json.loads(path.read_text())
            self.slowest_s, self.slowest_bytes = told["slowest_s"], told["slowest_bytes"]
            self.most_MB = max(self.most_MB, told["most_bytes"] / 1e6)
            self.broken |= told["broken"]

    def died(self, status: int) -> None:
        """The process ended on an input."""
        self._before = self.executions
        what = f"process died ({status})"
        self.broken[what] = self.broken.get(what, 0) + 1

    @property
    def plateau(self) -> bool:
        """Whether all but no edges were new in the last third."""
        return self.edges[2] - self.edges[1] <= _GREW * self.edges[2]

    def row(self) -> str:
        """Its line of the table."""
        grew = self.edges[2] - self.edges[1]
        own = (
            f"{self.most_MB:.0f} MB | {1000 * self.slowest_s:.0f} ms ({self.slowest_bytes} bytes)"
            if self.slowest_s
            else "- | -"
        )
        thirds = " / ".join(map(str, self.edges))
        still = f"{'plateau' if self.plateau else 'grew'} (+{grew})"
        kinds = ", ".join(f"{what} ({times} times)" for what, times in self.broken.items()) or "none"
        return f"| {self.name} | {self.executions} | {thirds} | {still} | {self.features} | {kinds} | {own} |"


def table(rows: Sequence[Seen]) -> str:
    """In Markdown."""
    head = "| target | executions | edges after each third | last third | features | broke the law | memory | slowest |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *(row.row() for row in rows)])


def write_docs(rows: Sequence[Seen], seconds: int) -> None:
    """The table with what it means."""
    DOCS.parent.mkdir(parents=True, exist_ok=True)
    DOCS.write_text(_DOCS.format(table=table(rows), seconds=seconds))


_DOCS = """# Fuzzing

Whatever bytes come, from a port, a file, a browser or a socket: a result, or an error in a sentence; within 1 s of
processor time and 200 MB, for inputs of up to 64 kB. `make fuzz DOCS=1` measured this and wrote it,
{seconds} s a target:

{table}

- *edges* are libFuzzer's: lines of control flow that were reached. A target is on its plateau where the last third of
  the time brought at most 1 % of them. *features* also count how often an edge was passed, and creep on for days.
- *memory* is the most that one input took, *slowest* the processor time of the slowest input, with the counters that
  the fuzzer adds to the code.
- The fuzzers begin with tests/fuzz/corpus and go on from what earlier runs found on this machine
  (build/fuzz/TARGET/corpus).
- `decoder` runs the decoder's kernels interpreted, so that their coverage is seen and an index beyond an array would
  raise; compiled it would not. `pipeline` runs them compiled, and goes on to detection, log and lines for the terminal.
  The detector's kernels are compiled always: what they cover is not seen.
- `hdf5` and `parquet` are read by libraries in C and C++, whose coverage is not seen either. HDF5 files are also made
  by h5py from a recipe in the input, so that their content is odd and the file sound.
- An importer is asked for the first four blocks of a file; the rest costs time by its samples, not memory.
- `pipeline` is allowed 0.1 s more for each new pair of settings and rate, whose filters take so long to design: a
  recording made so that it changes them at every scan is read slowly, and can be interrupted.
- `firmware` is the board's parser of requests in C, under AddressSanitizer and UndefinedBehaviorSanitizer.

In tests/fuzz/corpus stand the seeds and, of what the fuzzers have grown, the few inputs that together reach every edge
(`python -m tests.fuzz.keep`; the firmware's in firmware/test/corpus); in tests/fuzz/crashes those that once broke the
law. `make test` runs both.
"""
