"""Laws of the guided minute: it says what was measured, and whether the electrodes sit well."""

from __future__ import annotations

import numpy as np
import pytest

from emgtwitch.app.page.calibrate import PHASES, TOTAL_S, Calibration
from emgtwitch.app.page.tap import Tap
from emgtwitch.pipeline import Pipeline
from emgtwitch.wire.bulk import encode_samples
from emgtwitch.wire.encode import frame
from tests.page.test_tap import FS_HZ, HELLO

UV_PER_COUNT = 5e6 / 1024 / 1000
REST = 2.0  # counts, RMS


def minute(gentle: float, firm: float) -> Tap:
    """A tap that has seen the whole minute, with contractions of so many counts RMS."""
    levels = {"rest": REST, "gentle": gentle, "pause": REST, "firm": firm}
    noise = np.random.default_rng(1).standard_normal(round((TOTAL_S + 1) * FS_HZ))
    level = np.concatenate([np.full(round(seconds * FS_HZ), levels[name]) for name, seconds, _, _ in PHASES])
    counts = np.round(512 + noise * np.append(level, np.full(FS_HZ, REST))).clip(0, 1023).astype(np.uint16)
    data, _ = encode_samples(counts.reshape(-1, 1), 0, 1)
    tap = Tap()
    pipeline = Pipeline(on_counts=tap.counts)
    pipeline.feed(frame(HELLO, 0))
    for at in range(0, len(data), 500):
        pipeline.feed(data[at : at + 500])
        tap.look(pipeline)
    return tap


@pytest.mark.parametrize(
    ("gentle", "firm", "verdict"), [(12.0, 100.0, "good"), (8.0, 40.0, "fair"), (5.0, 14.0, "poor")]
)
def test_the_verdict_follows_the_signal_to_noise_ratio(gentle: float, firm: float, verdict: str) -> None:
    result = Calibration(0, 0.0).result(minute(gentle, firm))
    assert (result["verdict"], result["unit"]) == (verdict, "uV")
    assert result["snr_dB"] == pytest.approx(20 * np.log10(firm / REST), abs=3.0)
    in_band = np.sqrt(2 * (300 - 40) / FS_HZ)  # of white noise
    assert result["baseline"] == pytest.approx(REST * UV_PER_COUNT * in_band, rel=0.15)


def test_without_signal_there_is_no_verdict() -> None:
    result = Calibration(0, 0.0).result(Tap())
    assert result["verdict"] == "unknown"
    assert "begin again" in result["do"]


def test_the_phases_follow_each_other_on_the_signals_own_time() -> None:
    begun = Calibration(0, 100.0)
    told = [begun.progress(100.0 + at_s) for at_s in (0.0, 24.9, 25.0, 41.0, 59.9, 60.0)]
    assert [t["phase"] for t in told] == ["rest", "rest", "gentle", "pause", "firm", None]
    assert [t["state"] for t in told] == ["running"] * 5 + ["done"]
    assert told[1]["left_s"] == pytest.approx(0.1)
