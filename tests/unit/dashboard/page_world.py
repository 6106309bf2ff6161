"""A core for page tests: hand-made snapshots, recorded operations, real settings on a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

import dashboard
from core.clock import now as real_now
from core.exceptions import ConnectError
from core.handoffs import Handoffs
from core.messages import Message
from core.messages.operation import OUTCOMES
from core.models import (
    Outcome,
    QrCode,
    ServerSnapshot,
    SessionSnapshot,
    Verdict,
)
from core.operation_status import SUCCESSES, OperationStatus
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore, History
from dashboard.auth.users import Role, User
from dashboard.i18n import negotiate, translator
from tests.fakes import FakeMonitor, FakeOperations
from tests.support.snapshots import server_snapshot
from tests.support.waiting import until

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
APP = Path(dashboard.__file__).with_name("app.py")
ENVIRONMENT = {
    "WPPCONNECT_URL": "http://127.0.0.1:21465",
    "WPPCONNECT_SECRET_KEY": "a-secret-of-the-gateway",
    "WPPCONNECT_SESSIONS": "sales,support",
}


def ago(**units: float) -> datetime:
    """A moment before the tests' now."""
    return NOW - timedelta(**units)


def session(name: str = "sales", verdict: str = "disconnected", **fields: Any) -> SessionSnapshot:
    """A session as the monitor would show it."""
    standard: dict[str, Any] = {
        "server": "main",
        "session": name,
        "enabled": verdict != "paused",
        "verdict": Verdict(verdict),
        "since": ago(minutes=12),
        "ever_connected": True,
        "last_connected": ago(minutes=12),
    }
    return SessionSnapshot(**(standard | fields))


def server(*sessions: SessionSnapshot, **fields: Any) -> ServerSnapshot:
    """A gateway with sessions."""
    return server_snapshot(*sessions, at=NOW, **({"secret_key_valid": True} | fields))


def qr(payload: str = "2@payload", *, age_seconds: float = 0.0, life_seconds: float = 60) -> QrCode:
    """A live code."""
    return QrCode(payload=payload, first_seen=ago(seconds=age_seconds), life_seconds=life_seconds)


def operation(name: str = "sales", kind: str = "pair", **fields: Any) -> OperationStatus:
    """An operation that runs."""
    standard: dict[str, Any] = {
        "server": "main",
        "session": name,
        "kind": kind,
        "actor": "ana",
        "holder": "wppconnect-dashboard[1]",
        "started_at": ago(seconds=8),
        "step_since": ago(seconds=8),
    }
    return OperationStatus(**(standard | fields))


def ended(code: str, name: str = "sales", kind: str = "pair", **fields: Any) -> OperationStatus:
    """An operation that ended with an outcome."""
    outcome = Outcome(ok=code in SUCCESSES, code=code, message=OUTCOMES[code], at=NOW)
    return operation(name, kind, step="done", finished_at=NOW, outcome=outcome, **fields)


class NobodyListens:
    """A gateway's client, at whose address nobody is."""

    def read_health(self) -> None:
        raise ConnectError(Message("transport.refused"))

    def close(self) -> None:
        """There is nothing to close."""


class FakeCore:
    """What `state.install` gets in tests."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.monitor = FakeMonitor(clock=lambda: NOW)
        self.operations = FakeOperations(clock=lambda: NOW)
        self.history = History(directory / "history", clock=lambda: NOW)
        self.directory = directory
        self.data_directory = directory.parent
        self.store = FileStore(directory)
        self.handoffs = Handoffs(self.store, self.history.append, now=lambda: NOW)
        self.settings = SettingsSource(load_environment(environ), self.store)
        self.client: Any = lambda server: NobodyListens()
        self.now = real_now

    @contextmanager
    def trial_client(self, server: Any, _settings: Any) -> Iterator[Any]:
        """Yield the client of a test whose settings are not saved."""
        with closing(self.client(server)) as client:
            yield client

    def shows(self, *sessions: SessionSnapshot, **fields: Any) -> None:
        """Let the monitor show one gateway with these sessions."""
        self.monitor.servers = (server(*sessions, **fields),)


@dataclass
class FakeSignIns:
    """Says who is signed in."""

    user: User | None = field(default_factory=lambda: User(name="ana", role=Role.ADMINISTRATOR))

    changed_elsewhere: Callable[[FakeSignIns], None] = lambda _sign_ins: None
    """What another process changes between two looks."""

    def user_of(self, cookie: str | None) -> User | None:
        return self.user

    has_to_confirm: bool = False

    def must_confirm(self, cookie: str | None) -> bool:
        return self.has_to_confirm

    def refresh(self) -> None:
        self.changed_elsewhere(self)


def open_page(page: str = "", *, locale: str = "en-GB", **query: str) -> AppTest:
    """Run the page as a browser would open it, until all that is read in the background is there."""
    return until(lambda: _complete(_run_page(page, locale, query), locale), what="the whole page")


def _complete(app: AppTest, locale: str) -> AppTest | None:
    loading = translator(negotiate(locale))("Loading...")
    return None if loading in shown(app) else app


def _run_page(page: str, locale: str, query: Mapping[str, str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.context["locale"] = locale
    app.context["timezone"] = "Europe/Lisbon"
    for name, value in query.items():
        app.query_params[name] = value
    if page:
        app.switch_page(f"screens/{page}.py")
    return app.run()


def shown(app: AppTest) -> str:
    """Return everything that is drawn as text, in one string."""
    parts = [element.proto.body for element in app.get("html")]
    parts += [one.value for one in app.markdown]
    return "\n".join(parts)
