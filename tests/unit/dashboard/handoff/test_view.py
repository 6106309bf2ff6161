from datetime import timedelta

import pytest
from page_world import session

from core.clock import now
from core.handoffs import MOST_ROUNDS, Event, Handoff
from core.messages.operation import OUTCOMES
from core.models import Outcome, QrCode, Reason, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus, Step
from dashboard.formatting import LocaleFormatter
from dashboard.handoff.view import State, build_state
from dashboard.words import CODE_MAY_BE_REPLACED, IF_A_PASSKEY_IS_ASKED

NOW = now()


def handoff(*, rounds: int = 1, end: Event | None = None) -> Handoff:
    return Handoff(
        id="0" * 16,
        server="main",
        session="sales",
        maker="ana",
        made_at=NOW - timedelta(minutes=5),
        expires_at=NOW + timedelta(minutes=5),
        token_hash="x",
        rounds=rounds,
        end=end,
    )


def pairing(step: Step, *, mode: str = "qr", until: int | None = None, **more: object) -> OperationStatus:
    return OperationStatus.model_validate(
        {
            "server": "main",
            "session": "sales",
            "kind": Kind.PAIR,
            "actor": "hand-off of ana",
            "holder": "test",
            "started_at": NOW - timedelta(seconds=30),
            "mode": mode,
            "step": step,
            "step_since": NOW - timedelta(seconds=8),
            "step_until": NOW + timedelta(seconds=until) if until is not None else None,
            **more,
        }
    )


def showing(seconds_ago: int, life: float = 60) -> SessionSnapshot:
    code = QrCode(payload="2@x", first_seen=NOW - timedelta(seconds=seconds_ago), life_seconds=life)
    return session("sales", Verdict.WAITING_FOR_QR, since=NOW, qr=code)


def told(seen: SessionSnapshot, operation: OperationStatus | None = None, locale: str = "en") -> State:
    return build_state(LocaleFormatter(now=NOW, locale=locale), handoff(), seen, operation, by_number=True)


@pytest.mark.parametrize(
    ("seconds_ago", "life", "attempt_ends_in", "seconds"),
    [
        pytest.param(10, 60, None, 50, id="the first code lives a minute"),
        pytest.param(5, 20, None, 15, id="a later one 20 seconds"),
        pytest.param(90, 60, None, 0, id="one that is overdue has none left"),
        pytest.param(10, 60, 20, 21, id="none outlives the gateway's attempt"),
    ],
)
def test_qr_code_comes_with_the_seconds_that_it_has_left(
    seconds_ago: int, life: int, attempt_ends_in: int | None, seconds: int
) -> None:
    operation = pairing(Step.WAITING_FOR_SCAN, until=attempt_ends_in) if attempt_ends_in else None

    state = told(showing(seconds_ago, life), operation)

    assert (state["phase"], state["seconds"], state["life"]) == ("qr", seconds, life)


@pytest.mark.parametrize(("rounds", "is_told"), [(1, False), (2, True), (MOST_ROUNDS, True)])
def test_a_second_code_says_what_no_scan_helps_against(rounds: int, is_told: bool) -> None:
    state = build_state(LocaleFormatter(now=NOW), handoff(rounds=rounds), showing(10), None)

    assert (IF_A_PASSKEY_IS_ASKED in state["detail"]) is is_told


@pytest.mark.parametrize(
    ("locale", "step"),
    [
        ("en", "Tap Link with phone number instead."),
        ("pt_PT", "Toque em Associar com o número de telefone."),
        ("pt_BR", "Toque em Conectar com número de telefone."),
    ],
)
def test_pairing_code_comes_in_groups_with_how_to_enter_it(locale: str, step: str) -> None:
    operation = pairing(Step.WAITING_FOR_CODE_ENTRY, mode="code", until=40, pairing_code="ABCD1234")

    state = told(session("sales", Verdict.WAITING_FOR_CODE, since=NOW), operation, locale)

    assert (state["phase"], state["code"], state["seconds"]) == ("code", ["ABCD", "1234"], 41)
    assert state["steps"][2] == step


@pytest.mark.parametrize(
    ("seconds", "is_doubted"),
    [pytest.param(190, False, id="in its time"), pytest.param(200, True, id="later")],
)
def test_pairing_code_that_whatsapp_may_have_replaced_is_doubted(seconds: int, is_doubted: bool) -> None:
    since = NOW - timedelta(seconds=seconds)
    operation = pairing(
        Step.WAITING_FOR_CODE_ENTRY,
        mode="code",
        until=40,
        pairing_code="ABCD1234",
        step_since=since,
        code_life_seconds=195,
    )

    state = told(session("sales", Verdict.WAITING_FOR_CODE, since=NOW), operation)

    assert (state["detail"] == CODE_MAY_BE_REPLACED) is is_doubted


def test_wait_says_what_is_being_done_and_for_how_long() -> None:
    state = told(session("sales", Verdict.DISCONNECTED), pairing(Step.WAITING_FOR_BROWSER))

    assert (state["phase"], state["text"]) == ("waiting", "The browser on the gateway is starting")
    assert state["detail"] == "for 8 s"


