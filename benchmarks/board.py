"""A process that plays the board: the simulated wearer behind a pty, in real time, as a board at a USB port.

`python -m benchmarks.board SCENARIO LINK` makes LINK a symbolic link to the pty and streams until it is killed.
"""

from __future__ import annotations

import os
import select
import sys
import tty
from pathlib import Path

from emgtwitch.sources.sim import open_sim


def main() -> None:
    scenario, path = sys.argv[1], Path(sys.argv[2])
    near, far = os.openpty()
    tty.setraw(far)
    link = open_sim(f"sim:{scenario}:1", started=False)
    path.symlink_to(os.ttyname(far))
    while True:
        if select.select([near], [], [], 0)[0]:
            link.write(os.read(near, 4096))
        data = link.read(0.02)
        if data and select.select([], [near], [], 0)[1]:  # a full line means that nobody reads
            os.write(near, data)


if __name__ == "__main__":
    main()
