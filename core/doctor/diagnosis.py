"""What the doctor finds: one answer for each question, and the one cause that explains them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from core.exceptions import RequestTimeoutError
from core.messages import Message
from core.models import Frozen, Reason, SessionState

SHORT_ATTEMPT = timedelta(seconds=45)
"""The gateway's standard is 60 s from page load; one that ended before this was cut short by settings."""
EXPIRED_OFTEN = 3
FIRST_SEEN_UNLINKED = (2, 8, 7)
"""Earlier gateways wait for a misspelt word and go on saying CONNECTED after an unlink (section 10)."""


class Check(StrEnum):
    """The questions, in the order in which they are asked: each makes sense only after those before it."""

    REACHABLE = "reachable"
    VERSION = "version"
    SECRET_ACCEPTED = "secret_accepted"  # noqa: S105 - a question's name, not a password
    DEFAULT_REFUSED = "default_refused"
    TOKEN_ACCEPTED = "token_accepted"  # noqa: S105 - a question's name, not a password
    SESSION_STATE = "session_state"
    PAGE_ANSWERS = "page_answers"
    QR_LIVE = "qr_live"
    END_TO_END = "end_to_end"
    """Asked only where somebody opted in: it has WhatsApp look up a number."""


class Result(StrEnum):
    """How a question was answered."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It makes no sense here, or what it needs was not to be had."""


class CheckResult(Frozen):
    """One question and its answer."""

    check: Check
    result: Result
    seconds: float = 0.0
    """How long the gateway took."""
    detail: str = ""
    """The gateway's version or state word; never an answer's text."""
    error: str = ""
    """The class of the error that came instead of an answer."""
    explanation: Message | None = None
    """What is known of that error."""
    is_impossible: bool = False
    """The question cannot be asked of this account at all."""


class Cause(StrEnum):
    """What explains the answers; the front doors say it in one sentence with the next step."""

    WELL = "well"
    NOT_CONFIGURED = "not_configured"
    UNREACHABLE = "unreachable"
    NO_ANSWER_IN_TIME = "no_answer_in_time"
    NOT_A_GATEWAY = "not_a_gateway"
    LEFT_ALONE = "left_alone"
    """It answers 429, or 503 with Retry-After."""
    SECRET_IGNORED = "secret_ignored"  # noqa: S105 - a cause's name, not a password
    """It accepts the public default and not ours: the image server-cli reads no SECRET_KEY."""
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
    """Nothing else is wrong, but the end-to-end check cannot be made of this account."""
    STARTING = "starting"
    STUCK = "stuck"
    PROFILE_BUSY = "profile_busy"
    WAITING_FOR_SCAN = "waiting_for_scan"
    WAITING_FOR_CODE = "waiting_for_code"
    LINKING_SCANNED = "linking_scanned"
    """The webhook proves the scan; the phone loads its chats, or asks for a passkey."""
    LINKING = "linking"
    """The same, but the code was only probably used."""
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
    """What was asked so far, and at the end the cause."""

    server: str
    session: str | None
    """None when only the gateway was examined."""
    began_at: AwareDatetime
    results: tuple[CheckResult, ...] = ()
    cause: Cause | None = None
    """None while questions are open."""
    hint: Message | None = None
    """What is worth knowing of the gateway's release, and explains nothing."""

    def result(self, check: Check) -> CheckResult | None:
        """Find the answer to a question."""
        return next((one for one in self.results if one.check is check), None)


class Circumstances(Frozen):
    """What is known beside the answers."""

    now: AwareDatetime
    token_is: str = "missing"  # noqa: S105 - a word, not a password
    """What stands in the token setting: "missing", "token", or the kind of what is no token."""
    page_timed_out: bool = False
    start_is_late: bool = False
    """Its browser has been starting for longer than a start takes."""
    profile_was_held: bool = False
    """An earlier browser may hold the profile, or its lock bears the host name of an earlier container."""
    reason: Reason = Reason.NONE
    """Why the session is closed, or how far a phone is that is being linked."""
    ever_connected: bool = False
    attempts: tuple[timedelta, ...] = ()
    """How long the latest codes were on until they expired, newest first, since it was last connected."""


def conclude(results: tuple[CheckResult, ...], known: Circumstances) -> Cause:
    """Find the cause: that of the first question that went wrong, for the later ones only follow from it."""
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
