"""Trains: twitches of one channel in quick succession."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def trains(events: Iterable[dict[str, Any]], gap_s: float = 1.0, min_count: int = 3) -> list[list[dict[str, Any]]]:
    """At least `min_count` twitches of one session and channel, each less than `gap_s` after the onset before it.

    `events` are rows of the log in the order of their onsets; others than twitches are passed over.
    """
    running: dict[tuple[int, int], list[dict[str, Any]]] = {}
    found: list[list[dict[str, Any]]] = []
    for event in events:
        if event["class"] != "twitch":
            continue
        key = (event["session"], event["channel"])
        train = running.get(key)
        if train is not None and event["onset_s"] - train[-1]["onset_s"] < gap_s:
            train.append(event)
        else:
            running[key] = [event]
        if len(running[key]) == min_count:
            found.append(running[key])
    return found
