"""Probe one session or one gateway. Errors are returned as values, not raised."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import TypeVar

from core.clock import Now
from core.exceptions import (
    ConnectError,
    RequestTimeoutError,
    RetryLaterError,
    SecretKeyRejectedError,
    WppconnectError,
)
from core.gateways.protocol import Capability, Gateway, Overview
from core.models import Account, Frozen, Observation, Problem, QrCode, SessionState

Answered = TypeVar("Answered")

QUICK_CHECK_SECONDS = 3.0
"""Timeout of a page check in the shared executor; slower pages are checked again in the slow one."""

AFTER_ERROR = Overview(again_seconds=4.0)


class PageCheck(Enum):
    """How to check a page that claims to be connected."""

    SKIP = "skip"
    QUICK = "quick"
    """Short timeout; a slow response is inconclusive."""
    ONLY = "only"
    """Quick, without a request for the state: a list of all states has just reported CONNECTED. The state is
    requested if the page denies it, since the session may have been closed meanwhile."""
    PATIENT = "patient"
    """The whole time budget; no response means that the page is frozen."""


class GatewayObservation(Frozen):
    """Result of a health check of the gateway."""

    up: bool | None
    """None if the gateway asked for a retry later, which proves neither."""
    uptime_seconds: float | None = None
    problem: Problem | None = None


class Listing(Frozen):
    """What the secret key and the list of stored sessions say."""

    secret_key_valid: bool | None = None
    default_secret: bool | None = None
    """Whether the gateway accepts the key from its public documentation, and so is open to anyone."""
    names: frozenset[str] | None = None
    """Sessions of which the gateway has stored anything; None if it did not report them."""
    problem: Problem | None = None


def as_problem(error: WppconnectError, at: datetime) -> Problem:
    """Convert an error to a value that can be shown."""
    return Problem(
        kind=type(error).__name__,
        message=str(error),
        at=at,
        explanation=error.explanation,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, RetryLaterError) else None,
    )


def probe_session(
    gateway: Gateway, session: str, *, now: Now, page_check: PageCheck, code: QrCode | None = None
) -> Observation:
    """Request a session's state and, if that alone proves nothing, the second proof where there is one.

    WPPConnect Server keeps reporting CONNECTED after the page froze or crashed or the browser died (contract,
    section 5), and QRCODE with a code that was used or whose page froze (section 13); `code` is the last
    known QR code. Only the second proof detects this, and on a frozen page it hangs for 30 s or more.
    """
    started_at = now()
    state_is_proof = Capability.CONNECTION_CHECK not in gateway.capabilities
    try:
        if page_check == PageCheck.ONLY:
            page_answers = state_is_proof or _check_page(gateway, session, page_check)
            if page_answers is not False:
                return Observation(
                    started_at=started_at,
                    observed_at=now(),
                    state=SessionState.CONNECTED,
                    has_session_object=True,
                    page_answers=page_answers,
                    page_unproved=page_answers is None,
                )
        status = _ask_again_after(ConnectError, lambda: gateway.read_status(session))
        is_connected = status.state == SessionState.CONNECTED
        page_answers = True if state_is_proof and is_connected else None
        is_same = code is not None and code.payload == status.qr_payload
        is_waiting = status.state == SessionState.QRCODE
        is_doubtful = is_waiting and is_same and code is not None and code.is_overdue(now())
        depends = not state_is_proof and (is_connected or is_doubtful)
        if depends:
            page_answers = _check_page(gateway, session, page_check)
        if page_answers is False and is_connected:
            # It may have been unlinked or closed between the two requests.
            status = _ask_again_after(ConnectError, lambda: gateway.read_status(session))
            if status.state != SessionState.CONNECTED:
                depends, page_answers = False, None
    except WppconnectError as error:
        return Observation(started_at=started_at, observed_at=now(), problem=as_problem(error, now()))
    return Observation(
        started_at=started_at,
        observed_at=now(),
        state=status.state,
        has_session_object=status.has_session_object,
        has_browser=status.has_browser,
        qr_payload=status.qr_payload,
        page_answers=page_answers,
        page_timed_out=depends and page_answers is None and page_check == PageCheck.PATIENT,
        page_unproved=depends and page_answers is None,
        version=status.version,
    )


def read_account(gateway: Gateway, session: str, *, now: Now) -> Account | None:
    """Return the linked account; None if the gateway does not report it now."""
    try:
        account = gateway.read_account(session)
    except WppconnectError:
        return None
    return Account(seen_at=now(), number=account.number, push_name=account.push_name)


def probe_gateway(gateway: Gateway, *, now: Now) -> GatewayObservation:
    """Run a health check; never request /metrics, which leaks memory on each call (section 8, T2).

    A gateway that is down takes all its sessions with it, so a failed check is repeated once before it
    counts: a gateway that is busy for a few seconds is not down.
    """
    try:
        health = _ask_again_after(WppconnectError, gateway.read_health)
    except RetryLaterError as error:
        return GatewayObservation(up=None, problem=as_problem(error, now()))
    except WppconnectError as error:
        return GatewayObservation(up=False, problem=as_problem(error, now()))
    return GatewayObservation(up=True, uptime_seconds=health.uptime_seconds)


def ask_overview(gateway: Gateway, *, now: Now) -> tuple[Overview, Listing | None]:
    """Request the release and all session states; the listing is None if the response has no states."""
    try:
        seen = gateway.read_overview()
    except RetryLaterError as error:
        return Overview(again_seconds=error.retry_after_seconds), None
    except SecretKeyRejectedError as error:
        return AFTER_ERROR, Listing(secret_key_valid=False, problem=as_problem(error, now()))
    except WppconnectError:
        return AFTER_ERROR, None
    if seen.states is None:
        return seen, None
    return seen, Listing(secret_key_valid=True, names=frozenset(seen.states))


def list_gateway(gateway: Gateway, *, now: Now, try_default: bool = True, lists: bool = True) -> Listing:
    """List the sessions that the gateway knows: the only safe test of a secret key (section 8, T1)."""
    default_secret = None
    if try_default:
        with suppress(WppconnectError):  # Unknown then: the key could not be tested.
            default_secret = gateway.accepts_default_secret()
    if not lists:
        return Listing(default_secret=default_secret)
    try:
        names = gateway.list_sessions()
    except SecretKeyRejectedError as error:
        problem = as_problem(error, now())
        return Listing(secret_key_valid=False, default_secret=default_secret, problem=problem)
    except WppconnectError as error:
        return Listing(default_secret=default_secret, problem=as_problem(error, now()))
    known = None if names is None else frozenset(names)
    is_valid = None if names is None else True
    return Listing(secret_key_valid=is_valid, default_secret=default_secret, names=known)


def _check_page(gateway: Gateway, session: str, check: PageCheck) -> bool | None:
    """Return whether the page responds; None if it was not checked, or not in time."""
    if check == PageCheck.SKIP:
        return None
    timeout = None if check == PageCheck.PATIENT else QUICK_CHECK_SECONDS
    with suppress(RequestTimeoutError):
        return _ask_again_after(
            ConnectError, lambda: gateway.check_connection(session, timeout_seconds=timeout)
        )
    return None


def _ask_again_after(failure: type[WppconnectError], ask: Callable[[], Answered]) -> Answered:
    """Call `ask`, and once more at once if it raises `failure`.

    A failed name lookup or a lost packet says nothing about the gateway or the session.
    """
    try:
        return ask()
    except failure:
        return ask()
