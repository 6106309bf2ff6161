"""What systemd is told by a server that it started."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.serving.systemd import notify_ready


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The socket on which systemd listens, and its address as a service gets it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@ops-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1))
        listening.settimeout(60)
        yield listening, address


def states(listening: socket.socket, count: int, environ: dict[str, str]) -> list[bytes]:
    """Return so many messages of a loop that runs until they have come."""

    async def serve() -> list[bytes]:
        loop = asyncio.get_running_loop()
        notify_ready(loop, environ)
        return [await loop.run_in_executor(None, listening.recv, 100) for _ in range(count)]

    return asyncio.run(serve())


def test_a_server_is_ready_and_then_alive_at_twice_the_rate(systemd: tuple[socket.socket, str]) -> None:
    listening, address = systemd

    found = states(listening, 4, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000"})

    assert found == [b"READY=1", *3 * [b"WATCHDOG=1"]]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="no watchdog"),
        pytest.param({"WATCHDOG_USEC": "soon"}, id="no number"),
        pytest.param({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid() + 1)}, id="of its parent"),
    ],
)
def test_without_a_watchdog_it_is_only_ready(
    systemd: tuple[socket.socket, str], more: dict[str, str]
) -> None:
    listening, address = systemd

    assert states(listening, 1, {"NOTIFY_SOCKET": address, **more}) == [b"READY=1"]
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(100)


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@ops-nobody-listens", "@"])
def test_a_server_runs_without_systemd(address: str) -> None:
    asyncio.run(_ready({"NOTIFY_SOCKET": address} if address else {}))


async def _ready(environ: dict[str, str]) -> None:
    notify_ready(asyncio.get_running_loop(), environ)
