"""Bring a session from any state to the requested one, by the gateway's rules and waits.

Each procedure acts through the client and reads the effect from the Snapshot, so that only one process
probes the session. It returns a key of `core.messages.operation.OUTCOMES`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.exceptions import RequestTimeoutError, SessionDisconnectedError
from core.gateways.protocol import Run
from core.gateways.wppconnect.client import GatewayClient, StartOptions
from core.gateways.wppconnect.contract.waits import SESSION_TIMES
from core.models import WAITS_FOR_A_PHONE, Reason, SessionSnapshot, SessionState, Verdict
from core.operation_status import Facts, Step

MAX_STARTS = 2
MAX_CLOSES = 3
"""One at the beginning of a restart, and one after each failed start."""


IN_USE = WAITS_FOR_A_PHONE | {Verdict.CONNECTED, Verdict.STARTING, Verdict.STUCK, Verdict.UNRESPONSIVE}
"""Verdicts in which the gateway runs a browser for the session."""


@dataclass(frozen=True)
class Goal:
    """The requested end of `bring_up`."""

    restart: bool = False
    """Close a connected session first."""
    show_code: bool = False
    """Wait until a phone is linked; otherwise end with "needs_pairing"."""
    wipe_webhook: bool = False
    """The user has confirmed that a webhook known only to the gateway may be lost."""
    most_starts: int = MAX_STARTS


def bring_up(client: GatewayClient, run: Run, goal: Goal) -> str:
    """Start, restart or pair by QR code, from any state until connected or an obstacle."""
    starts, closes, shown_at, started_at = 0, 0, None, None
    while True:
        seen = run.look()
        match seen.verdict:
            case Verdict.CONNECTED if goal.restart and not starts and not closes:
                close_session(client, run, seen)
                closes += 1
            case Verdict.CONNECTED:
                return "connected" if starts or shown_at or goal.restart else "already_connected"
            case Verdict.UNRESPONSIVE | Verdict.STUCK:
                if starts >= goal.most_starts or closes >= MAX_CLOSES:
                    return "stuck"
                close_session(client, run, seen)
                closes += 1
            case Verdict.WAITING_FOR_QR:
                if not goal.show_code:
                    return "needs_pairing"
                shown_at = _follow_qr(client, run, seen, shown_at)
            case Verdict.WAITING_FOR_CODE:
                if not goal.show_code:
                    return "needs_pairing"
                if would_lose_webhook(run, seen, wipe_webhook=goal.wipe_webhook):
                    return "needs_webhook_confirmation"
                run.step(Step.WAITING_FOR_CODE_TO_EXPIRE, until=_code_ends(client, run, seen))
                run.await_change(seen, until=run.now() + timedelta(seconds=client.waits.syncing))
            case Verdict.LINKING:
                if not goal.show_code:
                    return "needs_pairing"
                shown_at = shown_at or run.now()
                run.step(Step.VERIFYING)
                run.await_change(seen, until=run.now() + timedelta(seconds=client.waits.syncing))
            case Verdict.STARTING:
                shown_at = None
                wait_for_browser(client, run, seen)
            case Verdict.DISCONNECTED if shown_at and seen.reason == Reason.LINK_NOT_COMPLETED:
                # Another code would end the same way, and WhatsApp limits attempts: the user must decide.
                return end_of_code(seen)
            case Verdict.DISCONNECTED if seen.state == SessionState.QRCODE:
                # The gateway keeps showing a used code, and starts nothing until the session is closed.
                if closes >= MAX_CLOSES:
                    return "start_failed"
                close_session(client, run, seen)
                closes += 1
            case Verdict.DISCONNECTED:
                loaded_at = shown_at or started_at
                if loaded_at is not None and _is_wrongly_closed(client, run, seen, loaded_at, shown_at):
                    run.step(Step.VERIFYING)
                    run.await_change(seen, until=loaded_at + timedelta(seconds=client.waits.auto_close))
                elif shown_at is not None and seen.has_session_object:
                    return end_of_code(seen)
                elif starts >= goal.most_starts:
                    return "start_failed"
                else:
                    shown_at = None
                    start(client, run, options_for_qr(run, seen, goal))
                    starts, started_at = starts + 1, run.now()
            case _:
                obstacle = wait_out_obstacle(client, run, seen)
                if obstacle is not None:
                    return obstacle


def heal(client: GatewayClient, run: Run, *, is_closed: bool) -> str:
    """Close an unresponsive session and start it once; do nothing to any other.

    `is_closed`: an earlier attempt closed the session and could not start it.
    """
    wanted = {Verdict.UNRESPONSIVE, Verdict.STUCK} | ({Verdict.DISCONNECTED} if is_closed else set())
    seen = run.look()
    if seen.verdict not in wanted:
        return "already_connected" if seen.verdict == Verdict.CONNECTED else "not_needed"
    return bring_up(client, run, Goal(most_starts=1))


def close(client: GatewayClient, run: Run) -> str:
    """Close a session and keep its pairing."""
    seen = run.look()
    match seen.verdict:
        case _ if seen.verdict in WAITS_FOR_A_PHONE or seen.verdict == Verdict.STARTING:
            return "close_refused"
        case Verdict.UNREACHABLE:
            return "unreachable"
        case Verdict.UNAUTHORIZED:
            return _refusal(seen)
        case Verdict.DISCONNECTED:
            return "closed"
        case _:
            close_session(client, run, seen)
    run.step(Step.VERIFYING)
    return "closed" if run.look().verdict == Verdict.DISCONNECTED else "close_unverified"


def remove(client: GatewayClient, run: Run) -> str:
    """Remove a closed session and its profile from the gateway.

    The state of a paused session is known only to the gateway, which refuses one that is not closed. It does
    not know of a browser that runs on after a failed close, whose profile must not be deleted.
    """
    seen = run.snapshot()
    if seen is not None and seen.verdict in IN_USE:
        return "remove_refused"
    if run.facts.free_at is not None and run.now() < run.facts.free_at:
        return "remove_too_early"
    run.step(Step.REMOVING)
    removed = client.remove_session(run.session)
    if removed is None:
        return "remove_not_offered"
    if not removed:
        return "remove_refused"
    forgotten = Facts(no_webhook_at=run.now())
    run.remember(**{name: getattr(forgotten, name) for name in Facts.model_fields})
    return "removed"


def log_out(client: GatewayClient, run: Run) -> str:
    """Unlink the phone and delete the pairing: irreversible without a new scan."""
    run.step(Step.LOGGING_OUT)
    try:
        client.logout_session(run.session)
    except SessionDisconnectedError:
        return "not_connected"
    run.remember(logged_out_at=run.now(), closed_at=None, failed_close_at=None, free_at=None)
    run.acted()
    run.step(Step.VERIFYING)
    # The logout has succeeded even if no probe confirms it before the session is paused.
    with suppress(RequestTimeoutError):
        run.look()
    return "logged_out"


def close_session(client: GatewayClient, run: Run, seen: SessionSnapshot) -> None:
    """Close a connected, unresponsive or stuck session, and store when its profile is free for a start."""
    run.step(Step.CLOSING)
    closed = client.close_session(run.session)
    now = run.now()
    run.remember(closed_by_itself=run.by_itself)
    if closed:
        run.remember(closed_at=now, failed_close_at=None, free_at=None)
    else:
        # The gateway answers 500 unless the session is connected. It drops the session anyway, but the
        # browser may run on until auto-close and hold the profile (section 6).
        starting = seen.state == SessionState.INITIALIZING
        seconds = (
            client.waits.after_failed_close_while_starting if starting else client.waits.after_failed_close
        )
        run.remember(failed_close_at=now, free_at=now + timedelta(seconds=seconds))
    run.acted()


def start(client: GatewayClient, run: Run, options: StartOptions | None) -> None:
    """Start a session without waiting for its code; the response, which shows the old state, is ignored."""
    wait_for_profile(client, run)
    run.step(Step.STARTING)
    client.start_session(run.session, options)
    run.acted()
    run.remember(logged_out_at=None)
    if options is not None:
        run.remember(phone_saved=False, no_webhook_at=None if options.webhook else run.now())


def would_lose_webhook(run: Run, seen: SessionSnapshot, *, wipe_webhook: bool) -> bool:
    """Return whether a complete set of options would wipe a webhook that only the gateway knows."""
    if run.webhook is not None or wipe_webhook:
        return False
    if seen.is_listed is False:
        run.remember(no_webhook_at=run.now())
    return may_hold_webhook(run.facts, seen)


def may_hold_webhook(facts: Facts, seen: SessionSnapshot) -> bool:
    """Return whether the gateway may hold a webhook of a session whose webhook is not known here."""
    # A saved phone proves that an earlier start sent a complete set, which wiped the webhook.
    if facts.phone_saved or seen.is_listed is False:
        return False
    # Once connected, the session is in use, and its application may have set a webhook.
    known_at, used_at = facts.no_webhook_at, seen.last_connected
    return known_at is None or (used_at is not None and used_at > known_at)


def options_for_qr(run: Run, seen: SessionSnapshot, goal: Goal) -> StartOptions | None:
    """Return the options of a start without a phone; None to send an empty body.

    Any key replaces everything that the gateway saved; an empty body keeps it (section 4), and with it an
    unknown webhook. A saved phone must be wiped by the complete set, or the start would make a pairing code
    again.
    """
    if would_lose_webhook(run, seen, wipe_webhook=goal.wipe_webhook):
        return None
    return StartOptions(webhook=run.webhook or None, phone=None, wait=False)


def end_of_code(seen: SessionSnapshot) -> str:
    """Return the outcome of an attempt whose code was shown, as a key of `OUTCOMES`."""
    return "link_not_completed" if seen.reason == Reason.LINK_NOT_COMPLETED else "code_expired"


def code_may_live(client: GatewayClient, run: Run, seen: SessionSnapshot, shown_at: datetime) -> bool:
    """Return whether a session reported as CLOSED may still show the code that it has shown since `shown_at`.

    On a first pairing the gateway may wrongly report CLOSED one or two seconds after the page has loaded
    (section 6); later it is true. Only the webhook distinguishes a browser that was closed so early.
    """
    if not _is_young(client, run, seen, shown_at):
        return False
    if seen.state_since is not None and seen.state_since - shown_at > SESSION_TIMES.startup_race:
        return False
    return not run.linking_events().has_ended(shown_at)


def wait_for_profile(client: GatewayClient, run: Run) -> None:
    """Wait until no browser of an earlier close or logout holds the session's profile."""
    facts, waits = run.facts, client.waits
    if facts.logged_out_at is not None:
        free_at = facts.logged_out_at + timedelta(seconds=waits.after_logout)
        _wait(run, Step.WAITING_AFTER_LOGOUT, free_at, at_most=waits.after_logout)
    if facts.free_at is not None:
        longest = max(waits.after_failed_close, waits.after_failed_close_while_starting)
        _wait(run, Step.WAITING_AFTER_CLOSE, facts.free_at, at_most=longest)


