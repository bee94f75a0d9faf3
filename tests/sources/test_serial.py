"""The serial link over ptys and pyserial's URL handlers, and what it says when a port does not open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from emgtwitch.errors import NoBoardError
from emgtwitch.sources import serial_link
from emgtwitch.sources.link import LinkLostError, PortBusyError
from emgtwitch.sources.port_access import access, busy_text, group_name, holders
from emgtwitch.sources.serial_link import SerialLink


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.close(slave)
    yield master, name
    os.close(master)


def read_to_the_end(link: SerialLink) -> None:
    for _ in range(1000):
        link.read(1.0)


def test_a_link_in_a_hurry_gathers_for_less(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    link = SerialLink(pty[1], gather_s=0.1)
    for link.hurry in (False, True, False):
        os.write(pty[0], b"x")
        assert link.read(1.0) == b"x"
    assert slept == [0.1, serial_link.HURRY_S, 0.1]
    assert serial_link.HURRY_S < 0.1


def test_bytes_go_both_ways_unchanged_and_together(pty: tuple[int, str]) -> None:
    link = SerialLink(pty[1])
    every = bytes(range(256))
    link.write(every)
    assert os.read(pty[0], 1000) == every
    for byte in every:
        os.write(pty[0], bytes([byte]))
    assert link.read(1.0) == every
    assert link.read(0.0) == b""
    link.close()


def test_what_is_given_back_is_read_first(pty: tuple[int, str]) -> None:
    link = SerialLink(pty[1])
    os.write(pty[0], b"later")
    link.unread(b"second ")
    link.unread(b"first ")
    assert link.read(0.0) + link.read(1.0) == b"first second later"
    link.close()


def test_an_unplug_is_a_lost_link_and_nothing_else() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    link = SerialLink(name := os.ttyname(slave))
    os.close(slave)
    os.close(master)
    with pytest.raises(LinkLostError, match=rf"{name} was lost"):
        link.read(1.0)
    with pytest.raises(LinkLostError, match=rf"{name} was lost"):
        link.write(b"x")
    link.close()
    link.close()
    with pytest.raises(LinkLostError, match="was lost"):
        link.read(0.0)


def test_a_loop_is_a_link() -> None:
    link = SerialLink("loop://")
    link.write(b"there and back")
    assert link.read(1.0) == b"there and back"
    assert link.read(0.0) == b""
    link.close()


def test_a_socket_is_a_link_until_its_other_end_goes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = SerialLink(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"a" * 5000)
            assert link.read(5.0)[:10] == b"a" * 10
            link.write(b"pong")
            assert peer.recv(10) == b"pong"
        with pytest.raises(LinkLostError, match=r"socket://.*was lost"):
            read_to_the_end(link)
        link.close()


def test_a_port_is_opened_once(pty: tuple[int, str]) -> None:
    link = SerialLink(pty[1])
    with pytest.raises(PortBusyError, match=rf"{pty[1]} is in use by .*Close that program"):
        SerialLink(pty[1])
    link.close()
    again = SerialLink(pty[1])  # a closed one is free
    again.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("/dev/no-such-port", "There is no port /dev/no-such-port. Plug the board in"),
        ("/dev/null", "/dev/null does not open as a serial port"),
        ("nonsense://x", "nonsense://x does not open as a serial port"),
        ("socket://127.0.0.1:1", "socket://127.0.0.1:1 does not open as a serial port"),
    ],
)
def test_what_is_no_port_says_so(name: str, text: str) -> None:
    with pytest.raises(NoBoardError, match=text):
        SerialLink(name)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_port_without_permission_names_the_group_and_the_command(pty: tuple[int, str]) -> None:
    os.chown(pty[1], 0, 20)  # dialout on Debian; the message names what the system calls it
    os.chmod(pty[1], 0o660)
    script = f"""
        from emgtwitch.sources.link import PortDeniedError
        from emgtwitch.sources.serial_link import SerialLink
        import os
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        try:
            SerialLink({pty[1]!r})
        except PortDeniedError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    group = group_name(20)
    assert f"No permission to open {pty[1]}: it belongs to group {group}." in done.stdout
    assert f"sudo usermod -aG {group} nobody" in done.stdout


def test_a_mode_without_a_group_asks_for_a_rule(tmp_path: Path) -> None:
    path = tmp_path / "ttyX"
    path.touch(0o600)
    seen = access(str(path))
    assert (seen.group, seen.allowed, seen.remedy) == (None, True, "")


def test_who_holds_a_port_is_named(tmp_path: Path) -> None:
    port = tmp_path / "ttyX"
    port.touch()
    (tmp_path / "byid").symlink_to(port)
    for pid, name, target in [(71, "brltty", port), (72, "bash", tmp_path)]:
        (tmp_path / f"{pid}/fd").mkdir(parents=True)
        (tmp_path / f"{pid}/comm").write_text(f"{name}\n")
        (tmp_path / f"{pid}/fd/3").symlink_to(target)
    assert holders(str(tmp_path / "byid"), tmp_path) == ["brltty (process 71)"]
    assert "is in use by brltty (process 71)." in busy_text(str(port), tmp_path)
    assert "a program of another user" in busy_text(str(tmp_path / "ttyY"), tmp_path)
