"""Turn vectors.json into C tables for test_frame.c: `vectors_to_c.py VECTORS.json OUT`. Only the standard library."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def octets(text: str) -> str:
    """A pointer to the bytes and their number."""
    data = bytes.fromhex(text)
    listed = ",".join(str(byte) for byte in data) or "0"  # C has no empty array
    return f"(const uint8_t[]){{{listed}}}, {len(data)}"


def tables(vectors: dict[str, Any]) -> str:
    """The text of the tables, in the types that test_frame.c declares."""
    out = ["static const struct frame_vector frame_vectors[] = {"]
    for v in vectors["frames"]:
        out.append(f'{{"{v["name"]}", {v["type"]}, {v["seq"]}, {octets(v["body"])}, {octets(v["bytes"])}}},')
    out += ["};", "static const struct request_vector request_vectors[] = {"]
    for v in vectors["requests"]:
        accepted = ",".join(f"{{{a['type']}, {a['seq']}, {octets(a['body'])}}}" for a in v["accepted"])
        accepted = f"(const struct accepted[]){{{accepted}}}, {len(v['accepted'])}"
        out.append(f'{{"{v["name"]}", {octets(v["bytes"])}, {accepted}, {v["unknown"]}, {v["rejected"]}}},')
    return "\n".join([*out, "};", ""])


if __name__ == "__main__":
    source, target = sys.argv[1:]
    Path(target).write_text(tables(json.loads(Path(source).read_text())))
