"""The whole exposition of a Snapshot, kept until the Snapshot, or what time makes of it, changes.

One `Exposition` belongs to one thread, the event loop's.
"""

from __future__ import annotations

import gzip
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.clock import Monotonic, monotonic
from core.models import ServerSnapshot, SessionSnapshot, Snapshot
from core.settings.values import Timeouts
from exporter.collector import SERVER_METRICS, SESSION_METRICS, expiry, server_at, session_at, stale_after
from exporter.lines import Family, Format, end_text, family_text, label_pairs, sample_line
from exporter.metrics import CATALOGUE
from exporter.own_metrics import OwnMetrics
from exporter.process import process_families
from exporter.rows import Rows

PROCESS_METRICS_KEPT_SECONDS = 1.0
"""Reading /proc costs more than the rest of a scrape: a flood of scrapes must not multiply it."""


@dataclass(frozen=True)
class _Basis:
    """What the kept lines were made from, and the span of time in which it means the same."""

    servers: tuple[ServerSnapshot, ...]
    timeouts: Timeouts
    since: datetime
    until: datetime

    def holds(self, snapshot: Snapshot, now: datetime, timeouts: Timeouts) -> bool:
        return (
            timeouts is self.timeouts
            and self.since <= now <= self.until
            and len(self.servers) == len(snapshot.servers)
            and all(one is other for one, other in zip(self.servers, snapshot.servers, strict=True))
        )


class Exposition:
    """Render Snapshots to bytes; every kept text is what a fresh rendering would give."""

    def __init__(
        self,
        *,
        version: str,
        own: OwnMetrics | None = None,
        python: str = platform.python_version(),
        read_process: Callable[[], list[Family]] = process_families,
        clock: Monotonic = monotonic,
    ) -> None:
        self._read_process = read_process
        self._own = own or OwnMetrics()
        self._own_lines: dict[str, str] = {}
        self._clock = clock
        self._servers: Rows[ServerSnapshot] = Rows(CATALOGUE, SERVER_METRICS)
        self._sessions: Rows[SessionSnapshot] = Rows(CATALOGUE, SESSION_METRICS)
        build = label_pairs(("version", "python"), (version, python))
        self._build = {
            "wppconnect_exporter_build_info": sample_line("wppconnect_exporter_build_info", build, 1)
        }
        self._basis: _Basis | None = None
        self._process: list[Family] = []
        self._process_read_at = float("-inf")
        self._bodies: dict[tuple[Format, bool], bytes] = {}

    def body(
        self, snapshot: Snapshot, now: datetime, timeouts: Timeouts, form: Format, *, zipped: bool = False
    ) -> bytes:
        """Write what a scrape at `now` is answered."""
        if self._basis is None or not self._basis.holds(snapshot, now, timeouts):
            self._take_over(snapshot, now, timeouts)
        self._refresh_process()
        self._refresh_own()
        body = self._bodies.get((form, zipped))
        if body is None:
            text = "".join(family_text(family, form) for family in self._families())
            body = (text + end_text(form)).encode()
            # The lines are so alike that the fastest level leaves a twentieth.
            body = gzip.compress(body, compresslevel=1) if zipped else body
            self._bodies[(form, zipped)] = body
        return body

    def _families(self) -> list[Family]:
        lines = self._servers.lines | self._sessions.lines | self._build | self._own_lines
        ours = [Family(metric.name, metric.kind, metric.help, lines[metric.name]) for metric in CATALOGUE]
        return ours + self._process

    def _take_over(self, snapshot: Snapshot, now: datetime, timeouts: Timeouts) -> None:
        self._basis = None
        servers: list[tuple[tuple[str, ...], ServerSnapshot]] = []
        sessions: list[tuple[tuple[str, ...], SessionSnapshot]] = []
        expiries: list[datetime] = []
        for server in snapshot.servers:
            limit = stale_after(server, timeouts)
            servers.append(((server.server,), server_at(server, now, limit)))
            sessions.extend(
                ((server.server, session.session), session_at(server, session, now, limit))
                for session in server.sessions
            )
            expiries.extend(expiry(server, limit))
        self._servers.update(servers)
        self._sessions.update(sessions)
        until = min((one for one in expiries if one >= now), default=datetime.max.replace(tzinfo=UTC))
        self._basis = _Basis(snapshot.servers, timeouts, since=now, until=until)
        self._bodies.clear()

    def _refresh_own(self) -> None:
        lines = self._own.lines()
        if lines != self._own_lines:
            self._own_lines = lines
            self._bodies.clear()

    def _refresh_process(self) -> None:
        now = self._clock()
        if now - self._process_read_at >= PROCESS_METRICS_KEPT_SECONDS:
            self._process, self._process_read_at = self._read_process(), now
            self._bodies.clear()
