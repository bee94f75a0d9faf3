"""Laws of the board, read from its committed exports: it is what was simulated, and can be made and bought."""

from __future__ import annotations

import csv
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

import pytest

from hardware import kicad
from hardware.power import CELLS_MAH, LOADS, run_time_h
from hardware.spice import number
from hardware.variants import SHIELD
from tests.hardware.test_enclosure import mm, sizes

BOM = Path(kicad.__file__).with_name("bom.csv")
GUIDE = Path(kicad.__file__).with_name("README.md")
# Pins of the amplifiers: the netlist's order of nodes.
UNITS = {
    "X1": ("U1", "4 1 7 6 8 5 3 2"),
    "X2": ("U2", "5 6 7 4 11"),
    "X3": ("U2", "3 2 1 4 11"),
    "X4": ("U2", "12 13 14 4 11"),
    "X5": ("U2", "10 9 8 4 11"),
    "X6": ("U3", "3 2 1 8 4"),
}
# Where the netlist's nodes leave the front end.
ENDS = {
    ("J1", "T"): "epx",
    ("J1", "R"): "en",
    ("J1", "S"): "er",
    ("A1", "27"): "v5",
    ("A1", "4"): "0",
    ("A1", "29"): "0",
    ("A1", "19"): "adc",
    ("A1", "7"): "off",
}
Pin = tuple[str, str]


def simulated() -> dict[Pin, str]:
    """Each pin of the simulated front end with its node."""
    pins = dict(ENDS)
    for part, one, other in re.findall(r"^([RC][A-Z]+\d+) (\S+) (\S+) \S+$", SHIELD.circuit.soldered, flags=re.M):
        pins[part, "1"], pins[part, "2"] = one, other
    for name, nodes in re.findall(r"^(X\d+) (.*) \w+$", SHIELD.circuit.soldered, flags=re.M):
        part, numbers = UNITS[name]
        pins |= {(part, pin): node for pin, node in zip(numbers.split(), nodes.split(), strict=True)}
    return pins


def drawn() -> tuple[dict[str, str], dict[Pin, str]]:
    """Each part of the board with its value, and each connected pin with its net."""
    root = ElementTree.parse(kicad.EXPORTS / "netlist.xml").getroot()
    values = {one.get("ref", ""): one.findtext("value", "") for one in root.iter("comp")}
    pins = {
        (node.get("ref", ""), node.get("pin", "")): net.get("name", "")
        for net in root.iter("net")
        for node in net.iter("node")
        if not net.get("name", "").startswith("unconnected-")
    }
    return values, pins


def nets(pins: dict[Pin, str], of: set[str]) -> set[frozenset[Pin]]:
    """Which pins of the parts `of` are one, whatever their net is called."""
    together: dict[str, set[Pin]] = defaultdict(set)
    for pin, net in pins.items():
        if pin[0] in of:
            together[net].add(pin)
    return {frozenset(one) for one in together.values()}


def farads_or_ohms(text: str) -> float:
    """A value as written on the schematic, where M is a million."""
    return number(text.replace("M", "meg"))


def rows() -> list[dict[str, str]]:
    with BOM.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_exports_are_of_the_board_as_it_is() -> None:
    manifest = json.loads(kicad.MANIFEST.read_text())
    hint = "python -m hardware.kicad exports anew; it needs KiCad 9 (.ci/kicad)."
    assert manifest["sources"] == kicad.digests(kicad.sources()), hint
    exported = [path for path in sorted(kicad.EXPORTS.iterdir()) if path != kicad.MANIFEST]
    assert manifest["exports"] == kicad.digests(exported), hint


def test_no_rule_of_schematic_or_layout_is_broken() -> None:
    electrical = json.loads((kicad.EXPORTS / "erc.json").read_text())
    assert [violation for sheet in electrical["sheets"] for violation in sheet["violations"]] == []
    design = json.loads((kicad.EXPORTS / "drc.json").read_text())
    assert design["violations"] == design["unconnected_items"] == design["schematic_parity"] == []
    assert electrical["kicad_version"].startswith("9.")


