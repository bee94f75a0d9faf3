"""Laws of a bad day: reset, hang, unplug, a stalled host, noise on the line. No sample is ever wrong."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from emgtwitch.sources.discover import Finder
from emgtwitch.sources.live import LiveSource
from firmware.sim.harness import Conversions, LiveBoard
from tests.firmware.streams import Epoch, Heard, converter_streams, noise_waveform, scans_of

PATIENCE_S = 30.0
STALL_S = 5.0
WAVE = noise_waveform(10.0)


class Listener:
    """The product's live source on a virtual board, and all that it gave."""

    def __init__(self, link: Path, rate_Hz: int, channels: int) -> None:
        self.states: list[str] = []
        self._source = LiveSource(
            Finder(str(link)), {}, rate_Hz=rate_Hz, channels=channels, oversampling=1, on_state=self.states.append
        )
        self.got = Heard()

    def listen_until(self, condition: Callable[[], bool]) -> None:
        """Read on until `condition` holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"not within {PATIENCE_S} s: {self.states}"
            self.got.feed(self._source.read(0.2))

    def listen_for(self, scans: int) -> None:
        """Until so many more scans have come in the run that is open."""
        epochs = self.got.epochs
        most = scans + (epochs[-1].scans if epochs else 0)
        self.listen_until(lambda: len(epochs) > 0 and epochs[-1].scans >= most)

    def listen_for_a_new_run(self, scans: int) -> None:
        epochs, n = self.got.epochs, len(self.got.epochs)
        self.listen_until(lambda: len(epochs) > n and epochs[-1].scans >= scans)

    def close(self) -> None:
        self.got.feed(self._source.close())


@pytest.fixture
def board(tmp_path: Path) -> Iterator[LiveBoard]:
    with LiveBoard(tmp_path, tmp_path / "ttyBoard", wave=WAVE) as board:
        yield board


def check(conversions: Conversions, got: Heard, channels: int) -> list[int]:
    """Every sample received is one of a run of the converter, at its index; how many scans each run is short of."""
    pins = conversions[conversions["triggered"] == 1]
    np.testing.assert_array_equal(pins["count"], WAVE.counts(pins["cycle"], pins["channel"], 5000.0))
    streams = [scans_of(stream, channels, 1) for stream in converter_streams(conversions)]
    missing = []
    for epoch in got.epochs:
        (made,) = (stream for stream in streams if _is_of(epoch, stream))
        missing.append(len(made) - epoch.scans)
    return missing


def _is_of(epoch: Epoch, made: np.ndarray) -> bool:
    return all(np.array_equal(run.counts, made[run.index : run.index + len(run.counts)]) for run in epoch.runs)


def test_a_reset_starts_a_new_run(board: LiveBoard) -> None:
    first = Listener(board.link, 1000, 4)
    first.listen_for(500)
    board.say("reset")
    first.listen_for_a_new_run(500)
    first.close()
    listener = Listener(board.link, 1000, 4)  # opening the port pulls the reset line
    listener.listen_for(500)
    listener.close()
    conversions, report = board.quit()
    assert report["resets"]["external"] == 3
    assert len(first.got.epochs) == 2
    assert len(listener.got.epochs) == 1
    check(conversions, first.got, 4)
    check(conversions, listener.got, 4)


def test_a_program_that_hangs_comes_back_by_its_watchdog(board: LiveBoard) -> None:
    listener = Listener(board.link, 1000, 1)
    listener.listen_for(500)
    board.say("hang")
    listener.listen_for_a_new_run(500)
    listener.close()
    conversions, report = board.quit()
    assert report["resets"]["watchdog"] == 1
    assert len(listener.got.epochs) == 2
    check(conversions, listener.got, 1)


def test_an_unplugged_board_is_taken_up_again(board: LiveBoard) -> None:
    listener = Listener(board.link, 4000, 1)
    listener.listen_for(2000)
    board.say("unplug")
    listener.listen_until(lambda: any("lost" in state for state in listener.states))
    board.say("plug")
    listener.listen_for_a_new_run(2000)
    listener.close()
    conversions, _ = board.quit()
    assert len(listener.got.epochs) == 2
    check(conversions, listener.got, 1)


@pytest.mark.slow
def test_a_host_that_stalls_for_five_seconds_finds_every_scan_or_its_loss(board: LiveBoard) -> None:
    listener = Listener(board.link, 1000, 4)
    listener.listen_for(1000)
    select.select([], [], [], STALL_S)  # this is the event itself: nothing is awaited
    listener.listen_for(12_000)
    listener.close()
    conversions, report = board.quit()
    got = listener.got
    (epoch,) = got.epochs
    check(conversions, got, 4)
    assert epoch.scans + got.lost == epoch.end
    assert (got.lost > 0) == (report["dropped_bytes"] > 0)


def test_noise_on_the_line_costs_scans_but_never_makes_a_wrong_one(board: LiveBoard) -> None:
    listener = Listener(board.link, 1000, 4)
    listener.listen_for(500)
    for n in range(12):
        board.say(f"spoil {1 + 7 * n}")
        board.say(f"garbage {1 + 31 * n}")
        board.say(f"host {os.urandom(40).hex()}")
        listener.listen_for(150)
    listener.listen_for(1500)
    listener.close()
    conversions, report = board.quit()
    assert report["spoilt_bytes"] > 0
    got = listener.got
    assert got.rejected > 0
    assert got.lost > 0
    check(conversions, got, 4)
    assert got.epochs[-1].scans + got.lost == got.epochs[-1].end
