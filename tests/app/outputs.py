"""What a run leaves behind, and what its replay says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.app.cli import main
from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Record
from tests.app.nursery import Child


def session(data: Path) -> Path:
    """The only session in a data folder."""
    (folder,) = (data / "sessions").iterdir()
    return folder


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, Any]]:
    """What `replay --json` prints."""
    capsys.readouterr()
    assert main(["replay", "--json", *map(str, arguments)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def canonical(objects: list[dict[str, Any]]) -> list[str]:
    """The events and intervals as canonical JSON: what live and replay must have in common."""
    return [json.dumps(o, sort_keys=True) for o in objects if o["type"] in ("event", "interval")]


def has_events(child: Child, at_least: int = 1) -> bool:
    """Whether a running command has shown so many events."""
    return len(child.of_type("event")) >= at_least


def records(data: Path) -> list[Record]:
    """All frames in the only session of a data folder."""
    return frames(b"".join(path.read_bytes() for path in sorted(session(data).iterdir())))
