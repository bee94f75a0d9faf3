"""WAV of 16 bits, for the ear and for other programs; scales stand in about.json beside it."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np

from emgtwitch.app.export.material import Item
from emgtwitch.errors import UsageError

LOUD = 0.9  # of full scale that the strongest sample of a segment reaches at most


def write_wav(items: list[Item], folder: Path) -> None:
    """NAME_000.wav, ...: the signal without its mean, in the greatest whole steps that fit, all channels alike."""
    about = []
    for item in items:
        for number, segment in enumerate(item.load()):
            if segment.rate_Hz != round(segment.rate_Hz):
                raise UsageError(f"A WAV file has a whole rate, not {segment.rate_Hz} Hz. Export as EDF or CSV.")
            if not np.isfinite(segment.counts).all():
                raise UsageError("A WAV file cannot leave out single samples of a channel. Export as CSV or Parquet.")
            middle = np.round(segment.counts.mean(axis=0))
            centred = segment.counts - middle
            most = float(np.abs(centred).max()) or 1.0
            gain = LOUD * 32767 / most
            gain = float(2 ** np.floor(np.log2(gain)))  # a power of two: whole counts stay exact, and fractions nearly
            path = folder / f"{item.stem}_{number:03d}.wav"
            with wave.open(str(path), "wb") as file:
                file.setnchannels(len(item.channels))
                file.setsampwidth(2)
                file.setframerate(round(segment.rate_Hz))
                file.writeframes(np.round(centred * gain).astype("<i2").tobytes())
            unit = "counts" if segment.uV_per_count is None else "uV"
            step = (segment.uV_per_count or 1.0) / gain
            about.append({"file": path.name, "from_s": segment.from_s, "unit": unit, "step": step})
    (folder / "about.json").write_text(json.dumps({"signals": about}, indent=1) + "\n")
