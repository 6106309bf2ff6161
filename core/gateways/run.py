"""The protocol of a running operation that procedures use; implemented by `OperationRun`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from core.gateways.wppconnect.client import GatewayClient
from core.gateways.wppconnect.contract.waits import Waits
from core.linking_events import LinkingEvents
from core.models import SessionSnapshot
from core.operation_status import Facts, Step

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class BackgroundCall(Protocol[T_co]):
    """A call in its own thread, since its response may never come."""

    @property
    def done(self) -> bool:
        """Whether the call has ended."""

    def result(self) -> T_co:
        """Wait for the result and return it; raise the call's error."""


class Run(Protocol):
    """The part of a running operation that its procedure uses."""

    client: GatewayClient
    session: str
    waits: Waits
    facts: Facts
    webhook: str | None

    @property
    def by_itself(self) -> bool: ...
    @property
    def gateway_started_at(self) -> datetime | None: ...
    def linking_events(self) -> LinkingEvents: ...
    def now(self) -> datetime: ...
    def step(self, step: Step, *, until: datetime | None = None) -> None: ...
    def show_code(self, code: str | None, *, until: datetime | None = None) -> None: ...
    def remember(self, **facts: object) -> None: ...
    def acted(self) -> None: ...
    def snapshot(self) -> SessionSnapshot | None: ...
    def look(self) -> SessionSnapshot: ...
    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None: ...
    def wait_until(self, moment: datetime) -> None: ...
    def run_in_thread(self, call: Callable[[], T]) -> BackgroundCall[T]: ...
