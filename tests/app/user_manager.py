"""A real `systemd --user` of an ordinary user for one test, in namespaces: UNSHARE and then this module, as root.

systemd asks for a computer that was booted with it and for a home; a namespace has both, and nothing outlives it. The
manager and all that it starts have no rights of root's, since those of a wearer have none: what takes some must not
keep the unit from starting.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from emgtwitch.app.kernels import cache_folder
from emgtwitch.app.unattended import units

ROOT = Path(__file__).parents[2]
HOME = Path("/home/wearer")
NOBODY = 65534
RUNTIME = Path(f"/run/user/{NOBODY}")
MANAGER = "/lib/systemd/systemd"
ENTRY = [sys.executable, "-m", "emgtwitch.app.cli"]
PATIENCE_S = 120.0
# A minute of silence and fifteen seconds of rest are too long for a test. The project may lie below /tmp, of which the
# unit has one of its own.
UNSHARE = ("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child")
CGROUPS = [path for path in map(Path, ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")) if path.is_dir()]
HASTE = f"""[Service]
WatchdogSec=8
RestartSec=1
BindReadOnlyPaths={ROOT} {sys.prefix}
Environment=HOME={HOME} PYTHONPATH={ROOT / "src"}
"""


def mount() -> None:
    """A home and a /run of our own; nobody else sees them."""
    cached = cache_folder()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True)
    places = [ROOT.resolve(), Path(sys.base_prefix).resolve()]
    kept = [Path("/mnt") / str(n) for n in range(len(places))]
    for place, aside in zip(places, kept, strict=True):
        bind(place, aside)
    copied = Path("/mnt/kernels")
    if cached.is_dir():  # compiling takes half a minute
        shutil.copytree(cached, copied)
    for name in ("/run", "/home"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", name], check=True)
    for place, aside in zip(places, kept, strict=True):
        show(place, aside)
    Path("/run/systemd/system").mkdir(parents=True)
    Path("/run/systemd/unit-root").mkdir()  # a computer that was booted has it
    RUNTIME.mkdir(parents=True, mode=0o700)
    HOME.mkdir()
    for name in [
        name for name in os.environ if name.startswith("XDG_") or name in ("EMGTWITCH_DATA", "NUMBA_CACHE_DIR")
    ]:
        del os.environ[name]
    os.environ |= {"HOME": str(HOME), "XDG_RUNTIME_DIR": str(RUNTIME), "PYTHONDONTWRITEBYTECODE": "1"}
    if copied.is_dir():
        shutil.copytree(copied, cache_folder())
    for path in [HOME, RUNTIME, *HOME.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)


def bind(source: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", source, place], check=True)


def show(place: Path, aside: Path) -> None:
    """Have everybody find at `place` what lies aside, also where not everybody may go there, as through root's home."""
    for way in reversed(place.parents):
        if not way.exists() or not way.stat().st_mode & stat.S_IXOTH:
            if way.exists():
                subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", way], check=True)
            way.mkdir(exist_ok=True)
    bind(aside, place)


@contextlib.contextmanager
def control_group() -> Iterator[None]:
    """Groups of our own, below which the manager makes those of its units."""
    name = f"emgtwitch-test-{secrets.token_hex(4)}"
    own = [path / name for path in CGROUPS or [Path("/sys/fs/cgroup")]]
    for path in own:
        path.mkdir()
        (path / "cgroup.procs").write_text("0")
        for one in (path, *path.iterdir()):
            os.chown(one, NOBODY, NOBODY)
    try:
        yield
    finally:
        for path in own:
            (path.parent / "cgroup.procs").write_text("0")
            for below in sorted(path.rglob("*"), key=lambda one: len(one.parts), reverse=True):
                if below.is_dir():
                    below.rmdir()
            path.rmdir()


@contextlib.contextmanager
def manager() -> Iterator[None]:
    """systemd --user, until the end."""
    process = subprocess.Popen([MANAGER, "--user"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("the user's manager", lambda: (RUNTIME / "systemd/private").exists())
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def until(what: str, condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what} did not come: {systemctl('status', units.UNIT_NAME)}")
        time.sleep(0.1)


def systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", "--user", "--no-pager", *words], capture_output=True, text=True)
    return done.stdout + done.stderr


def shown(name: str) -> str:
    return systemctl("show", "--value", "-p", name, units.UNIT_NAME).strip()


def emgtwitch(*words: str) -> tuple[int, str]:
    done = subprocess.run([*ENTRY, *words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def restarted(seen: list[dict[str, object]], what: str, number: signal.Signals) -> None:
    """Send a signal, and wait until another process is ready."""
    before = int(shown("MainPID"))
    assert before > 0
    os.kill(before, number)
    until(
        f"a restart after {what}", lambda: shown("MainPID") not in ("0", str(before)) and shown("SubState") == "running"
    )
    seen.append({"what": what, "restarts": int(shown("NRestarts")), "status": emgtwitch("status")[0]})


def as_ordinary_user() -> None:
    """Once more this module, without any right of root's."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all"]
    subprocess.run([*drop, sys.executable, "-m", "tests.app.user_manager"], check=True, cwd=ROOT)


def main() -> None:
    """Install, kill, stop without a word, uninstall; prints what was seen as JSON."""
    seen: list[dict[str, object]] = []
    with manager():
        folder = HOME / ".config/systemd/user" / f"{units.UNIT_NAME}.d"
        folder.mkdir(parents=True)
        (folder / "haste.conf").write_text(HASTE)
        code, said = emgtwitch("install", "--", "--source", "sim", "--no-page")
        assert code == 0, said
        assert "did not work" not in said, said + systemctl("status", units.UNIT_NAME)
        seen.append({"what": "install", "active": shown("ActiveState"), "status": emgtwitch("status")[0]})
        restarted(seen, "kill -9", signal.SIGKILL)
        restarted(seen, "a stop without a word", signal.SIGSTOP)
        code, said = emgtwitch("uninstall")
        seen.append(
            {"what": "uninstall", "code": code, "active": shown("ActiveState"), "status": emgtwitch("status")[0]}
        )
        seen.append({"what": "verify", "code": emgtwitch("verify")[0]})
    print(json.dumps(seen))


if __name__ == "__main__":
    if os.geteuid():
        main()
    else:
        mount()
        with control_group():
            as_ordinary_user()
