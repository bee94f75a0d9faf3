"""The product's own path: the case as the bytes that a board, or an imported file, would have given the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from benchmarks.accuracy.case import Case, Found, Span
from emgtwitch.detect.records import Announcement, Event, Interval, Mark
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.wire.bulk import encode_samples, encode_values
from emgtwitch.wire.encode import frame
from emgtwitch.wire.records import WIRE_VERSION, Hello, Import

BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the product said about one recording."""

    spans: list[Span]
    intervals: list[Interval]
    marks: list[Mark]


def ours(case: Case) -> Found:
    """The events that the product finds with its default settings, and the kinds of its intervals and marks."""
    settings = Settings() if case.false_per_hour is None else Settings(false_per_hour=case.false_per_hour)
    heard = told(case, settings)
    remarks = {f"{i.kind} {i.cause}" for i in heard.intervals} | {m.kind for m in heard.marks}
    return Found(heard.spans, sorted(remarks))


def told(case: Case, settings: Settings) -> Told:
    """Everything that the product says with these settings."""
    pipeline = Pipeline(settings)
    data = as_stream(case)
    out = []
    for at in range(0, len(data), BLOCK_BYTES):
        out += pipeline.feed(data[at : at + BLOCK_BYTES])
    out += pipeline.finish()
    records = [stamped.record for stamped in out]
    announced = {r.number: r.decided_sample / case.fs_Hz for r in records if isinstance(r, Announcement)}
    spans = [
        Span(
            r.onset_s,
            r.offset_s,
            r.event_class,
            r.on_tone,
            r.decided_sample / case.fs_Hz,
            announced.get(r.number) if not r.on_tone else None,
            r.truncated,
        )
        for r in records
        if isinstance(r, Event)
    ]
    intervals = [r for r in records if isinstance(r, Interval)]
    return Told(spans, intervals, [r for r in records if isinstance(r, Mark)])


def as_stream(case: Case) -> bytes:
    """The bytes of a board with these counts, or of an imported file where they are none that a board could send."""
    counts = case.counts
    lost = ~np.isfinite(counts)
    rate = Fraction(case.fs_Hz).limit_denominator(10_000)
    top = case.rails[1]
    whole = counts[~lost]
    if not (case.rails[0] == 0 and 0 < top < 65536 and np.array_equal(whole, np.rint(whole))):
        opening = Import(rate.numerator, rate.denominator, 1, int(case.uV_per_count is not None), case.rails)
        scale = 1.0 if case.uV_per_count is None else case.uV_per_count
        if scale != 1.0:
            rails = (scale * case.rails[0], scale * case.rails[1])
            opening = Import(rate.numerator, rate.denominator, 1, 1, rails)
        return frame(opening, 0) + encode_values((counts * scale)[:, np.newaxis], 0, 1)[0]
    bits = int(top + 1).bit_length() - (int(top + 1) & int(top) == 0)
    oversampling = (1 << bits) - int(top)
    full_uV = (case.uV_per_count or 0.0) * (1 << bits)
    reference_mV, gain_milli = 5000, 0
    if full_uV:
        gain_milli = round(1e6 * reference_mV / full_uV)
    hello = Hello(
        WIRE_VERSION, 0, 0, 0, 1, rate.numerator, rate.denominator, 1, bits, oversampling, reference_mV, 0, gain_milli,
        0, 1, 1, 1, 0, 0,
    )  # fmt: skip
    data, seq = [frame(hello, 0)], 1
    edges = [0, *(np.flatnonzero(np.diff(lost)) + 1).tolist(), len(counts)]
    for start, stop in pairwise(edges):
        if not lost[start]:
            piece, seq = encode_samples(counts[start:stop, np.newaxis].astype(np.uint16), start, seq)
            data.append(piece)
    return b"".join(data)
