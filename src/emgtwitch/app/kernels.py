"""Where numba keeps compiled kernels, decided before numba is imported, and a warm-up before the first sample."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def prepare_cache() -> None:
    """Point numba at a cache folder that can be written; without one its import of cached kernels would raise."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache"
        folder = base / "emgtwitch" / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # RuntimeError: no home
        folder = Path(tempfile.mkdtemp(prefix="emgtwitch-kernels-"))
        print(
            f"emgtwitch: no cache folder can be written, so the kernels are compiled anew into {folder} (some "
            "seconds). Set XDG_CACHE_HOME to a folder that you may write to avoid that.",
            file=sys.stderr,
        )
    os.environ["NUMBA_CACHE_DIR"] = str(folder)


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
