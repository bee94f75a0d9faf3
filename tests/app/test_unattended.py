"""Laws of running unattended: files that systemd takes, words that it understands, and nothing written unasked."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.printer import WARNING, Printer
from emgtwitch.app.unattended import units
from emgtwitch.app.unattended.install_command import wanted
from emgtwitch.app.unattended.notify import HANGS_S, Manager
from emgtwitch.errors import CannotWriteError, UnreadableInputError, UsageError

EXPOSED_AT_MOST = 2.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, without a systemd that could be asked."""
    for name in (
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "NUMBA_CACHE_DIR",
        "EMGTWITCH_CONFIG",
        "EMGTWITCH_DATA",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_installed_is_three_files_and_a_second_time_the_same(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "--", "--muscle", "left calf"]) == 0
    first = files(home)
    assert set(first) == {
        ".config/systemd/user/emgtwitch.service",
        ".local/share/applications/emgtwitch.desktop",
        ".local/share/emgtwitch-install/70-emgtwitch.rules",
    }
    assert '--muscle "left calf"' in first[".config/systemd/user/emgtwitch.service"]
    said = capsys.readouterr().out
    assert "There is no systemd here" in said
    assert "sudo install -m 644" in said
    assert main(["install", "--", "--muscle", "left calf"]) == 0
    assert files(home) == first


def test_a_dry_run_prints_everything_and_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert files(home) == {}
    for path, text in wanted([], home / ".local/share/emgtwitch", os.environ).items():
        assert f"--- {path}\n{text}" in said
    assert "would run: systemctl --user enable --now emgtwitch.service" in said


def test_an_edited_file_is_written_over_only_with_force(home: Path) -> None:
    assert main(["install"]) == 0
    unit = home / ".config/systemd/user/emgtwitch.service"
    unit.write_text("# mine\n")
    assert main(["install"]) == UsageError.exit_code
    assert unit.read_text() == "# mine\n"
    assert main(["install", "--force"]) == 0
    assert unit.read_text().startswith(units.MADE_BY)


def test_uninstall_removes_what_install_wrote_and_nothing_else(home: Path) -> None:
    assert main(["install"]) == 0
    kept = home / ".local/share/emgtwitch/log.sqlite3"
    kept.write_text("health data")
    (home / ".local/share/applications/emgtwitch.desktop").write_text("# mine\n")
    assert main(["uninstall", "--dry-run"]) == 0
    assert len(files(home)) == 4
    assert main(["uninstall"]) == 0
    assert set(files(home)) == {".local/share/emgtwitch/log.sqlite3", ".local/share/applications/emgtwitch.desktop"}


def unit_of(home: Path) -> str:
    return (home / ".config/systemd/user/emgtwitch.service").read_text()


def test_folders_and_files_are_named_in_full_since_the_unit_starts_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("EMGTWITCH_CONFIG", "")
    (home / "my.toml").write_text("[device]\nrate_Hz = 500\n")
    for data in ("--data my", "--data ~/my"):
        assert main(["install", "--force", "--", *data.split(), "--config", "my.toml"]) == 0
        assert f" --data {home}/my --config {home}/my.toml\n" in unit_of(home)
        assert f"ReadWritePaths=-{home}/my " in unit_of(home)
        assert (home / "my").is_dir(), "systemd opens no path that is not there"
    monkeypatch.setenv("EMGTWITCH_CONFIG", "my.toml")
    monkeypatch.setenv("EMGTWITCH_DATA", "mine")
    assert main(["install", "--force"]) == 0
    assert f" run --data {home}/mine --config {home}/my.toml\n" in unit_of(home)


def test_the_daemon_keeps_its_kernels_where_this_terminal_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, writable in (("XDG_CACHE_HOME", "cache/emgtwitch/kernels"), ("NUMBA_CACHE_DIR", "cache")):
        monkeypatch.setenv(name, str(home / "cache"))
        assert main(["install", "--force"]) == 0
        assert f"\nEnvironment={name}={home}/cache\n" in unit_of(home)
        assert f" -{home}/{writable}\n" in unit_of(home)


def test_the_journal_gets_no_event_since_nobody_could_forget_it_there(home: Path) -> None:
    assert main(["install"]) == 0
    assert {"StandardOutput=null", "StandardError=journal", "LimitCORE=0"} <= set(unit_of(home).splitlines())


