"""A process that plays the board: the simulated wearer behind a pty, in real time, as a board at a USB port.

`python -m benchmarks.board SCENARIO RATE_HZ CHANNELS LINK` makes LINK a symbolic link to the pty and streams until it
is killed. Rate and channels are its own: asked for 2 kHz x 4, a board refuses, since that nearly fills its line.
"""

from __future__ import annotations

import os
import select
import sys
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
    while True:
        if select.select([near], [], [], 0)[0]:
            link.write(os.read(near, 4096))
        data = link.read(0.02)
        if data and select.select([], [near], [], 0)[1]:  # a full line means that nobody reads
            os.write(near, data)


if __name__ == "__main__":
    main()
