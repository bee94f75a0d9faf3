"""Recorded sessions, whole and damaged, give what was accepted for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden.sessions import MOST_BYTES, found, missing, sessions

SESSIONS = sessions()
MEASURED = ("peak_uV", "rms_uV", "snr_dB", "peak_counts", "rms_counts")


def size(session: Path) -> int:
    recording = session / "recording.emgw"
    files = recording.iterdir() if recording.is_dir() else [recording]
    return sum(file.stat().st_size for file in files)


def split(text: str) -> tuple[list[dict[str, object]], list[float]]:
    """The lines without measured amplitudes, and the amplitudes: processors round their last digits differently."""
    lines = [json.loads(line) for line in text.splitlines()]
    amplitudes = [line.pop(key) for line in lines for key in MEASURED if line.get(key) is not None]
    return lines, amplitudes


def test_there_are_golden_sessions_of_every_kind() -> None:
    kinds = {"twitches", "contractions", "byte-errors", "cut", "segments", "board-reset", "rate-change", "import"}
    assert kinds <= {session.name for session in SESSIONS}


@pytest.mark.parametrize("session", SESSIONS, ids=lambda s: s.name)
def test_a_golden_session_is_complete_and_small(session: Path) -> None:
    assert missing(session) == []
    assert size(session) < MOST_BYTES


@pytest.mark.parametrize("session", SESSIONS, ids=lambda s: s.name)
def test_a_golden_session_gives_what_was_accepted(session: Path) -> None:
    lines, amplitudes = split(found(session))
    expected_lines, expected_amplitudes = split((session / "expected.jsonl").read_text())
    assert lines == expected_lines
    assert amplitudes == pytest.approx(expected_amplitudes, rel=1e-4, abs=0.02)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda s: s.name)
def test_a_golden_session_does_not_depend_on_how_it_is_read(session: Path) -> None:
    assert found(session, 61) == found(session)
