"""Link a phone by a pairing code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from core.exceptions import RequestTimeoutError
from core.gateways.protocol import Run
from core.gateways.wppconnect.client import GatewayClient, StartOptions
from core.gateways.wppconnect.contract.waits import PAIRING_CODE_SECONDS
from core.gateways.wppconnect.procedures import (
    code_may_live,
    end_of_code,
    may_hold_webhook,
    wait_for_browser,
    wait_for_profile,
    wait_out_obstacle,
    would_lose_webhook,
)
from core.models import WAITS_FOR_A_PHONE, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.operation_status import Facts, Step

POLL_SECONDS = 0.3
"""Poll interval for a start that waits for its code."""

LOOK_SECONDS = 5.0

FIRST_WITH_CODES = (2, 6)
"""First gateway version that offers pairing codes."""


def pair_by_code(client: GatewayClient, run: Run, phone: str, *, wipe_webhook: bool) -> str:
    """Show a pairing code and wait until a phone is linked; return a key of `OUTCOMES`.

    The gateway reports the code only in the response to the start that requests it, and only while it holds
    no object of the session: not after a close or an expired code since the gateway started (section 6).
    """
    while True:
        seen = run.look()
        match seen.verdict:
            case Verdict.CONNECTED:
                return "already_connected"
            case Verdict.UNRESPONSIVE | Verdict.STUCK:
                return "code_not_visible"
            case _ if seen.verdict in WAITS_FOR_A_PHONE:
                return "code_not_visible"
            case Verdict.STARTING:
                wait_for_browser(client, run, seen)
            case Verdict.DISCONNECTED:
                if seen.has_session_object or _is_closed_since_start(run.facts, run.gateway_started_at):
                    return "code_not_visible"
                if would_lose_webhook(run, seen, wipe_webhook=wipe_webhook):
                    return "needs_webhook_confirmation"
                return _start_with_code(client, run, phone)
            case _:
                obstacle = wait_out_obstacle(client, run, seen)
                if obstacle is not None:
                    return obstacle


def code_obstacle(
    seen: SessionSnapshot, facts: Facts, gateway: ServerSnapshot, webhook: str | None
) -> str | None:
    """Return why no pairing code is available now, as a key of `OUTCOMES`; None if it may be requested."""
    if seen.verdict == Verdict.CONNECTED:
        return "already_connected"
    if _is_before_codes(gateway.version):
        return "code_unsupported"
    if seen.verdict != Verdict.DISCONNECTED or seen.has_session_object:
        return "code_not_visible"
    if _is_closed_since_start(facts, gateway.started_at):
        return "code_not_visible"
    return "needs_webhook_confirmation" if webhook is None and may_hold_webhook(facts, seen) else None


def _is_before_codes(version: str | None) -> bool:
    # Earlier gateways ignore the phone and show a QR code (section 10).
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < FIRST_WITH_CODES


def _is_closed_since_start(facts: Facts, gateway_started_at: datetime | None) -> bool:
    closed_at = facts.closed_at or facts.failed_close_at
    return closed_at is not None and (gateway_started_at is None or gateway_started_at < closed_at)


def _restarted_since(run: Run, moment: datetime) -> bool:
    return run.gateway_started_at is not None and run.gateway_started_at >= moment


def _start_with_code(client: GatewayClient, run: Run, phone: str) -> str:
    wait_for_profile(client, run)
    run.step(Step.STARTING)
    # Stored before the call: the gateway saves the phone at once, and its response may never come.
    no_webhook_at = None if run.webhook else run.now()
    run.remember(phone_saved=True, logged_out_at=None, no_webhook_at=no_webhook_at)
    options = StartOptions(webhook=run.webhook or None, phone=phone, wait=True)
    call = run.run_in_thread(lambda: client.start_session(run.session, options))
    while not call.done:
        # With a profile that is still paired the response never comes, but the session connects (H1).
        if run.look().verdict == Verdict.CONNECTED:
            return "connected"
        run.wait_until(run.now() + timedelta(seconds=POLL_SECONDS))
    run.acted()
    try:
        code = call.result()
    except RequestTimeoutError:
        return "connected" if run.look().verdict == Verdict.CONNECTED else "timed_out"
    if code is None:
        return "code_not_visible"
    shown_at = run.now()
    ends_at = shown_at + timedelta(seconds=client.waits.auto_close)
    run.show_code(code, until=ends_at, life_seconds=PAIRING_CODE_SECONDS)
    try:
        return _follow_code(client, run, shown_at)
    finally:
        run.show_code(None)


def _follow_code(client: GatewayClient, run: Run, shown_at: datetime) -> str:
    # The default; a gateway that waits longer keeps reporting PHONECODE, also while the phone syncs.
    last = shown_at + timedelta(seconds=client.waits.auto_close + client.waits.syncing)
    while True:
        seen = run.look()
        if seen.verdict == Verdict.CONNECTED:
            return "connected"
        if _restarted_since(run, shown_at):
            break  # The gateway has requested another code, which its API does not report.
        if seen.verdict == Verdict.DISCONNECTED and not code_may_live(client, run, seen, shown_at):
            break
        if seen.reason == Reason.LINK_NOT_COMPLETED:
            break
        if seen.verdict not in WAITS_FOR_A_PHONE and run.now() >= last:
            break
        run.await_change(seen, until=run.now() + timedelta(seconds=LOOK_SECONDS))
    return end_of_code(seen)
