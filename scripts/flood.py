"""Flood a server of this machine, for `make bench`: `python -m scripts.flood PORT SECONDS KIND ADDRESS...`.

Each address opens connections as fast as it can and, by the kind, sends nothing (`http`) or begins a TLS
handshake (`tls`). One more drips headers, or the beginning of a handshake.
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
"""Connections of each kind that are open at once; the process has some 1,000 files."""
DRIPPING = 100
DRIP_EVERY = 0.2
DRIPPER = "127.0.0.99"
HEADERS = b"GET / HTTP/1.1\r\nX: "


def main(port: int, seconds: float, kind: str, addresses: list[str]) -> None:
    """Flood, and print how many connections were opened."""
    # Real ones run elsewhere, and leave the server its processor.
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
    """Begin a connection and wait for nothing."""
    connection = socket.socket()
    connection.setblocking(False)
    # The kernel chooses a port for each target, and does not run out of them.
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
    with contextlib.suppress(OSError):
        connection.bind((address, 0))
        connection.connect_ex(("127.0.0.1", port))
        connection.send(sent)
    return connection


def drip(connections: list[socket.socket], port: int, beginning: bytes) -> list[socket.socket]:
    """Send a byte on each connection, and replace those that have ended."""
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
    """Return what a TLS client sends first."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="exporter.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:])
