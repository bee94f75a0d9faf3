"""Laws of the enclosure: on the meshes that are printed, in the places that the model's parameters say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hardware import enclosure
from hardware.enclosure import HERE, PARTS, OpenscadError, export
from tests.hardware.mesh import Floats, Mesh, box

# A wearable: what it may measure, saddle and wings included, and weigh without board and cell.
LARGEST_MM = (95.0, 70.0, 27.0)
HEAVIEST_G = 45.0
PETG_G_PER_CM3 = 1.27
LARGEST_FILES = 500_000
STEEPEST_DEG = 45.5  # 45, and what the rounding to float32 does
LONGEST_BRIDGE_MM = 10.0
SHARPEST_DEG = 50.0  # by which the surface turns at an edge on the skin
CORNERS = [(x, y) for x in (0, 1) for y in (0, 1)]


def parameters() -> dict[str, float | list[float]]:
    """The numbers and lists of numbers that the model sets, by their names."""
    found = {}
    for name, value in re.findall(r"^(\w+) = ([-\d., \[\]]+);", enclosure.SCAD.read_text(), flags=re.M):
        found[name] = json.loads(value)
    return found


GIVEN = parameters()


def mm(name: str) -> float:
    value = GIVEN[name]
    assert not isinstance(value, list)
    return value


def sizes(name: str) -> list[float]:
    value = GIVEN[name]
    assert isinstance(value, list)
    return value


LENGTH, WIDTH, THICK = sizes("board_size")
BOARD_Z = mm("board_z")
TOP = BOARD_Z + THICK
AXIS_Z = TOP + mm("jack_axis")
HEIGHT = TOP + mm("parts_height") + mm("roof_gap") + mm("roof_thick")
OUTER = mm("board_gap") + mm("wall")
INSET = mm("board_hole_inset")


def read(part: str) -> Mesh:
    return Mesh.read(HERE / f"{part}.stl")


@pytest.fixture(scope="module")
def tray() -> Mesh:
    """Where it is when worn: z = 0 is the skin."""
    return read("tray")


@pytest.fixture(scope="module")
def lid() -> Mesh:
    """Turned from how it is printed, on the tray. Turned about two axes, so the triangles still look outwards."""
    return read("lid").moved((1, -1, -1), (0, WIDTH, HEIGHT))


def on_board(x: float, y: float) -> tuple[float, float]:
    """Board coordinates, y down from the upper left corner, in the model's, y up from the lower left."""
    return x, WIDTH - y


def under(at: list[float], size: list[float], around_mm: float) -> Floats:
    """Points in a part on the tray's floor that is `around_mm` larger on each side."""
    (x, y), floor = on_board(at[0], at[1] + size[1]), mm("floor_thick")
    low = (x - around_mm, y - around_mm, floor + 0.01)
    return box(low, (x + size[0] + around_mm, y + size[1] + around_mm, floor + size[2]), 1.0)


def to_hole(points: Floats) -> Floats:
    """How far points are, in the board's plane, from the lines between its holes and its corners next to them."""
    x, y = (np.minimum(points[:, i], side - points[:, i]) for i, side in ((0, LENGTH), (1, WIDTH)))
    along = np.clip((x + y) / 2, 0, INSET)
    return np.asarray(np.hypot(x - along, y - along))


@pytest.mark.parametrize("part", PARTS)
def test_every_edge_is_shared_by_two_triangles_that_run_along_it_in_opposite_directions(part: str) -> None:
    edges = read(part).edges
    assert [edge for edge, of in edges.items() if len(of) != 1 or len(edges.get(edge[::-1], [])) != 1] == []


def test_both_parts_together_are_small_and_light_enough_to_wear(tray: Mesh, lid: Mesh) -> None:
    low, high = np.minimum(tray.bounds[0], lid.bounds[0]), np.maximum(tray.bounds[1], lid.bounds[1])
    assert (high - low <= LARGEST_MM).all()
    assert low[2] == pytest.approx(0, abs=0.001)
    assert high[2] == pytest.approx(HEIGHT, abs=0.001)
    for part in (tray, lid):
        shell_mm3 = 1.2 * part.area / 2  # as if it were 1.2 mm thin everywhere
        assert shell_mm3 < part.volume < 0.25 * np.prod(high - low)
    assert (tray.volume + lid.volume) / 1000 * PETG_G_PER_CM3 <= HEAVIEST_G
    assert sum((HERE / f"{part}.stl").stat().st_size for part in PARTS) < LARGEST_FILES


