"""Where numba keeps compiled kernels, decided before numba is imported, and a warm-up before the first sample."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from emgtwitch.store.folders import others_may_write

ROOMS = ("wire", "dsp", "detect")  # where kernels live
KEPT = 4  # caches of other states of the source: other versions and checkouts that this user still runs


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the kernels are cached: NUMBA_CACHE_DIR, else a folder in the XDG cache. It need not exist.

    Its name holds the time of the newest kernel source: numba sees a change in a kernel's own file, but not in the
    kernels that it calls from other files.
    """
    told = environ.get("NUMBA_CACHE_DIR")
    if told:
        return Path(told)
    xdg, home = environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~")
    base = Path(xdg) if os.path.isabs(xdg) else Path(home if os.path.isabs(home) else "/nonexistent", ".cache")
    return base / "emgtwitch" / "kernels" / f"{_newest_source_ns():x}"


def prepare_kernels() -> None:
    """Import numba, with a cache folder that can be written; without one its import of cached kernels would raise.

    Says on standard error what will take long.
    """
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        if others_may_write(folder):  # numba runs what lies there
            raise PermissionError
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="emgtwitch-kernels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _say(
            f"the cache folder {cache_folder()} cannot be written, or others may write there, so each start compiles "
            "the kernels anew, for half a minute. Set XDG_CACHE_HOME to a folder that you may write, and nobody else, "
            "to avoid that."
        )
    else:
        if "NUMBA_CACHE_DIR" not in os.environ:
            _prune(folder)
        if not any(folder.rglob("*.nbi")):
            _say("compiling the kernels for this computer; this takes half a minute, only the first time")
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    _import_numba()


def warm_up() -> None:
    """Compile or load every kernel that the daemon runs, so that its first sample does not wait for one."""
    import numpy as np

    from emgtwitch.pipeline import Pipeline
    from emgtwitch.wire.bulk import encode_samples
    from emgtwitch.wire.encode import frame
    from emgtwitch.wire.records import WIRE_VERSION, Hello

    hello = Hello(WIRE_VERSION, 0, 0, 0, 0, 1000, 1, 1, 10, 1, 5000, 0, 0, 0, 0, 0, 1, 0, 0)
    counts = (512 + np.arange(2000, dtype=np.uint16) % 7).reshape(-1, 1)
    early, seq = encode_samples(counts, 0, 1)
    late, _ = encode_samples(counts, len(counts) + 16, seq + 1)
    pipeline = Pipeline()
    pipeline.feed(frame(hello, 0) + early + late)
    pipeline.finish()


def _newest_source_ns() -> int:
    package = Path(__file__).resolve().parents[1]
    return max((path.stat().st_mtime_ns for room in ROOMS for path in (package / room).glob("*.py")), default=0)


def _prune(folder: Path) -> None:
    """Remove all but the youngest caches beside `folder`; who still uses one compiles anew."""
    with contextlib.suppress(OSError):
        others = [path for path in folder.parent.iterdir() if path != folder]
        for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)


def _import_numba() -> None:
    """numba imports scipy.linalg, a fifth of a start, if it is there; the kernels need none of it."""
    if "numba" in sys.modules or "scipy" in sys.modules:
        return
    sys.modules["scipy"] = None  # type: ignore[assignment]
    try:
        with contextlib.suppress(ImportError):
            import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules["scipy"]


def _say(text: str) -> None:
    print(f"emgtwitch: {text}", file=sys.stderr, flush=True)
