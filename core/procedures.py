"""Bring a session from whatever state to where an operator wants it, by the gateway's rules and waits.

Each procedure acts through the client and reads what came of it from the Snapshot, so that a session is
probed by one process only. It returns a word of `operation_status.OUTCOMES`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.client import GatewayClient, StartAnswer, StartOptions
from core.exceptions import RequestTimeoutError, SessionDisconnectedError, WppconnectError
from core.models import SessionSnapshot, SessionState, Verdict
from core.operation_status import Facts, Step
from core.waits import Waits

MAX_STARTS = 2


class Run(Protocol):
    """What a procedure may use of the operation that runs it."""

    client: GatewayClient
    session: str
    waits: Waits
    facts: Facts
    webhook: str | None

    @property
    def gateway_started_at(self) -> datetime | None: ...
    def now(self) -> datetime: ...
    def step(self, step: Step, *, until: datetime | None = None) -> None: ...
    def show_code(self, code: str | None, *, until: datetime | None = None) -> None: ...
    def remember(self, **facts: object) -> None: ...
    def acted(self) -> None: ...
    def look(self) -> SessionSnapshot: ...
    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None: ...
    def wait_until(self, moment: datetime) -> None: ...


@dataclass(frozen=True)
class Goal:
    """What counts as done."""

    restart: bool = False
    """Close a session that claims to be connected first."""
    show_code: bool = False
    """Go on until a phone has scanned; otherwise a session that asks for one is the end."""
    wipe_webhook: bool = False
    """An operator confirmed that a webhook unknown to us may be lost."""


def bring_up(run: Run, goal: Goal) -> str:
    """Start, restart or pair by QR: from any state to connected, or to the reason why not."""
    starts, shown_at, started_at = 0, None, None
    to_close = goal.restart
    while True:
        seen = run.look()
        match seen.verdict:
            case Verdict.CONNECTED if to_close:
                close_session(run, seen)
                to_close = False
            case Verdict.CONNECTED:
                return "connected" if starts or shown_at or goal.restart else "already_connected"
            case Verdict.UNRESPONSIVE | Verdict.STUCK:
                if starts >= MAX_STARTS:
                    return "stuck"
                close_session(run, seen)
                to_close = False
            case Verdict.WAITING_FOR_QR:
                if not goal.show_code:
                    return "needs_pairing"
                shown_at = _follow_qr(run, seen, shown_at)
            case Verdict.WAITING_FOR_CODE:
                if not goal.show_code:
                    return "needs_pairing"
                if run.webhook is None and not run.facts.phone_saved and not goal.wipe_webhook:
                    return "needs_webhook_confirmation"
                run.step(Step.WAITING_FOR_CODE_TO_EXPIRE, until=_code_ends(run, seen))
                run.await_change(seen, until=run.now() + timedelta(seconds=run.waits.syncing))
            case Verdict.STARTING:
                shown_at = None
                _wait_for_browser(run, seen)
            case Verdict.DISCONNECTED:
                loaded_at = shown_at or started_at
                if loaded_at is not None and _code_may_live(run, seen, loaded_at):
                    run.step(Step.VERIFYING)
                    run.await_change(seen, until=loaded_at + timedelta(seconds=run.waits.auto_close))
                elif shown_at is not None and seen.has_session_object:
                    return "code_expired"
                elif starts >= MAX_STARTS:
                    return "start_failed"
                else:
                    shown_at = None
                    start(run, options_for_qr(run, goal))
                    starts, started_at = starts + 1, run.now()
            case Verdict.UNAUTHORIZED:
                return "secret_rejected" if seen.reason == "secret_rejected" else "unauthorized"
            case Verdict.UNREACHABLE:
                if not _gateway_returns(run, seen):
                    return "unreachable"
            case _:
                if not _gateway_returns(run, seen):
                    return "failed"


def pair_by_code(run: Run, phone: str, *, wipe_webhook: bool) -> str:
    """Show a pairing code and follow it until a phone is linked.

    The gateway tells the code only in the answer of the start that asks for it, and only when it holds no
    object of the session: never after a close or an expired code in its life (section 6).
    """
    while True:
        seen = run.look()
        match seen.verdict:
            case Verdict.CONNECTED:
                return "already_connected"
            case Verdict.UNRESPONSIVE | Verdict.STUCK | Verdict.WAITING_FOR_QR | Verdict.WAITING_FOR_CODE:
                return "code_not_visible"
            case Verdict.STARTING:
                _wait_for_browser(run, seen)
            case Verdict.DISCONNECTED:
                if seen.has_session_object or _closed_in_its_life(run):
                    return "code_not_visible"
                if run.webhook is None and not run.facts.phone_saved and not wipe_webhook:
                    return "needs_webhook_confirmation"
                break
            case Verdict.UNAUTHORIZED:
                return "secret_rejected" if seen.reason == "secret_rejected" else "unauthorized"
            case _:
                if not _gateway_returns(run, seen):
                    return "unreachable"
    return _start_with_code(run, phone)


def close(run: Run) -> str:
    """Close a session and keep its pairing."""
    seen = run.look()
    match seen.verdict:
        case Verdict.WAITING_FOR_QR | Verdict.WAITING_FOR_CODE | Verdict.STARTING:
            return "close_refused"
        case Verdict.UNREACHABLE:
            return "unreachable"
        case Verdict.UNAUTHORIZED:
            return "secret_rejected" if seen.reason == "secret_rejected" else "unauthorized"
        case Verdict.DISCONNECTED:
            return "closed"
        case _:
            close_session(run, seen)
    run.step(Step.VERIFYING)
    return "closed" if run.look().verdict == Verdict.DISCONNECTED else "close_unverified"


def log_out(run: Run) -> str:
    """Unlink the phone and delete the pairing: irreversible without a new scan."""
    run.step(Step.LOGGING_OUT)
    try:
        run.client.logout_session(run.session)
    except SessionDisconnectedError:
        return "not_connected"
    run.remember(logged_out_at=run.now(), closed_at=None)
    run.acted()
    run.step(Step.VERIFYING)
    run.look()
    return "logged_out"


def close_session(run: Run, seen: SessionSnapshot) -> None:
    """Close what is connected, dead or stuck, and remember what the gateway's answer means for a start."""
    run.step(Step.CLOSING)
    closed = run.client.close_session(run.session)
    now = run.now()
    if closed:
        run.remember(closed_at=now, failed_close_at=None, free_at=None)
    else:
        # 500 is the answer to closing anything but a connected session; it is forgotten all the same, but
        # its browser may run on until auto-close and hold the profile (section 6).
        starting = seen.state == SessionState.INITIALIZING
        seconds = run.waits.after_failed_close_while_starting if starting else run.waits.after_failed_close
        run.remember(failed_close_at=now, free_at=now + timedelta(seconds=seconds))
    run.acted()


