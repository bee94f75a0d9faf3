"""Runs the virtual board from Python: as fast as it goes into files, or live on a pty with commands by line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emgtwitch.wire.encode import note as request_frame
from emgtwitch.wire.records import Record

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "build/firmware/board"
ELF = ROOT / "build/firmware/emgtwitch.elf"
CLOCK_HZ = 16_000_000
FULL_SCALE = 1024
CONVERSION = np.dtype([("cycle", "<u8"), ("count", "<u2"), ("channel", "u1"), ("triggered", "u1"), ("resets", "<u4")])
Conversions = npt.NDArray[np.void]


class BoardError(RuntimeError):
    """The virtual board did not do what it was asked; the text is its own."""


def build() -> None:
    """Make the board, a bootloader for it and the firmware, where they are not up to date."""
    parts = (("sim/sim.mk", ("build/firmware/board", "build/firmware/optiboot.hex")), ("firmware.mk", ("firmware",)))
    for file, targets in parts:
        command = ["make", "-s", "-f", f"firmware/{file}", *targets]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise BoardError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


@dataclass(frozen=True)
class Waveform:
    """What lies at the pins: levels (times, channels) in mV, each held for 1 / rate_Hz."""

    level_mV: npt.NDArray[np.float32]
    rate_Hz: float

    def counts(self, cycle: npt.NDArray[np.uint64], channel: npt.NDArray[np.uint8], avcc_mV: float) -> Any:
        """The converter's noiseless answer at each `cycle` since power-up, the waveform repeating itself."""
        at = np.floor(cycle / CLOCK_HZ * self.rate_Hz + 1e-6).astype(np.int64) % len(self.level_mV)
        level_mV = self.level_mV[at, channel % self.level_mV.shape[1]].astype(np.float64)
        return np.clip(np.floor(level_mV * FULL_SCALE / avcc_mV), 0, FULL_SCALE - 1).astype(np.uint16)


class Script:
    """What happens when: commands of the board, and requests of a host, at seconds since power-up."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._seq = 0

    def at(self, seconds: float, command: str) -> Self:
        self.lines.append(f"at {seconds:.6f} {command}")
        return self

    def ask(self, seconds: float, *requests: Record) -> Self:
        """Put requests on the line to the board, one after the other."""
        for request in requests:
            self._seq = (self._seq + 1) & 0xFFFF
            self.at(seconds, f"host {request_frame(request, self._seq).hex()}")
        return self


@dataclass(frozen=True)
class Outcome:
    """What a run of the board left behind."""

    sent: bytes  # over the serial line
    conversions: Conversions
    report: dict[str, Any]


def run_board(
    folder: Path,
    for_s: float,
    script: Script | None = None,
    elf: Path | None = ELF,
    wave: Waveform | None = None,
    options: Iterable[str] = (),
) -> Outcome:
    """Run `elf` for `for_s` of its own seconds as fast as it goes. `folder` takes the files; an EEPROM is `options`'.

    Raises BoardError with the board's words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sent, log, report = folder / "sent.bin", folder / "conversions.bin", folder / "report.json"
    command = [str(BOARD), "--for", str(for_s), "--out", str(sent), "--conversions", str(log), "--report", str(report)]
    if script is not None:
        (folder / "script").write_text("\n".join(script.lines) + "\n")
        command += ["--script", str(folder / "script")]
    command += [*wave_options(folder, wave), *options, *([str(elf)] if elf else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BoardError(done.stderr)
    return Outcome(sent.read_bytes(), np.fromfile(log, dtype=CONVERSION), json.loads(report.read_text()))


def wave_options(folder: Path, wave: Waveform | None) -> list[str]:
    """Write `wave` into `folder`; the options that play it."""
    if wave is None:
        return []
    file = folder / "wave.f32"
    np.ascontiguousarray(wave.level_mV, dtype="<f4").tofile(file)
    channels = wave.level_mV.shape[1]
    return ["--wave", str(file), "--wave-rate", repr(wave.rate_Hz), "--wave-channels", str(channels)]


class LiveBoard:
    """A board on a pty in its own process; commands go to it by line. Use as a context."""

    def __init__(
        self,
        folder: Path,
        link: Path,
        elf: Path | None = ELF,
        wave: Waveform | None = None,
        options: Iterable[str] = (),
    ) -> None:
        self.link, self._log, self._report = link, folder / "conversions.bin", folder / "report.json"
        self._command = [str(BOARD), "--link", str(link), "--stdin", "--conversions", str(self._log)]
        self._command += ["--report", str(self._report), *wave_options(folder, wave), *options]
        self._command += [str(elf)] if elf else []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        if said != f"board: {self.link}\n":
            self._process.kill()
            raise BoardError(said + self._process.communicate()[1])
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self.quit()

    def say(self, command: str) -> None:
        """Have `command` done now."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def quit(self) -> tuple[Conversions, dict[str, Any]]:
        """End the board; its conversions and its report."""
        try:
            _, said = self._process.communicate("quit\n", timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        if self._process.returncode:
            raise BoardError(said)
        return np.fromfile(self._log, dtype=CONVERSION), json.loads(self._report.read_text())
