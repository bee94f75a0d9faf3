"""Every kept input, the seeds of the fuzzers and what once broke the law, is taken as the law says."""

from __future__ import annotations

import pytest

from emgtwitch.errors import UsageError
from tests.fuzz.known import KNOWN
from tests.fuzz.law import FUZZ, MOST_BYTES, Law, Target
from tests.fuzz.report import Seen
from tests.fuzz.targets import MODULES, target

INPUTS = sorted(path for kind in ("corpus", "crashes") for path in (FUZZ / kind).rglob("*") if path.is_file())
MOST_KEPT_BYTES = 400_000


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_every_kept_input_ends_in_a_result_or_a_sentence(name: str) -> None:
    law = Law(target(name))
    kept = {path.name: path.read_bytes() for path in INPUTS if path.parent.name == name}
    assert kept
    law.begin(kept.values())
    every = kept | KNOWN.get(name, {})
    assert {told: broken for told, data in every.items() if (broken := law.breach(data))} == {}


def test_the_kept_inputs_are_small_and_each_is_a_targets() -> None:
    assert {path.parent.name for path in INPUTS} == set(MODULES) >= set(KNOWN)
    assert sum(path.stat().st_size for path in INPUTS) < MOST_KEPT_BYTES
    assert max(path.stat().st_size for path in INPUTS) <= MOST_BYTES


def _broken(data: bytes) -> None:
    match data:
        case b"bare":
            raise UsageError("oops")
        case b"defect":
            raise KeyError("a")
        case b"greedy":
            len(b"x" * 300_000_000)
        case b"slow":
            while True:
                pass
    raise UsageError("This was not understood. Say another thing.")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"bare", "no sentence"), (b"defect", "KeyError"), (b"greedy", "memory"), (b"slow", "hang"), (b"x", None)],
)
def test_the_law_sees_what_breaks_it(data: bytes, said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.law.PATIENCE_S", 1.5)
    law = Law(Target("broken", _broken, dict))
    law.begin([])
    broken = law.breach(data)
    assert broken == said if said is None else broken is not None and broken.startswith(said)


@pytest.mark.parametrize(("last", "plateau"), [(100, True), (101, True), (102, False)])
def test_a_plateau_is_where_the_last_third_brings_at_most_one_edge_in_a_hundred(last: int, plateau: bool) -> None:
    seen = Seen("x")
    for count, edges, at in ((1, 60, 0.1), (2, 90, 0.3), (3, 100, 0.6), (4, last, 0.9)):
        seen.hear(f"#{count}\tNEW    cov: {edges} ft: {9 * edges} corp: 1/1b", at)
    assert seen.edges == [90, 100, last]
    assert seen.plateau is plateau
    assert f"| x | 4 | 90 / 100 / {last} |" in seen.row()