def test_a_broker_of_the_configuration_is_let_through(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = home / "my.toml"
    monkeypatch.setenv("EMGTWITCH_CONFIG", str(config))
    for text, closed in (("", True), ('[mqtt]\nhost = "broker.example"\n', False)):
        config.write_text(text)
        assert main(["install", "--force"]) == 0
        assert ("IPAddressDeny" in unit_of(home)) is closed


SYSTEMCTL = """#!/bin/sh
echo "$@" >> {said}
"""


def test_other_options_reach_a_daemon_that_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, program = home / "said", home / "systemctl"
    program.write_text(SYSTEMCTL.format(said=said))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")

    def asked(*words: str) -> list[str]:
        said.write_text("")
        assert main(list(words)) == 0
        return [line.removeprefix("--user ") for line in said.read_text().splitlines()]

    begun = ["daemon-reload", "enable --now emgtwitch.service"]
    assert asked("install") == begun
    assert asked("install") == begun
    assert asked("install", "--force", "--", "--muscle", "calf") == [*begun, "restart emgtwitch.service"]
    assert asked("uninstall") == ["disable --now emgtwitch.service", "daemon-reload"]
    assert asked("uninstall") == [], "there is nothing to stop"


@pytest.mark.parametrize("state", ["folder", "no text"])
def test_what_is_no_file_of_ours_is_neither_written_over_nor_removed(home: Path, state: str) -> None:
    unit = home / ".config/systemd/user/emgtwitch.service"
    unit.parent.mkdir(parents=True)
    unit.mkdir() if state == "folder" else unit.write_bytes(b"\xff\xfe")
    assert main(["install"]) == UsageError.exit_code
    assert main(["uninstall"]) == 0
    assert unit.exists()
    assert main(["install", "--force"]) == (CannotWriteError.exit_code if state == "folder" else 0)


@pytest.mark.parametrize(
    "option",
    [
        *(["--no-such"], ["--rate", "17"], ["stray"], ["--set", "no_such=1"], ["--set", "twitch_max_ms"]),
        *(["--source", "sim:none"], ["--port", "99999"], ["--mqtt", "broker:0"]),
    ],
)
def test_options_that_run_does_not_have_are_refused(home: Path, option: list[str]) -> None:
    assert main(["install", "--dry-run", "--", *option]) == UsageError.exit_code
    assert files(home) == {}


def test_a_configuration_that_run_would_refuse_is_refused(home: Path) -> None:
    config = home / "config.toml"
    assert main(["install", "--dry-run", "--", "--config", str(config)]) == UnreadableInputError.exit_code
    config.write_text("[detector]\nno_such = 1\n")
    assert main(["install", "--dry-run", "--", "--config", str(config)]) == UsageError.exit_code


def test_words_that_systemd_would_expand_arrive_as_they_are() -> None:
    words = ["/opt/my py", "100%", "$HOME", 'say "x"', "", ";", "b\\s", "Wäde"]
    text = units.unit(words, (Path("/d$d %"), Path("/my c")), False, {"XDG_CACHE_HOME": "/my %"})
    assert 'ExecStart="/opt/my py" 100%% $$HOME "say \\"x\\"" "" ";" b\\\\s Wäde\n' in text
    assert 'Environment="XDG_CACHE_HOME=/my %%"\n' in text
    assert 'ReadWritePaths=-"/d$d %%" -"/my c"\n' in text, "in a path systemd takes a $ as it is"


@pytest.mark.parametrize("word", ["two\nlines", "not UTF-8 \udcff"])
def test_words_that_no_unit_can_hold_are_refused(home: Path, word: str) -> None:
    assert main(["install", "--", "--muscle", word]) == UsageError.exit_code
    assert main(["install", "--data", str(home / word)]) == UsageError.exit_code
    assert files(home) == {}


def test_only_who_sends_beyond_this_computer_may() -> None:
    closed, opened = (units.unit(["x"], (Path("/d"), Path("/c")), out, {}) for out in (False, True))
    assert "IPAddressDeny=any" in closed
    assert "IPAddressDeny" not in opened


def analyze(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """systemd-analyze without a running manager. Debian has it with systemd; CI's image too."""
    environ = os.environ | {"XDG_RUNTIME_DIR": str(folder)}
    return subprocess.run(["systemd-analyze", "--user", *words], capture_output=True, text=True, env=environ)


def test_systemd_takes_the_unit_and_finds_it_little_exposed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.fail("systemd-analyze is missing: sudo apt install systemd")
    unit = tmp_path / units.UNIT_NAME
    for reaches_out in (False, True):
        unit.write_text(units.unit([sys.executable, "-V"], (tmp_path, tmp_path), reaches_out, {}))
        verified = analyze("verify", str(unit), folder=tmp_path)
        assert (verified.returncode, verified.stderr) == (0, "")
        judged = analyze("security", "--offline=true", str(unit), folder=tmp_path).stdout
        (exposure,) = re.findall(r"Overall exposure level for emgtwitch\.service: ([\d.]+)", judged)
        assert float(exposure) <= EXPOSED_AT_MOST


def test_the_rule_has_a_line_for_every_chip() -> None:
    lines = [line for line in units.rule().splitlines() if not line.startswith("#")]
    assert len(lines) == sum(map(len, units.USB_IDS.values()))
    for line in lines:
        assert re.fullmatch(
            r'SUBSYSTEM=="tty", ATTRS\{idVendor\}=="[0-9a-f]{4}", ATTRS\{idProduct\}=="[0-9a-f]{4}", '
            r'TAG\+="uaccess", ENV\{ID_MM_DEVICE_IGNORE\}="1"',
            line,
        )
    assert int(units.RULE_PATH.name[:2]) < 73, "uaccess is given by 73-seat-late.rules"


class Listener:
    """The service manager's end."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        out = []
        while True:
            try:
                out.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return out


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_hears_that_the_daemon_is_ready_alive_and_stopping(tmp_path: Path, abstract: bool) -> None:
    address = f"@emgtwitch-{os.getpid()}" if abstract else str(tmp_path / "notify")
    listener, now_s = Listener(address), [100.0]
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}
    manager = Manager(environ, lambda: now_s[0])
    manager.ready("listens")
    manager.ready("listens again")
    assert listener.heard() == ["READY=1\nSTATUS=listens", "STATUS=listens again"]
    for _ in range(61):
        manager.alive(0.0)
        now_s[0] += 1.0
    assert listener.heard() == ["WATCHDOG=1"] * 3, "at once, then each half of the time"
    manager.stopping()
    assert listener.heard() == ["STOPPING=1"]
    listener.socket.close()


def test_a_storage_thread_that_hangs_silences_the_watchdog_and_a_slow_disk_does_not(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    listener, now_s = Listener(address), [0.0]
    manager = Manager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}, lambda: now_s[0])
    for storing_for_s, heard in ((0.0, 1), (10.0, 1), (HANGS_S + 1, 0)):
        now_s[0] += 2.0
        manager.alive(storing_for_s)
        assert len(listener.heard()) == heard
    listener.socket.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/socket"}, {"WATCHDOG_USEC": "5"}])
def test_without_a_manager_nothing_is_sent_and_nothing_fails(environ: dict[str, str]) -> None:
    manager = Manager(environ)
    manager.ready("listens")
    manager.alive(0.0)
    manager.stopping()


def test_the_journal_gets_levels_and_a_terminal_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "err"
    with path.open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        found = os.fstat(stream.fileno())
        for told in ("", "1:2", f"{found.st_dev}:{found.st_ino}"):
            monkeypatch.setenv("JOURNAL_STREAM", told)
            printer = Printer(lambda: None, lambda text: None)
            printer.err("plain")
            printer.err("bad", WARNING)
            printer.close()
    assert path.read_text().splitlines() == ["plain", "bad", "plain", "bad", "<6>plain", "<4>bad"]


def test_what_ends_the_daemon_is_an_error_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "err"
    with path.open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        found = os.fstat(stream.fileno())
        for told in ("", f"{found.st_dev}:{found.st_ino}"):
            monkeypatch.setenv("JOURNAL_STREAM", told)
            assert main(["verify", "--data", str(tmp_path / "none")]) == UnreadableInputError.exit_code
    plain, leveled = path.read_text().splitlines()
    assert leveled == f"<3>{plain}"


FREEING = """
import os, sys, threading
from emgtwitch.app.unattended.memory import return_what_is_freed
if sys.argv[1] == "returned":
    return_what_is_freed()
def use():
    for size in (1 << 20, 2 << 20, 4 << 20, 8 << 20):  # each freed one is the C library's limit for the next
        small = [bytearray(size), bytearray(size), bytearray(1000)]
        del small[:2]
        kept.append(small)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
kept = []
before = resident()
for _ in range(4):
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
print(resident() - before)
"""


def test_what_is_freed_goes_back_to_the_system() -> None:
    """Each of the daemon's threads would keep the room of the largest block that it ever freed."""
    kept = {}
    for how in ("returned", "left"):
        done = subprocess.run([sys.executable, "-c", FREEING, how], capture_output=True, text=True, check=True)
        kept[how] = int(done.stdout)
    assert kept["returned"] < 500_000
    assert kept["left"] > 2_000_000