def test_the_readme_says_what_the_meshes_measure(tray: Mesh, lid: Mesh) -> None:
    text = (HERE / "README.md").read_text()
    low, high = np.minimum(tray.bounds[0], lid.bounds[0]), np.maximum(tray.bounds[1], lid.bounds[1])
    for size in (high - low, np.ptp(lid.bounds[:, 0:2], axis=0)):
        assert " x ".join(f"{side:.1f}" for side in size) in text
    cm3 = (tray.volume + lid.volume) / 1000
    assert f"{cm3:.1f} cm3; at most {np.ceil(cm3 * PETG_G_PER_CM3):.0f} g" in text


def test_the_board_its_parts_and_leads_the_cell_and_the_charger_have_room(tray: Mesh, lid: Mesh) -> None:
    board = box((-0.2, -0.2, BOARD_Z + 0.01), (LENGTH + 0.2, WIDTH + 0.2, TOP), 0.8)
    hole = np.hypot(*(np.minimum(board[:, i], side - board[:, i]) - INSET for i, side in ((0, LENGTH), (1, WIDTH))))
    board = board[hole > mm("board_hole_d") / 2]
    leads = box((0, 0, BOARD_Z - mm("leads_height")), (LENGTH, WIDTH, BOARD_Z), 0.8)
    leads = leads[to_hole(leads) > 2.5]
    parts = box((0, 0, TOP + 0.01), (LENGTH, WIDTH, TOP + mm("parts_height")), 1.0)
    corner = sum(np.minimum(parts[:, i], side - parts[:, i]) for i, side in ((0, LENGTH), (1, WIDTH))) < 3.1
    button = np.hypot(*(parts[:, :2] - on_board(*sizes("button_at"))).T) < 2
    parts = parts[~corner & ~(button & (parts[:, 2] > TOP + mm("button_height")))]
    cell = under(sizes("cell_at"), sizes("cell_size"), 0.3)
    charger = under(sizes("charger_at"), sizes("charger_size"), 0.2)
    for room in (board, leads, parts, cell, charger):
        assert not tray.holds(room).any()
        assert not lid.holds(room).any()
    assert cell[:, 2].max() < leads[:, 2].min() - 1  # no lead pricks the cell


def test_the_board_is_held_at_its_corners_from_below_above_and_through_its_holes(tray: Mesh, lid: Mesh) -> None:
    for x, y in CORNERS:
        inward = np.array([1 - 2 * x, 1 - 2 * y])
        corner = np.array([x * LENGTH, y * WIDTH])
        hole = [*(corner + INSET * inward)]
        around = [(hole[0] + dx, hole[1] + dy, BOARD_Z - 0.2) for dx in (-1.5, 1.5) for dy in (-1.5, 1.5)]
        peg = [(*hole, BOARD_Z + 0.1), (*hole, TOP - 0.3)]
        assert tray.holds(np.array([*around, *peg])).all()
        pressed = [*(corner + 0.8 * inward)]
        assert lid.holds(np.array([[*pressed, TOP + up] for up in (0.1, 0.3)])).tolist() == [False, True]


def through_right(y: float, width: float, z: float, tall: float) -> Floats:
    """Points in a plug's hull that enters the right wall; y and z of its middle, y in the board's coordinates."""
    at = on_board(0, y)[1]
    low = (LENGTH, at - width / 2 + 0.01, z - tall / 2 + 0.01)
    return box(low, (LENGTH + OUTER + 0.1, at + width / 2 - 0.01, z + tall / 2 - 0.01), 0.5)


