"""Examine a gateway and one of its sessions, check by check, to find the one cause of a problem.

All calls are read-only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta

from core.clock import Now
from core.clock import now as real_now
from core.doctor.diagnosis import (
    Cause,
    Check,
    CheckResult,
    Circumstances,
    Diagnosis,
    Result,
    conclude,
)
from core.exceptions import (
    AuthenticationError,
    ConfigurationError,
    RequestTimeoutError,
    SecretKeyRejectedError,
    WppconnectError,
)
from core.gateways.protocol import Capability, EndToEndResult, Gateway, SessionStatus
from core.gateways.registry import kind_of
from core.models import HistoryEntry, Reason, ServerSnapshot, SessionState, Verdict
from core.monitor import end_to_end
from core.operations.record import read_facts
from core.runtime import Core
from core.settings.values import ServerSettings, Settings

RECENT_START = timedelta(minutes=5)
"""A session started within this time after its gateway may find the profile lock of an earlier container."""
HISTORY_ENTRIES = 60

REFUSED_TOKEN = (AuthenticationError, ConfigurationError, SecretKeyRejectedError)

Tell = Callable[[Diagnosis], None]


def examine(
    core: Core,
    server: str,
    session: str | None = None,
    *,
    asks_whatsapp: bool = False,
    tell: Tell = lambda _: None,
    now: Now = real_now,
) -> Diagnosis:
    """Run all applicable checks, pass the diagnosis to `tell` after each one, and return the complete one.

    Without a session only the gateway is examined, with its first session's token. The end-to-end check runs
    if `asks_whatsapp` or the gateway's settings enable it. Raise StoreError.
    """
    configured = core.settings.current().server(server)
    if configured is None or (session is not None and configured.session(session) is None):
        return Diagnosis(server=server, session=session, began_at=now(), cause=Cause.NOT_CONFIGURED)
    with closing(core.client(configured)) as gateway:
        examination = _Examination(core, configured, session, gateway, now)
        return examination.run(asks_whatsapp=asks_whatsapp or bool(configured.end_to_end_minutes), tell=tell)


def examine_unsaved(core: Core, settings: Settings, server: str, *, now: Now = real_now) -> Diagnosis:
    """Examine a gateway as settings that are not saved describe it. Raise StoreError.

    What is known of the saved gateway is not used, and what is learned is not kept.
    """
    configured = settings.server(server)
    if configured is None:
        return Diagnosis(server=server, session=None, began_at=now(), cause=Cause.NOT_CONFIGURED)
    # One session is enough to try a token.
    configured = configured.model_copy(update={"sessions": configured.sessions[:1]})
    with core.trial_client(configured, settings) as gateway:
        return _Examination(core, configured, None, gateway, now, is_saved=False).run()


_TELLING = (Verdict.DISCONNECTED, Verdict.LINKING)


class _Examination:
    """One examination: runs the checks and collects the circumstances."""

    def __init__(
        self,
        core: Core,
        server: ServerSettings,
        session: str | None,
        gateway: Gateway,
        now: Now,
        *,
        is_saved: bool = True,
    ) -> None:
        self._core = core
        self._server = server
        self._session = session
        self._gateway = gateway
        self._kind = kind_of(server.kind)
        self._now = now
        self._is_saved = is_saved
        self._status: SessionStatus | None = None

    def run(self, *, asks_whatsapp: bool = False, tell: Tell = lambda _: None) -> Diagnosis:
        """Run the checks, pass the diagnosis to `tell` after each one, and return the complete one."""
        diagnosis = Diagnosis(server=self._server.name, session=self._session, began_at=self._now())
        for answer in self.answers(asks_whatsapp=asks_whatsapp):
            hint = diagnosis.hint
            if answer.check is Check.VERSION:
                hint = self._kind.expiry_notice(answer.detail, self._now())
            diagnosis = diagnosis.model_copy(update={"results": (*diagnosis.results, answer), "hint": hint})
            tell(diagnosis)
        cause = conclude(diagnosis.results, self.circumstances())
        diagnosis = diagnosis.model_copy(update={"cause": cause})
        tell(diagnosis)
        return diagnosis

    def answers(self, *, asks_whatsapp: bool) -> Iterator[CheckResult]:
        """Run the checks in order and yield their results; impossible ones are omitted or skipped."""
        reachable = _ask(Check.REACHABLE, self._is_reachable)
        yield reachable
        if reachable.result is not Result.PASSED:
            return
        yield self._version()
        accepted = self._secret()
        yield accepted
        yield _ask(Check.DEFAULT_REFUSED, lambda: not self._gateway.accepts_default_secret(), proof=())
        names = [one.name for one in self._server.sessions]
        session = self._session or (names[0] if names else None)
        if session is None or accepted.result is Result.FAILED:
            return
        token = _ask(Check.TOKEN_ACCEPTED, lambda: self._read_status(session), proof=REFUSED_TOKEN)
        yield token
        if self._session is None or token.result is not Result.PASSED:
            return
        yield from self._about_session(self._session, asks_whatsapp=asks_whatsapp)

    def circumstances(self) -> Circumstances:
        """Return the facts known besides the results."""
        known = Circumstances(now=self._now(), token_is=self._token_is())
        snapshot = self._core.monitor.snapshot()
        gateway = snapshot.server(self._server.name)
        seen = snapshot.session(self._server.name, self._session) if self._session else None
        if gateway is None or seen is None:
            return known
        began = seen.state_since if seen.state is SessionState.INITIALIZING else None
        return known.model_copy(
            update={
                "start_is_late": began is not None and known.now - began > self._kind.session_times.start,
                "profile_was_held": began is not None and self._held_profile(began, gateway, seen.session),
                "reason": seen.reason if seen.verdict in _TELLING else Reason.NONE,
                "ever_connected": seen.ever_connected,
                "attempts": expired_attempts(self._transitions(seen.session)),
            }
        )

    def _held_profile(self, began: datetime, gateway: ServerSnapshot, session: str) -> bool:
        facts = read_facts(self._core.store, gateway.server, session)
        held_until = facts.free_at or facts.failed_close_at
        if held_until is not None and began < held_until:
            return True
        started_at = gateway.started_at
        return started_at is not None and timedelta(0) <= began - started_at < RECENT_START

    def _transitions(self, session: str) -> list[HistoryEntry]:
        return self._core.history.read(
            server=self._server.name,
            session=session,
            kinds=["transition"],
            newest_first=True,
            limit=HISTORY_ENTRIES,
        )

    def _is_reachable(self) -> bool:
        self._gateway.read_health()
        return True

    def _version(self) -> CheckResult:
        gateway = self._core.monitor.snapshot().server(self._server.name) if self._is_saved else None
        version = gateway.version if gateway is not None else None
        with suppress(WppconnectError):
            version = self._gateway.read_version() or version
        if version is None:
            return CheckResult(check=Check.VERSION, result=Result.SKIPPED)
        result = Result.FAILED if self._kind.is_outdated(version) else Result.PASSED
        return CheckResult(check=Check.VERSION, result=result, detail=version)

    def _secret(self) -> CheckResult:
        if self._server.secret_key is None:
            return CheckResult(check=Check.SECRET_ACCEPTED, result=Result.SKIPPED)
        return _ask(Check.SECRET_ACCEPTED, self._gateway.check_secret, proof=())

    def _read_status(self, session: str) -> bool:
        self._status = self._gateway.read_status(session)
        return True

    def _about_session(self, session: str, *, asks_whatsapp: bool) -> Iterator[CheckResult]:
        state = self._status.state if self._status is not None else None
        connected = state is SessionState.CONNECTED
        yield CheckResult(
            check=Check.SESSION_STATE,
            result=Result.PASSED if connected else Result.FAILED,
            detail=state or SessionState.UNKNOWN,
        )
        if connected:
            offered, is_proved = self._gateway.capabilities, True
            if Capability.CONNECTION_CHECK in offered:
                page = _ask(
                    Check.PAGE_ANSWERS,
                    lambda: self._gateway.check_connection(session),
                    proof=(RequestTimeoutError,),
                )
                yield page
                is_proved = page.result is Result.PASSED
            if asks_whatsapp and is_proved and Capability.END_TO_END in offered:
                yield self._end_to_end(session)
        if state is SessionState.QRCODE:
            yield _ask(Check.QR_LIVE, lambda: self._shows_live_code(session), proof=())

    def _end_to_end(self, session: str) -> CheckResult:
        seen = end_to_end.check(self._gateway, session, now=self._now)
        result = {
            EndToEndResult.PASSED: Result.PASSED,
            EndToEndResult.FAILED: Result.FAILED,
        }.get(seen.result, Result.SKIPPED)
        seconds = (seen.ended_at - seen.started_at).total_seconds()
        return CheckResult(
            check=Check.END_TO_END,
            result=result,
            seconds=round(seconds, 3),
            is_impossible=seen.result is EndToEndResult.NO_NUMBER,
        )

    def _shows_live_code(self, session: str) -> bool:
        status = self._gateway.read_status(session)
        return status.state is SessionState.QRCODE and bool(status.qr_payload)

    def _token_is(self) -> str:
        if self._server.token is None:
            return "missing"
        return self._kind.token_format(self._server.token.get_secret_value())


def expired_attempts(newest_first: list[HistoryEntry]) -> tuple[timedelta, ...]:
    """Return, from transitions, the durations of codes that expired unused since the last connection."""
    spans: list[timedelta] = []
    expired_at: datetime | None = None
    for entry in newest_first:
        match entry.data.get("to"), entry.data.get("reason"):
            case Verdict.CONNECTED, _:
                break
            case Verdict.DISCONNECTED, Reason.CODE_EXPIRED:
                expired_at = entry.at
            case ((Verdict.WAITING_FOR_QR | Verdict.WAITING_FOR_CODE), _) if expired_at is not None:
                spans.append(expired_at - entry.at)
                expired_at = None
    return tuple(spans)


def _ask(
    check: Check,
    question: Callable[[], bool],
    *,
    proof: tuple[type[WppconnectError], ...] = (WppconnectError,),
) -> CheckResult:
    """Run a check. An error in `proof` means that it failed, any other that it is skipped."""
    began = time.monotonic()
    error: WppconnectError | None = None
    try:
        result = Result.PASSED if question() else Result.FAILED
    except WppconnectError as problem:
        result, error = Result.FAILED if isinstance(problem, proof) else Result.SKIPPED, problem
    return CheckResult(
        check=check,
        result=result,
        seconds=round(time.monotonic() - began, 3),
        error=type(error).__name__ if error else "",
        explanation=error.explanation if error else None,
    )
