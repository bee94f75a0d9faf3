"""Laws of the picture: what is drawn is there, in the colour of its class, and only from and to where it was asked."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.plot import LEAD_S, _read, plot_recording
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError
from emgtwitch.sources.recording import read_blocks
from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS
from tests.app.nursery import Nursery
from tests.app.outputs import has_events

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 s of the demo; 2 s of it, from 10 s on, are lost."""
    path = tmp_path_factory.mktemp("plot") / "night.emgw"
    stream = b"".join(recorded(SCENARIOS["demo"], 1, 30.0))
    frames = stream.split(b"\0")
    path.write_bytes(b"\0".join(frames[:628] + frames[628 + 125 :]))
    return path


def pixels(path: Path) -> npt.NDArray[np.float64]:
    """The picture as (rows, columns, red green blue), 0 to 1."""
    from matplotlib.image import imread

    return np.asarray(imread(path), dtype=np.float64)[:, :, :3]


def share(picture: npt.NDArray[np.float64], colour: str) -> float:
    """The share of pixels of one tint: a hue over white, or a grey."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    spread = picture.max(axis=-1) - picture.min(axis=-1)
    found = {
        "green": (spread > 0.15) & (green >= red) & (green > blue),
        "blue": (spread > 0.15) & (blue > red) & (blue > green),
        "red": (spread > 0.15) & (red > green) & (red > blue),
        "grey": (spread < 0.02) & (abs(red - 0.85) < 0.02),
        "ink": picture.max(axis=-1) < 0.5,
    }
    return float(found[colour].mean())


def test_signal_events_and_losses_are_there(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.png"
    plot_recording(recording, out, None, None)
    picture = pixels(out)
    assert share(picture, "ink") > 0.01
    assert share(picture, "green") > 0.002
    assert share(picture, "blue") + share(picture, "red") > 0.01
    assert 0.02 < share(picture, "grey") < 0.15  # 2 of 30 s, and settling


def test_only_what_lies_from_and_to_is_drawn(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.png"
    plot_recording(recording, out, 10.5, 11.5)
    picture = pixels(out)
    assert share(picture, "grey") > 0.5  # all but the margins: it is lost
    plot_recording(recording, out, 0.0, 9.5)
    assert share(pixels(out), "grey") < 0.15


def test_no_more_is_kept_than_is_drawn(recording: Path) -> None:
    seen = _read(recording, read_blocks(recording), 15.0, 20.0)
    assert seen.signal.shape == (int((5.0 + LEAD_S) * 1000), 1)
    assert seen.first == 14_000
    assert seen.duration_s == pytest.approx(30.0, abs=0.1)
    whole = _read(recording, read_blocks(recording), 0.0, np.inf)
    assert seen.outputs == whole.outputs
    assert np.nanmax(np.abs(seen.signal[1000:] - whole.signal[15_000:20_000])) < 0.01 * np.nanmax(np.abs(whole.signal))


def test_a_picture_that_cannot_be_drawn_is_said(recording: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lasts 30.0 s; nothing lies from 40 to 30"):
        plot_recording(recording, tmp_path / "a.png", 40.0, 50.0)
    with pytest.raises(UsageError, match=r"Name a file that ends in .png"):
        plot_recording(recording, tmp_path / "a.docx", 1.0, 2.0)
    with pytest.raises(CannotWriteError, match="No such file or directory"):
        plot_recording(recording, tmp_path / "none" / "a.png", 1.0, 2.0)
    garbage = tmp_path / "a.emgw"
    garbage.write_bytes(b"\x01\x02\x00" * 999)
    with pytest.raises(UnreadableInputError, match="holds no samples that can be drawn"):
        plot_recording(garbage, tmp_path / "a.png", None, None)


def test_events_draws_the_last_session(nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = nursery.start("run", "--source", "sim", "--json", "--data", tmp_path)
    live.wait_for(has_events)
    assert live.end(signal.SIGINT) == 0
    out = tmp_path / "out.png"
    assert main(["events", "--data", str(tmp_path), "--session", "last", "--plot", str(out)]) == 0
    assert share(pixels(out), "ink") > 0.005
    assert "Traceback" not in capsys.readouterr().err
