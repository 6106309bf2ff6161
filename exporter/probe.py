"""`/probe` probes a session now, through the process that probes its gateway; `/sd` lists the targets.

The holder of the gateway's lease is triggered and its result awaited. The limit of concurrent requests thus
holds, a frozen page delays no other session, and `/metrics` is consistent with the result.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core import verdict
from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.logs import redact, showable
from core.models import Reason, SessionSnapshot, SessionState, Snapshot, Verdict
from core.settings.values import Settings
from exporter.catalogue import SESSION_METRICS, Kind, Metric
from exporter.collector import Samples, counts_as_up_or_down, flag, value
from exporter.exposition import Families, Format, encode, family_of

POLL_SECONDS = 0.05
OFFSET_SECONDS = 0.5
"""Time for a response to reach Prometheus before the scrape timeout."""
USUAL_SECONDS = 10.0
LONGEST_SECONDS = 60.0
PLAIN = re.compile(r"[\w.:+/-]+")
"""Values that a line of the log of a probe holds without quotes."""

SUCCESS = Metric(
    "probe_success",
    Kind.GAUGE,
    "Whether the session is connected, by this probe; no sample while it is paused or in maintenance.",
    (),
)
DURATION = Metric("probe_duration_seconds", Kind.GAUGE, "How long the probe took.", ())


@dataclass(frozen=True)
class ProbeResult:
    """The result of a probe."""

    session: SessionSnapshot
    began_at: datetime
    is_answered: bool
    """Whether the session was probed in time, with any result."""
    seconds: float

    @property
    def is_success(self) -> bool | None:
        """Whether the session is connected according to this probe; None if paused or in maintenance."""
        if not counts_as_up_or_down(self.session):
            return None
        return self.is_answered and self.session.verdict is Verdict.CONNECTED


@dataclass
class _Pending:
    """A probe in progress and the number of requests waiting for it."""

    began_at: datetime
    answer: asyncio.Future[SessionSnapshot] = field(repr=False)
    requests: int = 0


class Prober:
    """Probes sessions on request. Belongs to one event loop; `trigger` must return at once."""

    def __init__(
        self,
        *,
        read_snapshot: Callable[[], Snapshot],
        trigger: Callable[[str, str], None],
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._read_snapshot = read_snapshot
        self._trigger = trigger
        self._now = now
        self._monotonic = monotonic
        self._pending: dict[tuple[str, str], _Pending] = {}
        self._poller: asyncio.Task[None] | None = None

    async def probe(self, server: str, session: str, *, seconds: float) -> ProbeResult | None:
        """Probe a session within `seconds`; return None if it is not configured.

        Concurrent requests for a session share a probe.
        """
        began = self._monotonic()
        key = (server, session)
        latest = self._read_snapshot().session(*key)
        if latest is None:
            return None
        if latest.verdict is Verdict.PAUSED:
            return ProbeResult(latest, self._now(), is_answered=True, seconds=0.0)
        pending = self._pending.get(key) or self._begin(key)
        pending.requests += 1
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.shield(pending.answer)
            return ProbeResult(found, pending.began_at, is_answered=True, seconds=self._monotonic() - began)
        except TimeoutError:
            late = _unproved(self._read_snapshot().session(*key) or latest, pending.began_at, self._now())
            return ProbeResult(late, pending.began_at, is_answered=False, seconds=self._monotonic() - began)
        finally:
            pending.requests -= 1
            if not pending.requests and self._pending.get(key) is pending:
                del self._pending[key]

    def _begin(self, key: tuple[str, str]) -> _Pending:
        pending = _Pending(self._now(), asyncio.get_running_loop().create_future())
        self._pending[key] = pending
        self._trigger(*key)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        return pending

    async def _poll(self) -> None:
        while self._pending:
            await asyncio.sleep(POLL_SECONDS)
            try:
                snapshot = self._read_snapshot()
            except Exception as error:  # noqa: BLE001 - raised in every request that waits
                for pending in self._pending.values():
                    pending.answer.set_exception(error)
                self._pending.clear()
                return
            for key, pending in list(self._pending.items()):
                found = snapshot.session(*key)
                if found is not None and _is_answer(found, pending.began_at):
                    del self._pending[key]
                    pending.answer.set_result(found)


def budget_seconds(header: str | None) -> float:
    """Return X-Prometheus-Scrape-Timeout-Seconds minus the time that the response needs to arrive."""
    try:
        timeout = float(header or "")
    except ValueError:
        timeout = USUAL_SECONDS
    if not (math.isfinite(timeout) and timeout > 0):
        timeout = USUAL_SECONDS
    offset = min(OFFSET_SECONDS, timeout / 2)
    return min(timeout - offset, LONGEST_SECONDS)


def probe_body(result: ProbeResult, form: Format) -> bytes:
    """Return the response body. Samples have no `server` and `session`: these are labels of the target."""
    success = result.is_success

    def rows() -> Iterator[tuple[Metric, Samples]]:
        yield SUCCESS, flag(success)
        yield DURATION, value(round(result.seconds, 6))
        yield from ((metric, metric.measure(result.session)) for metric in SESSION_METRICS)

    families = (family_of(metric, (((), sample) for sample in samples)) for metric, samples in rows())
    return encode(Families(*families), form)


def debug_text(result: ProbeResult, settings: Settings) -> str:
    """Return what happened in a probe, its metrics and the settings it used, as text for people.

    Codes, phone numbers, keys and addresses are left out.
    """
    server = settings.server(result.session.server)
    used = {
        "interval_seconds": settings.interval_seconds,
        "end_to_end_minutes": server.end_to_end_minutes if server else 0,
        **settings.timeouts.model_dump(
            include={"connect_seconds", "status_seconds", "check_connection_seconds"}
        ),
    }
    parts = {
        "Log of the probe, oldest first; what stands before probe_requested was known before:": [
            f"{moment.isoformat(timespec='milliseconds')} {event} {_pairs(values)}".rstrip()
            for moment, event, values in sorted(_events(result), key=lambda line: line[0])
        ],
        "Metrics that would have been returned:": probe_body(result, Format.TEXT).decode().splitlines(),
        "Settings:": [_pairs({name: value}) for name, value in used.items()],
    }
    return "\n".join(f"{title}\n" + "".join(f"{line}\n" for line in lines) for title, lines in parts.items())


def _events(result: ProbeResult) -> Iterator[tuple[datetime, str, Mapping[str, object]]]:
    session = result.session
    yield result.began_at, "probe_requested", {"server": session.server, "session": session.session}
    if session.probe_started_at:
        yield session.probe_started_at, "probe_started", {}
    if session.observed_at:
        yield session.observed_at, "state_read", {"state": session.state}
    if session.page_checked_at:
        page = {"answers": session.page_answers, "timed_out": session.page_timed_out}
        yield session.page_checked_at, "page_checked", page
    if session.problem:
        problem = {"kind": session.problem.kind, "message": redact(showable(session.problem.message))}
        yield session.problem.at, "problem", problem
    yield (
        result.began_at + timedelta(seconds=result.seconds),
        "probe_ended",
        {
            "success": result.is_success,
            "verdict": session.verdict,
            "reason": session.reason,
            "in_time": result.is_answered,
        },
    )


def _pairs(values: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in values.items())


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value) if PLAIN.fullmatch(str(value)) else json.dumps(str(value))


def monitored_sessions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield server and session name of every session that is not paused."""
    for server in settings.servers:
        if server.enabled:
            yield from ((server.name, session.name) for session in server.sessions if session.enabled)