def test_the_board_is_the_netlist_that_was_simulated() -> None:
    wanted, (values, pins) = simulated(), drawn()
    parts = SHIELD.circuit.parts()
    assert {part: farads_or_ohms(values[part]) for part in parts} == pytest.approx(parts)
    shared = {part for part, _ in wanted}
    on_board = {pin: net for pin, net in pins.items() if pin in wanted}
    assert nets(on_board, shared) == nets(wanted, shared)
    spare = {("U3", "5"), ("U3", "6")}  # the comparator's other half, at rest
    ours = {pin for pin in pins if pin[0] in shared - {"A1"} and pin not in spare}
    assert ours == {pin for pin in wanted if pin[0] != "A1"}, "no pin of the front end goes elsewhere"


def test_what_the_board_has_besides_touches_no_electrode() -> None:
    wanted, (values, pins) = simulated(), drawn()
    besides = set(values) - {part for part, _ in wanted}
    assert {re.sub(r"\d+$", "", part) for part in besides} == {
        *("J", "SW", "Q", "D", "JP", "RK", "RQ", "TP", "H"),
    }
    touched = {
        node for pin, node in wanted.items() if any(pins.get(pin) == pins.get((p, n)) for p, n in pins if p in besides)
    }
    assert touched <= {"v5", "0", "mid", "o1", "adc"}


def test_the_board_hears_the_radio_whatever_the_usb_chip_of_the_nano_does() -> None:
    """A Nano's USB chip is on D0, too, through 1 k: idle it pulls up, without supply it clamps at 0.6 V."""
    values, _ = drawn()
    radio_ohm = 100.0 + farads_or_ohms(values["RK3"])  # an HC-05 gives 0.4 V at 4 mA

    def d0_V(radio_V: float, chip_V: float, ohm: float = radio_ohm) -> float:
        return chip_V + (radio_V - chip_V) * 1000 / (1000 + ohm)

    assert d0_V(0.0, 5.0) < 0.3 * 5, "surely low to the processor"
    assert d0_V(3.3, 0.6) > 0.6 * 5, "surely high"
    assert d0_V(0.0, 5.0, 1100.0) > 0.3 * 5, "a kilohm at RK3 would make a draw of it"


def test_two_nets_that_change_places_are_found() -> None:
    wanted, (_, pins) = simulated(), drawn()
    shared = {part for part, _ in wanted}
    changed = {pin: net for pin, net in pins.items() if pin in wanted}
    changed["RP1", "1"], changed["RN1", "1"] = changed["RN1", "1"], changed["RP1", "1"]
    assert nets(changed, shared) != nets(wanted, shared)


def test_the_gerbers_are_a_whole_board() -> None:
    names = {path.name for path in kicad.EXPORTS.iterdir()}
    for layer in kicad.LAYERS.split(","):
        (file,) = (name for name in names if name.startswith(f"emgtwitch-{layer.replace('.', '_')}."))
        assert len(re.findall(r"(?m)^X-?\d+", (kicad.EXPORTS / file).read_text())) >= 4
    edge = (kicad.EXPORTS / "emgtwitch-Edge_Cuts.gm1").read_text()
    points = [(int(x) / 1e6, int(y) / 1e6) for x, y in re.findall(r"X(-?\d+)Y(-?\d+)", edge)]
    for k, side in enumerate((80.0, 48.0)):
        assert min(p[k] for p in points) == pytest.approx(0, abs=0.01)
        assert max(p[k] for p in points) == pytest.approx(side, abs=0.01)
    drill = (kicad.EXPORTS / "emgtwitch.drl").read_text()
    (tool,) = re.findall(r"(?m)^(T\d+)C2\.700$", drill)
    assert len(re.findall(r"(?m)^X", drill.partition(f"\n{tool}\n")[2].partition("\nT")[0])) == 4


