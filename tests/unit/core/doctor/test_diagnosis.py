"""The one cause that explains the doctor's answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.doctor.diagnosis import Cause, Check, CheckResult, Circumstances, Diagnosis, Result, conclude
from core.models import Reason, SessionState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSED, FAILED, SKIPPED = Result.PASSED, Result.FAILED, Result.SKIPPED


def answers(
    *changes: tuple[Check, Result, str], state: str = SessionState.CONNECTED, error: str = ""
) -> tuple[CheckResult, ...]:
    """A session that is well, but for these answers; the last of them failed with `error`."""
    results = {check: CheckResult(check=check, result=PASSED) for check in Check if check != Check.QR_LIVE}
    results[Check.SESSION_STATE] = CheckResult(check=Check.SESSION_STATE, result=PASSED, detail=state)
    for check, result, _word in changes:
        results[check] = CheckResult(check=check, result=result, error=error)
    return tuple(results.values())


def known(**fields: Any) -> Circumstances:
    return Circumstances(now=NOW, **fields)


def test_a_session_that_is_well_is_said_to_be() -> None:
    assert conclude(answers(), known()) is Cause.WELL


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        pytest.param((), Cause.WHATSAPP_NOT_CHECKABLE, id="nothing else"),
        pytest.param(((Check.PAGE_ANSWERS, FAILED, ""),), Cause.BROWSER_DEAD, id="a page that says no"),
        pytest.param(((Check.DEFAULT_REFUSED, FAILED, ""),), Cause.OPEN_TO_EVERYONE, id="an open gateway"),
    ],
)
def test_an_account_without_a_number_is_named_where_nothing_worse_is_found(
    others: tuple[tuple[Check, Result, str], ...], cause: Cause
) -> None:
    found = answers(*others)
    without = CheckResult(check=Check.END_TO_END, result=SKIPPED, is_impossible=True)

    given = (*(one for one in found if one.check is not Check.END_TO_END), without)

    assert conclude(given, known()) is cause


@pytest.mark.parametrize(
    ("check", "error", "cause"),
    [
        pytest.param(Check.REACHABLE, "ConnectError", Cause.UNREACHABLE, id="nobody listens"),
        pytest.param(Check.REACHABLE, "RequestTimeoutError", Cause.NO_ANSWER_IN_TIME, id="it hangs"),
        pytest.param(Check.REACHABLE, "ResponseError", Cause.NOT_A_GATEWAY, id="something else answers"),
        pytest.param(Check.REACHABLE, "RequestRejectedError", Cause.NOT_A_GATEWAY, id="a proxy refuses"),
        pytest.param(Check.SECRET_ACCEPTED, "", Cause.SECRET_WRONG, id="another secret"),
        pytest.param(Check.SECRET_ACCEPTED, "RequestTimeoutError", Cause.NO_ANSWER_IN_TIME, id="no answer"),
        pytest.param(Check.TOKEN_ACCEPTED, "AuthenticationError", Cause.TOKEN_REFUSED, id="token refused"),
        pytest.param(Check.TOKEN_ACCEPTED, "SecretKeyRejectedError", Cause.SECRET_WRONG, id="no token made"),
        pytest.param(Check.TOKEN_ACCEPTED, "ConfigurationError", Cause.NAME_UNUSABLE, id="name too long"),
        pytest.param(Check.TOKEN_ACCEPTED, "ResponseError", Cause.UNREADABLE, id="gibberish"),
        pytest.param(Check.PAGE_ANSWERS, "", Cause.BROWSER_DEAD, id="page says no"),
        pytest.param(Check.PAGE_ANSWERS, "RequestTimeoutError", Cause.PAGE_FROZEN, id="page says nothing"),
        pytest.param(Check.END_TO_END, "", Cause.WHATSAPP_NOT_REACHED, id="the page has lost the network"),
        pytest.param(Check.DEFAULT_REFUSED, "", Cause.OPEN_TO_EVERYONE, id="public default accepted"),
        pytest.param(Check.DEFAULT_REFUSED, "ConnectError", Cause.WELL, id="public default not tried"),
        pytest.param(Check.VERSION, "", Cause.OLD_RELEASE, id="old release"),
    ],
)
def test_a_question_that_went_wrong_has_its_cause(check: Check, error: str, cause: Cause) -> None:
    assert conclude(answers((check, FAILED, ""), error=error), known()) is cause


def test_a_gateway_that_takes_the_public_default_and_not_ours_ignores_the_key_that_it_was_given() -> None:
    results = answers((Check.SECRET_ACCEPTED, FAILED, ""), (Check.DEFAULT_REFUSED, FAILED, ""))

    assert conclude(results, known()) is Cause.SECRET_IGNORED


@pytest.mark.parametrize(
    ("token_is", "cause"),
    [
        ("missing", Cause.SECRET_MISSING),
        ("raw_key", Cause.RAW_KEY_AS_TOKEN),
        ("cut", Cause.TOKEN_CUT),
        ("cut_by_a_shell", Cause.TOKEN_CUT_BY_A_SHELL),
        ("with_scheme", Cause.TOKEN_WITH_SCHEME),
        ("escaped", Cause.TOKEN_ESCAPED),
        ("with_other_text", Cause.TOKEN_WITH_OTHER_TEXT),
        ("token", Cause.WELL),
    ],
)
def test_without_a_secret_key_the_token_explains_it(token_is: str, cause: Cause) -> None:
    results = answers((Check.SECRET_ACCEPTED, SKIPPED, ""))

    assert conclude(results, known(token_is=token_is)) is cause


@pytest.mark.parametrize(
    ("state", "fields", "cause"),
    [
        pytest.param("INITIALIZING", {}, Cause.STARTING, id="starting"),
        pytest.param("INITIALIZING", {"start_is_late": True}, Cause.STUCK, id="stuck"),
        pytest.param(
            "INITIALIZING", {"start_is_late": True, "profile_was_held": True}, Cause.PROFILE_BUSY, id="busy"
        ),
        pytest.param("QRCODE", {}, Cause.WAITING_FOR_SCAN, id="live code"),
        pytest.param("QRCODE", {"reason": Reason.CODE_SCANNED}, Cause.LINKING_SCANNED, id="scanned code"),
        pytest.param("QRCODE", {"reason": Reason.CODE_USED}, Cause.LINKING, id="used-up code stays on"),
        pytest.param(
            "QRCODE",
            {"reason": Reason.LINK_NOT_COMPLETED},
            Cause.LINK_NOT_COMPLETED,
            id="used-up code stays on for too long",
        ),
        pytest.param("PHONECODE", {"reason": Reason.CODE_SCANNED}, Cause.LINKING_SCANNED, id="typed code"),
        pytest.param("QRCODE", {}, Cause.WAITING_FOR_SCAN, id="code not seen yet"),
        pytest.param("PHONECODE", {}, Cause.WAITING_FOR_CODE, id="pairing code"),
        pytest.param("CLOSED", {}, Cause.NEVER_PAIRED, id="never paired"),
        pytest.param("CLOSED", {"ever_connected": True}, Cause.UNLINKED, id="unlinked"),
        pytest.param(
            "CLOSED",
            {
                "ever_connected": True,
                "reason": Reason.CLOSED_BY_OPERATOR,
                "attempts": (timedelta(seconds=5),),
            },
            Cause.CLOSED_HERE,
            id="closed here",
        ),
        pytest.param(
            "CLOSED", {"reason": Reason.LOGGED_OUT_BY_OPERATOR}, Cause.LOGGED_OUT_HERE, id="logged out"
        ),
        pytest.param("CLOSED", {"reason": Reason.GATEWAY_RESTARTED}, Cause.GATEWAY_RESTARTED, id="restarted"),
        pytest.param("CLOSED", {"reason": Reason.CODE_EXPIRED}, Cause.CODE_EXPIRED, id="no history"),
        pytest.param(
            "CLOSED",
            {"reason": Reason.CODE_EXPIRED, "attempts": (timedelta(seconds=58),)},
            Cause.CODE_EXPIRED,
            id="expired once",
        ),
        pytest.param(
            "CLOSED",
            {"reason": Reason.CODE_EXPIRED, "attempts": (timedelta(seconds=58),) * 3},
            Cause.CODE_EXPIRED_OFTEN,
            id="expired often",
        ),
        pytest.param(
            "CLOSED",
            {"reason": Reason.CODE_EXPIRED, "attempts": (timedelta(seconds=20),) * 3},
            Cause.ATTEMPT_TOO_SHORT,
            id="cut short",
        ),
        pytest.param("UNKNOWN", {}, Cause.UNREADABLE, id="an unknown word"),
    ],
)
def test_a_state_other_than_connected_has_its_cause(state: str, fields: dict[str, Any], cause: Cause) -> None:
    assert conclude(answers(state=state), known(**fields)) is cause


def test_the_first_question_that_went_wrong_explains_the_later_ones() -> None:
    results = answers((Check.TOKEN_ACCEPTED, FAILED, ""), (Check.SECRET_ACCEPTED, FAILED, ""))

    assert conclude(results, known()) is Cause.SECRET_WRONG


def test_an_answer_is_found_by_its_question() -> None:
    one = CheckResult(check=Check.REACHABLE, result=PASSED)
    diagnosis = Diagnosis(server="main", session=None, began_at=NOW, results=(one,))

    assert diagnosis.result(Check.REACHABLE) is one
    assert diagnosis.result(Check.VERSION) is None
