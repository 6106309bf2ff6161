"""systemd's notification protocol (sd_notify(3)): readiness, and a watchdog for a frozen event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping


def notify_ready(loop: asyncio.AbstractEventLoop, environ: Mapping[str, str] = os.environ) -> None:
    """Tell systemd that the server listens, and then, while the loop runs, that it is alive.

    Does nothing unless systemd started this process with `Type=notify`.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    _send(address, b"READY=1")
    # A service's children inherit the environment; WATCHDOG_PID names the process that is meant.
    if environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
        with contextlib.suppress(ValueError):
            _keep_alive(loop, address, int(environ.get("WATCHDOG_USEC", "")) / 1_000_000 / 2)


def _keep_alive(loop: asyncio.AbstractEventLoop, address: str, pause_seconds: float) -> None:
    _send(address, b"WATCHDOG=1")
    loop.call_later(pause_seconds, _keep_alive, loop, address, pause_seconds)


def _send(address: str, state: bytes) -> None:
    # An address that begins with @ is an abstract one.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier, contextlib.suppress(OSError):
        notifier.sendto(state, address.replace("@", "\0", 1) if address.startswith("@") else address)
