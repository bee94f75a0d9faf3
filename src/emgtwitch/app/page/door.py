"""Which connections the page's server takes: on the loopback interface this user's and root's, and of all only so many.

Every user of a machine reaches its loopback interface, so an address alone keeps nobody out.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from pathlib import Path

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 128  # each takes a file handle from the recording
PATIENCE_S = 10.0  # with one that asks nothing
_NET = Path("/proc/self/net")
_MAPPED = "0000000000000000FFFF0000"  # before an IPv4 address in a socket of IPv6
_BODY = b'{"error": "This page is another user\'s.", "what_to_do": "Use a daemon and a page of yours."}'
_REFUSAL = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % len(_BODY)
) + _BODY

End = tuple[str, int]


def owner(client: End, server: End) -> int | None:
    """The uid of who holds the client's end of a connection within this machine, as Linux tells it.

    None where nobody holds it: who has closed it already may have been anybody.
    """
    family, ends = (socket.AF_INET6 if ":" in client[0] else socket.AF_INET), (client, server)
    told = [f"{_hex(socket.inet_pton(family, host))}:{port:04X}" for host, port in ends]
    tables = {"tcp6": told} if family == socket.AF_INET6 else {"tcp": told, "tcp6": [_MAPPED + end for end in told]}
    for name, wanted in tables.items():
        try:
            lines = (_NET / name).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1:3] == wanted:
                uid, inode = int(fields[7]), int(fields[9])
                return uid if inode else None
    return None


def _hex(address: bytes) -> str:
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(address) // 4}I", address))


class Door(H11Protocol):
    """A connection of anybody's."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio says BaseTransport
        """Hear it, or close it."""
        super().connection_made(transport)
        if not self._may_enter():
            self.connections.discard(self)
            transport.write(_REFUSAL)
            transport.close()
        elif len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(PATIENCE_S, self._hurry)

    def _may_enter(self) -> bool:
        return True

    def _hurry(self) -> None:
        """Close it where it has asked nothing; a live socket has gone to another protocol."""
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.abort()


class OwnDoor(Door):
    """A connection of this user's or root's; other systems than Linux do not tell whose it is."""

    def _may_enter(self) -> bool:
        if sys.platform != "linux":
            return True
        if self.client is None or self.server is None or self.server[1] is None:
            return False
        return owner(self.client, (self.server[0], self.server[1])) in (os.geteuid(), 0)
