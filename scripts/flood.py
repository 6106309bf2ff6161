"""Flood a server on this machine, for `make bench`: `python -m scripts.flood PORT SECONDS KIND ADDRESS...`.

Each address opens connections as fast as possible and sends nothing (kind `http`) or begins a TLS handshake
(`tls`). One more address sends headers, or the beginning of a handshake, byte by byte.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import sys
import time
from collections import deque

HELD = 800
"""Connections open at once. The process may open some 1,000 files."""
DRIPPING = 100
DRIP_EVERY = 0.2
DRIPPER = "127.0.0.99"
HEADERS = b"GET / HTTP/1.1\r\nX: "


def main(port: int, seconds: float, kind: str, addresses: list[str]) -> None:
    """Flood the server, and print the number of opened connections."""
    # A real attacker does not use the server's processor.
    os.nice(19)
    half, dripped = (client_hello(), client_hello()[:20]) if kind == "tls" else (b"", HEADERS)
    held: deque[socket.socket] = deque()
    dripping: list[socket.socket] = []
    ends, next_drip = time.monotonic() + seconds, 0.0
    for number, address in enumerate(itertools.cycle(addresses)):
        moment = time.monotonic()
        if moment > ends:
            print(number)
            return
        if moment > next_drip:
            dripping = drip(dripping, port, dripped)
            next_drip = moment + DRIP_EVERY
        held.append(opened(address, port, half))
        if len(held) > HELD:
            held.popleft().close()


def opened(address: str, port: int, sent: bytes) -> socket.socket:
    """Return a new connection, without waiting until it is established."""
    connection = socket.socket()
    connection.setblocking(False)
    # The kernel then chooses ports per target, and does not run out of them.
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
    with contextlib.suppress(OSError):
        connection.bind((address, 0))
        connection.connect_ex(("127.0.0.1", port))
        connection.send(sent)
    return connection


def drip(connections: list[socket.socket], port: int, beginning: bytes) -> list[socket.socket]:
    """Send a byte on each connection, and return them with ended ones replaced."""
    alive = []
    for connection in connections:
        try:
            connection.send(b"x")
            alive.append(connection)
        except BlockingIOError:
            alive.append(connection)
        except OSError:
            connection.close()
    return alive + [opened(DRIPPER, port, beginning) for _ in range(DRIPPING - len(alive))]


def client_hello() -> bytes:
    """Return the first bytes that a TLS client sends."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="exporter.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:])
