"""Conclude a session's verdict from observations. Pure functions: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.gateways.protocol import SessionTimes
from core.linking_events import LinkingEvents
from core.models import (
    WAITS_FOR_A_PHONE,
    EndToEnd,
    Observation,
    QrCode,
    Reason,
    SessionSnapshot,
    SessionState,
    Verdict,
)
from core.settings.maintenance import Period
from core.settings.values import Timeouts

RESTART_BLAME = timedelta(minutes=2)
"""How long after a gateway restart a lost session is attributed to it."""

UNLINK_SEEN = timedelta(seconds=30)
"""How soon a session is observed closed after its page check failed because the phone was unlinked between a
probe's two requests, for the state and for the page: the next probe comes within an interval."""

_KEEPS_CODE = frozenset([Verdict.LINKING, Verdict.UNRESPONSIVE, Verdict.DISCONNECTED])
"""Verdicts that keep the gateway's code without showing it, so that a newer code can be recognised."""

CHECKS_FAILED = 2
"""Consecutive failed end-to-end checks that make a session unresponsive: a single request can get lost."""


@dataclass(frozen=True)
class Circumstances:
    """Facts for a verdict other than the session's own responses."""

    now: datetime
    stale_after: timedelta
    times: SessionTimes
    """Those of the gateway's kind."""
    gateway_up: bool | None = None
    gateway_restarted_at: datetime | None = None
    closed_by: Callable[[], Reason | None] = lambda: None
    """Returns the reason if an operator or self-healing just closed the session; called only after a loss."""
    linking_events: Callable[[], LinkingEvents] = LinkingEvents
    """Returns the webhook's events; called only for a session that waits, or waited, for a phone."""


def stale_after_seconds(interval_seconds: float, timeouts: Timeouts, hold_off_seconds: float = 0.0) -> float:
    """Return the age in seconds at which an observation is stale, extended by a running hold-off."""
    asked = 3 * interval_seconds + timeouts.status_seconds + timeouts.check_connection_seconds
    return asked + hold_off_seconds


def page_stale_after(session: SessionSnapshot, stale_after: timedelta) -> timedelta:
    """Return the age at which a page check is stale; slow pages wait for each other's checks."""
    return stale_after + timedelta(seconds=session.page_round_seconds)


def judge(before: SessionSnapshot, circumstances: Circumstances) -> tuple[Verdict, Reason]:
    """Return a session's verdict and reason; `before` holds the newest observation and the last verdict."""
    if not before.enabled:
        return Verdict.PAUSED, Reason.NONE
    if before.observed_at is None:
        return Verdict.UNKNOWN, Reason.NONE
    if circumstances.now - before.observed_at > circumstances.stale_after:
        return Verdict.UNKNOWN, Reason.STALE
    if before.problem is not None:
        return _judge_problem(before.problem.kind, circumstances.gateway_up)
    match before.state:
        case SessionState.CONNECTED:
            return _judge_connected(before, circumstances)
        case SessionState.QRCODE | SessionState.PHONECODE:
            return _judge_waiting(before, circumstances)
        case SessionState.INITIALIZING:
            began = before.state_since or before.observed_at
            if circumstances.gateway_restarted_at is not None:
                # A gateway restart launches every session again, in a new browser.
                began = max(began, circumstances.gateway_restarted_at)
            if circumstances.now - began > circumstances.times.start:
                return Verdict.STUCK, Reason.START_TOO_SLOW
            is_blamed = _is_blamed(before, circumstances)
            return Verdict.STARTING, Reason.GATEWAY_RESTARTED if is_blamed else Reason.NONE
        case SessionState.CLOSED:
            return _judge_closed(before, circumstances)
        case _:
            return Verdict.UNKNOWN, Reason.UNREADABLE_ANSWER


def advance(before: SessionSnapshot, seen: Observation, circumstances: Circumstances) -> SessionSnapshot:
    """Return the session after one more observation."""
    merged = before.model_copy(update=_observed(before, seen, circumstances.times))
    verdict, reason = judge(merged, circumstances)
    return conclude(merged, verdict, reason, seen.observed_at)


