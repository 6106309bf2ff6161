"""What the processes of an installation share: which of them probes a gateway, its snapshot, and locks."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from core.clock import Now, now
from core.locks import FileLocks, Locks
from core.snapshot import SnapshotExchange
from core.store.protocol import HistoryLog


class ProberLease(Protocol):
    """The right to probe one gateway. For use beside the lock of this machine, which its holder has, too."""

    @property
    def is_over(self) -> bool:
        """Whether its holder must release it: another process took it, or is to have it."""

    def try_acquire(self) -> bool:
        """Acquire the lease if this process has it and does not use it. Does not wait."""

    def release(self) -> None:
        """Release the lease once what was published is with the other processes. Does not wait."""

    def fenced(self, history: HistoryLog) -> HistoryLog:
        """Return the history, which refuses the entries of a holder that lost the lease."""


class Coordination(Protocol):
    """What the processes of an installation share."""

    @property
    def exchange(self) -> SnapshotExchange:
        """Snapshots of all gateways, and attention to sessions."""

    @property
    def locks(self) -> Locks:
        """Locks by name."""

    def share(self, servers: Collection[str]) -> None:
        """Offer to probe these gateways and no others. Does not wait."""

    def prober_lease(self, server: str) -> ProberLease:
        """Return a gateway's lease, which is not acquired yet."""

    def close(self) -> None:
        """Release everything that this process holds."""


class OneMachine:
    """Processes that share a data folder: files and locks are enough for them."""

    def __init__(self, data: Path, *, clock: Now = now) -> None:
        self.exchange = SnapshotExchange(data / "snapshots", clock=clock)
        self.locks = FileLocks(data / "locks")

    def share(self, servers: Collection[str]) -> None:
        """Do nothing: the first process that locks a gateway probes it."""

    def prober_lease(self, server: str) -> ProberLease:  # noqa: ARG002 - all gateways are alike
        """Return a lease that is always free, since the lock of this machine decides."""
        return AlwaysFree()

    def close(self) -> None:
        """Do nothing: each lock is released by its holder."""


class AlwaysFree:
    """A lease that is never held elsewhere."""

    is_over = False

    def try_acquire(self) -> bool:
        """Return True."""
        return True

    def release(self) -> None:
        """Do nothing."""

    def fenced(self, history: HistoryLog) -> HistoryLog:
        """Return the history itself."""
        return history
