"""A day as a strip of minutes."""

from __future__ import annotations

from typing import Any

from emgtwitch.app.strip import strip

HOUR_MS = 3_600_000


def session(number: int, start_ms: int, length_s: float, channels: int = 1) -> dict[str, Any]:
    return {"id": number, "started_utc_ms": start_ms, "duration_s": length_s, "channels": channels}


def lost(kind: str, onset_s: float, offset_s: float, channel: int | None = 0) -> dict[str, Any]:
    return {"session": 1, "kind": kind, "onset_s": onset_s, "offset_s": offset_s, "channel": channel}


def minutes(*parts: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"from_utc_ms": a * 60_000, "to_utc_ms": b * 60_000, "kind": kind} for kind, a, b in parts]


def test_what_was_not_recorded_is_in_no_stretch() -> None:
    assert strip([], [], 0, HOUR_MS) == []
    assert strip([session(1, 600_000, 600)], [], 0, HOUR_MS) == minutes(("good", 10, 20))


def test_lost_contact_and_lost_signal_are_told_apart() -> None:
    away = [lost("lead_off", 300, 600), lost("gap", 900, 1200, None), lost("artefact", 1300, 1302)]
    parts = (("good", 0, 5), ("not_worn", 5, 10), ("good", 10, 15), ("unusable", 15, 20), ("good", 20, 60))
    assert strip([session(1, 0, 3600)], away, 0, HOUR_MS) == minutes(*parts)


def test_intervals_that_overlap_count_once() -> None:
    away = [lost("artefact", 0, 20), lost("motion", 5, 25), lost("artefact", 2, 22)]
    assert strip([session(1, 0, 60)], away, 0, HOUR_MS) == minutes(("good", 0, 1))


def test_a_minute_is_good_while_most_channels_are() -> None:
    one, two = session(1, 0, 600, channels=3), [lost("rail", 0, 600, channel) for channel in (0, 1)]
    assert strip([one], two[:1], 0, HOUR_MS) == minutes(("good", 0, 10))
    assert strip([one], two, 0, HOUR_MS) == minutes(("not_worn", 0, 10))


def test_a_session_over_midnight_shows_what_lies_in_the_day() -> None:
    assert strip([session(1, -600_000, 1200)], [lost("gap", 0, 900)], 0, HOUR_MS) == minutes(
        ("unusable", 0, 5), ("good", 5, 10)
    )


def test_a_part_of_a_minute_at_the_end_of_the_day_ends_with_the_day() -> None:
    assert strip([session(1, 0, 7200)], [], 0, 90_000)[-1]["to_utc_ms"] == 90_000
