"""From a Snapshot to the values of each metric: pure functions, no I/O, no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from core.contract import web_versions
from core.models import Histogram, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.monitor.self_healing import Healed
from core.reasons import Loss, ProbeFailure
from core.settings.values import Timeouts
from core.verdict import conclude, page_stale_after, stale_after_seconds, with_staleness

AUTH_FAILURE_REASONS = (Reason.TOKEN_REJECTED, Reason.SECRET_REJECTED)
"""Each is served from 0 on, because `increase()` of a counter that first appears at 1 is 0."""


class Sample(NamedTuple):
    """One value; `labels` are the label values beyond those of the subject."""

    value: float
    labels: tuple[str, ...] = ()
    suffix: str = ""


Samples = tuple[Sample, ...]


def stale_after(server: ServerSnapshot, timeouts: Timeouts) -> timedelta:
    """Tell how old news of this server may be before they say nothing about now."""
    seconds = stale_after_seconds(server.interval_seconds, timeouts, server.hold_off_seconds)
    return timedelta(seconds=seconds)


def is_stale(server: ServerSnapshot, now: datetime, timeouts: Timeouts) -> bool:
    """Tell whether nobody has published news of this server for too long."""
    return now > server.published_at + stale_after(server, timeouts)


def server_at(server: ServerSnapshot, now: datetime, limit: timedelta) -> ServerSnapshot:
    """Show a server as it is known at `now`: of a stale or paused one it is not known whether it is up."""
    if server.up is not None and (not server.enabled or now > server.published_at + limit):
        return server.model_copy(update={"up": None})
    return server


def session_at(
    server: ServerSnapshot, session: SessionSnapshot, now: datetime, limit: timedelta
) -> SessionSnapshot:
    """Show a session as it is known at `now`: paused, unknown when its news are stale, else as published.

    `limit` is `stale_after` of its server. What holds as published comes back as the same object.
    """
    if session.verdict == Verdict.PAUSED:
        return session
    if not (server.enabled and session.enabled):
        return session.model_copy(update={"verdict": Verdict.PAUSED})
    expires = server.published_at + limit
    if now > expires:
        return conclude(session, Verdict.UNKNOWN, Reason.STALE, expires)
    if session.verdict == Verdict.CONNECTED:
        # A holder that goes on publishing without probing must not keep a session connected for ever.
        return with_staleness(session, now, limit)
    return session


def expiry(server: ServerSnapshot, limit: timedelta) -> list[datetime]:
    """List the moments at which news of a server and of its connected sessions stop being fresh."""
    ends = [
        one.page_checked_at + page_stale_after(one, limit) if one.page_checked_at else one.observed_at + limit
        for one in server.sessions
        if one.verdict == Verdict.CONNECTED and one.observed_at is not None
    ]
    return [server.published_at + limit, *ends]


def _up(server: ServerSnapshot) -> Samples:
    return _flag(server.up)


def _probe_interval(server: ServerSnapshot) -> Samples:
    return (Sample(server.interval_seconds),)


def _probe_duration(server: ServerSnapshot) -> Samples:
    return _histogram(server.probe_seconds)


def _recovery(server: ServerSnapshot) -> Samples:
    return () if server.recovery_seconds is None else _histogram(server.recovery_seconds)


def _histogram(histogram: Histogram) -> Samples:
    # OpenMetrics wants `le` as a canonical float; the text format takes it too, so series agree in both.
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    buckets = (
        Sample(count, (bound,), "_bucket") for bound, count in zip(bounds, histogram.buckets, strict=True)
    )
    count = histogram.buckets[-1]
    return (*buckets, Sample(histogram.sum_seconds, (), "_sum"), Sample(count, (), "_count"))


def _probe_failures(server: ServerSnapshot) -> Samples:
    return tuple(Sample(server.probe_failures.get(one, 0), (one.value,)) for one in ProbeFailure)


def _flag(value: bool | None) -> Samples:
    return () if value is None else (Sample(float(value)),)


def _secret_key_valid(server: ServerSnapshot) -> Samples:
    return _flag(server.secret_key_valid)


def _default_secret(server: ServerSnapshot) -> Samples:
    return _flag(server.default_secret)


def _info(server: ServerSnapshot) -> Samples:
    return () if server.version is None else (Sample(1.0, (server.version,)),)


def _web_version_expiry(server: ServerSnapshot) -> Samples:
    return _moment(web_versions.expires_at(server.version))


def _restarts(server: ServerSnapshot) -> Samples:
    return (Sample(server.restarts),)


def _links_not_completed(server: ServerSnapshot) -> Samples:
    return (Sample(server.links_not_completed),)


def _token_renewals(server: ServerSnapshot) -> Samples:
    return (Sample(sum(session.token_renewals for session in server.sessions)),)


def _end_to_end_offered(server: ServerSnapshot) -> Samples:
    return _flag(server.end_to_end_offered)


def _self_healing(server: ServerSnapshot) -> Samples:
    return tuple(Sample(server.self_healing.get(one, 0), (one.value,)) for one in Healed)


def _connected(session: SessionSnapshot) -> Samples:
    return () if session.verdict == Verdict.PAUSED else (Sample(float(session.verdict == Verdict.CONNECTED)),)


_STATES: dict[Verdict, Samples] = {
    holds: tuple(Sample(float(verdict is holds), (verdict.value,)) for verdict in Verdict)
    for holds in Verdict
}


def _state(session: SessionSnapshot) -> Samples:
    return _STATES[session.verdict]


def _enabled(session: SessionSnapshot) -> Samples:
    return (Sample(float(session.verdict != Verdict.PAUSED)),)


def _moment(moment: datetime | None) -> Samples:
    return () if moment is None else (Sample(round(moment.timestamp(), 3)),)


def _state_since(session: SessionSnapshot) -> Samples:
    return _moment(session.since)


def _last_connected(session: SessionSnapshot) -> Samples:
    return _moment(session.last_connected)


def _last_probe(session: SessionSnapshot) -> Samples:
    # A paused session's last probe ages by intention: nobody is to be alerted of it.
    return () if session.verdict == Verdict.PAUSED else _moment(session.observed_at)


def _ever_connected(session: SessionSnapshot) -> Samples:
    return _flag(session.ever_connected)


def _disconnects(session: SessionSnapshot) -> Samples:
    return tuple(Sample(session.disconnects.get(one, 0), (one.value,)) for one in Loss)


def _lost_reason(session: SessionSnapshot) -> Samples:
    return () if session.lost_at is None else (Sample(1.0, (session.lost_reason.value,)),)


def _auth_failures(session: SessionSnapshot) -> Samples:
    return tuple(
        Sample(session.auth_failures.get(reason, 0), (reason.value,)) for reason in AUTH_FAILURE_REASONS
    )


def _end_to_end_possible(session: SessionSnapshot) -> Samples:
    known = session.end_to_end
    return () if known is None or session.verdict == Verdict.PAUSED else _flag(known.is_possible)


def _end_to_end_success(session: SessionSnapshot) -> Samples:
    known = session.end_to_end
    if known is None or known.checked_at is None or session.verdict == Verdict.PAUSED:
        return ()
    return _flag(known.failures == 0)


def _end_to_end_last_success(session: SessionSnapshot) -> Samples:
    return () if session.end_to_end is None else _moment(session.end_to_end.passed_at)


def _self_healing_tries(session: SessionSnapshot) -> Samples:
    if session.healing is None or session.lost_at is None:
        return ()
    return (Sample(session.healing.tries),)


SERVER_METRICS: Mapping[str, Callable[[ServerSnapshot], Samples]] = {
    "wppconnect_up": _up,
    "wppconnect_probe_interval_seconds": _probe_interval,
    "wppconnect_probe_duration_seconds": _probe_duration,
    "wppconnect_probe_failures_total": _probe_failures,
    "wppconnect_recovery_seconds": _recovery,
    "wppconnect_secret_key_valid": _secret_key_valid,
    "wppconnect_server_default_secret": _default_secret,
    "wppconnect_server_info": _info,
    "wppconnect_server_web_version_expiry_timestamp_seconds": _web_version_expiry,
    "wppconnect_server_restarts_total": _restarts,
    "wppconnect_server_links_not_completed_total": _links_not_completed,
    "wppconnect_token_renewals_total": _token_renewals,
    "wppconnect_server_end_to_end_offered": _end_to_end_offered,
    "wppconnect_self_healing_total": _self_healing,
}
"""What is served of each server, which comes as `server_at` shows it."""

SESSION_METRICS: Mapping[str, Callable[[SessionSnapshot], Samples]] = {
    "wppconnect_session_connected": _connected,
    "wppconnect_session_state": _state,
    "wppconnect_session_enabled": _enabled,
    "wppconnect_session_state_since_timestamp_seconds": _state_since,
    "wppconnect_session_last_connected_timestamp_seconds": _last_connected,
    "wppconnect_session_last_probe_timestamp_seconds": _last_probe,
    "wppconnect_session_ever_connected": _ever_connected,
    "wppconnect_session_disconnects_total": _disconnects,
    "wppconnect_session_lost_reason": _lost_reason,
    "wppconnect_auth_failures_total": _auth_failures,
    "wppconnect_session_end_to_end_possible": _end_to_end_possible,
    "wppconnect_session_end_to_end_success": _end_to_end_success,
    "wppconnect_session_end_to_end_last_success_timestamp_seconds": _end_to_end_last_success,
    "wppconnect_session_self_healing_tries": _self_healing_tries,
}
"""What is served of each session, which comes as `session_at` shows it."""
