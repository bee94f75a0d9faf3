"""An EMG-BIDS dataset (BIDS 1.11 and newer): BDF with sidecars, one run for each contiguous segment."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emgtwitch.app.export.edf import save
from emgtwitch.app.export.material import Item

if TYPE_CHECKING:
    from emgtwitch.app.notebook import Segment

VERSION = "1.11.1"
BITS = 24
NONE = "n/a"
LEVELS = {
    "twitch": "A brief contraction",
    "contraction": "Longer than a twitch, shorter than a spasm",
    "spasm": "A sustained contraction",
    "gap": "Nothing was received",
    "lead_off": "An electrode was off",
    "rail": "The input was beyond the converter's range",
    "flat": "The input did not move",
    "settling": "The detector was learning the noise",
    "artefact": "Motion, heart, mains, noise or a knock at the cable",
    "clock_step": "The host's clock was set",
    "suspend": "The host slept",
}


def write_bids(items: list[Item], folder: Path) -> None:
    """The dataset's own files, and sub-01/ses-NN/emg/ for each recording."""
    _json(
        folder / "dataset_description.json",
        {
            "Name": "Surface EMG recorded with emgtwitch",
            "BIDSVersion": VERSION,
            "DatasetType": "raw",
            "License": "n/a",
            "GeneratedBy": [{"Name": "emgtwitch", "Version": items[0].software}],
        },
    )
    (folder / "README.md").write_text(
        "# Surface EMG of twitches and spasms\n\nMade by `emgtwitch export --format bids`. Each session is a recording,"
        " each run a stretch of it\nwithout gaps. Events are what the detector found: twitch, contraction, spasm; and"
        " time that\ncould not be analysed, with its reason.\n"
    )
    _table(folder / "participants.tsv", ("participant_id",), [("sub-01",)])
    for session, item in enumerate(items, start=1):
        place = folder / "sub-01" / f"ses-{session:02d}" / "emg"
        place.mkdir(parents=True)
        stem = f"sub-01_ses-{session:02d}"
        _table(place / f"{stem}_electrodes.tsv", ("name", "x", "y", "z"), _electrodes(item))
        for number, segment in enumerate(item.load(), start=1):
            _run(item, segment, place, f"{stem}_task-wear_run-{number:02d}")


def _run(item: Item, segment: Segment, place: Path, stem: str) -> None:
    save(item, segment, place / f"{stem}_emg.bdf", BITS)
    unit = "n/a" if segment.uV_per_count is None else "uV"
    names = [item.label(k) for k in range(len(item.channels))]
    settings = item.settings
    mains_Hz = settings.get("mains_Hz") or NONE
    _json(
        place / f"{stem}_emg.json",
        {
            "TaskName": "wear",
            "TaskDescription": "The wearer goes about the day",
            "Manufacturer": "emgtwitch",
            "DeviceSerialNumber": item.device or NONE,
            "SoftwareVersions": f"emgtwitch {item.software}",
            "EMGPlacementScheme": "Other",
            "EMGPlacementSchemeDescription": _placement(item),
            "EMGReference": "an electrode on bone nearby",
            "SamplingFrequency": segment.rate_Hz,
            "PowerLineFrequency": mains_Hz,
            "HardwareFilters": NONE,
            "SoftwareFilters": NONE,
            "EMGChannelCount": len(names),
            "RecordingType": "continuous",
            "RecordingDuration": round(len(segment.counts) / segment.rate_Hz, 6),
        },
    )
    _table(
        place / f"{stem}_channels.tsv",
        ("name", "type", "units", "signal_electrode", "reference", "sampling_frequency"),
        [(name, "EMG", unit, f"E{k}", "R", f"{segment.rate_Hz:g}") for k, name in enumerate(names, start=1)],
    )
    found = [(row, row["class"], name_of(item, row)) for row in item.events]
    found += [(row, row["kind"], name_of(item, row)) for row in item.intervals]
    rows = [
        (
            f"{row['onset_s'] - segment.from_s:.6f}",
            NONE if row["offset_s"] is None else f"{row['offset_s'] - row['onset_s']:.6f}",
            kind,
            channel,
        )
        for row, kind, channel in sorted(found, key=lambda one: float(one[0]["onset_s"]))
        if segment.from_s <= row["onset_s"] < segment.to_s
    ]
    _table(place / f"{stem}_events.tsv", ("onset", "duration", "trial_type", "channel"), rows)
    _json(
        place / f"{stem}_events.json",
        {
            "trial_type": {
                "Description": "What was found, or why this time could not be analysed",
                "Levels": LEVELS,
            }
        },
    )


def _electrodes(item: Item) -> list[tuple[str, ...]]:
    """A pair for each channel is told as one, and the reference; nobody measured where they lie."""
    return [(name, NONE, NONE, NONE) for name in [f"E{k}" for k in range(1, len(item.channels) + 1)] + ["R"]]


def name_of(item: Item, row: dict[str, Any]) -> str:
    """The channel's name, n/a for all of them."""
    return item.label(item.channels.index(row["channel"])) if row["channel"] in item.channels else NONE


def _placement(item: Item) -> str:
    places = [" ".join(worn[key] for key in ("muscle", "side", "placement") if worn.get(key)) for worn in item.worn]
    return "; ".join(place or "not said" for place in places)


def _json(path: Path, told: dict[str, Any]) -> None:
    path.write_text(json.dumps(told, indent=2) + "\n")


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([header, *rows])
