#!/usr/bin/env python3
"""Write the C header, the Python records and docs/wire.md from wire.toml.

`generate.py` writes them; `generate.py --check` says which of them differ and exits with 1 (the drift test).
Needs only the standard library of Python 3.11.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "firmware/protocol/wire.toml"
NOTICE = "Generated from firmware/protocol/wire.toml by firmware/protocol/generate.py; do not edit."

# type in wire.toml -> (struct letter, bytes, C type); array and text types end a body.
FIXED = {
    "u8": ("B", 1, "uint8_t"),
    "u16": ("H", 2, "uint16_t"),
    "u32": ("I", 4, "uint32_t"),
    "u64": ("Q", 8, "uint64_t"),
    "i32": ("i", 4, "int32_t"),
    "i64": ("q", 8, "int64_t"),
}
TAIL = {
    "u16[]": ("H", 2, "tuple[int, ...]"),
    "f64[]": ("d", 8, "tuple[float, ...]"),
    "bytes": ("", 1, "bytes"),
    "text": ("", 1, "str"),
    "json": ("", 1, "dict[str, Any]"),
}

Spec = dict[str, Any]


def constant(name: str) -> str:
    """CamelCase -> CAMEL_CASE, as the C header and the decoder name things."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def load() -> Spec:
    spec = tomllib.loads(SOURCE.read_text())
    seen: dict[int, str] = {}
    for record in spec["record"]:
        if record["id"] in seen:
            raise SystemExit(f"wire.toml: {record['name']} and {seen[record['id']]} share id {record['id']:#04x}")
        seen[record["id"]] = record["name"]
        record["range"] = next((k for k, (lo, hi) in spec["ranges"].items() if lo <= record["id"] <= hi), None)
        if record["range"] is None:
            raise SystemExit(f"wire.toml: id {record['id']:#04x} of {record['name']} is in no range")
        at = 0
        for i, field in enumerate(record["fields"]):
            field["offset"] = at
            if field["type"] in FIXED:
                at += FIXED[field["type"]][1]
            elif field["type"] in TAIL and i == len(record["fields"]) - 1:
                record["tail"] = field
            else:
                raise SystemExit(
                    f"wire.toml: {record['name']}.{field['name']}: type {field['type']} is unknown or not last"
                )
        record["size"] = at
    return spec


def c_header(spec: Spec) -> str:
    wire = spec["wire"]
    out = [f"/* {NOTICE} */", "#ifndef WIRE_H", "#define WIRE_H", "#include <stdint.h>", ""]
    out += [
        f"#define WIRE_VERSION {wire['version']}",
        f"#define WIRE_MAX_BOARD_FRAME {wire['max_board_frame']}",
        f"#define WIRE_DEFAULT_BAUD {wire['default_baud']}UL",
        "#define WIRE_HEAD 3 /* type, seq */",
        "#define WIRE_CRC 2",
        "",
    ]
    for record in spec["record"]:
        if record["range"] not in ("stream", "request"):
            continue
        name = constant(record["name"])
        out.append(f"/* {record['doc']} */")
        out.append(f"#define WIRE_{name} {record['id']:#04x}")
        out.append(f"#define WIRE_{name}_SIZE {record['size']} /* bytes of the fixed part of the body */")
        out += [
            f"#define WIRE_{name}_{field['name'].upper()} {field['offset']} /* {field['type']}: {field['doc']} */"
            for field in record["fields"]
        ]
        out.append("")
    return "\n".join([*out, "#endif", ""])


def python_record(record: Spec) -> list[str]:
    tail = record.get("tail")
    fixed = [f for f in record["fields"] if f["type"] in FIXED]
    letters = "<" + "".join(FIXED[f["type"]][0] for f in fixed)
    out = ["", "", "@dataclass(frozen=True, slots=True)", f"class {record['name']}:", f'    """{record["doc"]}"""', ""]
    out.append(f"    TYPE: ClassVar[int] = {record['id']:#04x}")
    out.append(f"    SIZE: ClassVar[int] = {record['size']}")
    for field in record["fields"]:
        kind = "int" if field["type"] in FIXED else TAIL[field["type"]][2]
        out.append(f"    {field['name']}: {kind}  # {field['doc']}")
    values = ", ".join(f"self.{f['name']}" for f in fixed)
    head = f'struct.pack("{letters}", {values})' if fixed else 'b""'
    names = [f["name"] for f in fixed]
    unpacked = f'struct.unpack_from("{letters}", body)' if fixed else "()"
    pack, parts = head, ", ".join(names)
    if tail:
        rest = f"body[{record['size']}:]" if record["size"] else "body"
        encode, decode = {
            "u16[]": (
                f'struct.pack(f"<{{len(self.{tail["name"]})}}H", *self.{tail["name"]})',
                f'struct.unpack(f"<{{len({rest}) // 2}}H", {rest})',
            ),
            "f64[]": (
                f'struct.pack(f"<{{len(self.{tail["name"]})}}d", *self.{tail["name"]})',
                f'struct.unpack(f"<{{len({rest}) // 8}}d", {rest})',
            ),
            "bytes": (f"self.{tail['name']}", f"bytes({rest})"),
            "text": (f"self.{tail['name']}.encode()", f'{rest}.decode(errors="replace")'),
            "json": (f'json.dumps(self.{tail["name"]}, separators=(",", ":")).encode()', f"_object({rest})"),
        }[tail["type"]]
        pack = encode if not fixed else f"{head} + {encode}"
        parts = f"{parts}, {decode}" if parts else decode
    out += ["", "    def pack(self) -> bytes:", '        """The body of the frame."""', f"        return {pack}"]
    out += [
        "",
        "    @classmethod",
        "    def unpack(cls, body: bytes) -> Self:",
        '        """The record in `body`, whose length the decoder has checked."""',
    ]
    if names:
        out.append(f"        {', '.join(names)}{',' if len(names) == 1 else ''} = {unpacked}")
    out.append(f"        return cls({parts})")
    return out


