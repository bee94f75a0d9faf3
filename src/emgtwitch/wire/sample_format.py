"""What the samples of an epoch mean."""

from __future__ import annotations

from dataclasses import dataclass

from emgtwitch.wire.records import Hello, Import


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """How to read the samples of an epoch."""

    rate_Hz: float
    channels: int
    uV_per_count: float | None
    rails: tuple[tuple[float, float], ...]
    step: float  # of neighbouring values; 0: not known
    device: str
    in_turn: bool  # channel k of n is sampled k/n of a scan after channel 0; else all at once


def board_format(hello: Hello) -> SampleFormat:
    """How to read the counts that this board sends."""
    full_scale_uV = 1000.0 * hello.reference_mV
    gain = hello.gain_milli / 1000
    rails = (0.0, float((1 << hello.bits) - hello.oversampling))
    return SampleFormat(
        rate_Hz=hello.rate_num / hello.rate_den,
        channels=hello.channels,
        uV_per_count=full_scale_uV / (1 << hello.bits) / gain if gain else None,
        rails=(rails,) * hello.channels,
        step=1.0,
        device=f"{hello.device_id:016x}",
        in_turn=True,
    )


def import_format(record: Import) -> SampleFormat:
    """How to read the values of an imported file."""
    return SampleFormat(
        rate_Hz=record.rate_num / record.rate_den,
        channels=record.channels,
        uV_per_count=1.0 if record.in_uV else None,
        rails=tuple(zip(record.rails[::2], record.rails[1::2], strict=True)),
        step=0.0,
        device="imported",
        in_turn=False,
    )
