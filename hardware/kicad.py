"""The board: `python -m hardware.kicad` checks it by KiCad 9, exports what its maker needs and draws its pictures.

The KiCad files in hardware/board are the source. Exports are committed with a manifest of digests, so that tests know
without KiCad whether they are current. What changes from one export to the next (dates, places) is taken out.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BOARD = Path(__file__).parent / "board"
EXPORTS = BOARD / "exports"
MANIFEST = EXPORTS / "manifest.json"
PICTURES = Path(__file__).parents[1] / "docs/hardware"
NAME = "emgtwitch"
SCHEMATIC, LAYOUT = BOARD / f"{NAME}.kicad_sch", BOARD / f"{NAME}.kicad_pcb"
LAYERS = "F.Cu,B.Cu,F.Mask,B.Mask,F.Paste,F.Silkscreen,B.Silkscreen,Edge.Cuts"
PATIENCE_S = 600.0
# What an export says of its day and place, and what stands there instead.
CHANGING = (
    (r"(?m)^%TF\.CreationDate,.*\*%$", ""),
    (r"(?m)^; #@! TF\.CreationDate,.*$", ""),
    (r"(?m)^(G04 Created by KiCad \(\S+ [^)]*\)) date .*\*$", r"\1*"),
    (r"(?m)^(; DRILL file (?:\{KiCad [^}]*\}|KiCad \S+)) date .*$", r"\1"),
    (r'"CreationDate": "[^"]*"', '"CreationDate": ""'),
    (r"<date>.*?</date>", "<date/>"),
    (r"(?s)<source>.*?</source>", "<source/>"),
    (r'"date": "[^"]*"', '"date": ""'),
    (r'"source": "[^"]*/', '"source": "'),
)


class KicadError(Exception):
    """KiCad is missing or too old, or refuses the board; the text says what it said and what to do."""


def run(*arguments: str | Path) -> None:
    """kicad-cli. Raises KicadError with its words."""
    program = shutil.which("kicad-cli")
    if program is None:
        raise KicadError("KiCad 9, which exports the board, is not installed: .ci/kicad installs it on Debian 12.")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S, cwd=BOARD
    )
    if done.returncode:
        raise KicadError(f"kicad-cli {' '.join(map(str, arguments))}: {(done.stdout + done.stderr).strip()}")


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources() -> list[Path]:
    """What the exports are made from."""
    footprints = sorted(BOARD.glob("*.pretty/*.kicad_mod"))
    return [SCHEMATIC, LAYOUT, *(BOARD / f"{kind}-lib-table" for kind in ("sym", "fp")), *footprints]


def digests(paths: list[Path]) -> dict[str, str]:
    """Digests by name within the board's folder."""
    return {path.relative_to(BOARD).as_posix(): digest(path) for path in paths}


def check(folder: Path) -> None:
    """ERC and DRC, with the schematic's parity, into JSON; any violation raises."""
    run(
        "sch",
        "erc",
        "--severity-all",
        "--exit-code-violations",
        "--format",
        "json",
        "-o",
        folder / "erc.json",
        SCHEMATIC,
    )
    options = ("--schematic-parity", "--severity-all", "--exit-code-violations", "--format", "json")
    run("pcb", "drc", *options, "-o", folder / "drc.json", LAYOUT)


def export(folder: Path) -> None:
    """Netlist, Gerbers, drill, pick-and-place."""
    run("sch", "export", "netlist", "--format", "kicadxml", "-o", folder / "netlist.xml", SCHEMATIC)
    run("pcb", "export", "gerbers", "--layers", LAYERS, "--use-drill-file-origin", "-o", folder, LAYOUT)
    run("pcb", "export", "drill", "--drill-origin", "plot", "-o", f"{folder}/", LAYOUT)
    where = ("--units", "mm", "--format", "csv", "--use-drill-file-origin", "--exclude-dnp")
    run("pcb", "export", "pos", *where, "-o", folder / "positions.csv", LAYOUT)


def pictures() -> None:
    """The schematic and the board from both sides."""
    import pypdfium2

    for side in ("top", "bottom"):
        size = ("--width", "1400", "--height", "950", "--zoom", "1.35")
        run("pcb", "render", "--side", side, *size, "-o", PICTURES / f"board-{side}.png", LAYOUT)
    with tempfile.TemporaryDirectory() as folder:
        run("sch", "export", "pdf", "-o", f"{folder}/schematic.pdf", SCHEMATIC)
        with pypdfium2.PdfDocument(f"{folder}/schematic.pdf") as document:
            document[0].render(scale=1.6).to_pil().save(PICTURES / "schematic.png")


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        check(made)
        export(made)
        shutil.rmtree(EXPORTS, ignore_errors=True)
        EXPORTS.mkdir()
        for path in sorted(made.iterdir()):
            text = path.read_text()
            for pattern, instead in CHANGING:
                text = re.sub(pattern, instead, text)
            (EXPORTS / path.name).write_text(text)
    both = {"sources": digests(sources()), "exports": digests(sorted(EXPORTS.iterdir()))}
    MANIFEST.write_text(json.dumps(both, indent=2) + "\n")
    pictures()
    print(f"Checked, and exported {len(both['exports'])} files to {EXPORTS.relative_to(BOARD.parents[1])}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
