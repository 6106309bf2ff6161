"""Hand-made Snapshots and the expositions that are expected of them."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.models import (
    EndToEnd,
    Healing,
    Histogram,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    Snapshot,
    Verdict,
)
from core.serving import ConnectionLimits
from core.settings.values import Settings, Timeouts
from exporter.access import Access
from exporter.app import ExporterApp
from exporter.exposition import Exposition
from exporter.listening import DeadlineProtocol, listen
from exporter.listening import make_server as new_http_server
from exporter.own_metrics import OwnMetrics
from exporter.probe import Prober
from exporter.probe_trigger import ProbeSeries
from exporter.webhook import Webhook
from tests.support.snapshots import server_snapshot

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parents[2] / "data" / "exposition"

MakeSession = Callable[..., SessionSnapshot]
MakeServer = Callable[..., ServerSnapshot]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def new_session(name: str = "sales", verdict: Verdict = Verdict.CONNECTED, **fields: Any) -> SessionSnapshot:
    moments: dict[str, Any] = {
        "since": NOON - seconds(3600),
        "observed_at": NOON - seconds(1.25),
        "page_checked_at": NOON - seconds(1.25) if verdict is Verdict.CONNECTED else None,
        "last_connected": NOON - seconds(1.25) if verdict is Verdict.CONNECTED else None,
        "enabled": verdict is not Verdict.PAUSED,
        "ever_connected": verdict in (Verdict.CONNECTED, Verdict.DISCONNECTED),
        "lost_at": NOON - seconds(3600) if verdict is Verdict.DISCONNECTED else None,
        "lost_reason": Reason.CLOSED_ON_GATEWAY if verdict is Verdict.DISCONNECTED else Reason.NONE,
        "token_renewals": 1,
    }
    return SessionSnapshot(server="main", session=name, verdict=verdict, **(moments | fields))


def new_server(*sessions: SessionSnapshot, name: str = "main", **fields: Any) -> ServerSnapshot:
    values: dict[str, Any] = {
        "server": name,
        "probe_seconds": Histogram(bounds=(0.05, 0.5, 5), buckets=(7, 9, 10, 11), sum_seconds=12.5),
        "recovery_seconds": Histogram(bounds=(60, 3600), buckets=(2, 3, 3), sum_seconds=250),
        "secret_key_valid": True,
        "default_secret": False,
        "version": "2.10.4",
    }
    own = (one.model_copy(update={"server": name}) for one in sessions)
    return server_snapshot(*own, at=NOON - seconds(1), **(values | fields))


def new_snapshot(*servers: ServerSnapshot) -> Snapshot:
    return Snapshot(taken_at=NOON, settings_revision=0, servers=servers)


def scenarios() -> dict[str, Snapshot]:
    lost = {
        "since": NOON - seconds(90),
        "last_connected": NOON - seconds(91.5),
        "ever_connected": True,
        "lost_at": NOON - seconds(90),
        "lost_reason": Reason.GATEWAY_UNREACHABLE,
        "disconnects": {"gateway": 2, "closed": 1},
    }
    old = {"observed_at": NOON - seconds(37), "last_connected": NOON - seconds(37)}
    refused = {"auth_failures": {"token_rejected": 3, "secret_rejected": 1}}
    every = [new_session(f"s-{verdict.value}", verdict) for verdict in Verdict]
    passed = EndToEnd(checked_at=NOON - seconds(600), passed_at=NOON - seconds(600), is_possible=True)
    failed = EndToEnd(
        checked_at=NOON - seconds(30), passed_at=NOON - seconds(960), failures=2, is_possible=True
    )
    tried = Healing(tries=2, tried_at=NOON - seconds(200), ended_at=NOON - seconds(100), outcome="failed")
    maintained = {"maintenance_until": NOON + seconds(1800)}
    never_probed = {"observed_at": None, "last_connected": None, "since": NOON}
    return {
        "healthy": new_snapshot(new_server(new_session())),
        "down": new_snapshot(
            new_server(
                new_session("sales", Verdict.UNREACHABLE, **lost),
                new_session("support", Verdict.UNREACHABLE, **lost),
                up=False,
                restarts=4,
                probe_failures={"connect": 12, "timeout": 1},
            )
        ),
        "maintenance": new_snapshot(
            new_server(
                new_session("sales", Verdict.UNREACHABLE, ever_connected=True, **maintained),
                new_session("support", **maintained),
                up=False,
                **maintained,
            ),
            new_server(new_session(), name="other"),
        ),
        "paused": new_snapshot(new_server(new_session(), new_session("support", Verdict.PAUSED))),
        "unauthorized": new_snapshot(
            new_server(
                new_session("sales", Verdict.UNAUTHORIZED, **lost, **refused),
                secret_key_valid=False,
                default_secret=True,
            )
        ),
        "many": new_snapshot(
            new_server(*every),
            new_server(
                new_session(end_to_end=passed, healing=Healing()),
                new_session(
                    "silent",
                    Verdict.UNRESPONSIVE,
                    reason=Reason.WHATSAPP_NOT_ANSWERING,
                    end_to_end=failed,
                    healing=tried,
                    lost_at=NOON - seconds(600),
                    lost_reason=Reason.WHATSAPP_NOT_ANSWERING,
                ),
                new_session("new", end_to_end=EndToEnd()),
                name="branch",
                interval_seconds=7.5,
                end_to_end_offered=True,
                self_healing={"failed": 2, "connected": 1},
            ),
            new_server(new_session(**maintained), name="maintained", **maintained),
            new_server(
                new_session("new", Verdict.UNKNOWN, **never_probed),
                name="fresh",
                up=None,
                secret_key_valid=None,
                default_secret=None,
                version=None,
                recovery_seconds=None,
                probe_seconds=Histogram(bounds=(0.05, 0.5, 5), buckets=(0, 0, 0, 0), sum_seconds=0),
            ),
            new_server(new_session("idle"), name="off", enabled=False),
            new_server(name="empty"),
        ),
        "stale": new_snapshot(
            new_server(
                new_session("sales", **old, page_checked_at=NOON - seconds(37)),
                new_session("support", Verdict.WAITING_FOR_QR, **old),
                new_session("night", Verdict.PAUSED, **old),
                published_at=NOON - seconds(36),
            )
        ),
    }


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def timeouts() -> Timeouts:
    return Timeouts()


@pytest.fixture
def make_session() -> MakeSession:
    return new_session


@pytest.fixture
def make_server() -> MakeServer:
    return new_server


@pytest.fixture
def make_snapshot() -> Callable[..., Snapshot]:
    return new_snapshot


@pytest.fixture
def scenario() -> Callable[[str], Snapshot]:
    return scenarios().__getitem__


def new_own_metrics(**parts: Any) -> OwnMetrics:
    """Make own metrics that are alike everywhere: without those of the process, which are read from /proc."""
    return OwnMetrics("1.2.3", **({"python": "3.11.0", "proc": "/nowhere", "now": lambda: NOON} | parts))


@pytest.fixture
def make_own_metrics() -> Callable[..., OwnMetrics]:
    return new_own_metrics


@pytest.fixture
def new_exposition() -> Callable[..., Exposition]:
    return lambda own=None: Exposition(own or new_own_metrics())


@pytest.fixture
def make_app(new_exposition: Callable[..., Exposition]) -> Callable[..., ExporterApp]:
    """Build the application on a Snapshot; every other part can be given, too."""

    def make(read_snapshot: Callable[[], Snapshot], **parts: Any) -> ExporterApp:
        own = new_own_metrics()
        trigger = parts.pop("trigger", lambda server, session: None)
        token, monitored = parts.pop("webhook_token", None), parts.pop("monitored", ())
        webhook = Webhook(
            token,
            find_monitored=lambda session: [one for one in monitored if one[1] == session],
            series=ProbeSeries(trigger),
            own=own,
        )
        given: dict[str, Any] = {
            "read_settings": lambda: Settings(revision=0),
            "exposition": new_exposition(own),
            "prober": Prober(
                read_snapshot=read_snapshot, trigger=trigger, now=parts.get("now", lambda: NOON)
            ),
            "webhook": webhook,
            "access": Access(),
            "reload": None,
            "version": "1.2.3",
            "now": lambda: NOON,
        }
        return ExporterApp(read_snapshot=read_snapshot, **(given | parts))

    return make


@pytest.fixture
def ask(serve: Callable[..., tuple[str, int]], make_app: Callable[..., ExporterApp]) -> Callable[..., Any]:
    """Serve an application on a Snapshot and return a function that asks it."""

    def start(read_snapshot: Callable[[], Snapshot], **parts: Any) -> Callable[..., Any]:
        address = serve(make_app(read_snapshot, **parts))

        def request(
            path: str, method: str = "GET", headers: Any = None, body: Any = None
        ) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(*address, timeout=60)
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, dict(answer.getheaders()), content

        return request

    return start


@pytest.fixture
def golden() -> Callable[[str], str]:
    return lambda name: (GOLDEN / f"{name}.prom").read_text()


class Host:
    """A running server whose application can be exchanged: starting one for each test would take seconds."""

    def __init__(self, protocol: type[DeadlineProtocol], limit: int) -> None:
        self.app: Any = None
        listener = listen(("127.0.0.1", 0))
        self.address: tuple[str, int] = listener.getsockname()
        self._server = new_http_server(self._answer, protocol, limits=ConnectionLimits(limit))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[tuple[type[DeadlineProtocol], int], Host]]:
    running: dict[tuple[type[DeadlineProtocol], int], Host] = {}
    yield running
    for host in running.values():
        host.stop()


@pytest.fixture
def serve(hosts: dict[tuple[type[DeadlineProtocol], int], Host]) -> Callable[..., tuple[str, int]]:
    """Serve an ASGI application on loopback and return the address."""

    def start(
        app: Any, protocol: type[DeadlineProtocol] = DeadlineProtocol, limit: int = 256
    ) -> tuple[str, int]:
        key = (protocol, limit)
        host = hosts.get(key) or hosts.setdefault(key, Host(*key))
        host.app = app
        return host.address

    return start


@pytest.fixture
def talk() -> Callable[..., bytes]:
    """Send bytes to an address and read until the other side closes."""

    def exchange(address: tuple[str, int], request: bytes, timeout: float = 60) -> bytes:
        with socket.create_connection(address, timeout=timeout) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                return answer.read()

    return exchange
