"""The rooms of the package: who may import whom, who may touch the world, and how long a file may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/emgtwitch"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400
GENERATED = {"src/emgtwitch/wire/records.py", "firmware/emgtwitch/src/wire.h"}

# room -> (what it may import of emgtwitch besides itself and errors, packages besides the standard library)
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "legible": (set(), set()),
    "settings": (set(), set()),
    "wearer": (set(), {"numpy"}),
    "wire": (set(), {"numpy", "numba"}),
    "dsp": (set(), {"numpy", "numba"}),
    "detect": ({"dsp", "settings"}, {"numpy", "numba"}),
    "clock": ({"wire"}, {"numpy"}),
    "timeline": ({"wire", "detect.records", "clock"}, set()),
    "channel": ({"wire", "detect", "settings", "timeline"}, {"numpy"}),
    "pipeline": ({"wire", "detect", "settings", "timeline", "channel", "legible"}, {"numpy"}),
    "sources": ({"wire", "wearer", "settings"}, {"numpy", "scipy", "serial", "h5py", "pyarrow"}),
    "store": ({"wire", "detect.records", "settings"}, {"numpy"}),
}
# Files with a rule of their own instead of their room's.
SINGLE: dict[str, tuple[set[str], set[str]]] = {
    "wire/records.py": (set(), set()),  # so that `events` starts light
    "detect/records.py": (set(), set()),
    "detect/vector.py": (set(), {"numpy", "numba", "llvmlite"}),
    "dsp/design.py": (set(), {"numpy", "numba", "scipy"}),
}
PURE = set(ROOMS) - {"sources", "store"}
# Clocks, files, threads, sockets, logs; and chance, which wearer takes from numpy, seeded.
WORLD = {
    *("time", "os", "pathlib", "shutil", "tempfile", "io", "sqlite3", "threading", "multiprocessing", "concurrent"),
    *("asyncio", "socket", "select", "selectors", "subprocess", "signal", "logging", "random", "secrets"),
}


def room_of(file: str) -> str:
    """The room of a file, given relative to the package: a folder's name, or a module's beside the folders."""
    return file.split("/")[0].removesuffix(".py")


def is_module(dotted: str) -> bool:
    path = PACKAGE.parent / dotted.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(source: str, file: str) -> Iterator[str]:
    """Every module that the source imports, at its top, in a function or for type checking, by its full name."""
    package = ["emgtwitch", *file.split("/")[:-1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if base.split(".")[0] == "emgtwitch" and is_module(inner) else base


def breaches(source: str, file: str) -> list[str]:
    """What the source of `file` imports against its room."""
    room = room_of(file)
    if room in ("app", "__init__"):
        # The package lends the notebook's functions their short names; they are loaded when first used.
        allowed = {*ROOMS, "app"} if room == "app" else {*ROOMS, "app.notebook"}
        return [name for name in imports(source, file) if not _inside(name, allowed) and name.startswith("emgtwitch.")]
    if room not in ROOMS:
        return [f"{file} is in no room"]
    inner, outer = SINGLE.get(file, ROOMS[room])
    own = {room} if file not in SINGLE or inner or outer else set()
    found = []
    for name in imports(source, file):
        top = name.split(".")[0]
        if top == "emgtwitch":
            if name != "emgtwitch" and not _inside(name, {*inner, *own, "errors"}):
                found.append(name)
        elif (top not in sys.stdlib_module_names and top not in outer) or (room in PURE and top in WORLD):
            found.append(name)
    return found


def _inside(name: str, rooms: set[str]) -> bool:
    path = name.removeprefix("emgtwitch.")
    return any(path == room or path.startswith(room + ".") for room in rooms)


def chances(source: str) -> list[str]:
    """Uses of numpy's random numbers that are not a generator with a seed."""
    found = []
    tree = ast.parse(source)
    seeded = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.random.default_rng" and node.args
    }
    types = {"np.random.Generator", "np.random.SeedSequence", "np.random.PCG64"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            text = ast.unparse(node)
            if text.startswith("np.random.") and id(node) not in seeded and text not in types:
                found.append(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    assert breaches(path.read_text(), path.relative_to(PACKAGE).as_posix()) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("wearer/wearer.py", "import numba"),
        ("wearer/wearer.py", "from emgtwitch.wire import encode"),
        ("wire/decode.py", "def f():\n    from emgtwitch import settings"),
        ("wire/decode.py", "import time"),
        ("wire/records.py", "import numpy"),
        ("detect/kernel.py", "from emgtwitch.wire.records import Hello"),
        ("dsp/filters.py", "from scipy.signal import butter"),
        ("sources/port.py", "from emgtwitch.pipeline import Pipeline"),
        ("sources/port.py", "from ..store import log"),
        ("store/log.py", "from emgtwitch.detect.kernel import step"),
        ("store/log.py", "from emgtwitch.app import cli"),
        ("pipeline.py", "import threading"),
        ("settings.py", "import numpy as np"),
        ("utils.py", "x = 1"),
        ("__init__.py", "from emgtwitch.app import cli"),
    ],
)
def test_the_walk_sees_a_breach(file: str, source: str) -> None:
    assert len(breaches(source, file)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "store/log.py",
            "import sqlite3, time\nfrom emgtwitch.detect.records import Event\nfrom emgtwitch import __version__",
        ),
        ("dsp/design.py", "from scipy.signal import butter\nfrom emgtwitch.errors import UsageError"),
        ("sources/port.py", "from . import clocks\nfrom emgtwitch.wire.decode import Decoder\nimport serial"),
        ("app/run.py", "import rich\nfrom emgtwitch.pipeline import Pipeline\nfrom emgtwitch.app import messages"),
    ],
)
def test_the_walk_lets_pass_what_is_allowed(file: str, source: str) -> None:
    assert breaches(source, file) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_random_numbers_live_in_wearer_and_in_the_study_and_have_a_seed(path: Path) -> None:
    """The wearer simulates with them; the study deals days out anew, to see what chance does."""
    source, file = path.read_text(), path.relative_to(PACKAGE).as_posix()
    assert chances(source) == []
    if room_of(file) != "wearer" and file != "app/study/compare.py":
        assert "np.random" not in source


def test_the_walk_sees_unseeded_chance() -> None:
    assert chances("np.random.default_rng()") == ["np.random.default_rng"]
    assert chances("np.random.normal(3)") == ["np.random.normal"]
    assert chances("def f(rng: np.random.Generator): return np.random.default_rng(7)") == []


def test_pure_rooms_open_no_file() -> None:
    found = [
        path.name
        for path in FILES
        if room_of(path.relative_to(PACKAGE).as_posix()) in PURE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    assert found == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    kinds = ("*.py", "*.c", "*.h", "*.ino")
    files = [
        p for top in ("src", "firmware", "tests", "benchmarks") for kind in kinds for p in (ROOT / top).rglob(kind)
    ]
    lines = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in files}
    assert len(lines) > 20
    assert {name: n for name, n in lines.items() if n > LONGEST and name not in GENERATED} == {}