def wait_for_browser(client: GatewayClient, run: Run, seen: SessionSnapshot) -> None:
    """Wait until a starting session changes."""
    run.step(Step.WAITING_FOR_BROWSER)
    run.await_change(seen, until=run.now() + timedelta(seconds=client.waits.start_limit))


def wait_out_obstacle(client: GatewayClient, run: Run, seen: SessionSnapshot) -> str | None:
    """Wait for a gateway that is unreachable or unreadable; return the outcome if it stays so, else None."""
    if seen.verdict == Verdict.UNAUTHORIZED:
        return _refusal(seen)
    run.step(Step.WAITING_FOR_GATEWAY)
    if run.await_change(seen, until=run.now() + timedelta(seconds=client.waits.gateway_return)) is not None:
        return None
    return "unreachable" if seen.verdict == Verdict.UNREACHABLE else "failed"


def _wait(run: Run, step: Step, until: datetime, *, at_most: float) -> None:
    # The clock may have been set back since `until` was stored.
    until = min(until, run.now() + timedelta(seconds=at_most))
    if run.now() < until:
        run.step(step, until=until)
        run.wait_until(until)


def _refusal(seen: SessionSnapshot) -> str:
    return "secret_rejected" if seen.reason == Reason.SECRET_REJECTED else "unauthorized"


