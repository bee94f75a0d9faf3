"""Plots of what is kept: recall against the ideal observer, errors of the edges, false events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.accuracy.detectors import DETECTORS, OURS
from benchmarks.accuracy.halves import LEAST_RECALL
from benchmarks.accuracy.keep import EDGES, KINDS

EDGE_GROUPS = ("single", "contractions", "trains", "spasms")
COLORS = dict(
    zip(
        DETECTORS,
        ("tab:red", "tab:blue", "tab:green", "tab:purple", "tab:cyan", "tab:olive", "tab:gray", "tab:orange"),
        strict=True,
    )
)
NEVER = 0.01  # where no false event at all is drawn on the logarithmic axis


def draw(kept: dict[str, Any], folder: Path, dpi: int = 90) -> list[Path]:
    """Write the plots as PNG files; those whose groups were not run are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = kept["detectors"].get(OURS, {})
    out = []
    if ours.get("single", {}).get("cells"):
        out.append(_recall(kept, folder / "recall.png", dpi))
    if any(group in ours for group in EDGE_GROUPS):
        out.append(_edges(ours, folder / "edges.png", dpi))
    if ours:
        out.append(_false(kept, folder / "false.png", dpi))
    return out


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _recall(kept: dict[str, Any], path: Path, dpi: int) -> Path:
    figure, axes = _figure(1, len(KINDS), (11.0, 2.9))
    for axis, kind in zip(axes[0], KINDS, strict=True):
        for name, groups in kept["detectors"].items():
            cells = [c for c in groups.get("single", {}).get("cells", []) if c["kind"] == kind]
            level = [c["snr_dB"] for c in cells]
            if name == OURS:
                axis.plot(level, [c["ideal"] / c["events"] for c in cells], "k--", lw=1, label="ideal observer")
            style = {"lw": 2, "zorder": 3} if name == OURS else {"lw": 0.8}
            recall = [c["found"] / c["events"] for c in cells]
            axis.plot(level, recall, marker=".", color=COLORS[name], label=name, **style)
        axis.set(title=kind, xlabel="SNR, dB", ylim=(-0.03, 1.03))
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("recall")
    figure.legend(*axes[0][0].get_legend_handles_labels(), fontsize=7, loc="outside right center")
    figure.savefig(path, dpi=dpi)
    return path


def _edges(ours: dict[str, Any], path: Path, dpi: int) -> Path:
    groups = [group for group in EDGE_GROUPS if group in ours]
    figure, axes = _figure(2, len(groups), (2.8 * len(groups), 4.4))
    for column, group in enumerate(groups):
        for row, edge in enumerate(EDGES):
            counted = ours[group]["errors_ms"][edge]
            axis = axes[row][column]
            axis.bar([int(key) for key in counted], list(counted.values()), width=1.0, color="tab:red")
            axis.axvline(0, color="k", lw=0.6)
            axis.set(xlim=(-61, 61), xticks=(-50, -25, 0, 25, 50))
            axis.set_xlabel(f"{edge} error, ms (ends: beyond)", fontsize=8)
            mae, p95 = ours[group]["figures"][f"{edge}_mae_ms"], ours[group]["figures"][f"{edge}_p95_ms"]
            axis.set_title(f"{group}: mean {mae or 0:.1f}, 95 % {p95 or 0:.0f} ms", fontsize=8)
            axis.tick_params(labelsize=7)
    figure.savefig(path, dpi=dpi)
    return path


def _false(kept: dict[str, Any], path: Path, dpi: int) -> Path:
    groups = list(dict.fromkeys(g for of in kept["detectors"].values() for g in of if g != "promise"))
    figure, axes = _figure(1, 1, (11.0, 3.8))
    axis = axes[0][0]
    names = list(kept["detectors"])
    for n, name in enumerate(names):
        of = kept["detectors"][name]
        color = COLORS[name]
        style = {"ms": 8, "zorder": 3, "marker": "D"} if name == OURS else {"ms": 5, "marker": "o"}
        axis.plot([], [], ls="", color=color, label=name, **style)
        for place, group in enumerate(groups):
            if group in of:
                figures = of[group]["figures"]
                rate = max(NEVER, figures["false_per_hour"] or 0.0)
                found_few = figures["recall"] is not None and figures["recall"] < LEAST_RECALL
                at = place + (0.0 if name == OURS else 0.7 * (n / len(names) - 0.5))
                axis.plot(at, rate, ls="", color=color, mfc="none" if found_few else color, **style)
    axis.set(yscale="log", ylabel="false events an hour", ylim=(NEVER / 2, None), xlim=(-0.6, len(groups) - 0.4))
    axis.set_xticks(range(len(groups)), groups, rotation=30, ha="right")
    axis.grid(axis="y", alpha=0.3)
    for place in range(1, len(groups)):
        axis.axvline(place - 0.5, color="k", alpha=0.1, lw=0.6)
    figure.legend(fontsize=7, loc="outside right center")
    figure.savefig(path, dpi=dpi)
    return path