def test_the_placing_machine_knows_every_part_that_lies_on_the_board() -> None:
    with (kicad.EXPORTS / "positions.csv").open(newline="") as file:
        placed = {row["Ref"]: row for row in csv.DictReader(file)}
    assert set(SHIELD.circuit.parts()) | {"U1", "U2", "U3"} <= set(placed)
    assert {row["Side"] for row in placed.values()} == {"top"}
    assert all(0 < float(row["PosX"]) < 80 and 0 < float(row["PosY"]) < 48 for row in placed.values())


def test_every_part_is_bought_once_with_its_value_from_two_sources() -> None:
    values, _ = drawn()
    bought = [ref for row in rows() for ref in row["refs"].split()]
    soldered = {ref for ref in values if not re.fullmatch(r"H\d|TP\d|J[34]", ref)}
    assert sorted(bought) == sorted(soldered)
    for row in rows():
        for ref in row["refs"].split():
            if ref in SHIELD.circuit.parts():
                assert farads_or_ohms(row["value"]) == pytest.approx(SHIELD.circuit.parts()[ref])
        if row["refs"]:
            assert int(row["quantity"]) == len(row["refs"].split())
            assert {values[ref] for ref in row["refs"].split()} == {row["value"]}
        sources = {row["first source"], row["second source"]}
        assert len(sources - {""}) == 2, row
        assert re.fullmatch(r"20\d\d-\d\d", row["estimated"])


def test_the_sensor_costs_what_was_promised() -> None:
    cost = dict.fromkeys(("all", "wireless", "motor"), 0.0)
    for row in rows():
        cost[row["for"]] += int(row["quantity"]) * float(row["USD each (estimate)"])
    assert cost["all"] <= 15
    assert cost["all"] + cost["wireless"] <= 25
    text = GUIDE.read_text()
    assert f"about {cost['all']:.2f} USD" in text
    assert f"about {cost['all'] + cost['wireless']:.2f} USD" in text


def test_the_enclosure_is_for_this_board() -> None:
    text = kicad.LAYOUT.read_text()
    at = {
        ref: (float(x) - 100, float(y) - 60)
        for x, y, ref in re.findall(
            r'\(footprint "[^"]+".*?\(at (\S+) (\S+?)(?: \S+)?\).*?"Reference" "([^"]+)"', text, flags=re.S
        )
    }
    width, height, thickness = sizes("board_size")
    inset = mm("board_hole_inset")
    holes = {at[f"H{n}"] for n in range(1, 5)}
    assert holes == {(x, y) for x in (inset, width - inset) for y in (inset, height - inset)}
    assert f"(thickness {thickness:g})" in text
    assert at["J1"][1] == pytest.approx(mm("jack_y"))
    assert at["A1"][1] - 7.62 == pytest.approx(mm("usb_y"), abs=0.05)
    assert at["SW2"][0] + 2 == pytest.approx(mm("switch_x"))
    assert (at["SW1"][0] + 3.25, at["SW1"][1]) == pytest.approx(tuple(sizes("button_at")), abs=0.1)


def test_without_kicad_the_export_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(kicad.KicadError, match="KiCad 9, which exports the board, is not installed"):
        kicad.check(tmp_path)


def test_what_changes_from_day_to_day_is_taken_out_of_the_exports() -> None:
    for path in kicad.EXPORTS.iterdir():
        text = path.read_text()
        assert not re.search(r"CreationDate[\",: ]+20\d\d|20\d\d-\d\d-\d\dT", text), path.name
        assert "/home/" not in text
        assert "/tmp/" not in text


def test_the_switch_carries_all_but_the_motor() -> None:
    """C&K's OS series: 0.1 A at 12 V."""
    assert sum(one.most_mA for one in LOADS) < 100
    assert "contacts are for 100 mA" in GUIDE.read_text()


def test_a_smaller_cell_or_a_greater_load_empties_sooner() -> None:
    usual = sum(one.usual_mA for one in LOADS)
    hours = [run_time_h(capacity, usual) for capacity in CELLS_MAH]
    assert hours == sorted(hours)
    assert run_time_h(1000, usual) == pytest.approx(1000 * 3.7 * 0.85 * 0.85 / (5 * usual))
    assert run_time_h(1000, 2 * usual) == pytest.approx(run_time_h(1000, usual) / 2)
