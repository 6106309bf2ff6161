import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from dashboard.serving.connections import LimitedProtocol, protocol_for


def test_no_answer_waits_until_the_client_has_confirmed_its_headers() -> None:
    undelayed: list[int] = []

    class Noting(LimitedProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            accepted = transport.get_extra_info("socket")
            undelayed.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    answer = asyncio.run(exchange(Noting, b"GET / HTTP/1.1\r\nHost: ops.test\r\nConnection: close\r\n\r\n"))

    assert answer.endswith(b"ok")
    assert undelayed == [1]


def test_what_is_no_http_is_refused_with_the_security_headers() -> None:
    answer = asyncio.run(exchange(LimitedProtocol, b"nonsense\r\n\r\n"))

    head, _, text = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert b"Content-Security-Policy: default-src 'none'" in lines
    assert b"X-Content-Type-Options: nosniff" in lines
    assert f"Content-Length: {len(text)}".encode() in lines


@pytest.mark.parametrize(
    ("proxies", "held"),
    [
        pytest.param([], 3, id="one address has its share"),
        pytest.param(["127.0.0.0/8"], 5, id="a configured proxy has as many as there are"),
        pytest.param(["10.0.0.0/8"], 3, id="a proxy elsewhere changes nothing"),
    ],
)
def test_one_address_leaves_connections_to_others(proxies: list[str], held: int) -> None:
    class Small(protocol_for([ip_network(one) for one in proxies])):  # type: ignore[misc]
        connection_limit = 5
        address_limit = 3

    async def crowd() -> int:
        async with serving(Small) as address:
            opened = [await asyncio.open_connection(*address) for _ in range(7)]
            for _, writer in opened:
                writer.write(b"GET / HTTP/1.1\r\nHost: ops.test\r\n\r\n")
            heads = [await head_of(reader) for reader, _ in opened]
            for _, writer in opened:
                writer.close()
            return sum(head.startswith(b"HTTP/1.1 200") for head in heads)

    assert asyncio.run(crowd()) == held


@asynccontextmanager
async def serving(protocol: type[LimitedProtocol]) -> AsyncIterator[tuple[str, int]]:
    # Its own configuration of the log would outlive this test.
    config = Config(PlainTextResponse("ok"), http=protocol, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    # A socket that names no protocol, as those that uvicorn binds.
    listening = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), sock=listening
    )
    async with server:
        yield listening.getsockname()


async def exchange(protocol: type[LimitedProtocol], sent: bytes) -> bytes:
    async with serving(protocol) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer


async def head_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ConnectionError:
        return b""
