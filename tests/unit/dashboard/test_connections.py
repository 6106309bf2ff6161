import asyncio
import socket

from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from dashboard.connections import LimitedProtocol


def test_no_answer_waits_until_the_client_has_confirmed_its_headers() -> None:
    undelayed: list[int] = []

    class Noting(LimitedProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            accepted = transport.get_extra_info("socket")
            undelayed.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def ask() -> bytes:
        config = Config(PlainTextResponse("ok"), http=Noting, lifespan="off")
        config.load()
        # A socket that names no protocol, as those that uvicorn binds.
        listening = socket.create_server(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(
            lambda: Noting(config=config, server_state=ServerState(), app_state={}), sock=listening
        )
        async with server:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: ops.test\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(ask()).endswith(b"ok")
    assert undelayed == [1]