@pytest.mark.parametrize(
    ("reason", "text"),
    [(Reason.CODE_SCANNED, "Code scanned."), (Reason.CODE_USED, "The code was probably used.")],
)
def test_used_code_gives_way_to_what_whatsapp_does_now(reason: Reason, text: str) -> None:
    seen = session("sales", Verdict.LINKING, reason=reason, since=NOW)

    state = told(seen, pairing(Step.VERIFYING))

    assert (state["phase"], state["qr"], state["may_ask"]) == ("waiting", "", False)
    assert state["text"].startswith(text)
    assert state["detail"] == IF_A_PASSKEY_IS_ASKED


def test_link_that_was_not_completed_says_what_helps_and_asks_for_nothing_by_itself() -> None:
    seen = session("sales", Verdict.DISCONNECTED, reason=Reason.LINK_NOT_COMPLETED, since=NOW)

    state = told(seen)

    assert (state["phase"], state["may_ask"], state["asks_by_itself"]) == ("offer", True, False)
    assert state["detail"] == OUTCOMES["link_not_completed"]


def test_success_names_the_session_and_the_outage() -> None:
    seen = session("sales", Verdict.CONNECTED, since=NOW, outage_seconds=754.0)

    state = told(seen)

    assert (state["phase"], state["text"]) == ("linked", "sales is connected")
    assert state["detail"] == "The outage lasted 12 min."


def test_phone_that_was_linked_and_lost_again_is_no_success() -> None:
    seen = session("sales", Verdict.DISCONNECTED, since=NOW)

    state = build_state(LocaleFormatter(now=NOW), handoff(end=Event.SCANNED), seen, None)

    assert (state["phase"], state["text"]) == (
        "stopped",
        "The phone was linked, but the session disconnected again. Contact ana, who sent you the link.",
    )


def test_code_outlives_its_link_and_says_so() -> None:
    operation = pairing(Step.WAITING_FOR_CODE_ENTRY, mode="code", until=40, pairing_code="ABCD1234")
    over = handoff().model_copy(update={"expires_at": NOW - timedelta(seconds=1)})

    state = build_state(
        LocaleFormatter(now=NOW),
        over,
        session("sales", Verdict.WAITING_FOR_CODE, since=NOW),
        operation,
        by_number=True,
    )

    assert (state["phase"], state["code"]) == ("code", ["ABCD", "1234"])
    assert state["left"] == "This link has expired. The code on the screen is still valid."


def test_link_whose_time_is_over_offers_no_other_code() -> None:
    over = handoff().model_copy(update={"expires_at": NOW - timedelta(seconds=1)})

    state = build_state(
        LocaleFormatter(now=NOW),
        over,
        session("sales", Verdict.DISCONNECTED, since=NOW),
        None,
        by_number=True,
    )

    assert (state["phase"], state["may_ask"]) == ("stopped", False)


@pytest.mark.parametrize(
    ("code", "mode", "seconds_ago", "rounds", "by_itself"),
    [
        pytest.param("code_expired", "qr", 5, 1, True, id="an expired code is followed by the next"),
        pytest.param("code_expired", "qr", 5, 0, True, id="also one that an operator had made"),
        pytest.param("code_expired", "qr", 300, 1, False, id="not after a long while"),
        pytest.param("code_expired", "code", 5, 1, False, id="a code for a number is not asked for again"),
        pytest.param("start_failed", "qr", 5, 1, False, id="a failure is not tried again and again"),
        pytest.param("code_expired", "qr", 5, MOST_ROUNDS, False, id="not after the last round"),
    ],
)
def test_next_code_follows_by_itself(
    code: str, mode: str, seconds_ago: int, rounds: int, by_itself: bool
) -> None:
    ended = NOW - timedelta(seconds=seconds_ago)
    outcome = Outcome(ok=False, code=code, message="", at=ended)
    operation = pairing(Step.DONE, mode=mode, finished_at=ended, outcome=outcome)
    seen = session("sales", Verdict.DISCONNECTED, since=NOW)

    state = build_state(LocaleFormatter(now=NOW), handoff(rounds=rounds), seen, operation)

    assert state["asks_by_itself"] is by_itself
    assert ("appears automatically" in state["detail"]) is by_itself
    assert not by_itself or "Request a new one." not in state["detail"]
    assert state["may_ask"] is (rounds < MOST_ROUNDS)


@pytest.mark.parametrize(("seconds", "is_doubted"), [(59, False), (60, True)], ids=str)
def test_a_browser_that_starts_slowly_is_doubted_after_a_minute(seconds: int, is_doubted: bool) -> None:
    since = NOW - timedelta(seconds=seconds)
    operation = pairing(Step.WAITING_FOR_BROWSER, step_since=since)
    starting = session("sales", Verdict.STARTING, since=since)

    told = [
        build_state(LocaleFormatter(now=NOW), handoff(), starting, one)["detail"] for one in (operation, None)
    ]

    assert ["longer than usual" in detail for detail in told] == [is_doubted, is_doubted]