def test_plugs_slider_light_and_button_are_reached_through_the_walls(tray: Mesh, lid: Mesh) -> None:
    turn = np.linspace(0, 2 * np.pi, 40)
    radius, axis_y = mm("jack_ring_d") / 2, on_board(0, mm("jack_y"))[1]
    ring = np.stack([0 * turn, axis_y + radius * np.cos(turn), AXIS_Z + radius * np.sin(turn)], axis=1)
    plug = np.concatenate([ring + np.array([x, 0, 0]) for x in np.linspace(-OUTER - mm("saddle_length"), 0, 9)])

    width, tall = sizes("usb_hull")
    usb = through_right(mm("usb_y"), width, TOP + sum(sizes("usb_socket")) / 2, tall)

    (width, tall), middle = sizes("charger_hull"), sizes("charger_at")[1] + sizes("charger_size")[1] / 2
    charger = through_right(middle, width - 4, mm("floor_thick") + 0.4 + tall / 2, tall)  # 4: its upper corners are cut

    (width, tall), x = sizes("switch_size"), mm("switch_x")
    switch = box((x - width / 2, -OUTER - 0.1, TOP + 0.01), (x + width / 2, 0, TOP + tall), 0.5)
    light = np.array([[*on_board(*sizes("led_at")), z] for z in np.linspace(TOP + 5, HEIGHT + 1, 30)])
    for way in (plug, usb, charger, switch, light):
        assert not tray.holds(way).any()
        assert not lid.holds(way).any()

    button = np.array([[*on_board(*sizes("button_at")), TOP + mm("button_height") + up] for up in (0.3, 0.5)])
    assert lid.holds(button).tolist() == [False, True]  # the tongue's foot ends just above it


def test_the_strap_passes_through_both_wings_and_pulls_at_a_solid_bar(tray: Mesh) -> None:
    half, thick = mm("strap_width") / 2, mm("wing_thick")
    for wall_y, outward in ((-OUTER, -1), (WIDTH + OUTER, 1)):
        slot = wall_y + outward * (1 + mm("strap_slot") / 2)
        strap = box((LENGTH / 2 - half, slot - 1, -1), (LENGTH / 2 + half, slot + 1, thick + 1), 0.5)
        assert not tray.holds(strap).any()
        bar = wall_y + outward * (1 + mm("strap_slot") + mm("strap_bar") / 2)
        along = LENGTH / 2 + np.linspace(-half, half, 26)
        assert tray.holds(np.array([(x, bar, thick / 2) for x in along])).all()


@pytest.mark.slow
def test_the_lid_slides_in_and_its_catches_hold_it(tray: Mesh, lid: Mesh) -> None:
    """Moved by less than the fit it touches nowhere; lifted by a millimetre all four catches are in the tray's wall."""
    skin = lid.sampled(0.7)
    for shift in ((0, 0, 0), (0.1, 0, 0), (-0.1, 0, 0), (0, 0.1, 0), (0, -0.1, 0)):
        moved = skin + shift
        # Faces that lie on each other: the rims at the height of the jack's axis.
        assert not tray.holds(moved[abs(moved[:, 2] - AXIS_Z) > 0.01]).any()
    lifted = skin + np.array([0, 0, 1.0])
    caught = lifted[tray.holds(lifted)]
    for x in sizes("snap_x"):
        for side in (caught[:, 1] < 0, caught[:, 1] > WIDTH):
            assert (side & (abs(caught[:, 0] - x) < mm("snap_width") / 2)).sum() >= 3


def overhang(mesh: Mesh) -> tuple[float, list[Mesh]]:
    """Of a part as it is printed: mm2 of faces steeper than 45 degrees, and level faces in the air, piece by piece.

    A face on the bed is neither.
    """
    in_air = mesh.corners[:, :, 2].max(axis=1) > mesh.bounds[0, 2] + 0.01
    steep = in_air & (mesh.normals[:, 2] < -np.sin(np.radians(STEEPEST_DEG)))
    level = steep & (mesh.normals[:, 2] < -0.9999)
    left, pieces = set(np.flatnonzero(level).tolist()), []
    while left:
        piece: set[int] = set()
        more = {min(left)}
        while more:
            piece |= more
            left -= more
            points = set(mesh.faces[sorted(more)].ravel().tolist())
            more = {triangle for triangle in left if points & set(mesh.faces[triangle].tolist())}
        pieces.append(Mesh(mesh.corners[sorted(piece)]))
    return float(mesh.areas[steep & ~level].sum()), pieces


def is_bridge(piece: Mesh, of: Mesh) -> bool:
    """Whether a level face spans at most 10 mm between two places that carry it."""
    (low, high), reach = piece.bounds, 0.15
    for axis in (0, 1):
        ends = np.array([(low + high) / 2] * 2) - (0, 0, 0.1)
        ends[:, axis] = low[axis] - reach, high[axis] + reach
        if high[axis] - low[axis] <= LONGEST_BRIDGE_MM and of.holds(ends).all():
            return True
    return False


