"""What start, restart and pairing do while a phone is being linked, and when it was not linked in time."""

from __future__ import annotations

import pytest
from scripted_run import Scene, ScriptedRun

from core.gateways.wppconnect.procedures import Goal, bring_up, close
from core.models import Reason, SessionState, Verdict

START, RESTART, PAIR = Goal(), Goal(restart=True), Goal(show_code=True)
CLOSED = Scene(Verdict.DISCONNECTED)
STARTING = Scene(Verdict.STARTING, 5, held=True)
QR = Scene(Verdict.WAITING_FOR_QR, 10, held=True)
LINKING = Scene(Verdict.LINKING, 60, held=True)
CONNECTED = Scene(Verdict.CONNECTED, held=True)
NOT_COMPLETED, QRCODE = Reason.LINK_NOT_COMPLETED, SessionState.QRCODE


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(Scene(Verdict.DISCONNECTED, reason=NOT_COMPLETED, held=True), id="closed"),
        pytest.param(Scene(Verdict.DISCONNECTED, reason=NOT_COMPLETED), id="closed and forgotten"),
        pytest.param(Scene(Verdict.DISCONNECTED, reason=NOT_COMPLETED, state=QRCODE), id="its code stays on"),
    ],
)
def test_no_second_code_follows_a_link_that_was_not_completed(end: Scene) -> None:
    run = ScriptedRun([CLOSED, STARTING, QR, LINKING, end])

    code = bring_up(run.client, run, PAIR)

    assert (code, run.story) == ("link_not_completed", ["start at 0"])


def test_a_link_that_is_being_made_is_followed_to_its_end() -> None:
    run = ScriptedRun([LINKING, CONNECTED])

    assert (bring_up(run.client, run, PAIR), run.story) == ("connected", [])


@pytest.mark.parametrize("goal", [START, RESTART], ids=["start", "restart"])
def test_a_link_that_is_being_made_is_disturbed_by_nothing(goal: Goal) -> None:
    run = ScriptedRun([LINKING])

    assert (bring_up(run.client, run, goal), run.story) == ("needs_pairing", [])


def test_a_link_that_is_being_made_is_not_closed() -> None:
    run = ScriptedRun([LINKING])

    assert (close(run.client, run), run.story) == ("close_refused", [])


def test_a_person_may_ask_for_a_code_over_a_used_one_that_stays_on() -> None:
    stays = Scene(Verdict.DISCONNECTED, reason=NOT_COMPLETED, state=QRCODE, held=True)
    run = ScriptedRun([stays, CLOSED, QR, CONNECTED])
    run.gateway.close_answers = False

    assert bring_up(run.client, run, PAIR) == "connected"
    assert run.story == ["close 500 at 0", "start at 65"]
