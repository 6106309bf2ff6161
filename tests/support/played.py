"""A prober that a test plays: the page reads what it publishes, and probes nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.locks import ProcessLock
from core.models import HistoryEntry, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.snapshot import SnapshotExchange
from core.store import History
from tests.support.snapshots import server_snapshot

HEARTBEAT_SECONDS = 1.0
Turn = tuple[float, str, Reason]
"""So many minutes ago the session turned into this verdict, for this reason."""


class PlayedProber:
    """Holds the lease of one gateway and publishes sessions as a test wants them to be seen."""

    def __init__(self, data: Path, server: str = "main") -> None:
        self.server = server
        self.history = History(data / "history")
        self._exchange = SnapshotExchange(data / "snapshots")
        self._lease = ProcessLock(data / "locks" / f"lease-{server}.lock")
        self._sessions: dict[str, SessionSnapshot] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="played-prober")

    def knows(self, name: str, *turns: Turn) -> None:
        """Let a session have gone through these verdicts, the oldest first; the last one holds."""
        now = datetime.now(UTC)
        entries, before, since = [], "unknown", now - timedelta(minutes=turns[0][0] + 1)
        for minutes, verdict, reason in turns:
            at = now - timedelta(minutes=minutes)
            held = (at - since).total_seconds()
            data = {"from": before, "to": verdict, "reason": reason.value, "held_seconds": held}
            entries.append(
                HistoryEntry(at=at, kind="transition", server=self.server, session=name, data={**data})
            )
            before, since = verdict, at
        self.history.append(*entries)
        connected = [at for at, verdict, _ in turns if verdict == "connected"]
        lost = turns[-1][0] if before not in ("connected", "paused") and connected else None
        session = SessionSnapshot(
            server=self.server,
            session=name,
            enabled=before != "paused",
            verdict=Verdict(before),
            reason=turns[-1][2],
            since=since,
            ever_connected=bool(connected),
            last_connected=(now if before == "connected" else since) if connected else None,
            lost_at=now - timedelta(minutes=lost) if lost is not None else None,
            lost_reason=turns[-1][2] if lost is not None else Reason.NONE,
        )
        with self._lock:
            self._sessions[name] = session

    def publish(self) -> None:
        """Let everybody see what is known."""
        now = datetime.now(UTC)
        with self._lock:
            sessions = [
                one.model_copy(update={"observed_at": now, "page_checked_at": now, "page_answers": True})
                for one in self._sessions.values()
            ]
        self._exchange.publish(_server(self.server, sessions, now))

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            self.publish()

    def start(self) -> None:
        """Take the lease; nobody else probes from now on."""
        self._lease.acquire(5.0)
        self._thread.start()

    def stop(self) -> None:
        """Let go."""
        self._stop.set()
        self._thread.join()
        self._lease.release()


@contextmanager
def played(data: Path, server: str = "main") -> Iterator[PlayedProber]:
    """Play the prober of a gateway until the test ends."""
    prober = PlayedProber(data, server)
    prober.start()
    try:
        yield prober
    finally:
        prober.stop()


def _server(name: str, sessions: Sequence[SessionSnapshot], now: datetime) -> ServerSnapshot:
    return server_snapshot(*sessions, at=now, server=name, secret_key_valid=True, version="2.10.4")
