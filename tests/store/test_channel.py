"""Laws of the way into a running daemon."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emgtwitch.errors import CannotWriteError, EmgtwitchError, UsageError
from emgtwitch.store import channel
from emgtwitch.store.channel import SOCKET_NAME, CommandServer, ask
from tests.store.processes import public_folder, run

__all__ = ["public_folder"]


def handler(request: dict[str, Any]) -> dict[str, Any]:
    match request.get("command"):
        case "refuse":
            raise CannotWriteError("The disk is full.")
        case "fail":
            raise ZeroDivisionError("a defect")
    return {"heard": request}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    server = CommandServer(tmp_path, handler)
    yield tmp_path
    server.close()


def test_a_request_gets_its_answer(folder: Path) -> None:
    for n in range(3):
        assert ask(folder, {"command": "mark", "note": f"Zucken\n{n}"}) == {
            "heard": {"command": "mark", "note": f"Zucken\n{n}"}
        }


def test_a_refusal_arrives_as_the_error_that_it_was(folder: Path) -> None:
    with pytest.raises(CannotWriteError, match=r"^The disk is full\.$"):
        ask(folder, {"command": "refuse"})


def test_no_request_ends_the_server(folder: Path) -> None:
    with pytest.raises(EmgtwitchError, match="ZeroDivisionError: a defect"):
        ask(folder, {"command": "fail"})
    for rubbish in (b"no json\n", b"[1]\n", b"\xff\xfe\n", b"x" * 100_000, b"half a line"):
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(ConnectionError):  # hung up on
            client.connect(str(folder / SOCKET_NAME))
            client.settimeout(10)
            client.sendall(rubbish)
            client.shutdown(socket.SHUT_WR)
            client.recv(1000)
    assert ask(folder, {}) == {"heard": {}}


def test_where_memory_or_handles_lack_for_a_client_the_next_one_is_answered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, refusals = socket.socket.accept, [MemoryError(), OSError(errno.EMFILE, "Too many open files")]

    def scarce(server: socket.socket) -> tuple[socket.socket, Any]:
        client, address = accept(server)
        if refusals:
            client.close()
            raise refusals.pop()
        return client, address

    def no_answer(server: CommandServer, line: bytes) -> dict[str, Any]:
        raise MemoryError

    monkeypatch.setattr(channel, "AGAIN_S", 0.0)
    with monkeypatch.context() as context:
        context.setattr(socket.socket, "accept", scarce)
        context.setattr(CommandServer, "_answer", no_answer)
        for _ in range(4):  # the first comes to the accept from before, the last to one that has a handle
            with pytest.raises(EmgtwitchError, match="does not answer"):
                ask(folder, {})
    assert not refusals
    assert ask(folder, {"n": 1}) == {"heard": {"n": 1}}


def test_a_disk_that_does_not_let_the_socket_go_holds_up_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    server = CommandServer(tmp_path, handler)
    with monkeypatch.context() as context:
        context.setattr(Path, "unlink", refuse)
        server.close()
    assert (tmp_path / SOCKET_NAME).exists()
    assert ask(tmp_path, {}) is None
    CommandServer(tmp_path, handler).close()


def test_a_request_that_is_no_object_is_a_usage_error(folder: Path) -> None:
    with pytest.raises(UsageError, match="one JSON object a line"):
        ask(folder, [1])  # type: ignore[arg-type]


def test_only_the_owner_may_ask(folder: Path) -> None:
    assert stat.S_IMODE((folder / SOCKET_NAME).stat().st_mode) == 0o600


def test_without_a_daemon_there_is_no_answer(tmp_path: Path) -> None:
    assert ask(tmp_path, {}) is None
    assert ask(tmp_path / "missing", {}) is None
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))
    left.close()
    assert ask(tmp_path, {}) is None  # a crash left the socket
    server = CommandServer(tmp_path, handler)
    assert ask(tmp_path, {}) == {"heard": {}}
    server.close()
    assert ask(tmp_path, {}) is None
    assert not (tmp_path / SOCKET_NAME).exists()


def test_a_folder_with_a_long_name_has_its_socket_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    server = CommandServer(folder, handler)
    assert (folder / SOCKET_NAME).is_socket()
    assert ask(folder, {}) == {"heard": {}}
    server.close()


def test_a_daemon_that_stays_silent_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / SOCKET_NAME))
        silent.listen()
        with pytest.raises(EmgtwitchError, match=r"does not answer within 0\.05 s"):
            ask(tmp_path, {}, timeout_s=0.05)


def test_a_refusal_is_heard_by_who_comes_late_with_the_request(tmp_path: Path) -> None:
    refusal = json.dumps({"error": "No.", "exit_code": 73}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / SOCKET_NAME))
        listener.listen()
        send = socket.socket.sendall

        def late(client: socket.socket, data: bytes) -> None:
            daemon, _ = listener.accept()
            send(daemon, refusal)
            daemon.close()
            send(client, data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket.socket, "sendall", late)
            with pytest.raises(CannotWriteError, match=r"No\."):
                ask(tmp_path, {"command": "mark"})


def test_another_user_is_refused_even_where_the_sockets_mode_lets_him(public_folder: Path) -> None:
    server = CommandServer(public_folder, lambda request: {"done": True})
    (public_folder / SOCKET_NAME).chmod(0o666)
    asked = f"""
from pathlib import Path
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.channel import ask
drop_rights()
try:
    print(ask(Path({str(public_folder)!r}), {{"command": "mark"}}))
except CannotWriteError as error:
    print(error)
"""
    try:
        said = run(asked)
        assert ("another user's; user 65534" in said) is (os.geteuid() == 0), said
        assert ask(public_folder, {"command": "mark"}) == {"done": True}
    finally:
        server.close()


def test_a_false_daemon_of_another_user_is_told_nothing(public_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    asked = f"""
import os
from pathlib import Path
from emgtwitch.errors import CannotWriteError
from emgtwitch.store.channel import ask
os.setuid(1)
try:
    print(ask(Path({str(public_folder)!r}), {{"command": "mark", "note": "secret"}}))
except CannotWriteError as error:
    print(error)
"""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(public_folder / SOCKET_NAME))
        (public_folder / SOCKET_NAME).chmod(0o666)
        os.seteuid(65534)  # who listens is who the other end is told of
        try:
            listener.listen()
        finally:
            os.seteuid(0)
        said = run(asked)
        client, _ = listener.accept()
        with client:
            assert client.recv(1000) == b""
    assert "is user 65534's, and was told nothing" in said
