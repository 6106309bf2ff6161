from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest

from core.serving import ConnectionLimits, ServingLoop

Address = tuple[str, int]


class Echo(asyncio.Protocol):
    """Answer the first bytes with themselves."""

    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Echo.made += 1
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[Address]:
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    Echo.made = 0
    server = await asyncio.get_running_loop().create_server(Echo, sock=listening)
    yield address
    server.close()
    await server.wait_closed()


def run(
    story: Coroutine[Any, Any, None], limits: ConnectionLimits, *, request_seconds: float = 600.0
) -> None:
    with asyncio.Runner(loop_factory=lambda: ServingLoop(limits, request_seconds=request_seconds)) as runner:
        runner.run(story)


async def connect(held: ExitStack, address: Address, source: str, sent: bytes = b"") -> socket.socket:
    connection = held.enter_context(socket.socket())
    connection.bind((source, 0))
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, address)
    if sent:
        await loop.sock_sendall(connection, sent)
    return connection


async def read(connection: socket.socket) -> bytes:
    """Read what comes; nothing means that the other side has ended the connection."""
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, 100), 60)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"G"], ids=["silent", "begun"])
def test_next_honest_client_is_served_when_all_places_are_taken(sent: bytes) -> None:
    async def story() -> None:
        async with echoing() as address:
            with ExitStack() as held:
                flood = []
                for number in range(8):
                    flood.append(await connect(held, address, f"127.0.0.{2 + number // 6}", sent))
                    # So that they are accepted in this order, and their bytes have come.
                    assert not sent or await read(flood[-1]) == sent

                honest = await connect(held, address, "127.0.0.9", b"hello")

                assert await read(honest) == b"hello"
                # The oldest of the address that has most.
                assert await read(flood[0]) == b""

    run(story(), ConnectionLimits(8))


def test_nothing_is_made_for_who_says_nothing_and_it_ends_in_time() -> None:
    async def story() -> None:
        async with echoing() as address:
            with ExitStack() as held:
                silent = await connect(held, address, "127.0.0.1")

                assert await read(silent) == b""
                assert Echo.made == 0

    run(story(), ConnectionLimits(8), request_seconds=0.1)


def test_closed_connections_leave_their_places() -> None:
    async def story() -> None:
        async with echoing() as address:
            for _ in range(20):
                with ExitStack() as held:
                    connection = await connect(held, address, "127.0.0.1", b"hello")
                    assert await read(connection) == b"hello"

    run(story(), ConnectionLimits(4))


def test_refused_connection_is_closed_at_once() -> None:
    async def story() -> None:
        async with echoing() as address:
            with ExitStack() as held:
                for _ in range(3):
                    await connect(held, address, "127.0.0.1")
                assert await read(await connect(held, address, "127.0.0.1")) == b""

    run(story(), ConnectionLimits(4, clock=lambda: 0.0))


def test_end_of_the_server_closes_silent_connections_too() -> None:
    async def story() -> None:
        with ExitStack() as held:
            async with echoing() as address:
                silent = await connect(held, address, "127.0.0.1")
                talking = await connect(held, address, "127.0.0.1", b"hello")
                assert await read(talking) == b"hello"
            assert await read(silent) == b""

    run(story(), ConnectionLimits(4))
