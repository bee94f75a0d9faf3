"""Golden sessions: a folder each with recording, settings, the events expected and what it is about.

`recording.emgw` is a file or a folder of segments; `settings.json` the settings that override the recording's own, or
null; `expected.jsonl` the canonical JSON of events and intervals; `about.md` what the session is and why it is kept.
"""

from __future__ import annotations

import json
from pathlib import Path

from emgtwitch.detect.records import Event, Interval
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.recording import read_blocks

FOLDER = Path(__file__).resolve().parent
FILES = ("recording.emgw", "settings.json", "expected.jsonl", "about.md")
MOST_BYTES = 100_000


def sessions() -> list[Path]:
    """The folders of all golden sessions."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_"))


def missing(session: Path) -> list[str]:
    """The files that this session should have and has not."""
    return [name for name in FILES if not (session / name).exists()]


def found(session: Path, block_bytes: int = 1 << 16) -> str:
    """Events and intervals of a session, one canonical JSON object a line, in the order in which they were decided."""
    values = json.loads((session / "settings.json").read_text())
    pipeline = Pipeline(None if values is None else Settings.from_mapping(values))
    stamped = [s for block in read_blocks(session / "recording.emgw", block_bytes) for s in pipeline.feed(block)]
    records = [s.record for s in [*stamped, *pipeline.finish()]]
    kept = [r.as_json() for r in records if isinstance(r, Event | Interval)]
    return "".join(json.dumps(r, sort_keys=True, separators=(",", ":")) + "\n" for r in kept)
