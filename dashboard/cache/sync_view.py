"""Everything that the page "Sync" shows, read from the store at one moment; memory while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

from core.runtime import Core
from core.sync.agent_status import AgentStatus, Heartbeat, SyncStatus
from core.sync.change_requests import ChangeRequest, ChangeRequests, RequestState
from core.sync.plan import Plan


@dataclass(frozen=True)
class SyncView:
    """What is known of the sync agent and its work."""

    agent: Heartbeat | None
    """None: it is not running."""
    bulletin: SyncStatus | None
    """None: no agent ever ran here."""
    order: ChangeRequest | None

    @property
    def plan(self) -> Plan | None:
        """How everything stands with the values in force."""
        return self.bulletin.plan if self.bulletin else None

    @property
    def is_busy(self) -> bool:
        """Tell that an order is under way: no other can be placed."""
        return self.order is not None and not self.order.state.is_final

    @property
    def is_running(self) -> bool:
        """Tell that something is going on that the reader waits for."""
        return self.order is not None and self.order.state in (
            RequestState.ASKED,
            RequestState.APPROVED,
            RequestState.RUNNING,
        )


def read_view(core: Core) -> SyncView:
    """Read all of it; costs a few looks at files' dates while nothing changes."""
    board = AgentStatus(core.store, core.data_directory)
    return SyncView(
        agent=board.heartbeat(), bulletin=board.read(), order=ChangeRequests(core.store).current()
    )
