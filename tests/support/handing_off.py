"""Hand-off links without a gateway: what the routes see of it is played by the test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.clock import Now
from core.clock import now as real_now
from core.handoffs import Handoffs
from core.models import SessionSnapshot, Snapshot
from core.operation_status import Kind, OperationStatus
from core.settings.values import SessionSettings
from core.store import FileStore, History
from dashboard.auth.cookies import CookieRule
from dashboard.handoff.routes import HandoffRoutes
from tests.support.snapshots import server_snapshot


class PlayedGateway:
    """Monitor and operations in one."""

    def __init__(self) -> None:
        self.sessions: list[SessionSnapshot] = []
        self.asked: list[tuple[str, str, str]] = []
        self.described: SessionSettings | None = None
        self.numbers: list[str] = []
        self.makers = {"ana"}
        self.obstacle: str | None = None
        self.running: OperationStatus | None = None
        self.watched: set[tuple[str, str]] = set()

    def snapshot(self) -> Snapshot:
        """Return what the test has put there."""
        now = datetime.now(UTC)
        server = server_snapshot(*self.sessions, at=now)
        return Snapshot(taken_at=now, settings_revision=1, servers=(server,))

    def watch(self, server: str, session: str, _seconds: float) -> None:
        """Note who is looked at."""
        self.watched.add((server, session))

    def pair(self, server: str, session: str, *, actor: str, phone: str | None = None) -> OperationStatus:
        """Note who asked, and for which number."""
        self.asked.append((server, session, actor))
        if phone is not None:
            self.numbers.append(phone)
        now = datetime.now(UTC)
        return OperationStatus(
            server=server,
            session=session,
            kind=Kind.PAIR,
            actor=actor,
            holder="test",
            started_at=now,
            step_since=now,
        )

    def settings_of(self, _server: str, session: str) -> SessionSettings | None:
        """Return what an administrator typed."""
        return self.described if self.described is not None and self.described.name == session else None

    def status(self, _server: str, _session: str) -> OperationStatus | None:
        """Return what the test lets run."""
        return self.running

    def code_obstacle(self, _server: str, _session: str) -> str | None:
        """Return what the test puts in the way of a pairing code."""
        return self.obstacle


def handoffs(
    data: Path, rule: CookieRule, gateway: PlayedGateway | None = None, *, now: Now = real_now
) -> HandoffRoutes:
    """Return the routes over a real store."""
    kept = Handoffs(FileStore(data / "store"), History(data / "history").append, now=now)
    played = gateway or PlayedGateway()
    return HandoffRoutes(
        kept,
        played,
        played,
        rule,
        may_make=played.makers.__contains__,
        settings_of=played.settings_of,
        now=now,
    )
