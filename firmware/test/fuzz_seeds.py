"""Seeds for fuzz_requests.c: `fuzz_seeds.py VECTORS.json FOLDER`. Only the standard library.

The shared vectors in every state of the board, and a SetRate of every combination, with some that are out of range.
"""

from __future__ import annotations

import json
import struct
import sys
from itertools import product
from pathlib import Path
from typing import Any

STATES = range(16)  # streaming, test signal, and which of four speeds
SET_RATE = 0x43
RATES_HZ, CHANNELS, OVERSAMPLINGS = (500, 1000, 1234, 2000, 4000), range(6), (1, 2, 4, 8)
SENT_WELL = 0x80  # what follows is length, type and body of frames, not the line itself


def seeds(vectors: dict[str, Any]) -> dict[str, bytes]:
    """Each request vector as it comes over the line and, where any is good, as frames to be sent; in every state."""
    out = {}
    for v in vectors["requests"]:
        bodies = [(a["type"], bytes.fromhex(a["body"])) for a in v["accepted"]]
        framed = b"".join(bytes([len(body), type_]) + body for type_, body in bodies)
        for state in STATES:
            out[f"{v['name']}_{state}"] = bytes([state]) + bytes.fromhex(v["bytes"])
            out[f"{v['name']}_{state}_sent_well"] = bytes([state | SENT_WELL]) + framed
    asked = (struct.pack("<HBB", *each) for each in product(RATES_HZ, CHANNELS, OVERSAMPLINGS))
    every_rate = b"".join(bytes([len(body), SET_RATE]) + body for body in asked)
    for state in STATES:
        out[f"every_rate_{state}"] = bytes([state | SENT_WELL]) + every_rate
    return out


if __name__ == "__main__":
    source, folder = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, data in seeds(json.loads(Path(source).read_text())).items():
        (Path(folder) / name).write_bytes(data)
