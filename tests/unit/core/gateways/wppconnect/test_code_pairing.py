"""Every branch of pairing by a code, on a script and a clock that jumps."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_run import ENDS_OF_A_CODE, T0, Scene, ScriptedRun, after

from core.exceptions import ConnectError, RequestTimeoutError
from core.gateways.wppconnect.client import StartOptions
from core.gateways.wppconnect.code_pairing import LOOK_SECONDS, code_obstacle, pair_by_code
from core.gateways.wppconnect.procedures import may_hold_webhook, would_lose_webhook
from core.linking_events import LinkingEvents
from core.messages.operation import OUTCOMES
from core.models import Reason, SessionSnapshot, Verdict
from core.operation_status import Facts
from tests.support.snapshots import server_snapshot

NUMBER = "351912345678"
CODE = "ABCD1234"

CLOSED = Scene(Verdict.DISCONNECTED)
EXPIRED = Scene(Verdict.DISCONNECTED, held=True)
ENTERING = Scene(Verdict.WAITING_FOR_CODE, 20, held=True)
CONNECTED = Scene(Verdict.CONNECTED, held=True)
STARTING = Scene(Verdict.STARTING, 5, held=True)


def run_with(*scenes: Scene, code: str | None = CODE, facts: Facts | None = None) -> ScriptedRun:
    run = ScriptedRun(list(scenes), facts=facts or Facts())
    run.gateway.start_answer = code
    return run


def pair(run: ScriptedRun, *, wipe_webhook: bool = False) -> str:
    outcome = pair_by_code(run.client, run, NUMBER, wipe_webhook=wipe_webhook)
    assert outcome in OUTCOMES
    assert run.looks < 300
    return outcome


def test_a_code_is_shown_until_the_phone_is_linked() -> None:
    run = run_with(CLOSED, ENTERING, CONNECTED)

    assert pair(run) == "connected"
    assert run.codes == [CODE, None]
    assert run.gateway.started_with == [StartOptions(webhook=None, phone=NUMBER, wait=True)]
    assert run.facts.phone_saved


@pytest.mark.parametrize(("closed_at", "gone_at", "ends_at"), ENDS_OF_A_CODE.values(), ids=ENDS_OF_A_CODE)
def test_a_code_that_nobody_enters_expires_once_it_cannot_live(
    closed_at: float, gone_at: float | None, ends_at: float
) -> None:
    run = run_with(CLOSED, Scene(Verdict.WAITING_FOR_CODE, closed_at, held=True), EXPIRED)
    run.events = LinkingEvents(ended_at=None if gone_at is None else after(gone_at))

    assert pair(run) == "code_expired"
    assert run.codes == [CODE, None]
    assert run.seconds == pytest.approx(ends_at, abs=LOOK_SECONDS)


def test_a_phone_that_syncs_is_given_its_three_minutes() -> None:
    run = run_with(CLOSED, Scene(Verdict.WAITING_FOR_CODE, 200, held=True), CONNECTED)

    assert pair(run) == "connected"


def test_a_code_lives_as_long_as_the_gateway_waits_for_it() -> None:
    run = run_with(CLOSED, Scene(Verdict.WAITING_FOR_CODE, 600, held=True), EXPIRED)

    assert pair(run) == "code_expired"
    assert run.seconds == 600
    assert run.looks < 150


def test_a_code_is_given_up_after_auto_close_and_sync_when_the_gateway_does_not_say() -> None:
    run = run_with(CLOSED, Scene(Verdict.UNKNOWN))

    assert pair(run) == "code_expired"
    assert run.seconds == 240
    assert run.looks < 60


def test_a_code_that_was_used_in_vain_has_not_expired() -> None:
    failed = Scene(Verdict.DISCONNECTED, held=True, reason=Reason.LINK_NOT_COMPLETED)
    run = run_with(CLOSED, Scene(Verdict.WAITING_FOR_CODE, 100, held=True), failed)

    assert pair(run) == "link_not_completed"


def test_a_wrong_closed_within_the_codes_minute_is_waited_out() -> None:
    run = run_with(CLOSED, Scene(Verdict.DISCONNECTED, 4, held=True), ENTERING, CONNECTED)

    assert pair(run) == "connected"


def test_a_forgotten_session_ends_its_code_at_once() -> None:
    run = run_with(CLOSED, ENTERING, CLOSED)

    assert pair(run) == "code_expired"
    assert run.seconds == 20


def test_a_gateway_that_restarts_makes_another_code_that_nobody_can_see() -> None:
    run = run_with(CLOSED, Scene(Verdict.UNREACHABLE, 8), Scene(Verdict.WAITING_FOR_CODE, held=True))
    run.gateway_started_at = after(3)

    assert pair(run) == "code_expired"
    assert run.codes == [CODE, None]
    assert run.seconds < 60


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.CONNECTED, "already_connected"),
        (Verdict.UNRESPONSIVE, "code_not_visible"),
        (Verdict.STUCK, "code_not_visible"),
        (Verdict.WAITING_FOR_QR, "code_not_visible"),
        (Verdict.WAITING_FOR_CODE, "code_not_visible"),
        (Verdict.UNAUTHORIZED, "unauthorized"),
        (Verdict.UNREACHABLE, "unreachable"),
        (Verdict.UNKNOWN, "failed"),
    ],
)
def test_nothing_is_started_from_any_state_but_closed(verdict: Verdict, outcome: str) -> None:
    run = run_with(Scene(verdict, held=True))

    assert (pair(run), run.story) == (outcome, [])


def test_a_rejected_secret_is_told_from_a_rejected_token() -> None:
    run = run_with(Scene(Verdict.UNAUTHORIZED, reason=Reason.SECRET_REJECTED))

    assert pair(run) == "secret_rejected"


def test_a_start_that_is_under_way_is_waited_for() -> None:
    run = run_with(STARTING, CLOSED, ENTERING, CONNECTED)

    assert pair(run) == "connected"


def test_a_gateway_that_comes_back_is_waited_for() -> None:
    run = run_with(Scene(Verdict.UNREACHABLE, 30), CLOSED, ENTERING, CONNECTED)

    assert pair(run) == "connected"


def test_a_code_is_visible_only_while_the_gateway_holds_no_session_object() -> None:
    run = run_with(EXPIRED)

    assert (pair(run), run.story) == ("code_not_visible", [])


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(Facts(closed_at=after(-300)), id="confirmed close"),
        pytest.param(Facts(failed_close_at=after(-300)), id="failed close"),
    ],
)
@pytest.mark.parametrize(
    ("gateway_started_at", "outcome"),
    [
        pytest.param(after(-900), "code_not_visible", id="closed in the gateway's life"),
        pytest.param(None, "code_not_visible", id="the gateway does not tell its age"),
        pytest.param(after(-60), "connected", id="restarted since"),
    ],
)
def test_a_close_hides_codes_until_the_gateway_restarts(
    facts: Facts, gateway_started_at: object, outcome: str
) -> None:
    run = run_with(CLOSED, ENTERING, CONNECTED, facts=facts)
    run.gateway_started_at = gateway_started_at

    assert pair(run) == outcome


class TestWebhook:
    def test_an_unknown_one_asks_first(self) -> None:
        run = run_with(CLOSED)
        run.webhook = None

        assert (pair(run), run.story) == ("needs_webhook_confirmation", [])

    @pytest.mark.parametrize(
        ("facts", "wipe"),
        [
            pytest.param(Facts(phone_saved=True), False, id="gone already"),
            pytest.param(Facts(), True, id="confirmed"),
        ],
    )
    def test_an_unknown_one_may_go(self, facts: Facts, wipe: bool) -> None:
        run = run_with(CLOSED, ENTERING, CONNECTED, facts=facts)
        run.webhook = None

        assert pair(run, wipe_webhook=wipe) == "connected"

    def test_a_known_one_is_sent_along(self) -> None:
        run = run_with(CLOSED, ENTERING, CONNECTED)
        run.webhook = "http://app.example/hook"

        pair(run)

        assert run.gateway.started_with == [
            StartOptions(webhook="http://app.example/hook", phone=NUMBER, wait=True)
        ]


class TestAnswer:
    def test_a_code_five_seconds_after_a_logout_is_waited_for(self) -> None:
        run = run_with(CLOSED, ENTERING, CONNECTED, facts=Facts(logged_out_at=after(-1)))

        pair(run)

        assert run.story == ["start at 4"]
        assert run.facts.logged_out_at is None

    def test_one_that_never_comes_is_not_waited_for_once_connected(self) -> None:
        run = run_with(Scene(Verdict.DISCONNECTED, 10), CONNECTED)
        run.answer_after_seconds = None

        assert pair(run) == "connected"
        assert run.facts.phone_saved

    def test_a_code_comes_while_the_browser_starts(self) -> None:
        run = run_with(CLOSED, ENTERING, CONNECTED)
        run.answer_after_seconds = 12.0

        assert pair(run) == "connected"
        assert run.looks < 60

    def test_one_without_a_code_sends_to_the_qr_code(self) -> None:
        run = run_with(CLOSED, Scene(Verdict.WAITING_FOR_QR, held=True), code=None)

        assert (pair(run), run.codes) == ("code_not_visible", [])

    @pytest.mark.parametrize(
        ("scene", "outcome"), [(CONNECTED, "connected"), (STARTING, "timed_out")], ids=["connected", "not"]
    )
    def test_one_that_times_out_is_judged_by_the_session(self, scene: Scene, outcome: str) -> None:
        run = run_with(CLOSED, scene)
        run.gateway.start_answer = RequestTimeoutError("no answer")

        assert pair(run) == outcome

    def test_a_refused_start_ends_the_pairing(self) -> None:
        run = run_with(CLOSED)
        run.gateway.start_answer = ConnectError("refused")

        with pytest.raises(ConnectError):
            pair(run)


def obstacle(
    verdict: Verdict = Verdict.DISCONNECTED,
    *,
    held: bool = False,
    version: str | None = None,
    webhook: str | None = "",
    facts: Facts | None = None,
) -> str | None:
    """Ask for the obstacle of a session at a gateway that started at T0."""
    seen = SessionSnapshot(
        server="main", session="sales", enabled=True, verdict=verdict, since=T0, has_session_object=held
    )
    gateway = server_snapshot(at=T0, version=version, started_at=T0)
    return code_obstacle(seen, facts or Facts(), gateway, webhook)


def test_a_session_that_the_gateway_holds_no_object_of_can_have_a_code() -> None:
    assert obstacle() is None
    assert obstacle(version="2.10.4") is None
    assert obstacle(version="2.6.0") is None
    assert obstacle(version="nightly") is None


def test_a_code_is_said_to_be_invisible_before_anybody_asks_for_one() -> None:
    assert obstacle(held=True) == "code_not_visible"
    assert obstacle(Verdict.WAITING_FOR_QR, held=True) == "code_not_visible"
    assert obstacle(Verdict.STUCK, held=True) == "code_not_visible"


def test_a_close_hides_codes_until_the_gateway_is_restarted() -> None:
    assert obstacle(facts=Facts(closed_at=after(5))) == "code_not_visible"
    assert obstacle(facts=Facts(failed_close_at=after(5))) == "code_not_visible"
    assert obstacle(facts=Facts(closed_at=after(-5))) is None


def test_an_older_gateway_makes_no_codes() -> None:
    assert obstacle(version="2.5.3") == "code_unsupported"
    assert obstacle(version="1.9") == "code_unsupported"


def test_an_unknown_webhook_wants_a_decision_first() -> None:
    assert obstacle(webhook=None) == "needs_webhook_confirmation"
    assert obstacle(webhook=None, facts=Facts(phone_saved=True)) is None


def test_a_connected_session_needs_no_code() -> None:
    assert obstacle(Verdict.CONNECTED, held=True) == "already_connected"


@pytest.mark.parametrize(
    ("facts", "fields", "may_hold"),
    [
        pytest.param({}, {}, True, id="nothing is known"),
        pytest.param({}, {"is_listed": True}, True, id="the gateway has kept something"),
        pytest.param({}, {"is_listed": False}, False, id="the gateway knows no such session"),
        pytest.param({"phone_saved": True}, {"is_listed": True}, False, id="we sent all options"),
        pytest.param({"no_webhook_at": after(0)}, {"is_listed": True}, False, id="known since our start"),
        pytest.param(
            {"no_webhook_at": after(0)},
            {"is_listed": True, "last_connected": after(60)},
            True,
            id="it has been in use since",
        ),
    ],
)
def test_a_webhook_is_feared_for_only_where_there_may_be_one(
    facts: dict[str, Any], fields: dict[str, Any], may_hold: bool
) -> None:
    seen = ScriptedRun([CLOSED]).look().model_copy(update=fields)

    assert may_hold_webhook(Facts(**facts), seen) is may_hold


def test_a_first_start_is_remembered_to_have_had_no_webhook() -> None:
    run = ScriptedRun([CLOSED], webhook=None)
    new = run.look().model_copy(update={"is_listed": False})
    listed = new.model_copy(update={"is_listed": True})

    first = would_lose_webhook(run, new, wipe_webhook=False)

    assert (first, would_lose_webhook(run, listed, wipe_webhook=False)) == (False, False)
