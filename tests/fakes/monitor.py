"""A monitor that shows what a test gives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.models import ServerSnapshot, Snapshot
from tests.fakes.clock import FakeClock


class FakeMonitor:
    """Gateways as a test describes them, and which sessions somebody watched."""

    def __init__(self, *servers: ServerSnapshot, clock: Callable[[], datetime] | None = None) -> None:
        self.servers = servers
        self.watched: list[tuple[str, str]] = []
        self._clock = clock or FakeClock()

    def snapshot(self) -> Snapshot:
        """Return what is shown."""
        return Snapshot(taken_at=self._clock(), settings_revision=0, servers=self.servers)

    def watch(self, server: str, session: str, seconds: float = 60.0) -> None:
        """Record that a session is on screen."""
        self.watched.append((server, session))
