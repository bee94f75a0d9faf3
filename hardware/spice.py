"""ngspice in batches: a netlist with other values in, arrays out."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FRONT_END = Path(__file__).parent / "front_end"
PATIENCE_S = 120.0

Complex = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]


class SpiceError(Exception):
    """ngspice is missing, or does not find a solution; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """A netlist as text, without analyses."""

    text: str

    @classmethod
    def read(cls, name: str) -> Circuit:
        """One of the netlists in front_end, with what it includes."""
        text = (FRONT_END / f"{name}.cir").read_text()
        return cls(re.sub(r"^\.include (\S+)$", lambda m: (FRONT_END / m[1]).read_text(), text, flags=re.M))

    def with_params(self, **values: float) -> Circuit:
        """Other values for parameters of the first .param line of the netlist itself."""
        text = self.text
        for name, value in values.items():
            text, count = re.subn(rf"^(\.param .*\b{name}=)\S+", rf"\g<1>{value!r}", text, flags=re.M)
            if count != 1:
                raise SpiceError(f"The netlist has {count} parameters {name!r}, and one is needed.")
        return Circuit(text)

    def with_parts(self, values: Mapping[str, float]) -> Circuit:
        """Other values for resistors and capacitors, by their names."""
        text = self.text
        for name, value in values.items():
            text, count = re.subn(rf"^({name} \S+ \S+) \S+$", rf"\g<1> {value!r}", text, flags=re.M)
            if count != 1:
                raise SpiceError(f"The netlist has {count} parts {name!r}, and one is needed.")
        return Circuit(text)

    def with_source(self, name: str, value: str) -> Circuit:
        """Another value for a source, as `dc 0 ac 1`."""
        text, count = re.subn(rf"^({name} \S+ \S+) .*$", rf"\g<1> {value}", self.text, flags=re.M)
        if count != 1:
            raise SpiceError(f"The netlist has {count} sources {name!r}, and one is needed.")
        return Circuit(text)

    def with_models(self, **values: float) -> Circuit:
        """The same values, as `vos=4.5e-3`, for every amplifier whose model has them."""
        text = self.text
        for name, value in values.items():
            text, count = re.subn(rf"^(\.subckt .*\b{name}=)\S+", rf"\g<1>{value!r}", text, flags=re.M)
            if count == 0:
                raise SpiceError(f"No model has a parameter {name!r}.")
        return Circuit(text)

    def plus(self, lines: str) -> Circuit:
        """With more lines at the end."""
        return Circuit(f"{self.text}\n{lines}\n")

    @property
    def soldered(self) -> str:
        """The lines of what is on the board."""
        return self.text.partition("* What is soldered")[2]

    def parts(self) -> dict[str, float]:
        """Resistors and capacitors that are soldered (their names are in capitals) with their values, SI."""
        found = re.findall(r"^([RC][A-Z]+\d*) \S+ \S+ (\S+)$", self.soldered, flags=re.M)
        return {name: number(value) for name, value in found}

    def amplifiers(self) -> list[tuple[str, str]]:
        """Names and models of the amplifiers, which are what adds noise of its own."""
        return re.findall(r"^(X\d+) .* (opamp|inamp)$", self.soldered, flags=re.M)

    def ac(self, node: str, sweep: str) -> tuple[Floats, Complex]:
        """Frequencies in Hz and the complex voltage at `node`; `sweep` as `dec 50 1 10k`."""
        table = self._run(f"ac {sweep}", f"wrdata out.txt v({node})")
        return table[:, 0], table[:, 1] + 1j * table[:, 2]

    def noise(self, node: str, source: str, sweep: str, of: Sequence[str] = ()) -> tuple[Floats, Floats, list[Floats]]:
        """Frequencies in Hz, the noise density at `node` in V/rtHz, and the shares of the resistors named in `of`."""
        vectors = " ".join(["onoise_spectrum", *(f"onoise_{name}" for name in of)])
        table = self._run(f"noise v({node}) {source} {sweep} 1", f"setplot noise1\nwrdata out.txt {vectors}")
        return table[:, 0], table[:, 1], list(table[:, 3::2].T)

    def operating_point(self, *expressions: str) -> list[float]:
        """Voltages and currents at rest, as `v(mid)` or `@rs1[i]`."""
        return [float(value) for value in self._run("op", f"wrdata out.txt {' '.join(expressions)}")[0, 1::2]]

    def transient(self, node: str, step_s: float, until_s: float, more: str = "") -> tuple[Floats, Floats]:
        """Times in s and the voltage at `node`; `more` as `uic` for a start from nothing."""
        table = self._run(f"tran {step_s!r} {until_s!r} {more}", f"wrdata out.txt v({node})")
        return table[:, 0], table[:, 1]

    def _run(self, analysis: str, output: str) -> Floats:
        program = shutil.which("ngspice")
        if program is None:
            raise SpiceError("ngspice is missing: sudo apt install ngspice, or run make test, which installs it.")
        with tempfile.TemporaryDirectory() as folder:
            # at 1e-3, its default, ngspice now and then takes an amplifier at its rail for a place of rest
            exact = "" if analysis.startswith("tran") else ".options reltol=1e-4"
            control = f".control\nset noaskquit\nset wr_vecnames=0\n{analysis}\n{output}\nquit\n.endc"
            deck = f"{self.text}\n{exact}\n{control}\n.end\n"
            Path(folder, "deck.cir").write_text(deck)
            done = subprocess.run(
                [program, "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S
            )
            out = Path(folder, "out.txt")
            if not out.exists():
                raise SpiceError(f"ngspice gave nothing: {(done.stdout + done.stderr)[-600:]}")
            return np.loadtxt(out, ndmin=2)


def number(text: str) -> float:
    """A SPICE number: 100n, 6.2k, 10u."""
    scales = {"meg": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
    match = re.fullmatch(r"([\d.eE+-]+?)(meg|k|m|u|n|p)?", text)
    if match is None:
        raise SpiceError(f"{text!r} is no number.")
    return float(match[1]) * scales.get(match[2] or "", 1.0)
