"""Inputs that once broke the law and are longer to keep than to make."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from emgtwitch.wire.records import Import, ImportSamples, Note
from tests.fuzz import seeds
from tests.fuzz.streams import listed

_ROWS = b"\n1\n2\n"
_MOST = 60_000


def _mat(name: bytes, count: int) -> bytes:
    """A compressed variable of so many zeros."""

    def element(kind: int, data: bytes) -> bytes:
        return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    shape = np.array([count, 1], "<i4").tobytes()
    parts = element(6, struct.pack("<II", 9, 0)) + element(5, shape) + element(1, name) + element(2, bytes(count))
    packed = zlib.compress(element(14, parts), 9)
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed


def _edf(duration: bytes) -> bytes:
    whole = seeds.SEEDS["edf"]()["interrupted"]
    return whole[:244] + duration + whole[252:]


def _opensignals(bits: int) -> bytes:
    return (
        b'# {"x":{"sampling rate":1000,"resolution":[%d],"label":["A1"],"sensor":["EMG"],"column":["A1"]}}\n1\n2\n3\n'
        % bits
    )


def _mark(detail: bytes) -> bytes:
    return b'{"command":"mark","detail":' + detail + b'}\n{"command":"status"}\n'


def _import(channels: int) -> bytes:
    """Rails that are not known: each channel once designed its filters anew."""
    opening = Import(1000, 1, channels, 1, (float("nan"),) * 2 * channels)
    samples = ImportSamples(0, (1.0,) * channels)
    return listed([(opening.TYPE, opening.pack()), (samples.TYPE, samples.pack())])


KNOWN: dict[str, dict[str, bytes]] = {
    "pipeline": {
        "nested": listed([(Note.TYPE, b'{"kind":"a","x":' + b"[" * 950 + b"]" * 950 + b"}")]),
        "channels": _import(64),
    },
    "text": {
        "remark": b"#" * _MOST + _ROWS,
        "slashes": b"/" * _MOST + _ROWS,
        "rate": b"# " + b"sampl" * 12_000 + _ROWS,
        "rate_digits": b"# fs: " + b"9" * 5000 + b" Hz\n1\n2\n3\n",
        "rate_high": b"# fs: " + b"9" * 39 + b" Hz\n1\n2\n3\n",
        "bits_digits": b"# Resolution:= " + b"9" * 5000 + _ROWS,
        "bits": _opensignals(4000),
        "counter_digits": b"\n".join([b"9" * 5000 + b",1"] * 12),
        "counter": b"\n".join([b"9" * 400 + b",1"] * 12),
        "label": b"a," + b"_" * _MOST + b"\n" + b"1,2\n" * 9,
        "label_brackets": b"a,b" + b" (" * 30_000 + b"\n" + b"1,2\n" * 9,
    },
    "edf": {"long": _edf(b"1e999999"), "short": _edf(b"1e-99999")},
    "mat": {"packed": _mat(b"EMG", 60_000_000), "packed_time": _mat(b"time", 60_000_000)},
    "config": {
        "nested": b"a = " + b"[" * 30_000,
        "tables": b"a = " + b"{a=" * 9000,
        "dotted": b"a." * 20_000 + b"a = 1",
        "number": b"[keep]\nsignal_days = 0x" + b"f" * _MOST,
    },
    "api": {
        name: f"GET /api/v1/{path}\n\n".encode()
        for name, path in {
            "last_day": "hours?day=9999-12-31",
            "first_day": "digest?day=0001-01-01",
            "all_days": "events?from=0001-01-01&to=9999-12-31",
        }.items()
    },
    "socket": {
        "nested": b"[" * _MOST + b"\n",
        "detail": _mark(b"5"),
        "detail_nested": _mark(b'{"a":' + b"[" * 800 + b"]" * 800 + b"}"),
        "long": _mark(b'{"note":"' + b"x" * 5000 + b'"}'),
        "surrogate": _mark(b'{"note":"\\ud800"}'),
        "command": b'{"command":["x"]}\n{"command":{}}\n',
    },
}
