"""Diagnosis: the results of the doctor's checks and the one cause that explains them; pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from core.exceptions import RequestTimeoutError
from core.messages import Message
from core.models import Frozen, Reason, SessionState

SHORT_ATTEMPT = timedelta(seconds=45)
"""The gateway's default is 60 s from page load; an attempt shorter than this was limited by its settings."""
EXPIRED_OFTEN = 3


class Check(StrEnum):
    """The checks, in the order in which they run: each depends on the previous ones."""

    REACHABLE = "reachable"
    VERSION = "version"
    SECRET_ACCEPTED = "secret_accepted"  # noqa: S105 - a question's name, not a password
    DEFAULT_REFUSED = "default_refused"
    TOKEN_ACCEPTED = "token_accepted"  # noqa: S105 - a question's name, not a password
    SESSION_STATE = "session_state"
    PAGE_ANSWERS = "page_answers"
    QR_LIVE = "qr_live"
    END_TO_END = "end_to_end"
    """Runs only if enabled: it requires a number lookup by WhatsApp."""


class Result(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not applicable, or not possible because of another error."""


class CheckResult(Frozen):
    """A check and its result."""

    check: Check
    result: Result
    seconds: float = 0.0
    """The gateway's response time."""
    detail: str = ""
    """The gateway's version or state; never the text of a response."""
    error: str = ""
    """Class name of the error, if one was raised."""
    explanation: Message | None = None
    """The error's message."""
    is_impossible: bool = False
    """The check is impossible for this account."""


class Cause(StrEnum):
    """The cause of the results; the front doors present it in one sentence with the next step."""

    WELL = "well"
    NOT_CONFIGURED = "not_configured"
    UNREACHABLE = "unreachable"
    NO_ANSWER_IN_TIME = "no_answer_in_time"
    NOT_A_GATEWAY = "not_a_gateway"
    LEFT_ALONE = "left_alone"
    """The gateway responds 429, or 503 with Retry-After."""
    SECRET_IGNORED = "secret_ignored"  # noqa: S105 - a cause's name, not a password
    """The gateway accepts the public default, not our key: the image server-cli ignores SECRET_KEY."""
    SECRET_WRONG = "secret_wrong"  # noqa: S105 - a cause's name, not a password
    SECRET_MISSING = "secret_missing"  # noqa: S105 - a cause's name, not a password
    RAW_KEY_AS_TOKEN = "raw_key_as_token"  # noqa: S105 - a cause's name, not a password
    TOKEN_CUT = "token_cut"  # noqa: S105 - a cause's name, not a password
    TOKEN_CUT_BY_A_SHELL = "token_cut_by_a_shell"  # noqa: S105 - a cause's name, not a password
    TOKEN_WITH_SCHEME = "token_with_scheme"  # noqa: S105 - a cause's name, not a password
    TOKEN_ESCAPED = "token_escaped"  # noqa: S105 - a cause's name, not a password
    TOKEN_WITH_OTHER_TEXT = "token_with_other_text"  # noqa: S105 - a cause's name, not a password
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a cause's name, not a password
    NAME_UNUSABLE = "name_unusable"
    PAGE_FROZEN = "page_frozen"
    BROWSER_DEAD = "browser_dead"
    WHATSAPP_NOT_REACHED = "whatsapp_not_reached"
    WHATSAPP_NOT_CHECKABLE = "whatsapp_not_checkable"
    """Nothing else is wrong, but the end-to-end check is impossible for this account."""
    STARTING = "starting"
    STUCK = "stuck"
    PROFILE_BUSY = "profile_busy"
    WAITING_FOR_SCAN = "waiting_for_scan"
    WAITING_FOR_CODE = "waiting_for_code"
    LINKING_SCANNED = "linking_scanned"
    """The webhook reported the scan; the phone is loading its chats or asks for a passkey."""
    LINKING = "linking"
    """As above, but it is only likely that the code was used."""
    LINK_NOT_COMPLETED = "link_not_completed"
    CODE_EXPIRED = "code_expired"
    CODE_EXPIRED_OFTEN = "code_expired_often"
    ATTEMPT_TOO_SHORT = "attempt_too_short"
    NEVER_PAIRED = "never_paired"
    CLOSED_HERE = "closed_here"
    LOGGED_OUT_HERE = "logged_out_here"
    GATEWAY_RESTARTED = "gateway_restarted"
    UNLINKED = "unlinked"
    UNREADABLE = "unreadable"
    OPEN_TO_EVERYONE = "open_to_everyone"
    OLD_RELEASE = "old_release"


class Diagnosis(Frozen):
    """The results so far, and the cause once all checks have run."""

    server: str
    session: str | None
    """None if only the gateway is examined."""
    began_at: AwareDatetime
    results: tuple[CheckResult, ...] = ()
    cause: Cause | None = None
    """None until all checks have run."""
    hint: Message | None = None
    """A notice about the gateway's release that does not explain the problem."""

    def result(self, check: Check) -> CheckResult | None:
        """Return the result of a check; None if it did not run."""
        return next((one for one in self.results if one.check is check), None)


class Circumstances(Frozen):
    """Facts known besides the results."""

    now: AwareDatetime
    token_is: str = "missing"  # noqa: S105 - a word, not a password
    """Content of the token setting: "missing", "token", or the word of a `GatewayKind` for other text."""
    page_timed_out: bool = False
    start_is_late: bool = False
    """The browser has been starting for longer than a start takes."""
    profile_was_held: bool = False
    """An earlier browser may hold the profile, or the lock has the host name of an earlier container."""
    reason: Reason = Reason.NONE
    """Why the session is closed, or the progress of linking a phone."""
    ever_connected: bool = False
    attempts: tuple[timedelta, ...] = ()
    """Durations of the latest codes that expired since the session was last connected, newest first."""


def conclude(results: tuple[CheckResult, ...], known: Circumstances) -> Cause:
    """Return the cause of the first problem found; later ones only follow from it."""
    found = {one.check: one for one in results}
    for check, explain in _EXPLAIN.items():
        answer = found.get(check)
        cause = explain(answer, found, known) if answer is not None else None
        if cause is not None:
            return cause
    return _less_urgent(found)


Found = Mapping[Check, CheckResult]


def _unreachable(answer: CheckResult, _found: Found, _known: Circumstances) -> Cause | None:
    return _NO_ANSWER.get(answer.error, Cause.NOT_A_GATEWAY) if answer.result is Result.FAILED else None


def _secret(answer: CheckResult, found: Found, known: Circumstances) -> Cause | None:
    if answer.error:
        return _failed_call(answer)
    if answer.result is Result.SKIPPED:
        return {
            "missing": Cause.SECRET_MISSING,
            "raw_key": Cause.RAW_KEY_AS_TOKEN,
            "cut": Cause.TOKEN_CUT,
            "cut_by_a_shell": Cause.TOKEN_CUT_BY_A_SHELL,
            "with_scheme": Cause.TOKEN_WITH_SCHEME,
            "escaped": Cause.TOKEN_ESCAPED,
            "with_other_text": Cause.TOKEN_WITH_OTHER_TEXT,
        }.get(known.token_is)
    if answer.result is Result.PASSED:
        return None
    default = found.get(Check.DEFAULT_REFUSED)
    is_open = default is not None and default.result is Result.FAILED and not default.error
    return Cause.SECRET_IGNORED if is_open else Cause.SECRET_WRONG


def _token(answer: CheckResult, _found: Found, _known: Circumstances) -> Cause | None:
    if answer.result is Result.PASSED:
        return None
    return {
        "AuthenticationError": Cause.TOKEN_REFUSED,
        "SecretKeyRejectedError": Cause.SECRET_WRONG,
        "ConfigurationError": Cause.NAME_UNUSABLE,
    }.get(answer.error) or _failed_call(answer)


def _state(answer: CheckResult, _found: Found, known: Circumstances) -> Cause | None:
    match answer.detail:
        case SessionState.CONNECTED:
            return None
        case SessionState.INITIALIZING if known.start_is_late:
            return Cause.PROFILE_BUSY if known.profile_was_held else Cause.STUCK
        case SessionState.INITIALIZING:
            return Cause.STARTING
        case SessionState.QRCODE:
            return _LINKING.get(known.reason) or Cause.WAITING_FOR_SCAN
        case SessionState.PHONECODE:
            return _LINKING.get(known.reason) or Cause.WAITING_FOR_CODE
        case SessionState.CLOSED:
            return _closed(known)
        case _:
            return Cause.UNREADABLE


def _page(answer: CheckResult, _found: Found, _known: Circumstances) -> Cause | None:
    if answer.result is Result.PASSED:
        return None
    if answer.error and answer.error != RequestTimeoutError.__name__:
        return _failed_call(answer)
    return Cause.PAGE_FROZEN if answer.error else Cause.BROWSER_DEAD


def _end_to_end(answer: CheckResult, _found: Found, _known: Circumstances) -> Cause | None:
    return Cause.WHATSAPP_NOT_REACHED if answer.result is Result.FAILED else None


def _closed(known: Circumstances) -> Cause:
    if known.attempts and known.reason in (Reason.CODE_EXPIRED, Reason.NONE):
        if known.attempts[0] < SHORT_ATTEMPT:
            return Cause.ATTEMPT_TOO_SHORT
        often = len(known.attempts) >= EXPIRED_OFTEN
        return Cause.CODE_EXPIRED_OFTEN if often else Cause.CODE_EXPIRED
    explained = {
        Reason.CODE_EXPIRED: Cause.CODE_EXPIRED,
        Reason.LINK_NOT_COMPLETED: Cause.LINK_NOT_COMPLETED,
        Reason.CLOSED_BY_OPERATOR: Cause.CLOSED_HERE,
        Reason.LOGGED_OUT_BY_OPERATOR: Cause.LOGGED_OUT_HERE,
        Reason.GATEWAY_RESTARTED: Cause.GATEWAY_RESTARTED,
    }
    if known.reason in explained:
        return explained[known.reason]
    return Cause.UNLINKED if known.ever_connected else Cause.NEVER_PAIRED


def _less_urgent(found: Found) -> Cause:
    default = found.get(Check.DEFAULT_REFUSED)
    if default is not None and default.result is Result.FAILED and not default.error:
        return Cause.OPEN_TO_EVERYONE
    version = found.get(Check.VERSION)
    if version is not None and version.result is Result.FAILED:
        return Cause.OLD_RELEASE
    checked = found.get(Check.END_TO_END)
    return Cause.WHATSAPP_NOT_CHECKABLE if checked and checked.is_impossible else Cause.WELL


def _failed_call(answer: CheckResult) -> Cause:
    return _NO_ANSWER.get(answer.error, Cause.UNREADABLE)


_NO_ANSWER = {
    "ConnectError": Cause.UNREACHABLE,
    "RequestTimeoutError": Cause.NO_ANSWER_IN_TIME,
    "RetryLaterError": Cause.LEFT_ALONE,
}

_LINKING = {
    Reason.CODE_SCANNED: Cause.LINKING_SCANNED,
    Reason.CODE_USED: Cause.LINKING,
    Reason.LINK_NOT_COMPLETED: Cause.LINK_NOT_COMPLETED,
}

_EXPLAIN = {
    Check.REACHABLE: _unreachable,
    Check.SECRET_ACCEPTED: _secret,
    Check.TOKEN_ACCEPTED: _token,
    Check.SESSION_STATE: _state,
    Check.PAGE_ANSWERS: _page,
    Check.END_TO_END: _end_to_end,
}
