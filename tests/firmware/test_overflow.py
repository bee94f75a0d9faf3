"""A line that is too slow: what does not fit is counted, what is sent is right, and it recovers by itself."""

from __future__ import annotations

from pathlib import Path

from emgtwitch.wire.light import frames
from emgtwitch.wire.records import Samples, SetRate, Start, Stop
from firmware.sim.harness import ELF, Script, run_board
from tests.firmware.streams import TAIL_SCANS, check_epoch, check_waveform, converter_streams, heard, noise_waveform

UNCHECKED_115200 = ELF.parent / "variants/baud115200-unchecked.elf"
CHECKED_115200 = ELF.parent / "variants/baud115200.elf"
RUN_S = 6.0


def test_every_scan_that_a_slow_line_loses_is_accounted_for(tmp_path: Path) -> None:
    script = Script().ask(0.5, SetRate(2000, 4, 1)).ask(1.0, Start()).ask(1.0 + RUN_S, Stop())
    script.ask(9.0, SetRate(1000, 1, 1)).ask(9.5, Start()).ask(12.5, Stop())
    wave = noise_waveform(13.0)
    outcome = run_board(tmp_path, 13.0, script, UNCHECKED_115200, wave)
    check_waveform(outcome.conversions, wave)
    got = heard(outcome.sent)
    assert got.rejected == 0
    flooded, afterwards = got.epochs
    flooded_stream, afterwards_stream = converter_streams(outcome.conversions)
    missing = check_epoch(flooded, flooded_stream)
    holes = flooded.end - flooded.scans - flooded.runs[0].index
    assert missing > 1000
    assert 0 <= missing - holes <= TAIL_SCANS
    last = [record for record in frames(outcome.sent) if isinstance(record, Samples)]
    of_run = last[: next((n for n in range(1, len(last)) if last[n].index == 0), len(last))]
    assert of_run[-1].overruns == holes % 65536
    assert got.counters[-1].lost_scans >= holes
    assert check_epoch(afterwards, afterwards_stream) <= TAIL_SCANS
    assert len(afterwards.runs) == 1 or afterwards.scans == afterwards.end
    assert outcome.report["missed_flag"] == outcome.report["missed_busy"] == 0


def test_between_two_losses_whole_frames_of_scans_get_through(tmp_path: Path) -> None:
    """Half of what is made fits: so about half arrives, not crumbs."""
    script = Script().ask(0.5, SetRate(2000, 4, 1)).ask(1.0, Start())
    outcome = run_board(tmp_path, 1.0 + RUN_S, script, UNCHECKED_115200, noise_waveform(13.0))
    carried = [len(r.counts) for r in frames(outcome.sent) if isinstance(r, Samples)]
    assert sum(carried) / len(carried) >= 14  # of 16 that fit into a frame
    assert len(outcome.sent) > 0.97 * RUN_S * 11_520
