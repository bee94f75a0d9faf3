"""`python -m tests.fuzz.keep`: the seeds of every target, anew into tests/fuzz/corpus."""

from __future__ import annotations

import shutil

from tests.fuzz.targets import MODULES, target

for name in MODULES:
    chosen = target(name)
    shutil.rmtree(chosen.corpus, ignore_errors=True)
    chosen.corpus.mkdir(parents=True)
    for seed, data in chosen.seeds().items():
        (chosen.corpus / seed).write_bytes(data)
