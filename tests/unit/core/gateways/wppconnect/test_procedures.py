"""Every branch of start, restart, pairing by QR, close and logout, on a script and a clock that jumps."""

from __future__ import annotations

import pytest
from scripted_run import ENDS_OF_A_CODE, Scene, ScriptedRun, after

from core.exceptions import RequestTimeoutError, SessionDisconnectedError
from core.gateways.wppconnect.client import StartOptions
from core.gateways.wppconnect.procedures import Goal, bring_up, close, heal, log_out
from core.linking_events import LinkingEvents
from core.messages.operation import OUTCOMES
from core.models import Reason, Verdict
from core.operation_status import Facts, Step

START, RESTART, PAIR = Goal(), Goal(restart=True), Goal(show_code=True)

CLOSED = Scene(Verdict.DISCONNECTED)
EXPIRED = Scene(Verdict.DISCONNECTED, held=True)
STARTING = Scene(Verdict.STARTING, 5, held=True)
CONNECTED = Scene(Verdict.CONNECTED, held=True)
DEAD = Scene(Verdict.UNRESPONSIVE, held=True)
QR = Scene(Verdict.WAITING_FOR_QR, 10, held=True)
CODE = Scene(Verdict.WAITING_FOR_CODE, 40, held=True)
NO_TOKEN = Scene(Verdict.UNAUTHORIZED, reason=Reason.TOKEN_REJECTED)
NO_SECRET = Scene(Verdict.UNAUTHORIZED, reason=Reason.SECRET_REJECTED)
GONE = Scene(Verdict.UNREACHABLE)
AWAY = Scene(Verdict.UNREACHABLE, 30)
ODD = Scene(Verdict.UNKNOWN)
COMPLETE_SET = StartOptions(webhook=None, phone=None, wait=False)


def stuck(seconds: float = 0) -> Scene:
    return Scene(Verdict.STUCK, seconds, held=True)


def slow_start() -> list[Scene]:
    return [Scene(Verdict.STARTING, 240, held=True), stuck()]


def outcome_of(run: ScriptedRun, goal: Goal) -> str:
    """Bring up, with the end that `OperationRun` makes of an operation that takes too long."""
    try:
        return bring_up(run.client, run, goal)
    except RequestTimeoutError:
        return "timed_out"


@pytest.mark.parametrize(
    ("goal", "scenes", "outcome", "story"),
    [
        pytest.param(START, [CONNECTED], "already_connected", [], id="connected needs nothing"),
        pytest.param(PAIR, [CONNECTED], "already_connected", [], id="pairing a connected one does nothing"),
        pytest.param(START, [CLOSED, STARTING, CONNECTED], "connected", ["start at 0"], id="closed starts"),
        pytest.param(START, [STARTING, CONNECTED], "already_connected", [], id="a start is waited for"),
        pytest.param(
            RESTART,
            [CONNECTED, CLOSED, STARTING, CONNECTED],
            "connected",
            ["close at 0", "start at 0"],
            id="a confirmed close needs no wait",
        ),
        pytest.param(
            RESTART, [CLOSED, STARTING, CONNECTED], "connected", ["start at 0"], id="closed restarts once"
        ),
        pytest.param(
            START,
            [DEAD, CLOSED, STARTING, CONNECTED],
            "connected",
            ["close at 0", "start at 0"],
            id="a dead browser is closed first",
        ),
        pytest.param(
            RESTART,
            [DEAD, CLOSED, STARTING, CONNECTED],
            "connected",
            ["close at 0", "start at 0"],
            id="restarting a dead browser closes it once",
        ),
        pytest.param(START, [QR], "needs_pairing", [], id="start does not wait for a scan"),
        pytest.param(START, [CODE], "needs_pairing", [], id="start does not wait for a code"),
        pytest.param(PAIR, [QR, CONNECTED], "connected", [], id="a scan connects"),
        pytest.param(
            PAIR, [CLOSED, STARTING, QR, CONNECTED], "connected", ["start at 0"], id="from closed by QR"
        ),
        pytest.param(PAIR, [QR, EXPIRED], "code_expired", [], id="nobody scanned"),
        pytest.param(
            PAIR,
            [QR, AWAY, STARTING, QR, CONNECTED],
            "connected",
            [],
            id="a gateway that restarts in the middle costs only time",
        ),
        pytest.param(
            PAIR, [QR, CLOSED, STARTING, CONNECTED], "connected", ["start at 10"], id="forgotten is no expiry"
        ),
        pytest.param(
            START,
            [CLOSED, STARTING, EXPIRED, STARTING, EXPIRED],
            "start_failed",
            ["start at 0", "start at 5"],
            id="two failed starts are enough",
        ),
        pytest.param(START, [NO_TOKEN], "unauthorized", [], id="token rejected"),
        pytest.param(START, [NO_SECRET], "secret_rejected", [], id="secret rejected"),
        pytest.param(START, [GONE], "unreachable", [], id="gateway gone for good"),
        pytest.param(START, [AWAY, CONNECTED], "already_connected", [], id="gateway back"),
        pytest.param(START, [ODD], "failed", [], id="nonsense for good"),
    ],
)
def test_a_session_is_brought_up_from_any_state(
    goal: Goal, scenes: list[Scene], outcome: str, story: list[str]
) -> None:
    run = ScriptedRun(list(scenes))

    code = bring_up(run.client, run, goal)

    assert (code, run.story) == (outcome, story)
    assert code in OUTCOMES
    assert run.looks < 20


