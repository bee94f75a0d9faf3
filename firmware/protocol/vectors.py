"""Write vectors.json: byte streams with what a decoder must make of them, for the tests in Python and in C.

`python -m firmware.protocol.vectors` writes it; with `--check` it says whether the file differs and exits with 1.
The bytes come from oracle.py; what a decoder must make of them is stated by hand in streams.py and board_vectors.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from firmware.protocol.board_vectors import frames, requests
from firmware.protocol.streams import streams

TARGET = Path(__file__).with_name("vectors.json")


def document() -> str:
    """The text of vectors.json, one vector a line."""
    parts = {
        "frames": frames(),
        "requests": requests(),
        "streams": [stream.as_json() for stream in streams()],
    }
    names = [vector["name"] for vectors in parts.values() for vector in vectors]
    if len(set(names)) != len(names):
        raise SystemExit("two vectors share a name")
    lines = [
        f'"{part}": [\n' + ",\n".join(json.dumps(vector, allow_nan=False) for vector in vectors) + "\n]"
        for part, vectors in parts.items()
    ]
    return '{\n"about": "Written by firmware/protocol/vectors.py; do not edit.",\n' + ",\n".join(lines) + "\n}\n"


def main() -> int:
    text = document()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text() != text:
            print(f"{TARGET.name} is stale: run python -m firmware.protocol.vectors", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
