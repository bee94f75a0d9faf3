"""The deepest stack that the firmware can need: `stack.py ELF`.

Read from the disassembly, after all that the compiler and the linker have done: what each function pushes and takes
for its frame, and whom it calls. An interrupt may come at the deepest place, and no interrupt interrupts another.
Fails if that is more than what variables leave of the RAM, or where it cannot be told. Only the standard library.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field

RAM_BYTES = 2048
RETURN_BYTES = 2
ROOT = "main"
SAVED_MOST = 18  # registers that __prologue_saves__ pushes when it is entered at its beginning
BY_POINTER = {"halfband": ("sampler_peek",)}
NO_CALLS = ("__prologue_saves__", "__epilogue_restores__")

FUNCTION = re.compile(r"^[0-9a-f]+ <([^>+]+)>:$")
JUMP = re.compile(r"\t(r?call|r?jmp)\t.*<([^>+]+)(?:\+0x([0-9a-f]+))?>$")
SPACE = re.compile(r"\trcall\t\.\+0\b")  # a call of the next instruction: two bytes of frame
FRAME = re.compile(r"\tsbiw\tr28, 0x([0-9a-f]+)|\tsubi\tr28, 0x([0-9A-F]+)")
SAVED_FRAME = re.compile(r"\tldi\tr26, 0x([0-9A-F]+)")


@dataclass
class Function:
    """What one function needs, and whom it calls."""

    bytes: int = RETURN_BYTES
    calls: set[str] = field(default_factory=set)


def output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def functions_of(elf: str) -> dict[str, Function]:
    found: dict[str, Function] = {}
    name, saved_frame = "", 0
    here = Function()
    for text in output_of("avr-objdump", "-d", elf).splitlines():
        line = text.partition("\t;")[0].rstrip() + (" <" + text.rpartition("<")[2] if "<" in text else "")
        if match := FUNCTION.match(text):
            name = match[1].partition(".")[0]  # without what the optimizer appends
            here = found.setdefault(name, Function())
            here.calls |= set(BY_POINTER.get(name, ()))
        elif "\tpush\t" in line:
            here.bytes += 1
        elif SPACE.search(line):
            here.bytes += 2
        elif match := FRAME.search(line):
            size = int(match[1] or match[2], 16)
            here.bytes += size if match[1] or size < 0x80 else 0
        elif match := SAVED_FRAME.search(line):
            saved_frame = int(match[1], 16)
        elif match := JUMP.search(line):
            target = match[2].partition(".")[0]
            if target == "__prologue_saves__":
                here.bytes += SAVED_MOST - int(match[3] or "0", 16) // 2 + saved_frame
            elif target != name and target not in NO_CALLS:
                here.calls.add(target)
    return found


def deepest(found: dict[str, Function], name: str, above: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    """Bytes below a call of `name`, its own return address included, and the way down."""
    if name in above:
        raise SystemExit(f"{name} calls itself: the stack has no bound.")
    here = found.get(name, Function())
    most, path = max((deepest(found, called, (*above, name)) for called in here.calls), default=(0, []))
    return here.bytes + most, [name, *path]


def main(elf: str) -> int:
    found = functions_of(elf)
    for name, function in found.items():  # a label within a function is no call
        function.calls &= found.keys() - {name}
    program, path = deepest(found, ROOT)
    interrupt, handler = max(deepest(found, name) for name in found if name.startswith("__vector_"))
    sizes = dict(line.split()[:2] for line in output_of("avr-size", "-A", elf).splitlines() if line.startswith("."))
    left = RAM_BYTES - sum(int(sizes.get(section, 0)) for section in (".data", ".bss", ".noinit"))
    print(f"stack: at most {program} ({' > '.join(path)}) + {interrupt} ({handler[0]}) of {left} bytes")
    return 0 if program + interrupt <= left else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