def test_a_stuck_browser_is_closed_and_started_after_two_minutes() -> None:
    run = ScriptedRun([stuck(), CLOSED, STARTING, CONNECTED])
    run.gateway.close_answers = False

    code = bring_up(run.client, run, START)

    assert (code, run.story) == ("connected", ["close 500 at 0", "start at 120"])
    assert Step.WAITING_AFTER_CLOSE in run.steps


def test_a_failed_close_of_a_dead_browser_delays_the_start_by_65_seconds() -> None:
    run = ScriptedRun([DEAD, CLOSED, STARTING, CONNECTED])
    run.gateway.close_answers = False

    code = bring_up(run.client, run, START)

    assert (code, run.story) == ("connected", ["close 500 at 0", "start at 65"])


def test_a_browser_that_hangs_again_and_again_is_reported_as_stuck() -> None:
    run = ScriptedRun([stuck(), CLOSED, *slow_start(), CLOSED, *slow_start()])
    run.gateway.close_answers = False

    code = bring_up(run.client, run, START)

    assert code == "stuck"
    assert run.story == ["close 500 at 0", "start at 120", "close 500 at 360", "start at 480"]
    assert run.seconds < run.waits.whole_operation


@pytest.mark.parametrize("scene", [stuck(), DEAD], ids=lambda scene: scene.verdict)
def test_a_session_that_no_close_takes_down_is_not_closed_for_ever(scene: Scene) -> None:
    run = ScriptedRun([scene])

    code = bring_up(run.client, run, RESTART)

    assert (code, len(run.story)) == ("stuck", 3)


def test_a_close_that_changes_nothing_is_not_repeated() -> None:
    run = ScriptedRun([CONNECTED])

    assert (bring_up(run.client, run, RESTART), run.story) == ("connected", ["close at 0"])


@pytest.mark.parametrize("scene", [GONE, ODD, QR, CODE, STARTING, stuck(), DEAD, CLOSED, EXPIRED])
@pytest.mark.parametrize("goal", [START, RESTART, PAIR], ids=["start", "restart", "pair"])
def test_a_session_that_never_changes_is_looked_at_a_few_times_only(goal: Goal, scene: Scene) -> None:
    run = ScriptedRun([Scene(scene.verdict, held=scene.held)])
    run.gateway.urlcode = "2@dead"

    outcome = outcome_of(run, goal)

    assert outcome in OUTCOMES
    assert run.looks < 20


def test_a_wrong_closed_just_after_the_page_loaded_is_waited_out() -> None:
    # given: the gateway says CLOSED and still carries the code that is on the screen
    shortly = Scene(Verdict.DISCONNECTED, 3, held=True)
    run = ScriptedRun([CLOSED, STARTING, Scene(Verdict.WAITING_FOR_QR, 1, held=True), shortly, QR, CONNECTED])
    run.gateway.urlcode = "2@live"

    code = bring_up(run.client, run, PAIR)

    assert (code, run.story) == ("connected", ["start at 0"])


@pytest.mark.parametrize(("closed_at", "gone_at", "ends_at"), ENDS_OF_A_CODE.values(), ids=ENDS_OF_A_CODE)
def test_a_code_counts_as_expired_once_it_cannot_live(
    closed_at: float, gone_at: float | None, ends_at: float
) -> None:
    run = ScriptedRun([Scene(Verdict.WAITING_FOR_QR, closed_at, held=True), EXPIRED])
    run.gateway.urlcode = "2@dead"
    run.events = LinkingEvents(ended_at=None if gone_at is None else after(gone_at))

    code = bring_up(run.client, run, PAIR)

    assert (code, run.seconds) == ("code_expired", ends_at)


