"""The content of the page "Sync", read from the store at one moment; cached while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

from core.runtime import Core
from core.sync.change_requests import (
    AgentStatus,
    ChangeRequest,
    ChangeRequests,
    Heartbeat,
    SyncStatus,
)
from core.sync.plan import Plan


@dataclass(frozen=True)
class SyncView:
    """The state of the sync agent and its work."""

    agent: Heartbeat | None
    """None if it is not running."""
    status: SyncStatus | None
    """None if no agent has ever run here."""
    request: ChangeRequest | None

    @property
    def plan(self) -> Plan | None:
        """The plan for the values in force."""
        return self.status.plan if self.status else None

    @property
    def is_busy(self) -> bool:
        """Whether a change request is open, so that no other can be made."""
        return self.request is not None and not self.request.state.is_final

    @property
    def is_running(self) -> bool:
        """Whether a change request waits for the agent or is running."""
        return self.request is not None and self.request.state.is_agents_turn


def read_view(core: Core) -> SyncView:
    """Return the current state; costs a few stat calls while nothing changes."""
    stored = AgentStatus(core.store, core.data_directory)
    return SyncView(
        agent=stored.heartbeat(), status=stored.read(), request=ChangeRequests(core.store).current()
    )
