"""Trains: twitches of one channel in quick succession."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from emgtwitch.detect.records import Event


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


class TrainCounter:
    """Counts trains while events come in, in constant memory."""

    def __init__(self, gap_s: float, min_count: int) -> None:
        self._gap_s, self._min_count = gap_s, min_count
        self._running: dict[int, tuple[float, int]] = {}  # channel -> last onset, twitches so far
        self.count = 0

    def add(self, event: Event) -> None:
        """Take the next event; others than twitches are passed over."""
        if event.event_class != "twitch":
            return
        onset_s, length = self._running.get(event.channel, (-math.inf, 0))
        length = length + 1 if event.onset_s - onset_s < self._gap_s else 1
        self._running[event.channel] = (event.onset_s, length)
        if length == self._min_count:
            self.count += 1