class TestWebhook:
    def test_an_unknown_one_is_kept_by_an_empty_body(self) -> None:
        run = ScriptedRun([CLOSED, CONNECTED], webhook=None)

        bring_up(run.client, run, PAIR)

        assert run.gateway.started_with == [None]

    def test_a_known_one_is_sent_with_the_complete_set(self) -> None:
        run = ScriptedRun([CLOSED, CONNECTED], webhook="http://app.example/hook")

        bring_up(run.client, run, START)

        assert run.gateway.started_with == [StartOptions(webhook="http://app.example/hook")]

    def test_an_unknown_one_with_our_phone_saved_takes_the_complete_set(self) -> None:
        # given: an empty body would make the gateway ask for a pairing code again
        run = ScriptedRun([CLOSED, CONNECTED], webhook=None, facts=Facts(phone_saved=True))

        bring_up(run.client, run, PAIR)

        assert run.gateway.started_with == [COMPLETE_SET]
        assert not run.facts.phone_saved

    def test_an_unknown_one_goes_when_an_operator_confirmed_it(self) -> None:
        run = ScriptedRun([CLOSED, CONNECTED], webhook=None)

        bring_up(run.client, run, Goal(show_code=True, wipe_webhook=True))

        assert run.gateway.started_with == [COMPLETE_SET]

    def test_a_code_for_somebody_elses_phone_asks_first(self) -> None:
        run = ScriptedRun([CODE], webhook=None)

        assert bring_up(run.client, run, PAIR) == "needs_webhook_confirmation"

    @pytest.mark.parametrize(
        ("goal", "facts"),
        [
            pytest.param(PAIR, Facts(phone_saved=True), id="our phone"),
            pytest.param(Goal(show_code=True, wipe_webhook=True), Facts(), id="confirmed"),
        ],
    )
    def test_a_running_code_is_left_to_expire_before_a_qr_code(self, goal: Goal, facts: Facts) -> None:
        run = ScriptedRun([CODE, EXPIRED, QR, CONNECTED], webhook=None, facts=facts)

        code = bring_up(run.client, run, goal)

        assert (code, run.story) == ("connected", ["start at 40"])
        assert run.gateway.started_with == [COMPLETE_SET]
        assert Step.WAITING_FOR_CODE_TO_EXPIRE in run.steps


class TestProfile:
    def test_a_start_waits_until_five_seconds_after_a_logout(self) -> None:
        run = ScriptedRun([CLOSED, CONNECTED], facts=Facts(logged_out_at=after(-2)))

        bring_up(run.client, run, PAIR)

        assert run.story == ["start at 3"]
        assert run.facts.logged_out_at is None
        assert Step.WAITING_AFTER_LOGOUT in run.steps

    def test_a_start_long_after_a_logout_waits_for_nothing(self) -> None:
        run = ScriptedRun([CLOSED, CONNECTED], facts=Facts(logged_out_at=after(-60)))

        bring_up(run.client, run, PAIR)

        assert run.story == ["start at 0"]

    def test_a_clock_that_was_set_back_makes_nobody_wait_for_hours(self) -> None:
        facts = Facts(logged_out_at=after(3600), free_at=after(7200))
        run = ScriptedRun([CLOSED, CONNECTED], facts=facts)

        bring_up(run.client, run, PAIR)

        assert run.story == ["start at 125"]


