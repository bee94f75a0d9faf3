"""What prune and forget hold does not grow with how long a session is: a computer of 1 GB keeps sessions of weeks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emgtwitch.app.keeping import fates_of_forgetting, fates_of_pruning
from emgtwitch.store import pieces as cutting
from emgtwitch.store.rewrite import Fate, rewrite
from emgtwitch.store.span import Span
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.records import Clock, Hello, Samples
from tests.app.kept import START_MS, hello

FS_HZ, SHORT_S, LONG_S = 500, 600, 2400
PER_FRAME = 100
DROPPED_S = (100.0, 400.0)  # lies in both recordings


def written(path: Path, duration_s: int) -> Path:
    """A segment of a quiet signal with a clock note a second."""
    counts = tuple(512 + 7 * n % 5 for n in range(PER_FRAME))
    with path.open("wb") as file:
        file.write(frame(replace(Hello.unpack(hello(1)), rate_num=FS_HZ, rate_den=1), 0))
        for second in range(duration_s):
            for n in range(second * FS_HZ, (second + 1) * FS_HZ, PER_FRAME):
                file.write(frame(Samples(n, 0, counts), 1 + n // PER_FRAME))
            now_ns = 10**9 * (1000 + second)
            file.write(note(Clock(now_ns, now_ns, START_MS + 1000 * (second + 1), 0), 0))
    return path


def pruned(path: Path) -> int:
    onset_s, offset_s = DROPPED_S
    fates = fates_of_pruning(path, [(0.0, onset_s), (offset_s, 1e9)])
    return rewrite(path, fates, set())


def forgotten(path: Path) -> int:
    onset_s, offset_s = DROPPED_S
    fates, _ = fates_of_forgetting(path, Span(round(START_MS + 1000 * onset_s), round(START_MS + 1000 * offset_s)))
    assert {fate for _, fate in fates} == {Fate.KEEP, Fate.FORGET}
    return rewrite(path, fates, set())


@pytest.mark.slow
@pytest.mark.parametrize("act", [pruned, forgotten])
def test_what_is_held_does_not_grow_with_the_length_of_a_session(
    act: Callable[[Path], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "BLOCK_BYTES", 1 << 14)  # what is held at any length shall not hide what grows
    act(written(tmp_path / "first.emgw", SHORT_S))  # imports and compiles what is needed
    held, gone = [], []
    for duration_s in (SHORT_S, LONG_S):
        path = written(tmp_path / f"{duration_s}.emgw", duration_s)
        tracemalloc.start()
        gone.append(act(path))
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert gone[0] == gone[1] > 0
    assert held[1] < 1.2 * held[0]