def start(run: Run, options: StartOptions | None) -> None:
    """Start a session without waiting for its code; the answer describes the state before: it is ignored."""
    _wait_for_profile(run)
    run.step(Step.STARTING)
    run.client.start_session(run.session, options)
    run.acted()
    run.remember(logged_out_at=None)
    if options is not None:
        run.remember(phone_saved=False)


def options_for_qr(run: Run, goal: Goal) -> StartOptions | None:
    """Choose what a start without a phone sends.

    Any key replaces everything that the gateway saved, an empty body keeps it (section 4). A webhook that
    we do not know is kept by sending nothing; a phone that was saved must be wiped by the complete set,
    or the start would make a pairing code again.
    """
    if run.webhook is None and not run.facts.phone_saved and not goal.wipe_webhook:
        return None
    return StartOptions(webhook=run.webhook or None, phone=None, wait=False)


def _wait_for_profile(run: Run) -> None:
    facts = run.facts
    if facts.logged_out_at is not None:
        free_at = facts.logged_out_at + timedelta(seconds=run.waits.after_logout)
        if run.now() < free_at:
            run.step(Step.WAITING_AFTER_LOGOUT, until=free_at)
            run.wait_until(free_at)
    if facts.free_at is not None and run.now() < facts.free_at:
        run.step(Step.WAITING_AFTER_CLOSE, until=facts.free_at)
        run.wait_until(facts.free_at)


