"""Transports that close with their test, and a gateway that knows about tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import responses
from gateway_calls import STRONG, URL, MakeClient, MakeTransport
from pydantic import SecretStr

from core.gateways.wppconnect.client import GatewayClient
from core.gateways.wppconnect.tokens.cache import TokenCache
from core.models import TokenSource
from core.settings.values import ServerSettings, SessionSettings, Timeouts
from core.store.protocol import Store
from core.transport import CallLimiter, CallSlot, Transport
from tests.fakes import FakeClock, MemoryStore
from tests.token_gateway import TokenGateway


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    made: list[Transport] = []

    def build(url: str, *, connect_timeout_seconds: float = 60, max_in_flight: int = 4) -> Transport:
        transport = Transport(
            url,
            connect_timeout_seconds=connect_timeout_seconds,
            proxy=None,
            user_agent="tests",
            slot=CallSlot(CallLimiter(max_in_flight)),
        )
        made.append(transport)
        return transport

    yield build
    for transport in made:
        transport.close()


@pytest.fixture
def token_gateway() -> Iterator[TokenGateway]:
    with TokenGateway(STRONG) as running:
        yield running


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_client(
    token_gateway: TokenGateway,
    memory_store: MemoryStore,
    fake_clock: FakeClock,
    tmp_path: Path,
    make_transport: MakeTransport,
) -> MakeClient:
    """Build a client as another process of ours would: only the store and the locks are shared."""

    def build(
        secret: str | None = STRONG,
        *,
        source: TokenSource = TokenSource.AUTO,
        token: str | None = None,
        sessions: tuple[str, ...] = ("sales",),
        store: Store | None = None,
    ) -> GatewayClient:
        server = ServerSettings(
            name="main",
            url=token_gateway.url,
            secret_key=SecretStr(secret) if secret else None,
            token=SecretStr(token) if token else None,
            token_source=source,
            sessions=tuple(SessionSettings(name=name) for name in sessions),
        )
        transport = make_transport(token_gateway.url, max_in_flight=20)
        tokens = TokenCache(
            server,
            transport=transport,
            store=store or memory_store,
            lock_directory=tmp_path,
            timeouts=Timeouts(),
            clock=fake_clock,
        )
        client = GatewayClient(server, transport=transport, tokens=tokens, timeouts=Timeouts())
        client.manager.is_offered = False
        return client

    return build


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client(tmp_path: Path, make_transport: MakeTransport) -> GatewayClient:
    server = ServerSettings(
        name="main", url=URL, secret_key=SecretStr(STRONG), sessions=(SessionSettings(name="sales"),)
    )
    transport = make_transport(URL)
    tokens = TokenCache(
        server, transport=transport, store=MemoryStore(), lock_directory=tmp_path, timeouts=Timeouts()
    )
    tokens.manager.is_offered = False
    return GatewayClient(server, transport=transport, tokens=tokens, timeouts=Timeouts())
