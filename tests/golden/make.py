"""Make the recordings of golden sessions, with settings and a word about them: python -m tests.golden.make NAME...

A recording is not made again without a reason: its bytes are the point.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

import numpy as np

from emgtwitch.sources.sim import recorded
from emgtwitch.wearer.scenario import SCENARIOS, Scenario, Scheduled
from emgtwitch.wearer.wearer import Wearer
from emgtwitch.wire.bulk import encode_samples, encode_values
from emgtwitch.wire.encode import frame, note
from emgtwitch.wire.records import WIRE_VERSION, Clock, Hello, Import, Session
from tests.golden.sessions import FOLDER

HEAD = note(Session({"recording_id": "golden", "settings": {}, "zone": "UTC"}), 0)
MIXED = Scenario(
    schedule=(
        Scheduled(1.5, "twitch", 200.0),
        Scheduled(2.5, "contraction", 500.0, 0.6),
        Scheduled(4.5, "spasm", 900.0, 4.0),
        Scheduled(12.0, "jerk", 400.0, 0.08),
        Scheduled(13.0, "train", 250.0, 1.5),
    ),
    mains_uV=(3.0, 0.5, 1.5),
)


def _stream(scenario: Scenario, seed: int, seconds: float) -> bytes:
    return HEAD + b"".join(recorded(scenario, seed, seconds))


def _hello(fs_Hz: int, boot_count: int) -> bytes:
    return frame(Hello(WIRE_VERSION, 0, 0, 0, 7, fs_Hz, 1, 1, 10, 1, 5000, 0, 1000000, 1, boot_count, 1, 1, 0, 0), 0)


def _epoch(fs_Hz: int, boot_count: int, seconds: float, seed: int, at_s: float) -> bytes:
    """A board's run from its HELLO on, with the host's clock mark before its first samples."""
    scenario = Scenario(fs_Hz=float(fs_Hz), schedule=(Scheduled(2.0, "contraction", 400.0, 0.7),))
    counts = Wearer(scenario, seed).render(int(seconds * fs_Hz))
    mark = note(Clock(int(at_s * 1e9), int(at_s * 1e9), 1_790_000_000_000 + int(at_s * 1e3), 0), 0)
    return _hello(fs_Hz, boot_count) + mark + encode_samples(counts, 0, 1)[0]


def twitches() -> dict[str, bytes]:
    """Fasciculations of many strengths, one every second or so."""
    return {"": _stream(SCENARIOS["twitches"], 81001, 30)}


def contractions() -> dict[str, bytes]:
    """Twitch, contraction, spasm, jerk and train over a little mains."""
    return {"": _stream(MIXED, 81002, 16)}


def byte_errors() -> dict[str, bytes]:
    """The same with one byte in a thousand wrong: a spasm with short gaps in it is still one spasm."""
    data = np.frombuffer(_stream(MIXED, 81002, 16), np.uint8).copy()
    rng = np.random.default_rng(81003)
    hit = np.flatnonzero(rng.random(len(data)) < 1e-3)
    hit = hit[hit > len(HEAD) + 60]
    data[hit] ^= rng.integers(1, 256, len(hit)).astype(np.uint8)
    return {"": data.tobytes()}


def cut() -> dict[str, bytes]:
    """Half a second lost within a spasm (a long gap: truncated, cold again), and the end torn off within a frame."""
    data = _stream(MIXED, 81002, 10)
    a = int(0.62 * len(data))
    return {"": data[:a] + data[a + int(0.05 * len(data)) : -7]}


def segments() -> dict[str, bytes]:
    """A session in two segments, parted within a contraction; the second repeats the Session note."""
    data = _stream(MIXED, 81002, 10)
    at = data.index(b"\0", int(0.29 * len(data))) + 1
    return {"0000.emgw": data[:at], "0001.emgw": HEAD + data[at:]}


def board_reset() -> dict[str, bytes]:
    """The board resets after 6 s and is back 1.5 s later by the host's clock: a gap, and a cold start."""
    return {"": HEAD + _epoch(1000, 1, 6, 81004, 100.0) + _epoch(1000, 2, 6, 81005, 107.5)}


def rate_change() -> dict[str, bytes]:
    """500 Hz, then a new run at 1000 Hz."""
    return {"": HEAD + _epoch(500, 1, 6, 81006, 100.0) + _epoch(1000, 2, 6, 81007, 106.5)}


def imported() -> dict[str, bytes]:
    """Values in uV of a foreign file with a stretch missing from 4.0 to 4.3 s: no counts, no board."""
    counts = Wearer(Scenario(schedule=(Scheduled(2.0, "contraction", 400.0, 0.7),)), 81008).render(8000)
    values = (counts.astype(np.float64) - 512.0) * 4.8828125 + 1234.5
    opening = frame(Import(1000, 1, 1, 1, (-2500.0, 5000.0)), 0)
    first, seq = encode_values(values[:4000], 0, 1)
    return {"": opening + first + encode_values(values[4300:], 4300, seq)[0]}


MAKERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "twitches": twitches,
    "contractions": contractions,
    "byte-errors": byte_errors,
    "cut": cut,
    "segments": segments,
    "board-reset": board_reset,
    "rate-change": rate_change,
    "import": imported,
}


def main(names: list[str]) -> None:
    for name in names:
        maker = MAKERS[name]
        folder = FOLDER / name
        folder.mkdir(exist_ok=True)
        for segment, data in maker().items():
            path = folder / "recording.emgw" / segment if segment else folder / "recording.emgw"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        (folder / "settings.json").write_text("null\n")
        (folder / "about.md").write_text(
            f"# {name}\n\n{inspect.getdoc(maker)}\n\nMade by `python -m tests.golden.make {name}`.\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(f"Say which: {', '.join(MAKERS)}."))
