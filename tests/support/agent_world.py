"""An installation with a sync agent that works turn by turn, and what a page would see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.exceptions import ConfigurationError, StoreError
from core.store import FileStore
from core.store.protocol import Record
from core.sync.agent import Agent
from core.sync.change_requests import (
    AgentStatus,
    ChangeKind,
    ChangeRequest,
    ChangeRequests,
    RequestState,
    SyncStatus,
)
from core.sync.sync import Sync
from tests.fakes import FakeClock
from tests.support.sync import API_KEY, MOMENT, Installation


class FailingStore(FileStore):
    """A store whose disk is full for orders in one state."""

    full_for: RequestState | None = None

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        if self.full_for and value and value.get("state") == self.full_for.value:
            raise StoreError("the disk is full", operation="write a record")
        return super().update(subject, key, value, expected_version=expected_version)


class AgentWorld:
    """The installation, and the agent of its data directory."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.clock = FakeClock(MOMENT)
        self.problem = ""
        self.file = installation.root / "sync.yml"
        self.file.write_text("stands for the sync file\n")
        self.store = FailingStore(installation.data / "store")
        self.requests = ChangeRequests(self.store, clock=self.clock)
        self.agent_status = AgentStatus(self.store, installation.data, clock=self.clock)
        self.agent = self.new_agent()

    def new_agent(self) -> Agent:
        """Another agent, as after a restart."""
        return Agent(
            self.open_sync,
            sync_file=self.file,
            change_requests=self.requests,
            agent_status=self.agent_status,
            generate=self.installation.secret_values.generate,
            record=self.installation.history.append,
            data_directory=self.installation.data,
            program="agent[1]",
            clock=self.clock,
            check_seconds=0.0,
        )

    def open_sync(self) -> Sync:
        if self.problem:
            raise ConfigurationError([self.problem])
        return self.installation.sync

    def run_once(self) -> ChangeRequest:
        """Let the agent work once, and look at the order."""
        self.agent.run_once()
        request = self.requests.current()
        assert request is not None
        return request

    def approved(self) -> ChangeRequest:
        """Ask for a new key, have it planned, and agree."""
        self.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
        request = self.run_once()
        assert request.plan is not None
        return self.requests.approve(request.id, request.plan.digest, actor="rui")

    def status(self) -> SyncStatus:
        """Let the agent look, and read what it tells."""
        self.agent.run_once()
        found = self.agent_status.read()
        assert found is not None
        return found
