from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from core.serving import ConnectionLimits, ServingLoop
from core.serving.listening import BATCH
from scripts.flood import client_hello
from tests.plugins.system_tools import require
from tests.support.certificates import make_pair

Address = tuple[str, int]


class Echo(asyncio.Protocol):
    """Answer the first bytes with themselves."""

    made: list[str]
    """The addresses of the clients, in the order in which they were served."""
    undelayed: list[int]
    """TCP_NODELAY of their connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Echo.made.append(transport.get_extra_info("peername")[0])
        accepted = transport.get_extra_info("socket")
        Echo.undelayed.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class NotingContext(ssl.SSLContext):
    """Know which encryptions were made, and which of them are still in memory."""

    made = 0
    alive: weakref.WeakSet[ssl.SSLObject]

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        encryption = super().wrap_bio(*args, **options)
        self.made += 1
        self.alive.add(encryption)
        return encryption


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> NotingContext:
    require("openssl")
    pair = make_pair(tmp_path_factory.mktemp("tls"), "server")
    context = NotingContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.alive = weakref.WeakSet()
    return context


@pytest.fixture
def without_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@contextlib.asynccontextmanager
async def echoing(
    tls: ssl.SSLContext | None = None, listening: socket.socket | None = None
) -> AsyncIterator[Address]:
    listening = listening or socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    Echo.made, Echo.undelayed = [], []
    server = await asyncio.get_running_loop().create_server(Echo, sock=listening, ssl=tls)
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


async def until(condition: Callable[[], bool]) -> None:
    """Give others their turn until a condition is true."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def trusting() -> ssl.SSLContext:
    """Return what a client that trusts everybody connects with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


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


def test_answer_waits_for_no_confirmation_of_its_headers() -> None:
    async def story() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        with ExitStack() as held:
            # Connected before the server serves, and after.
            early = await connect(held, listening.getsockname(), "127.0.0.1", b"early")
            async with echoing(listening=listening) as address:
                late = await connect(held, address, "127.0.0.1", b"late")

                assert [await read(early), await read(late)] == [b"early", b"late"]
        assert Echo.undelayed == [1, 1]

    run(story(), ConnectionLimits(8))


def test_next_honest_client_is_served_when_all_places_stop_in_their_handshakes(tls: NotingContext) -> None:
    async def story() -> None:
        async with echoing(tls) as address:
            with ExitStack() as held:
                flood = []
                for number in range(8):
                    flood.append(await connect(held, address, f"127.0.0.{2 + number // 6}", client_hello()))
                    # The server's part of the handshake.
                    assert await read(flood[-1])

                reader, writer = await asyncio.open_connection(
                    *address, ssl=trusting(), local_addr=("127.0.0.9", 0)
                )
                writer.write(b"hello")

                assert await asyncio.wait_for(reader.readexactly(5), 60) == b"hello"
                writer.close()

    run(story(), ConnectionLimits(8))


UNFINISHED = pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\n\r\n", client_hello()[:40], client_hello()],
    ids=["no TLS", "cut", "without an end"],
)


@pytest.mark.usefixtures("without_garbage_collector")
@UNFINISHED
def test_nothing_is_kept_of_a_handshake_that_failed(tls: NotingContext, sent: bytes) -> None:
    async def story() -> None:
        made = tls.made
        async with echoing(tls) as address:
            with ExitStack() as held:
                for _ in range(3):
                    await connect(held, address, "127.0.0.1", sent)
                await until(lambda: tls.made == made + 3)
            await until(lambda: not tls.alive)

    run(story(), ConnectionLimits(8))


@pytest.mark.usefixtures("without_garbage_collector")
@UNFINISHED
def test_nothing_is_kept_of_a_handshake_that_made_room_for_another(tls: NotingContext, sent: bytes) -> None:
    async def story() -> None:
        made = tls.made
        async with echoing(tls) as address:
            with ExitStack() as held:
                await connect(held, address, "127.0.0.1", sent)
                await until(lambda: tls.made == made + 1)
                await connect(held, address, "127.0.0.9")
                await until(lambda: not tls.alive)

    run(story(), ConnectionLimits(1))


def test_first_bytes_of_a_flood_are_read_after_those_of_another_address() -> None:
    async def story() -> None:
        with ExitStack() as held:
            listening = socket.create_server(("127.0.0.1", 0))
            address = listening.getsockname()
            for number in range(BATCH):
                source = "127.0.0.2" if number < BATCH - 1 else "127.0.0.9"
                last = await connect(held, address, source, b"hello")
            # All of them have come before the first is accepted.
            async with echoing(listening=listening):
                assert await read(last) == b"hello"

    run(story(), ConnectionLimits(2 * BATCH))

    assert Echo.made.index("127.0.0.9") == 1


def test_nothing_is_made_for_who_says_nothing_and_it_ends_in_time() -> None:
    async def story() -> None:
        async with echoing() as address:
            with ExitStack() as held:
                silent = await connect(held, address, "127.0.0.1")

                assert await read(silent) == b""
                assert Echo.made == []

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