def conclude(before: SessionSnapshot, verdict: Verdict, reason: Reason, at: datetime) -> SessionSnapshot:
    """Return the session with a verdict and its times: start, last connection, start and reason of a loss."""
    update: dict[str, object] = {"verdict": verdict, "reason": reason}
    if verdict != before.verdict:
        update["since"] = at
        if verdict == Verdict.CONNECTED:
            update["connected_since"] = at
    if verdict == Verdict.CONNECTED:
        update |= {"ever_connected": True, "last_connected": at, "lost_at": None, "lost_reason": Reason.NONE}
        if before.lost_at is not None:
            update["outage_seconds"] = max(0.0, (at - before.lost_at).total_seconds())
    elif verdict == Verdict.PAUSED or before.maintenance_until is not None:
        update |= {"lost_at": None, "lost_reason": Reason.NONE}
    elif before.ever_connected and before.lost_at is None:
        update |= {"lost_at": at, "lost_reason": reason}
    elif _was_unlinked(before, reason, at) or (before.lost_at and reason == Reason.LINK_NOT_COMPLETED):
        # The reason that keeps the outage going matters more than the one that began it.
        update["lost_reason"] = reason
    if verdict != Verdict.WAITING_FOR_QR and not (
        verdict in _KEEPS_CODE and before.state == SessionState.QRCODE
    ):
        update["qr"] = None
    if verdict not in WAITS_FOR_A_PHONE and verdict not in _KEEPS_CODE:
        update["code_overdue"] = False
    return before.model_copy(update=update)


def maintained(
    session: SessionSnapshot, period: Period | None, now: datetime, *, known_at: datetime
) -> tuple[SessionSnapshot, datetime]:
    """Return the session in or out of maintenance, and when that began or ended.

    An outage ends unrecovered where maintenance begins, but not before `known_at`, when it last was not in
    force. A session that is down where maintenance ends is lost from then on.
    """
    until, before = period.until if period else None, session.maintenance_until
    if until == before:
        return session, now
    after = session.model_copy(update={"maintenance_until": until})
    if period is not None:
        after = after.model_copy(update={"lost_at": None, "lost_reason": Reason.NONE})
        return after, max(period.since, session.since, known_at)
    ended = max(min(before or now, now), session.since)
    # Without a look yet, nothing is known to be down.
    is_known = session.verdict not in (Verdict.CONNECTED, Verdict.PAUSED) and session.observed_at is not None
    return (conclude(after, session.verdict, session.reason, ended) if is_known else after), ended


def out_of_maintenance(session: SessionSnapshot, now: datetime) -> SessionSnapshot:
    """Return a published session without a maintenance window that has ended since."""
    if session.maintenance_until is None or now < session.maintenance_until:
        return session
    return maintained(session, None, now, known_at=now)[0]


def with_staleness(session: SessionSnapshot, now: datetime, stale_after: timedelta) -> SessionSnapshot:
    """Return the session as unknown if its latest probe, or its proof of a connection, is stale."""
    if session.maintenance_until is None and is_freshly_connected(session, now, stale_after):
        return session
    session = out_of_maintenance(session, now)
    if not session.enabled or session.verdict == Verdict.UNKNOWN:
        return session
    proof = session.observed_at
    if session.verdict == Verdict.CONNECTED and session.page_checked_at is not None:
        proof, stale_after = session.page_checked_at, page_stale_after(session, stale_after)
    if proof is None:
        # Known only from the history, which says nothing about now.
        return conclude(session, Verdict.UNKNOWN, Reason.STALE, session.since)
    # A proof from the future dates from before the clock was set back; its age is unknown.
    if abs(now - proof) <= stale_after:
        return session
    return conclude(session, Verdict.UNKNOWN, Reason.STALE, min(proof + stale_after, now))


def is_freshly_connected(session: SessionSnapshot, now: datetime, stale_after: timedelta) -> bool:
    """Return whether `judge` would, by time alone, still conclude `connected`; cheaper than judging.

    False for proofs from the future, which date from before the clock was set back.
    """
    if session.verdict != Verdict.CONNECTED or session.observed_at is None or session.page_checked_at is None:
        return False
    oldest = now - stale_after
    return oldest <= session.observed_at <= now and oldest <= session.page_checked_at <= now


def tells_of_the_page(late: Observation, newest: SessionSnapshot) -> bool:
    """Return whether a late probe still tells more about the page than newer ones."""
    if late.state != newest.state or (late.page_answers is None and not late.page_timed_out):
        return False
    # In between the session may have been closed and started, or its page may have answered.
    moments = (newest.state_since, newest.page_checked_at)
    return all(moment is None or moment <= late.started_at for moment in moments)


