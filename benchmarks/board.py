"""A process that plays the board: the simulated wearer behind a pty, in real time, as a board at a USB port.

`python -m benchmarks.board SCENARIO RATE_HZ CHANNELS LINK [STAMPS]` makes LINK a symbolic link to the pty and streams
until it is killed. Rate and channels are its own: asked for 2 kHz x 4, a board refuses, since that nearly fills its
line. Into STAMPS goes, for each write, the monotonic time before it (f8) and how many bytes there were by then (i8).
"""

from __future__ import annotations

import os
import select
import struct
import sys
import time
import tty
from dataclasses import replace
from pathlib import Path

from emgtwitch.sources.sim import SimLink
from emgtwitch.wearer.scenario import SCENARIOS


def main() -> None:
    name, rate_Hz, channels, path = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    near, far = os.openpty()
    tty.setraw(far)
    link = SimLink(replace(SCENARIOS[name], fs_Hz=rate_Hz, channels=channels), 1, started=False)
    path.symlink_to(os.ttyname(far))
    stamps = os.open(sys.argv[5], os.O_WRONLY | os.O_CREAT) if len(sys.argv) > 5 else None
    total = 0
    while True:
        if select.select([near], [], [], 0)[0]:
            link.write(os.read(near, 4096))
        data = link.read(0.02)
        if data and select.select([], [near], [], 0)[1]:  # a full line means that nobody reads
            total += len(data)
            if stamps is not None:
                os.write(stamps, struct.pack("<dq", time.monotonic(), total))
            os.write(near, data)


if __name__ == "__main__":
    main()
