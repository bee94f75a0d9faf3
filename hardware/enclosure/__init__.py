"""The enclosure: `python -m hardware.enclosure` exports its two parts for printing and its pictures by OpenSCAD."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
SCAD = HERE / "enclosure.scad"
PARTS = ("tray", "lid")
PICTURES = Path(__file__).parents[2] / "docs/hardware"
# picture: (what the model shows, camera: point looked at, angles, distance)
VIEWS = {
    "enclosure.png": ("closed", "36,16,8,58,0,42,240"),
    "enclosure-open.png": ("open", "38,22,42,66,0,318,360"),
}
PATIENCE_S = 300.0


class OpenscadError(Exception):
    """OpenSCAD is missing, or refuses the model; the text says what it said and what to do."""


def export(part: str, path: Path) -> None:
    """Write the mesh of a part, `tray` or `lid`, as it is printed: binary STL, in mm, the same bytes at each export."""
    _openscad([], part, "--export-format", "binstl", "-o", str(path))
    raw = path.read_bytes()
    # OpenSCAD's order of triangles, and of each one's corners, differs from run to run.
    triangles = [_from_least_corner(raw[i : i + 50]) for i in range(84, len(raw), 50)]
    path.write_bytes(raw[:84] + b"".join(sorted(triangles)))


def _from_least_corner(triangle: bytes) -> bytes:
    """A triangle of a binary STL (normal, three corners of 12 bytes, two spare bytes) turned, not mirrored."""
    corners = [triangle[i : i + 12] for i in (12, 24, 36)]
    first = corners.index(min(corners))
    return triangle[:12] + b"".join(corners[first:] + corners[:first]) + triangle[48:]


def picture(name: str, path: Path) -> None:
    """Draw one of VIEWS; needs xvfb and xauth, since OpenSCAD draws only on a screen."""
    if shutil.which("xvfb-run") is None or shutil.which("xauth") is None:
        raise OpenscadError("The pictures need a screen that nobody sees. Install it: sudo apt install xvfb xauth")
    part, camera = VIEWS[name]
    looks = ("--imgsize=1200,800", "--colorscheme=Tomorrow", "--projection=p", f"--camera={camera}")
    _openscad(["xvfb-run", "-a"], part, *looks, "-o", str(path))


def _openscad(before: list[str], part: str, *options: str) -> None:
    if shutil.which("openscad") is None:
        raise OpenscadError(
            "The enclosure needs OpenSCAD, which is not installed. Install it: sudo apt install openscad"
        )
    command = [*before, "openscad", "-D", f'part="{part}"', *options, str(SCAD)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode or "WARNING" in done.stderr:
        raise OpenscadError(f"OpenSCAD refused {SCAD.name}, part {part}: {done.stderr.strip()}")
