"""Plots of the front ends for the documents."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from hardware.measure import response
from hardware.variants import SHIELD, VARIANTS, without_leads

LOOKS = {"shield": "k-", "low voltage": "C0--", "discrete": "C2:", "module": "C3-"}


def draw(folder: Path) -> None:
    """All plots, as PNG files that are the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (("response", gains()), ("lead-off", electrode_off())):
        figure.savefig(folder / f"{name}.png", dpi=90, metadata={"Software": None})


def gains() -> Figure:
    """Gain against frequency; of the shield some within tolerances, too."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    for one in SHIELD.drawn(30, seed=2):
        axes.loglog(*response(one), color="0.8", linewidth=0.8)
    for variant in VARIANTS:
        axes.loglog(*response(variant.circuit), LOOKS[variant.name], linewidth=1.4, label=variant.name)
    axes.axvspan(20, 450, color="0.93", zorder=0)
    axes.set(xlabel="Hz", ylabel="gain", xlim=(0.3, 1e4), ylim=(1, 2000), title="Gain; grey: shields within tolerances")
    axes.legend(loc="lower center", ncols=4, frameon=False)
    axes.grid(True, which="major", color="0.85")
    return figure


def electrode_off() -> Figure:
    """A muscle's lead torn off for a second: the converter sees a flat line, the pin tells."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    worn = SHIELD.circuit.with_source("Vsignal", "dc 0 sin(0 0.5m 100)")
    torn = without_leads(worn, "p", 0.5, 1.5)
    for node, look, what in (
        ("o1", "C0-", "behind the amplifier"),
        ("adc", "k-", "to the converter"),
        ("off", "C3-", "pin D4"),
    ):
        t, v = torn.transient(node, 5e-4, 2.5, "0 1e-3")
        axes.plot(t, v, look, linewidth=1.0 if node == "adc" else 1.5, label=what)
    axes.set(
        xlabel="s",
        ylabel="V",
        title="One lead is torn off at 0.5 s and back at 1.5 s",
        xlim=(0.3, 2.0),
        ylim=(-0.2, 5.8),
    )
    axes.legend(loc="upper right", ncols=3, frameon=False)
    axes.grid(True, color="0.85")
    return figure