def _observed(before: SessionSnapshot, seen: Observation, times: SessionTimes) -> dict[str, object]:
    update: dict[str, object] = {
        "observed_at": seen.observed_at,
        "probe_started_at": seen.started_at,
        "problem": seen.problem,
    }
    if seen.problem is not None:
        return update
    update |= {"state": seen.state, "has_session_object": seen.has_session_object}
    if seen.has_session_object:
        update["is_listed"] = True
    if seen.has_browser is not None or not seen.has_session_object:
        # While a code is shown the response does not tell; the engine has not changed since the start.
        update["has_browser"] = seen.has_browser
    update["page_round_seconds"] = seen.page_round_seconds
    if seen.state != before.state:
        update["state_since"] = seen.observed_at
    update["qr"] = qr = _live_qr(before.qr, seen, times)
    update["code_overdue"] = overdue = _is_code_overdue(before, seen, qr)
    if seen.state != SessionState.CONNECTED and before.end_to_end is not None:
        # The results belong to the connection that has ended.
        update["end_to_end"] = EndToEnd(passed_at=before.end_to_end.passed_at)
    if seen.page_answers is not None or seen.page_timed_out:
        update |= {
            "page_answers": seen.page_answers,
            "page_timed_out": seen.page_timed_out,
            "page_checked_at": seen.observed_at,
        }
    elif seen.state != SessionState.CONNECTED and not (seen.state == SessionState.QRCODE and overdue):
        update |= {"page_answers": None, "page_timed_out": False, "page_checked_at": None}
    return update


def _live_qr(before: QrCode | None, seen: Observation, times: SessionTimes) -> QrCode | None:
    # A code that is first observed in another state, as in the start-up race under CLOSED, is never shown.
    if not seen.qr_payload:
        return None
    if before is not None and before.payload == seen.qr_payload:
        return before
    if seen.state != SessionState.QRCODE:
        return None
    life = times.first_qr if before is None else times.next_qr
    return QrCode(
        payload=seen.qr_payload,
        first_seen=seen.observed_at,
        generation=before.generation + 1 if before is not None else 1,
        life_seconds=life.total_seconds(),
    )


def _is_code_overdue(before: SessionSnapshot, seen: Observation, qr: QrCode | None) -> bool:
    if seen.state == SessionState.CLOSED:
        return before.code_overdue
    return qr is not None and qr.is_overdue(seen.observed_at)


def _code_may_live(before: SessionSnapshot, circumstances: Circumstances) -> bool:
    """Return whether a session reported as CLOSED may still show its first code (the start-up race).

    Only the gateway's webhook distinguishes a browser that was closed so early from a live one.
    """
    closed_since = before.state_since
    if closed_since is None or not before.has_session_object or before.code_overdue:
        return False
    match before.verdict:
        case Verdict.WAITING_FOR_QR if before.qr is not None and before.qr.generation == 1:
            shown_at, ends_at = before.qr.first_seen, before.qr.ends_at
        case Verdict.WAITING_FOR_CODE:
            shown_at, ends_at = before.since, before.since + circumstances.times.pairing_code
        case _:
            return False
    if closed_since - shown_at > circumstances.times.startup_race or circumstances.now >= ends_at:
        return False
    return not circumstances.linking_events().has_ended(shown_at)


def _judge_waiting(before: SessionSnapshot, circumstances: Circumstances) -> tuple[Verdict, Reason]:
    """Return the verdict of a session whose gateway shows a code.

    A used code stays in the response, which does not show what follows: WhatsApp loads the chats, or requests
    a passkey in a browser without a user (contract, section 13). Only the webhook proves a scan. Without it,
    a code that is not renewed was used if the page responds; if it does not, the page is frozen.
    """
    is_qr = before.state == SessionState.QRCODE
    waiting = Verdict.WAITING_FOR_QR if is_qr else Verdict.WAITING_FOR_CODE
    shown_at = _shown_since(before)
    if shown_at <= before.since:
        if (before.verdict, before.reason) == (Verdict.DISCONNECTED, Reason.LINK_NOT_COMPLETED):
            return before.verdict, before.reason
        if before.verdict == Verdict.LINKING and circumstances.now - before.since >= circumstances.times.link:
            return Verdict.DISCONNECTED, Reason.LINK_NOT_COMPLETED
        if before.verdict == Verdict.LINKING and before.reason == Reason.CODE_SCANNED:
            return before.verdict, before.reason
    if circumstances.linking_events().was_used(shown_at):
        return Verdict.LINKING, Reason.CODE_SCANNED
    if before.code_overdue and before.page_timed_out:
        return Verdict.UNRESPONSIVE, Reason.PAGE_NOT_ANSWERING
    if before.code_overdue and (before.page_answers is False or before.verdict == Verdict.LINKING):
        return Verdict.LINKING, Reason.CODE_USED
    return waiting, Reason.NONE


def _shown_since(before: SessionSnapshot) -> datetime:
    """Return since when the gateway has been showing its current code, as far as known."""
    if before.state == SessionState.QRCODE and before.qr is not None:
        return before.qr.first_seen
    if before.verdict == Verdict.WAITING_FOR_CODE or before.state_since is None:
        return before.since
    return before.state_since


