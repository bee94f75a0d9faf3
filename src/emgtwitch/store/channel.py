"""The way into a running daemon: a Unix socket in the data folder, one JSON object a line, one answer each.

A request is `{"command": "mark", ...}`. An answer is the handler's object, or `{"error": text, "exit_code": n}`.
A socket's path may have some 100 bytes only; a longer one is reached through /proc/self/fd, so that the socket stands
in the data folder whatever its name.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from emgtwitch.errors import CannotWriteError, EmgtwitchError, NoBoardError, UnreadableInputError, UsageError

SOCKET_NAME = "daemon.sock"
MAX_PATH_BYTES = 100  # 108 on Linux, 104 elsewhere
MAX_LINE_BYTES = 1 << 16
PATIENCE_S = 2.0  # with a client that connects and stays silent
AGAIN_S = 0.5  # after the system had no handle or no memory for a client

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class CommandServer:
    """Answers requests on a thread of its own, one client after the other, until `close`.

    `handler` runs on that thread; an EmgtwitchError that it raises is the answer. The caller holds the DataLock, so a
    socket that is already there was left by a crash. Raises CannotWriteError where the folder takes no socket.
    """

    def __init__(self, folder: Path, handler: Handler) -> None:
        self._handler = handler
        self._path = folder / SOCKET_NAME
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            os.fchmod(self._socket.fileno(), 0o600)  # before bind: never open to others, not for a moment
            with _address(self._path) as address:
                self._socket.bind(address)
            self._path.chmod(0o600)
            self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise CannotWriteError(
                f"The socket {self._path} cannot be made: {error.strerror or error}. "
                "Choose a folder on a local disk with --data or EMGTWITCH_DATA."
            ) from None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="commands", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more requests and remove the socket."""
        self._closing.set()
        with contextlib.suppress(OSError):  # a disk that takes nothing keeps it; the next one to come removes it
            self._path.unlink()
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except (OSError, MemoryError):
                if self._closing.wait(AGAIN_S):
                    return
                continue
            with client, contextlib.suppress(OSError, MemoryError):  # a client that went away, or too little for it
                client.settimeout(PATIENCE_S)
                if (stranger := _stranger(client)) is not None:
                    client.sendall(
                        json.dumps({"error": _NOT_YOURS.format(uid=stranger), "exit_code": 73}).encode() + b"\n"
                    )
                    continue
                while (line := _line(client)) is not None:
                    client.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            return {"error": f"A request is one JSON object a line; this was none ({error}).", "exit_code": 2}
        try:
            return self._handler(request)
        except EmgtwitchError as error:
            return {"error": str(error), "exit_code": error.exit_code}
        except Exception as error:  # a defect of one command must not end the others
            return {"error": f"The daemon failed on this: {type(error).__name__}: {error}.", "exit_code": 1}


def ask(folder: Path, request: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any] | None:
    """The daemon's answer, or None where none runs on `folder`. One of another user's is told nothing.

    Raises the daemon's refusal as the class of errors.py that it had there, and EmgtwitchError if it stays silent.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        try:
            with _address(folder / SOCKET_NAME) as address:
                client.connect(address)
            if os.geteuid() and (stranger := _stranger(client)) is not None:
                raise CannotWriteError(_NOT_OURS.format(folder=folder, uid=stranger))
            with contextlib.suppress(BrokenPipeError):  # who refuses us does not wait for the request
                client.sendall(json.dumps(request).encode() + b"\n")
            line = _line(client)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError, PermissionError):
            return None
        except OSError as error:  # a timeout included
            raise _silent(folder, timeout_s) from error
    if line is None:
        raise _silent(folder, timeout_s)
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise _ERRORS.get(answer.get("exit_code", 1), EmgtwitchError)(answer["error"])
    return answer


_ERRORS = {e.exit_code: e for e in (UsageError, UnreadableInputError, NoBoardError, CannotWriteError)}


_NOT_YOURS = (
    "This daemon is another user's; user {uid} may neither ask nor tell it anything. Use a data folder of yours."
)
_NOT_OURS = "What answers in {folder} is user {uid}'s, and was told nothing. Use a data folder that is yours alone."


def _stranger(client: socket.socket) -> int | None:
    """The uid at the other end where it is neither ours nor root's; None also where the system does not tell.

    The socket's mode keeps others out already; this holds where it is changed, or on file systems that ignore it.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _, uid, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return None if uid in (os.geteuid(), 0) else int(uid)


def _silent(folder: Path, timeout_s: float) -> EmgtwitchError:
    return EmgtwitchError(f"The daemon on {folder} does not answer within {timeout_s:g} s. Try again, or restart it.")


def _line(peer: socket.socket) -> bytes | None:
    """The next line, or None at the end. One byte at a time is enough here, and takes nothing of the next line."""
    line = bytearray()
    while len(line) < MAX_LINE_BYTES:
        byte = peer.recv(1)
        if not byte:
            return None
        if byte == b"\n":
            return bytes(line)
        line += byte
    return None


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name of `path` that is short enough for a socket."""
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
