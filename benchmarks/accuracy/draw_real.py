"""Labels drawn over a real recording, to be looked at: amplitudes by asinh, so that 60 dB fit into one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.accuracy.case import class_of
from benchmarks.accuracy.labelling import COUNT_50, Floats, Labelled, levels
from benchmarks.accuracy.recordings import ROOT, Recording

FOLDER = ROOT / "build" / "accuracy" / "real"
COLOURS = {"twitch": "tab:green", "contraction": "tab:blue", "spasm": "tab:red"}
ROW_S = 16.0
ROWS = 4
REACH = 7.0  # of the asinh, in which one is a little above two baselines


def draw(recording: Recording, x: Floats, fs_Hz: float, said: Labelled) -> list[Path]:
    """Write the pictures of a recording: band-passed signal, 50 ms RMS, events by class, doubtful time in yellow."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    FOLDER.mkdir(parents=True, exist_ok=True)
    seen = levels(x, fs_Hz, recording.band_Hz)
    signal = np.arcsinh(seen.signal / (2 * np.sqrt(seen.floor)))
    slow = np.arcsinh(np.sqrt(seen.slow / seen.floor) / 2)
    duration_s = len(x) / fs_Hz
    written = []
    for page in range(int(np.ceil(duration_s / (ROW_S * ROWS)))):
        begin_s = page * ROW_S * ROWS
        rows = min(ROWS, int(np.ceil((duration_s - begin_s) / ROW_S)))
        figure, axes = plt.subplots(rows, 1, figsize=(19, 2.6 * rows), squeeze=False)
        for row, axis in enumerate(axes[:, 0]):
            low_s = begin_s + row * ROW_S
            part = slice(round(low_s * fs_Hz), round((low_s + ROW_S) * fs_Hz))
            at = low_s + np.arange(len(signal[part])) / fs_Hz
            axis.plot(at, signal[part], lw=0.3, c="0.5")
            axis.plot(at, slow[part], lw=0.6, c="k")
            axis.axhline(np.arcsinh(COUNT_50 / 2), lw=0.3, c="r")
            for a, b in said.doubtful:
                axis.axvspan(a, b, color="orange", alpha=0.25, lw=0)
            for a, b in said.events:
                axis.axvspan(a, b, color=COLOURS[class_of(b - a)], alpha=0.35, lw=0)
            axis.set(xlim=(low_s, low_s + ROW_S), ylim=(-REACH, REACH), xticks=np.arange(low_s, low_s + ROW_S, 1.0))
        figure.suptitle(f"{recording.name}: asinh of signal and 50 ms RMS over two baselines")
        figure.tight_layout()
        path = FOLDER / f"{recording.name}_{page}.png"
        figure.savefig(path, dpi=60)
        plt.close(figure)
        written.append(path)
    return written