def _judge_closed(before: SessionSnapshot, circumstances: Circumstances) -> tuple[Verdict, Reason]:
    if _code_may_live(before, circumstances):
        if circumstances.linking_events().was_used(before.since):
            return Verdict.LINKING, Reason.CODE_SCANNED
        return before.verdict, Reason.NONE
    if before.verdict == Verdict.LINKING and before.state_since and before.state_since <= before.since:
        # The code was used while the gateway already reported CLOSED, so that was the start-up race.
        in_time = circumstances.now - before.since < circumstances.times.link
        if in_time and not circumstances.linking_events().has_ended(before.since):
            return before.verdict, before.reason
    return Verdict.DISCONNECTED, _why_closed(before, circumstances)


def _judge_problem(kind: str, gateway_up: bool | None) -> tuple[Verdict, Reason]:
    match kind:
        case "AuthenticationError":
            return Verdict.UNAUTHORIZED, Reason.TOKEN_REJECTED
        case "SecretKeyRejectedError":
            return Verdict.UNAUTHORIZED, Reason.SECRET_REJECTED
        case "ConnectError":
            return Verdict.UNREACHABLE, Reason.GATEWAY_UNREACHABLE
        case "RequestTimeoutError":
            # The health check passed, so the gateway is up; only this session's response did not come.
            return (Verdict.UNKNOWN if gateway_up else Verdict.UNREACHABLE), Reason.GATEWAY_TIMEOUT
        case _ if gateway_up is False:
            # Another program responds at the gateway's address.
            return Verdict.UNREACHABLE, Reason.GATEWAY_UNREACHABLE
        case _:
            return Verdict.UNKNOWN, Reason.UNREADABLE_ANSWER


def _judge_connected(before: SessionSnapshot, circumstances: Circumstances) -> tuple[Verdict, Reason]:
    checked = before.page_checked_at
    if before.page_timed_out:
        return Verdict.UNRESPONSIVE, Reason.PAGE_NOT_ANSWERING
    if before.page_answers is False:
        return Verdict.UNRESPONSIVE, Reason.BROWSER_DEAD
    if before.page_answers and checked is not None:
        if circumstances.now - checked > page_stale_after(before, circumstances.stale_after):
            return Verdict.UNKNOWN, Reason.STALE
        if before.end_to_end is not None and before.end_to_end.failures >= CHECKS_FAILED:
            return Verdict.UNRESPONSIVE, Reason.WHATSAPP_NOT_ANSWERING
        return Verdict.CONNECTED, Reason.NONE
    # CONNECTED, but the page has not had its full time to respond: neither proved nor refuted.
    return Verdict.STARTING, Reason.NONE


def _why_closed(before: SessionSnapshot, circumstances: Circumstances) -> Reason:
    if before.verdict == Verdict.DISCONNECTED and before.reason != Reason.NONE:
        return before.reason
    if before.verdict == Verdict.LINKING:
        return Reason.LINK_NOT_COMPLETED
    if before.verdict in WAITS_FOR_A_PHONE:
        was_used = circumstances.linking_events().was_used(before.since)
        return Reason.LINK_NOT_COMPLETED if was_used else Reason.CODE_EXPIRED
    if before.verdict == Verdict.UNRESPONSIVE and before.code_overdue:
        return Reason.CODE_EXPIRED
    if not before.ever_connected:
        return Reason.NEVER_STARTED if before.has_session_object is False else Reason.NONE
    by_operator = circumstances.closed_by()
    if by_operator is not None:
        return by_operator
    if _is_blamed(before, circumstances):
        return Reason.GATEWAY_RESTARTED
    if before.verdict in (Verdict.CONNECTED, Verdict.UNRESPONSIVE):
        return Reason.CLOSED_ON_GATEWAY
    return before.lost_reason if before.lost_reason != Reason.NONE else Reason.CLOSED_ON_GATEWAY


def _was_unlinked(before: SessionSnapshot, reason: Reason, at: datetime) -> bool:
    """Return whether a browser that seemed dead was being closed after an unlink."""
    if before.lost_at is None or before.lost_reason != Reason.BROWSER_DEAD:
        return False
    return reason == Reason.CLOSED_ON_GATEWAY and at - before.lost_at <= UNLINK_SEEN


def _is_blamed(before: SessionSnapshot, circumstances: Circumstances) -> bool:
    """Return whether a session's state is attributed to the gateway's latest restart.

    A session that has been connected since the restart has survived it, so a later loss has another cause.
    """
    restarted_at = circumstances.gateway_restarted_at
    if restarted_at is None or circumstances.now - restarted_at >= RESTART_BLAME:
        return False
    return before.last_connected is None or before.last_connected <= restarted_at
