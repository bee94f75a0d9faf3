"""Oversampling gives the bits that noise lets it give: half a bit for each doubling."""

from __future__ import annotations

from pathlib import Path

from firmware.sim.effective_bits import FACTORS, measure, table


def test_four_conversions_gain_one_bit_and_eight_one_and_a_half(tmp_path: Path) -> None:
    found = {factor: measure(factor, tmp_path) for factor in FACTORS}
    print(table(found.values()))
    assert abs(found[1].effective_bits - 9.0) < 0.1  # ten, less the dither's
    assert found[4].effective_bits - found[1].effective_bits > 0.9
    assert found[8].effective_bits - found[1].effective_bits > 1.35
