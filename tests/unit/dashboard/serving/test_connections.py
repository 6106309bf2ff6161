import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from dashboard.serving.connections import PageProtocol, limited


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"nonsense", b"400 Bad Request", id="no HTTP"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: ops.test\r\nX: " + b"x" * 40_000,
            b"431 Request Header Fields Too Large",
            id="too large, in one packet",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_the_security_headers(sent: bytes, status: bytes) -> None:
    answer = run(exchange(PageProtocol, sent + b"\r\n\r\n"))

    head, _, text = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 " + status
    assert b"Content-Security-Policy: default-src 'none'" in lines
    assert b"X-Content-Type-Options: nosniff" in lines
    assert f"Content-Length: {len(text)}".encode() in lines


@pytest.mark.parametrize(
    ("proxies", "served"),
    [
        pytest.param([], 6, id="one address has its share"),
        pytest.param(["127.0.0.0/8"], 8, id="a configured proxy has as many as there are"),
        pytest.param(["10.0.0.0/8"], 6, id="a proxy elsewhere changes nothing"),
    ],
)
def test_proxies_may_bring_as_many_connections_as_there_are(proxies: list[str], served: int) -> None:
    limits = limited([ip_network(one) for one in proxies], limit=8)[0].limits
    assert limits is not None

    def is_taken(number: int) -> bool:
        is_taken = limits.make_room("127.0.0.1")
        if is_taken:
            limits.begin(number, "127.0.0.1", lambda: None)
        return is_taken

    assert sum(map(is_taken, range(8))) == served


@asynccontextmanager
async def serving(protocol: type[PageProtocol]) -> AsyncIterator[tuple[str, int]]:
    # Its own configuration of the log would outlive this test.
    config = Config(
        PlainTextResponse("ok"),
        http=protocol,
        lifespan="off",
        log_config=None,
    )
    config.load()
    state = ServerState()
    # A socket that names no protocol, as those that uvicorn binds.
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), sock=listening
    )
    yield address
    server.close()


def run(exchanging: Coroutine[Any, Any, bytes]) -> bytes:
    _, loop_factory = limited([])
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(exchanging)


async def exchange(protocol: type[PageProtocol], sent: bytes) -> bytes:
    async with serving(protocol) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer
