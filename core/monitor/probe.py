"""One probe of one session, and one look at a gateway; every error becomes a value here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import TypeVar

from core.client import GatewayClient
from core.clock import Now
from core.exceptions import (
    ConnectError,
    RequestTimeoutError,
    RetryLaterError,
    SecretKeyRejectedError,
    WppconnectError,
)
from core.models import Account, Frozen, Observation, Problem, QrCode, SessionState, is_overdue
from core.settings.environment import PUBLIC_DEFAULT_SECRET

Answered = TypeVar("Answered")

QUICK_CHECK_SECONDS = 3.0
"""What a page gets to answer in the shared lane; a slower one is asked again where it delays nobody."""

_MAY_SHOW_QR = (SessionState.QRCODE, SessionState.CLOSED)
"""CLOSED in the start-up race alone, which `core.verdict` tells from all others (section 6)."""


class PageCheck(Enum):
    """How to ask a page that claims to be connected."""

    SKIP = "skip"
    QUICK = "quick"
    """A slow answer leaves the question open."""
    PATIENT = "patient"
    """The whole time budget; no answer means that the page is frozen."""


class GatewayObservation(Frozen):
    """What a health check of the gateway saw."""

    up: bool | None
    """None: it wants to be left alone, which proves nothing."""
    uptime_seconds: float | None = None
    problem: Problem | None = None


class Listing(Frozen):
    """What show-all-sessions said."""

    secret_key_valid: bool | None = None
    default_secret: bool | None = None
    """Does the gateway accept the key that stands in its documentation: it is then open to everyone."""
    names: frozenset[str] | None = None
    """The sessions of which the gateway has kept anything; None: it did not say."""
    problem: Problem | None = None


class ManagerAnswer(Frozen):
    """What the manager protocol said of the gateway and of all its sessions."""

    offered: bool | None = None
    """None: it could not be asked."""
    version: str | None = None
    page: bool | None = None
    """Whether the gateway's own administration page is switched on; None: not asked."""
    listing: Listing | None = None
    states: Mapping[str, SessionState] | None = None
    pause_seconds: float = 0.0
    """For so long it is not to be asked again."""


def as_problem(error: WppconnectError, at: datetime) -> Problem:
    """Turn an error into a value that a front door shows."""
    return Problem(
        kind=type(error).__name__,
        message=str(error),
        at=at,
        explanation=error.explanation,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, RetryLaterError) else None,
    )


def probe_session(
    client: GatewayClient, session: str, *, now: Now, page_check: PageCheck, code: QrCode | None = None
) -> Observation:
    """Ask for a session's state and, where that alone proves nothing, whether its page answers.

    The gateway goes on saying CONNECTED when the page froze, crashed or the browser died (section 5), and
    QRCODE with a code that was used or whose page froze (section 13): `code` is the one that is known so far.
    Only check-connection-session tells, and on a frozen page that call hangs for 30 s or more.
    """
    started_at = now()
    try:
        # Otherwise nothing was heard of the session: a name that was not resolved or a packet that got lost.
        status = _ask_again_after(ConnectError, lambda: client.read_status(session))
    except WppconnectError as error:
        return Observation(started_at=started_at, observed_at=now(), problem=as_problem(error, now()))
    page_answers, page_timed_out = None, False
    is_same = status.state == SessionState.QRCODE and code is not None and code.payload == status.urlcode
    depends = status.state == SessionState.CONNECTED or (
        is_same and code is not None and is_overdue(code, now())
    )
    if depends and page_check != PageCheck.SKIP:
        patient = page_check == PageCheck.PATIENT
        try:
            page_answers = client.check_connection(
                session, timeout_seconds=None if patient else QUICK_CHECK_SECONDS
            )
        except RequestTimeoutError:
            page_timed_out = patient
        except WppconnectError as error:
            return Observation(started_at=started_at, observed_at=now(), problem=as_problem(error, now()))
    return Observation(
        started_at=started_at,
        observed_at=now(),
        state=status.state,
        has_session_object=status.has_session_object,
        has_browser=status.has_browser,
        urlcode=status.urlcode if status.state in _MAY_SHOW_QR else None,
        page_answers=page_answers,
        page_timed_out=page_timed_out,
        page_unproved=depends and page_answers is None,
        version=status.version,
    )


def read_account(client: GatewayClient, session: str, *, now: Now) -> Account | None:
    """Ask which account is linked; None where the gateway does not tell now."""
    try:
        device = client.read_device(session)
    except WppconnectError:
        return None
    return Account(seen_at=now(), number=device.phone_number, push_name=device.push_name)


def probe_gateway(client: GatewayClient, *, now: Now) -> GatewayObservation:
    """Ask the gateway for its health; never its /metrics, which leak memory at each call (section 8, T2).

    All of its sessions are lost with it, so one answer that fails is asked for again before it counts: a
    gateway that is busy for a few seconds is not down.
    """
    try:
        health = _ask_again_after(WppconnectError, client.read_health)
    except RetryLaterError as error:
        return GatewayObservation(up=None, problem=as_problem(error, now()))
    except WppconnectError as error:
        return GatewayObservation(up=False, problem=as_problem(error, now()))
    return GatewayObservation(up=True, uptime_seconds=health.uptime_seconds)


def ask_manager(client: GatewayClient, *, now: Now, detect: bool, lists: bool) -> ManagerAnswer:
    """Ask by the manager protocol, where it is offered, for the release and the states of all sessions.

    Its requests are limited (contract, section 12). What cannot be asked there is asked by the older routes.
    """
    known = ManagerAnswer(offered=None if detect else True)
    try:
        if detect:
            version = client.manager.read_release()
            known = ManagerAnswer(offered=version is not None, version=version)
            if known.offered:
                with suppress(WppconnectError):
                    known = known.model_copy(update={"page": client.manager.serves_page()})
        seen = client.list_states() if known.offered and lists else None
    except RetryLaterError as error:
        return known.model_copy(update={"pause_seconds": error.retry_after_seconds})
    except SecretKeyRejectedError as error:
        refused = Listing(secret_key_valid=False, problem=as_problem(error, now()))
        return known.model_copy(update={"listing": refused})
    except WppconnectError:
        return known
    if seen is None:
        return known.model_copy(update={"offered": bool(known.offered) and not lists})
    listing = Listing(secret_key_valid=True, names=frozenset(seen.states))
    return known.model_copy(
        update={"listing": listing, "states": seen.states, "pause_seconds": seen.pause_seconds}
    )


def list_gateway(client: GatewayClient, *, now: Now, try_default: bool = True, lists: bool = True) -> Listing:
    """Ask which sessions the gateway knows: the only safe test of a secret key (section 8, T1)."""
    default_secret = None
    if try_default:
        with suppress(WppconnectError):  # Then it could not be tried.
            default_secret = client.accepts_secret(PUBLIC_DEFAULT_SECRET)
    if not lists:
        return Listing(default_secret=default_secret)
    try:
        names = client.list_sessions()
    except SecretKeyRejectedError as error:
        problem = as_problem(error, now())
        return Listing(secret_key_valid=False, default_secret=default_secret, problem=problem)
    except WppconnectError as error:
        return Listing(default_secret=default_secret, problem=as_problem(error, now()))
    known = None if names is None else frozenset(names)
    is_valid = None if names is None else True
    return Listing(secret_key_valid=is_valid, default_secret=default_secret, names=known)


def _ask_again_after(failure: type[WppconnectError], ask: Callable[[], Answered]) -> Answered:
    """Ask a second time, at once, when the first answer was this failure."""
    try:
        return ask()
    except failure:
        return ask()