def targets(settings: Settings, address: str, *, is_tls: bool) -> list[dict[str, object]]:
    """Return the monitored sessions in the format of Prometheus's HTTP service discovery.

    `address` is where Prometheus reaches this exporter. `server` and `session` are labels of the target, so
    that `up` has them, too; the samples of `/probe` have neither, to avoid a collision.
    """
    # No scheme for plain HTTP: a proxy may terminate TLS, which only the scrape job knows.
    scheme = {"__scheme__": "https"} if is_tls else {}
    return [
        {
            "targets": [address],
            "labels": {
                "__metrics_path__": "/probe",
                "__param_server": server,
                "__param_session": session,
                "server": server,
                "session": session,
                **scheme,
            },
        }
        for server, session in monitored_sessions(settings)
    ]


def _is_answer(session: SessionSnapshot, began_at: datetime) -> bool:
    """Return whether a session was probed since `began_at`, and its page, too, unless that is broken."""
    if session.verdict is Verdict.PAUSED:
        return True
    started, checked = session.probe_started_at, session.page_checked_at
    if started is None or started < began_at:
        return False
    if session.state is not SessionState.CONNECTED or session.verdict is Verdict.UNRESPONSIVE:
        return True
    return session.problem is not None or (checked is not None and checked >= began_at)


def _unproved(session: SessionSnapshot, began_at: datetime, now: datetime) -> SessionSnapshot:
    """Return a session as unknown, after a probe without a result in time."""
    if session.probe_started_at is not None and session.probe_started_at >= began_at:
        return verdict.conclude(session, Verdict.UNKNOWN, Reason.PAGE_NOT_ANSWERING, now)
    return verdict.conclude(session, Verdict.UNKNOWN, Reason.GATEWAY_TIMEOUT, now)