class TestHeal:
    @pytest.mark.parametrize(
        ("scenes", "outcome", "story"),
        [
            pytest.param(
                [DEAD, CLOSED, STARTING, CONNECTED], "connected", ["close at 0", "start at 0"], id="dead"
            ),
            pytest.param(
                [stuck(), CLOSED, STARTING, CONNECTED],
                "connected",
                ["close 500 at 0", "start at 120"],
                id="stuck",
            ),
            pytest.param([DEAD, CLOSED, QR], "needs_pairing", ["close at 0", "start at 0"], id="unlinked"),
            pytest.param(
                [DEAD, CLOSED, *slow_start()], "stuck", ["close at 0", "start at 0"], id="started only once"
            ),
            pytest.param(
                [DEAD, CLOSED, STARTING, CLOSED], "start_failed", ["close at 0", "start at 0"], id="fails"
            ),
            pytest.param([CONNECTED], "already_connected", [], id="well again"),
            pytest.param([CLOSED], "not_needed", [], id="closed meanwhile"),
            pytest.param([QR], "not_needed", [], id="asks for a phone meanwhile"),
            pytest.param([STARTING], "not_needed", [], id="started meanwhile"),
            pytest.param([GONE], "not_needed", [], id="gateway gone"),
        ],
    )
    def test_only_what_does_not_respond_is_closed_and_started(
        self, scenes: list[Scene], outcome: str, story: list[str]
    ) -> None:
        run = ScriptedRun(list(scenes), by_itself=True)
        run.gateway.close_answers = scenes[0].verdict != Verdict.STUCK

        assert (heal(run.client, run, is_closed=False), run.story) == (outcome, story)

    def test_what_an_earlier_try_closed_is_started(self) -> None:
        run = ScriptedRun([CLOSED, STARTING, CONNECTED], by_itself=True)

        assert (heal(run.client, run, is_closed=True), run.story) == ("connected", ["start at 0"])

    def test_it_is_remembered_who_closed(self) -> None:
        run = ScriptedRun([DEAD, CLOSED, STARTING, CONNECTED], by_itself=True)

        heal(run.client, run, is_closed=False)

        assert run.facts.closed_by_itself is True

    def test_the_webhook_saved_on_the_gateway_is_kept(self) -> None:
        run = ScriptedRun([DEAD, CLOSED, STARTING, CONNECTED], by_itself=True, webhook=None)

        heal(run.client, run, is_closed=False)

        assert run.gateway.started_with == [None]


class TestClose:
    @pytest.mark.parametrize(
        ("scenes", "outcome", "story"),
        [
            pytest.param([CONNECTED, CLOSED], "closed", ["close at 0"], id="connected"),
            pytest.param([DEAD, CLOSED], "closed", ["close at 0"], id="dead"),
            pytest.param([stuck(), CLOSED], "closed", ["close at 0"], id="stuck"),
            pytest.param([CONNECTED], "close_unverified", ["close at 0"], id="still reported"),
            pytest.param([CLOSED], "closed", [], id="closed already"),
            pytest.param([QR], "close_refused", [], id="waiting for a scan"),
            pytest.param([CODE], "close_refused", [], id="waiting for a code"),
            pytest.param([STARTING], "close_refused", [], id="starting"),
            pytest.param([GONE], "unreachable", [], id="gateway gone"),
            pytest.param([NO_TOKEN], "unauthorized", [], id="token rejected"),
            pytest.param([NO_SECRET], "secret_rejected", [], id="secret rejected"),
        ],
    )
    def test_only_what_is_connected_dead_or_stuck_is_closed(
        self, scenes: list[Scene], outcome: str, story: list[str]
    ) -> None:
        run = ScriptedRun(list(scenes))

        assert (close(run.client, run), run.story) == (outcome, story)

    def test_a_confirmed_close_is_remembered_and_frees_the_profile(self) -> None:
        run = ScriptedRun([CONNECTED, CLOSED], facts=Facts(failed_close_at=after(-9), free_at=after(56)))

        close(run.client, run)

        assert run.facts == Facts(closed_at=after(0))

    def test_a_failed_close_is_remembered_with_the_moment_of_a_free_profile(self) -> None:
        run = ScriptedRun([stuck(), CLOSED])
        run.gateway.close_answers = False

        close(run.client, run)

        assert run.facts == Facts(failed_close_at=after(0), free_at=after(120))


class TestLogout:
    def test_it_is_remembered_and_ends_what_was_known_of_closes(self) -> None:
        before = Facts(closed_at=after(-9), failed_close_at=after(-9), free_at=after(56))
        run = ScriptedRun([CONNECTED, CLOSED], facts=before)

        assert log_out(run.client, run) == "logged_out"
        assert run.facts == Facts(logged_out_at=after(0))

    def test_a_session_without_a_live_page_cannot_be_logged_out(self) -> None:
        run = ScriptedRun([CLOSED])
        run.gateway.logout_error = SessionDisconnectedError("not active", status_code=404)

        assert log_out(run.client, run) == "not_connected"
        assert run.facts == Facts()

    def test_it_counts_although_nobody_probes_the_session_afterwards(self) -> None:
        run = ScriptedRun([CONNECTED], looks_fail=True)

        assert log_out(run.client, run) == "logged_out"