def _follow_qr(run: Run, seen: SessionSnapshot, shown_at: datetime | None) -> datetime:
    began = shown_at or seen.state_since or run.now()
    ends = began + timedelta(seconds=run.waits.auto_close)
    run.step(Step.WAITING_FOR_SCAN, until=ends)
    # After a scan the gateway goes on saying QRCODE with the used-up code for up to 180 s of syncing.
    run.await_change(seen, until=max(ends, run.now()) + timedelta(seconds=run.waits.syncing))
    return began


def _closed_in_its_life(run: Run) -> bool:
    closed_at = run.facts.closed_at or run.facts.failed_close_at
    return closed_at is not None and (run.gateway_started_at is None or run.gateway_started_at < closed_at)


def _code_ends(run: Run, seen: SessionSnapshot) -> datetime:
    return (seen.state_since or run.now()) + timedelta(seconds=run.waits.auto_close)


def _code_may_live(run: Run, seen: SessionSnapshot, loaded_at: datetime) -> bool:
    # On a first pairing the gateway may wrongly say CLOSED one or two seconds after the page has loaded,
    # while the code on the screen is valid; it still carries a `urlcode` then (section 6).
    if not seen.has_session_object or run.now() >= loaded_at + timedelta(seconds=run.waits.auto_close):
        return False
    return run.client.read_status(run.session).urlcode is not None


def _wait_for_browser(run: Run, seen: SessionSnapshot) -> None:
    run.step(Step.WAITING_FOR_BROWSER)
    run.await_change(seen, until=run.now() + timedelta(seconds=run.waits.start_limit))


def _gateway_returns(run: Run, seen: SessionSnapshot) -> bool:
    run.step(Step.WAITING_FOR_GATEWAY)
    changed = run.await_change(seen, until=run.now() + timedelta(seconds=run.waits.gateway_return))
    return changed is not None


def _start_with_code(run: Run, phone: str) -> str:
    _wait_for_profile(run)
    run.step(Step.STARTING)
    options = StartOptions(webhook=run.webhook or None, phone=phone, wait=True)
    call = _Call(lambda: run.client.start_session(run.session, options))
    while not call.done:
        # With a profile that is still paired the answer never comes, but the session connects (H1).
        if run.look().verdict == Verdict.CONNECTED:
            return "connected"
        run.wait_until(run.now() + timedelta(seconds=0.3))
    run.acted()
    run.remember(phone_saved=True, logged_out_at=None)
    try:
        answer = call.result()
    except RequestTimeoutError:
        return "connected" if run.look().verdict == Verdict.CONNECTED else "timed_out"
    if answer.pairing_code is None:
        return "code_not_visible"
    ends = run.now() + timedelta(seconds=run.waits.auto_close)
    run.show_code(answer.pairing_code, until=ends)
    try:
        return _follow_code(run, ends)
    finally:
        run.show_code(None)


def _follow_code(run: Run, ends: datetime) -> str:
    last = ends + timedelta(seconds=run.waits.syncing)
    while run.now() < last:
        seen = run.look()
        match seen.verdict:
            case Verdict.CONNECTED:
                return "connected"
            case Verdict.DISCONNECTED if run.now() >= ends or seen.has_session_object is False:
                return "code_expired"
            case _:
                run.await_change(seen, until=min(last, run.now() + timedelta(seconds=5)))
    return "code_expired"


class _Call:
    """A call that runs beside the procedure, because its answer may never come."""

    def __init__(self, call: Callable[[], StartAnswer]) -> None:
        self._answer: StartAnswer | None = None
        self._error: WppconnectError | None = None

        def run() -> None:
            try:
                self._answer = call()
            except WppconnectError as error:
                self._error = error

        self._thread = threading.Thread(target=run, name="start-with-code", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Tell whether it has ended."""
        return not self._thread.is_alive()

    def result(self) -> StartAnswer:
        """Hand out the answer, or raise what went wrong."""
        if self._error is not None:
            raise self._error
        if self._answer is None:
            raise RequestTimeoutError("the start has not been answered yet", operation="start the session")
        return self._answer
