"""Flood a server of this machine, for `make bench`: `python -m scripts.flood PORT SECONDS ADDRESS...`.

Each address opens connections as fast as it can and sends nothing. One more drips headers.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import sys
import time
from collections import deque

HELD = 800
"""Connections of each kind that are open at once; the process has some 1,000 files."""
DRIPPING = 100
DRIP_EVERY = 0.2
DRIPPER = "127.0.0.99"


def main(port: int, seconds: float, addresses: list[str]) -> None:
    """Flood, and print how many connections were opened."""
    # Real ones run elsewhere, and leave the server its processor.
    os.nice(19)
    held: deque[socket.socket] = deque()
    dripping: list[socket.socket] = []
    ends, next_drip = time.monotonic() + seconds, 0.0
    for number, address in enumerate(itertools.cycle(addresses)):
        moment = time.monotonic()
        if moment > ends:
            print(number)
            return
        if moment > next_drip:
            dripping = drip(dripping, port)
            next_drip = moment + DRIP_EVERY
        held.append(opened(address, port))
        if len(held) > HELD:
            held.popleft().close()


def opened(address: str, port: int) -> socket.socket:
    """Begin a connection and wait for nothing."""
    connection = socket.socket()
    connection.setblocking(False)
    # The kernel chooses a port for each target, and does not run out of them.
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
    with contextlib.suppress(OSError):
        connection.bind((address, 0))
        connection.connect(("127.0.0.1", port))
    return connection


def drip(connections: list[socket.socket], port: int) -> list[socket.socket]:
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
    for _ in range(DRIPPING - len(alive)):
        connection = opened(DRIPPER, port)
        with contextlib.suppress(OSError):
            connection.send(b"GET / HTTP/1.1\r\nX: ")
        alive.append(connection)
    return alive


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