def _follow_qr(client: GatewayClient, run: Run, seen: SessionSnapshot, shown_at: datetime | None) -> datetime:
    began = shown_at or seen.state_since or run.now()
    ends = began + timedelta(seconds=client.waits.auto_close)
    run.step(Step.WAITING_FOR_SCAN, until=ends)
    # After a scan the gateway keeps reporting QRCODE with the used code for up to 180 s of syncing.
    run.await_change(seen, until=max(ends, run.now()) + timedelta(seconds=client.waits.syncing))
    return began


def _code_ends(client: GatewayClient, run: Run, seen: SessionSnapshot) -> datetime:
    return (seen.state_since or run.now()) + timedelta(seconds=client.waits.auto_close)


def _is_wrongly_closed(
    client: GatewayClient, run: Run, seen: SessionSnapshot, loaded_at: datetime, shown_at: datetime | None
) -> bool:
    # A code that has not been observed yet counts from the start, since a browser may start slowly.
    if not (
        code_may_live(client, run, seen, shown_at) if shown_at else _is_young(client, run, seen, loaded_at)
    ):
        return False
    return client.read_status(run.session).qr_payload is not None


def _is_young(client: GatewayClient, run: Run, seen: SessionSnapshot, loaded_at: datetime) -> bool:
    return bool(seen.has_session_object) and run.now() < loaded_at + timedelta(
        seconds=client.waits.auto_close
    )