def python_module(spec: Spec) -> str:
    wire = spec["wire"]
    ranges = spec["ranges"]
    out = [f'"""The records of the wire. {NOTICE}"""', "", "from __future__ import annotations", ""]
    out += [
        "import json",
        "import struct",
        "from dataclasses import dataclass",
        "from typing import Any, ClassVar, Self",
        "",
    ]
    out += [
        f"WIRE_VERSION = {wire['version']}",
        f"MAX_BOARD_FRAME = {wire['max_board_frame']}",
        f"MAX_FRAME = {wire['max_frame']}",
        "MAX_NESTED = 32  # lists and objects in one another, in a record's JSON",
        f"DEFAULT_BAUD = {wire['default_baud']}",
        "",
    ]
    for name, (lo, hi) in ranges.items():
        out.append(f"{name.upper()}_RANGE = ({lo:#04x}, {hi:#04x})")
    out.append("")
    out.append("# Byte offsets in a body, for kernels that read it in place.")
    for record in spec["record"]:
        if record["range"] in ("stream", "import"):
            out += [
                f"{constant(record['name'])}_{field['name'].upper()} = {field['offset']}" for field in record["fields"]
            ]
    out += [
        "",
        "",
        "def _object(body: bytes) -> dict[str, Any]:",
        '    """The JSON object in `body`; an empty one if it holds none, since a decoder never raises on bytes."""',
    ]
    out += [
        "    try:",
        "        value = json.loads(body)",
        "        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could not be stored",
        "    except (ValueError, RecursionError):",
        "        return {}",
        "    return value if isinstance(value, dict) and _nests(value, MAX_NESTED) else {}",
        "",
        "",
        "def _nests(value: Any, left: int) -> bool:",
        '    """Whether no list or object lies deeper: what is handed on is walked by recursion."""',
        "    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()",
        "    return left >= 0 and all(_nests(one, left - 1) for one in inner)",
    ]
    for record in spec["record"]:
        out += python_record(record)
    names = ", ".join(record["name"] for record in spec["record"])
    union = " | ".join(record["name"] for record in spec["record"])
    out += ["", "", f"Record = {union}", f"RECORDS: dict[int, type[Record]] = {{r.TYPE: r for r in ({names})}}", ""]
    out.append("# Of a frame's body: the fixed bytes, and the bytes of one item of its tail (0: no tail).")
    rows = [
        f"    {record['id']:#04x}: ({record['size']}, {TAIL[record['tail']['type']][1] if 'tail' in record else 0}),"
        for record in spec["record"]
    ]
    return "\n".join([*out, "BODY_SIZES: dict[int, tuple[int, int]] = {", *rows, "}", ""])


def document(spec: Spec) -> str:
    wire = spec["wire"]
    out = ["# The wire", "", f"{NOTICE}", ""]
    out += [
        f"Version {wire['version']}. A frame is COBS(type u8, seq u16, body, crc u16) and a zero byte, little endian;",
        "the CRC is CRC-16/CCITT-FALSE over type, seq and body. A board's frame has at most",
        f"{wire['max_board_frame']} bytes before COBS, a host's at most {wire['max_frame']}.",
        "",
    ]
    for name, (lo, hi) in spec["ranges"].items():
        out += [f"## Types {lo:#04x} to {hi:#04x}: {name}", ""]
        for record in (r for r in spec["record"] if r["range"] == name):
            out += [f"### {record['name']} ({record['id']:#04x})", "", record["doc"], ""]
            if record["fields"]:
                out += ["| offset | field | type | meaning |", "|---|---|---|---|"]
                out += [f"| {f['offset']} | {f['name']} | {f['type']} | {f['doc']} |" for f in record["fields"]]
                out.append("")
    return "\n".join(out).rstrip() + "\n"


def main() -> int:
    spec = load()
    targets = {
        "firmware/emgtwitch/src/wire.h": c_header(spec),
        "src/emgtwitch/wire/records.py": python_module(spec),
        "docs/wire.md": document(spec),
    }
    stale = [name for name, text in targets.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"{name} differs from wire.toml: run python firmware/protocol/generate.py", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(targets[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
