"""What the page "Sync" shows: a sync agent that publishes and moves requests, and its plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from page_world import FakeCore

from core.messages import Message
from core.sync.change_requests import (
    AgentStatus,
    ChangeRequest,
    ChangeRequests,
    Heartbeat,
    KnownBackup,
    RequestState,
    SyncStatus,
)
from core.sync.plan import (
    FilePlan,
    Plan,
    TargetPlan,
)
from core.sync.targets import State
from tests.support.sync import API_KEY

ENV = "leguas/.env:AUTHENTICATION_API_KEY"


class Agent:
    """Plays the sync agent."""

    def __init__(self, core: FakeCore) -> None:
        self.board = AgentStatus(core.store, core.data_directory)
        self.requests = ChangeRequests(core.store)

    def beats(self, *, ago_seconds: float = 0.0, **fields: Any) -> None:
        """Write a heartbeat."""
        at = datetime.now(UTC) - timedelta(seconds=ago_seconds)
        values = {"at": at, "program": "wppconnect-ops sync agent[1]", "checked_at": at}
        self.board.beat(Heartbeat.model_validate(values | fields))

    def tells(self, state: State = State.IN_SYNC, why: Message | None = None, **fields: object) -> None:
        """Publish how things stand."""
        self.beats()
        now = datetime.now(UTC)
        backup = KnownBackup(
            id="20261125T104200Z-abcdef",
            at=now,
            actor="ana",
            kind="apply",
            files=("leguas/.env",),
            changes_values=True,
        )
        values = {"plan": plan(state, why), "kinds": (API_KEY,), "backups": (backup,)} | fields
        self.board.publish(SyncStatus.model_validate(values))

    def moves(self, state: RequestState, **changes: object) -> ChangeRequest:
        """Move the request to another state."""
        request = self.request()
        return self.requests.change(
            request.id, lambda one: one.model_copy(update={"state": state, **changes})
        )

    def request(self) -> ChangeRequest:
        """Return the newest request."""
        request = self.requests.current()
        assert request is not None
        return request


def plan(state: State, why: Message | None = None, **fields: object) -> Plan:
    """A plan of one target."""
    file = FilePlan(
        folder="leguas", file=".env", path="/srv/.env", before="a", after="b", diff="-A=‹current value›"
    )
    values = {
        "made_at": datetime.now(UTC),
        "targets": (TargetPlan(target=ENV, receives="api_key", state=state, why=why),),
        "files": (file,) if state is State.WILL_CHANGE else (),
        "digest": "digest-1",
    }
    return Plan.model_validate(values | fields)