@pytest.mark.parametrize("part", PARTS)
def test_nothing_needs_support_in_printing(part: str) -> None:
    mesh = read(part)
    steep_mm2, level = overhang(mesh)
    assert steep_mm2 < 0.01
    assert [piece.bounds.tolist() for piece in level if not is_bridge(piece, mesh)] == []
    assert sum(piece.area for piece in level) < 60
    on_bed = mesh.corners[:, :, 2].max(axis=1) < 0.001
    assert mesh.areas[on_bed].sum() > 0.8 * LENGTH * WIDTH


def test_the_lid_the_other_way_up_would_need_support(lid: Mesh) -> None:
    """The walk finds what it is there to find."""
    _, level = overhang(lid)
    assert any(piece.area > 0.8 * LENGTH * WIDTH and not is_bridge(piece, lid) for piece in level)


def sharp(mesh: Mesh, up_to_mm: float) -> list[tuple[float, Floats]]:
    """Convex edges below a height where the surface turns by more than 50 degrees: by how many, and their points."""
    found = []
    for edge, (one, *_) in mesh.edges.items():
        other = mesh.edges[edge[::-1]][0]
        ends = np.array([mesh.corners[one][mesh.faces[one] == point][0] for point in edge])
        if edge[0] > edge[1] or ends[:, 2].max() > up_to_mm or min(mesh.areas[one], mesh.areas[other]) < 1e-3:
            continue
        turn = np.degrees(np.arccos(np.clip(mesh.normals[one] @ mesh.normals[other], -1, 1)))
        if turn > SHARPEST_DEG and ((mesh.corners[other] - ends[0]) @ mesh.normals[one]).min() < -1e-3:
            found.append((float(turn), ends))
    return found


def test_no_edge_on_the_skin_is_sharp_and_corners_are_round(tray: Mesh, lid: Mesh) -> None:
    assert sharp(tray, mm("chamfer") + 0.05) == []
    assert len(sharp(tray, HEIGHT)) > 20  # inside, and at the openings
    cut = 0.95 * 3 * (1 - np.sqrt(0.5))  # a rounding of 3 mm takes this much and more off a corner, along both sides
    for mesh, z in ((tray, 6.0), (lid, HEIGHT - 4)):
        for x, y in CORNERS:
            corner = np.array([x * LENGTH, y * WIDTH]) + (OUTER - cut) * (2 * np.array([x, y]) - 1)
            assert not mesh.holds(np.array([[*corner, z]])).any()


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_the_committed_meshes_are_what_the_model_says(part: str, tmp_path: Path) -> None:
    """`python -m hardware.enclosure` exports them anew."""
    export(part, tmp_path / "new.stl")
    new, committed = Mesh.read(tmp_path / "new.stl"), read(part)
    # Not byte by byte: another version of OpenSCAD may cut the same surface into other triangles.
    np.testing.assert_allclose(new.bounds, committed.bounds, rtol=1e-3, atol=1e-3)
    assert new.volume == pytest.approx(committed.volume, rel=1e-3)
    assert new.area == pytest.approx(committed.area, rel=1e-3)


def test_without_openscad_the_export_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(OpenscadError, match="sudo apt install openscad"):
        export("tray", tmp_path / "tray.stl")
    with pytest.raises(OpenscadError, match="sudo apt install xvfb xauth"):
        enclosure.picture("enclosure.png", tmp_path / "closed.png")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        (r"^board_z = .*?;", "board_z = 9;", "leads touch what is below"),
        (r"^inner_radius = .*?;", "inner_radius = 0.5;", "at least 3 mm"),
        (r"^inner_radius = .*?;", "inner_radius = 3;", "corners of the board touch the wall"),
    ],
)
def test_a_model_that_cannot_be_is_refused(
    line: str, other: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text, count = re.subn(line, other, enclosure.SCAD.read_text(), flags=re.M)
    assert count == 1
    (tmp_path / "wrong.scad").write_text(text)
    monkeypatch.setattr(enclosure, "SCAD", tmp_path / "wrong.scad")
    with pytest.raises(OpenscadError, match=said):
        export("tray", tmp_path / "tray.stl")
