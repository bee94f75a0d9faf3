"""What must hold for every input that anybody may give: a result or a sentence, soon, in bounded memory."""

from __future__ import annotations

import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emgtwitch.errors import EmgtwitchError

FUZZ = Path(__file__).parent
MOST_BYTES = 1 << 16  # of an input
HANG_S = 1.0  # of processor time: others may use the machine
MOST_MEMORY = 200_000_000  # bytes that one input may take
PATIENCE_S = 20.0  # of processor time, until what hangs is ended


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed. `run` takes one input and raises nothing but EmgtwitchError; `seeds` makes the first inputs."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Mapping[str, bytes]]
    words: tuple[bytes, ...] = ()  # that inputs are likely to hold
    extra_s: Callable[[], float] = lambda: 0.0  # processor time that is allowed for what was done so far
    interpreted: bool = False  # fuzzed with numba switched off, so that its coverage is seen and every index checked

    @property
    def corpus(self) -> Path:
        """Where its seeds are kept."""
        return FUZZ / "corpus" / self.name

    @property
    def crashes(self) -> Path:
        """Where the inputs are kept that once broke the law."""
        return FUZZ / "crashes" / self.name


class BrokenError(Exception):
    """A target saw something that the law forbids, without an exception."""


class HangError(BaseException):
    """Not an Exception, so that nothing takes it for a defect of a part."""


@dataclass(slots=True)
class Law:
    """Holds one target to the law, input by input."""

    target: Target
    most_bytes: int = 0  # that one input took
    slowest_s: float = 0.0
    slowest: bytes = b""

    def begin(self, kept: Iterable[bytes]) -> None:
        """Take these inputs once, for what is compiled or loaded at first."""
        for data in kept:
            with contextlib.suppress(Exception):
                self.target.run(data)
        signal.signal(signal.SIGPROF, _hang)

    def breach(self, data: bytes) -> str | None:
        """How this input breaks the law, None if it does not. One that seems to hang gets a second try."""
        Path("/proc/self/clear_refs").write_text("5")  # what is held now is the peak so far: what grows over thousands
        held = peak_bytes()  # of inputs is the fuzzer's own, or for the soak to find
        for attempt in (1, 2):
            began = time.process_time() - self.target.extra_s()
            signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
            try:
                self.target.run(data)
            except EmgtwitchError as error:
                if not is_sentence(str(error)):
                    return f"no sentence: {str(error)!r}"
            except HangError:
                return f"hang: more than {PATIENCE_S:g} s"
            except Exception as error:
                return f"{type(error).__name__}: {str(error)[:200]!r} {_where(error)}"
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0.0)
            took_s = time.process_time() - self.target.extra_s() - began
            if took_s <= HANG_S:
                break
            if attempt == 2:
                return f"hang: {took_s:.1f} s"
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, data
        more = peak_bytes() - held
        self.most_bytes = max(self.most_bytes, more)
        return f"memory: {more / 1e6:.0f} MB" if more > MOST_MEMORY else None


def is_sentence(text: str) -> bool:
    """Whether a person can read it: words to a full stop, and nothing that moves a terminal's cursor."""
    return " " in text and text.rstrip().endswith((".", "!", "?", ")"))


def peak_bytes() -> int:
    """The most memory that this process has held; getrusage would tell of the process that started it, too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("This system does not tell the peak of a process's memory; fuzz on Linux.")


def _hang(*_: object) -> None:
    raise HangError


def _where(error: Exception) -> str:
    """The innermost line of ours that it passed: alike for alike defects."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "emgtwitch" in frame.filename]
    ours = [frame for frame in frames if "/src/" in frame.filename] or frames
    return f"at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
